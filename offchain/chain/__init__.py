"""The chain: connection, contracts, events, and the only place that signs transactions."""
