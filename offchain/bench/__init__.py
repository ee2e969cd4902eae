"""Benchmarks: each a command that prints a table and, with `--json`, machine-readable rows."""
