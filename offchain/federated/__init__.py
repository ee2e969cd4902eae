"""Federated training: private data, hostile participants, an aggregate that anybody can check."""
