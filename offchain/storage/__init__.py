"""Content addressing: what a CID is, how it is computed and checked, and the places that keep content."""
