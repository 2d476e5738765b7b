"""The source: Dispatch Pro's client, feeds, raw store and placement. Knows nothing of Pipedrive."""
