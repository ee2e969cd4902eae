"""Manifests and accounts of trainings out of the store, verified; and which CIDs the page may ask for."""
