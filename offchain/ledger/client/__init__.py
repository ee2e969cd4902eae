"""What participants use to talk to the ledger: believes no single replica."""
