"""Data sets: loaders for what users have, and the canonical int8 form that goes on the wire."""
