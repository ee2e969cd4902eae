"""Proofs of training: one step of integer SGD in zero knowledge, and whole runs of them audited by draw."""
