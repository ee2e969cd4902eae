"""Unit tests of the chain room."""
