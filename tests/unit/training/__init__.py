"""Specs, training, quantisation and export."""
