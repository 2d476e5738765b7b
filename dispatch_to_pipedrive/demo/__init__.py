"""A whole migration on this machine, from nothing to signed evidence."""
