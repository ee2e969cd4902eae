"""The command line against a real chain."""
