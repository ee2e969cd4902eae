"""Canonical encoding of the replicas' messages. Written by helper C; see the signatures below."""

from offchain.ledger.pbft.messages import Batch, Message
from offchain.ledger.types import Digest


def encode(message: Message) -> bytes:
    """The one encoding of a message."""
    raise NotImplementedError


def decode(data: bytes) -> Message:
    """The message. Raises Rejected unless `data` is exactly the encoding of one."""
    raise NotImplementedError


def digest(batch: Batch) -> Digest:
    """SHA-256 of the batch's encoding."""
    raise NotImplementedError
