"""Zero-knowledge proofs of a network's accuracy and of its training; the specification is `docs/proofs.md`."""
