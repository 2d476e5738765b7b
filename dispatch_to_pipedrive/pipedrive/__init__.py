"""The destination: client, token budget, schema and canonical forms. Knows nothing of Dispatch Pro."""
