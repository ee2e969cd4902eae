"""The command line without a chain."""
