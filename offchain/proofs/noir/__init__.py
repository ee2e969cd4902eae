"""UltraHonk: circuits as Noir text, proven by Barretenberg (docs/proofs.md)."""
