"""Attackers against the workers: what they try fails."""
