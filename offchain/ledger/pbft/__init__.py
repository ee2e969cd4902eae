"""Practical Byzantine fault tolerance as a pure state machine (docs/ledger.md, The core)."""
