"""Integer networks against other implementations of the same rules."""
