"""Loaders, the canonical data set, preprocessing and splits."""
