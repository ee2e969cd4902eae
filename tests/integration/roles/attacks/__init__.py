"""Attackers and deserters against whole workers on a real chain."""
