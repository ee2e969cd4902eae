"""What participants put on the ledger: requests, their bodies, and the state that they make. Pure."""
