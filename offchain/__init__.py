"""Assay: a decentralised training network. The off-chain half; the contracts are in `contracts/`."""

__version__ = "0.1.0"
