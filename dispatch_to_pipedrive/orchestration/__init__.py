"""The Dagster skin over the road.

What belongs here: assets, checks, jobs and resources, each a short step from Dagster's context to one function of a
room below and back to metadata. What does not: anything that a test could not call without Dagster.
"""
