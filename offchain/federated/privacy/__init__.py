"""Differential privacy: accounting, the ledger's arithmetic, DP-SGD, discrete Gaussian noise (docs/privacy.md)."""
