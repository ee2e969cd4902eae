"""Rules that make one update of many, exact to the bit on every machine."""
