"""The demonstration: a whole market in one process, with real training and real transactions."""
