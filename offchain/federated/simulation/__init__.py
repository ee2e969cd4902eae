"""Many participants in one process, some of them hostile, with the rules and the arithmetic of production."""
