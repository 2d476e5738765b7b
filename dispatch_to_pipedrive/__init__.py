"""Moves a field-service company from Dispatch Pro (ServiceTitan) to Pipedrive."""

__version__ = "0.1.0"
