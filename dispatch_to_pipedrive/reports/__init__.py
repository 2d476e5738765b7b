"""What people read: tables and bars made of values; nothing here asks a ledger or an account."""
