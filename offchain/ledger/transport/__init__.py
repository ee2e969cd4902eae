"""Authenticated links between replicas over TCP (docs/ledger.md, Links)."""
