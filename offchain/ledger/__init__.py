"""The global ledger: PBFT among the aggregators, and what participants read and write there (docs/ledger.md)."""
