"""Tests of the integer networks."""
