"""Secure aggregation: only the sum of a group's updates is ever known (docs/secure-aggregation.md)."""
