"""The demonstration of federated training: hostile participants, a crash, a leader that lies."""
