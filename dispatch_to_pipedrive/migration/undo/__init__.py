"""How a batch is undone: planned first, then carried out backwards through the ledger."""
