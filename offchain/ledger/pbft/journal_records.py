"""Records of the journal. Most are a message: what we promised is what we said, or would have said.

`Bundle`: contents of what we promise. `PrePrepare`: accepted. `Prepare`: prepared. `Decided`: to be executed.
`ViewChange`: ours, sent. Three more have tags of their own: the view that began, a stable checkpoint's snapshot, and
one that we took on from others, with which nothing becomes stable.
"""

import struct
from dataclasses import dataclass

from offchain.errors import Rejected
from offchain.ledger.pbft.codec import decode
from offchain.ledger.pbft.messages import Message
from offchain.ledger.pbft.wire import Reader, encode_digests
from offchain.ledger.types import Digest, Sequence, View

_ENTERED = 0x80
_SNAPSHOT = 0x81
_ADOPTED = 0x82
_ENTERED_HEAD = struct.Struct(">BQQ")
_SNAPSHOT_HEAD = struct.Struct(">BQ")


@dataclass(frozen=True, slots=True)
class Entered:
    """A view began after `start` with these batches."""

    view: View
    start: Sequence
    choices: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state at a stable checkpoint, as in `Checkpoints`."""

    sequence: Sequence
    snapshot: bytes


@dataclass(frozen=True, slots=True)
class Adopted:
    """A state above the stable checkpoint that weak-many vouched for, instead of the decisions that lead to it."""

    sequence: Sequence
    snapshot: bytes


Record = Message | Entered | Snapshot | Adopted


def encode_entered(record: Entered) -> bytes:
    """The record of a view that began."""
    return _ENTERED_HEAD.pack(_ENTERED, record.view, record.start) + encode_digests(record.choices)


def encode_snapshot(record: Snapshot | Adopted) -> bytes:
    """The record of a state."""
    tag = _SNAPSHOT if isinstance(record, Snapshot) else _ADOPTED
    return _SNAPSHOT_HEAD.pack(tag, record.sequence) + record.snapshot


def decode_record(data: bytes) -> Record:
    """Raises Rejected if it is no record."""
    try:
        reader = Reader(data, 0)
        if data[:1] == bytes([_ENTERED]):
            _, view, start = reader.fields(_ENTERED_HEAD)
            entered = Entered(view, start, reader.digests())
            reader.end()
            return entered
        if data[:1] in (bytes([_SNAPSHOT]), bytes([_ADOPTED])):
            tag, sequence = reader.fields(_SNAPSHOT_HEAD)
            return (Snapshot if tag == _SNAPSHOT else Adopted)(sequence, reader.rest())
        return decode(data)
    except struct.error as error:
        raise Rejected(f"the journal has a record of a wrong length: {error}") from error
