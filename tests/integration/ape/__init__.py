"""ape sees the same contracts."""
