"""Names for the quantities of the ledger."""

from typing import NewType

ReplicaId = NewType("ReplicaId", int)
"""Index of a replica among the members, from 0."""

View = NewType("View", int)

Sequence = NewType("Sequence", int)
"""Number of a batch in the ledger's order, from 1; 0 is the state before the first."""

Digest = NewType("Digest", bytes)
"""SHA-256, 32 bytes."""

Millis = NewType("Millis", int)
"""Milliseconds; as a point in time, since the Unix epoch."""
