"""The engine: ledger, plan, load, settle, verify. Knows the destination and the map, never the source's API."""
