"""Models: what clients ask for, what providers train, and the exact integer networks that are scored."""
