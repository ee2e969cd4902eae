"""Homomorphic aggregation: a group's members hold a key, others add what it encrypts (docs/homomorphic.md)."""
