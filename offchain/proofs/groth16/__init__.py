"""Groth16: proofs of 256 bytes, with a key that each circuit has by a ceremony of its own."""
