"""Why the API refuses, besides a wrong parameter (422) and a node or store that is down (503)."""

from offchain.ledger.api.refusals import NotKnown

__all__ = ["NotKnown"]
