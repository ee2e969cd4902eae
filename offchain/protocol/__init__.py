"""Pure rules of the protocol: lifecycle, commitments, settlement, selection, manifests. No I/O, clock or randomness."""
