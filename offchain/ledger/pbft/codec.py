"""Canonical encoding of the replicas' messages: a tag, then fixed-width big-endian fields and counted lists.

Everything that is known by a digest (bundles, batches, view changes) is known by the SHA-256 of its message, so that
the tags keep the kinds apart.
"""

import struct
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from offchain.errors import Bug, Rejected
from offchain.ledger.pbft.messages import (
    SHORT_BYTES,
    Batch,
    Bundle,
    Checkpoint,
    Commit,
    Decided,
    Entry,
    Fetch,
    FetchState,
    Gossip,
    Message,
    NewView,
    Offer,
    Prepare,
    PrePrepare,
    Proposal,
    Reference,
    StateChunk,
    Status,
    ViewChange,
)
from offchain.ledger.pbft.wire import COUNT, Reader, encode_batch, encode_digests, of_32_bytes
from offchain.ledger.types import Digest

_BUNDLE, _PRE_PREPARE, _PREPARE, _COMMIT, _CHECKPOINT, _VIEW_CHANGE, _NEW_VIEW = range(1, 8)
_FETCH, _OFFER, _STATUS, _DECIDED, _FETCH_STATE, _STATE_CHUNK, _GOSSIP, _PROPOSAL = range(8, 16)

_VOTE = struct.Struct(">BQQ32s")
_TAGGED_CHECKPOINT = struct.Struct(">BQ32s")
_CHECKPOINT_ITEM = struct.Struct(">Q32s")
_ENTRY = struct.Struct(">QQ32s")
_REFERENCE = struct.Struct(">H32s")
_PRE_PREPARE_HEAD = struct.Struct(">BQQ")
_PROPOSAL_HEAD = struct.Struct(">BQQQ32s")
_SHORT = struct.Struct(f">{SHORT_BYTES}s")
_VIEW_CHANGE_HEAD = struct.Struct(">BQHQ")
_NEW_VIEW_HEAD = struct.Struct(">BQ")
_STATUS_ALL = struct.Struct(">BQBQ32sQ")
_DECIDED_HEAD = struct.Struct(">BQ")
_FETCH_STATE_ALL = struct.Struct(">BQI")
_STATE_CHUNK_HEAD = struct.Struct(">BQII")
_TAG = [bytes([tag]) for tag in range(16)]


def encode(message: Message) -> bytes:
    """The one encoding of a message. Raises Bug if a field doesn't fit."""
    try:
        return _ENCODERS[type(message)](message)
    except struct.error as error:
        raise Bug(f"{type(message).__name__} has a field that does not fit its encoding: {error}") from error


def decode(data: bytes) -> Message:
    """The message. Raises Rejected unless `data` is exactly the encoding of one."""
    if not data or data[0] not in _DECODERS:
        raise Rejected("a message with an unknown tag; run the same version of Assay on all replicas")
    try:
        return _DECODERS[data[0]](data)
    except struct.error as error:
        raise Rejected(f"a message of kind {data[0]} has a wrong length: {error}") from error


def digest(batch: Batch) -> Digest:
    """SHA-256 of the batch's encoding."""
    return Digest(sha256(_TAG[_OFFER] + encode_batch(batch)).digest())


def message_digest(message: Bundle | ViewChange) -> Digest:
    """SHA-256 of the message's encoding, by which others refer to it."""
    return Digest(sha256(encode(message)).digest())


def _encode_bundle(message: Bundle) -> bytes:
    parts = [_TAG[_BUNDLE], COUNT.pack(len(message.requests))]
    for request in message.requests:
        parts += (COUNT.pack(len(request)), request)
    return b"".join(parts)


def _encode_pre_prepare(message: PrePrepare) -> bytes:
    return _PRE_PREPARE_HEAD.pack(_PRE_PREPARE, message.view, message.sequence) + encode_batch(message.batch)


def _encode_proposal(message: Proposal) -> bytes:
    head = _PROPOSAL_HEAD.pack(_PROPOSAL, message.view, message.sequence, message.time, of_32_bytes(message.digest))
    if any(len(short) != SHORT_BYTES for short in message.bundles):
        raise Bug("a proposal with a part of a digest that is too short or too long")
    return b"".join([head, COUNT.pack(len(message.bundles)), *message.bundles])


def _encode_prepare(message: Prepare) -> bytes:
    return _VOTE.pack(_PREPARE, message.view, message.sequence, of_32_bytes(message.digest))


def _encode_commit(message: Commit) -> bytes:
    return _VOTE.pack(_COMMIT, message.view, message.sequence, of_32_bytes(message.digest))


def _encode_checkpoint(message: Checkpoint) -> bytes:
    return _TAGGED_CHECKPOINT.pack(_CHECKPOINT, message.sequence, of_32_bytes(message.digest))


def _entries(entries: tuple[Entry, ...]) -> bytes:
    return b"".join(
        [COUNT.pack(len(entries)), *(_ENTRY.pack(e.sequence, e.view, of_32_bytes(e.digest)) for e in entries)]
    )


def _encode_view_change(message: ViewChange) -> bytes:
    checkpoints = [_CHECKPOINT_ITEM.pack(item.sequence, of_32_bytes(item.digest)) for item in message.checkpoints]
    return b"".join(
        [
            _VIEW_CHANGE_HEAD.pack(_VIEW_CHANGE, message.view, message.replica, message.stable),
            COUNT.pack(len(checkpoints)),
            *checkpoints,
            _entries(message.prepared),
            _entries(message.preprepared),
            message.signature,
        ]
    )


def _encode_new_view(message: NewView) -> bytes:
    references = [_REFERENCE.pack(item.replica, of_32_bytes(item.digest)) for item in message.view_changes]
    return b"".join([_NEW_VIEW_HEAD.pack(_NEW_VIEW, message.view), COUNT.pack(len(references)), *references])


def _encode_fetch(message: Fetch) -> bytes:
    return _TAG[_FETCH] + encode_digests(message.digests)


def _encode_offer(message: Offer) -> bytes:
    return _TAG[_OFFER] + encode_batch(message.batch)


def _encode_status(message: Status) -> bytes:
    stable_digest = of_32_bytes(message.stable_digest)
    return _STATUS_ALL.pack(_STATUS, message.view, message.changing, message.stable, stable_digest, message.executed)


def _encode_decided(message: Decided) -> bytes:
    return _DECIDED_HEAD.pack(_DECIDED, message.sequence) + encode_batch(message.batch)


def _encode_fetch_state(message: FetchState) -> bytes:
    return _FETCH_STATE_ALL.pack(_FETCH_STATE, message.sequence, message.chunk)


def _encode_state_chunk(message: StateChunk) -> bytes:
    return _STATE_CHUNK_HEAD.pack(_STATE_CHUNK, message.sequence, message.chunk, message.chunks) + message.data


def _encode_gossip(message: Gossip) -> bytes:
    return _TAG[_GOSSIP] + message.payload


def _decode_bundle(data: bytes) -> Bundle:
    reader = Reader(data, 1)
    requests = []
    for _ in range(reader.count(COUNT.size)):
        (length,) = reader.fields(COUNT)
        requests.append(reader.take(length))
    reader.end()
    return Bundle(tuple(requests))


def _decode_pre_prepare(data: bytes) -> PrePrepare:
    reader = Reader(data, 0)
    _, view, sequence = reader.fields(_PRE_PREPARE_HEAD)
    message = PrePrepare(view, sequence, reader.batch())
    reader.end()
    return message


def _decode_proposal(data: bytes) -> Proposal:
    reader = Reader(data, 0)
    _, view, sequence, time, batch = reader.fields(_PROPOSAL_HEAD)
    bundles = reader.items(_SHORT, bytes)
    reader.end()
    return Proposal(view, sequence, time, batch, bundles)


def _decode_prepare(data: bytes) -> Prepare:
    _, view, sequence, batch = _VOTE.unpack(data)
    return Prepare(view, sequence, batch)


def _decode_commit(data: bytes) -> Commit:
    _, view, sequence, batch = _VOTE.unpack(data)
    return Commit(view, sequence, batch)


def _decode_checkpoint(data: bytes) -> Checkpoint:
    _, sequence, state = _TAGGED_CHECKPOINT.unpack(data)
    return Checkpoint(sequence, state)


def _decode_view_change(data: bytes) -> ViewChange:
    reader = Reader(data, 0)
    _, view, replica, stable = reader.fields(_VIEW_CHANGE_HEAD)
    checkpoints = reader.items(_CHECKPOINT_ITEM, Checkpoint)
    prepared = reader.items(_ENTRY, Entry)
    preprepared = reader.items(_ENTRY, Entry)
    return ViewChange(view, replica, stable, checkpoints, prepared, preprepared, reader.rest())


def _decode_new_view(data: bytes) -> NewView:
    reader = Reader(data, 0)
    _, view = reader.fields(_NEW_VIEW_HEAD)
    references = reader.items(_REFERENCE, Reference)
    reader.end()
    return NewView(view, references)


def _decode_fetch(data: bytes) -> Fetch:
    reader = Reader(data, 1)
    digests = reader.digests()
    reader.end()
    return Fetch(digests)


def _decode_offer(data: bytes) -> Offer:
    reader = Reader(data, 1)
    batch = reader.batch()
    reader.end()
    return Offer(batch)


def _decode_status(data: bytes) -> Status:
    _, view, changing, stable, stable_digest, executed = _STATUS_ALL.unpack(data)
    if changing > 1:
        raise Rejected("a status says neither yes nor no")
    return Status(view, bool(changing), stable, stable_digest, executed)


def _decode_decided(data: bytes) -> Decided:
    reader = Reader(data, 0)
    _, sequence = reader.fields(_DECIDED_HEAD)
    message = Decided(sequence, reader.batch())
    reader.end()
    return message


def _decode_fetch_state(data: bytes) -> FetchState:
    _, sequence, chunk = _FETCH_STATE_ALL.unpack(data)
    return FetchState(sequence, chunk)


def _decode_state_chunk(data: bytes) -> StateChunk:
    reader = Reader(data, 0)
    _, sequence, chunk, chunks = reader.fields(_STATE_CHUNK_HEAD)
    return StateChunk(sequence, chunk, chunks, reader.rest())


def _decode_gossip(data: bytes) -> Gossip:
    return Gossip(data[1:])


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    Bundle: _encode_bundle,
    PrePrepare: _encode_pre_prepare,
    Proposal: _encode_proposal,
    Prepare: _encode_prepare,
    Commit: _encode_commit,
    Checkpoint: _encode_checkpoint,
    ViewChange: _encode_view_change,
    NewView: _encode_new_view,
    Fetch: _encode_fetch,
    Offer: _encode_offer,
    Status: _encode_status,
    Decided: _encode_decided,
    FetchState: _encode_fetch_state,
    StateChunk: _encode_state_chunk,
    Gossip: _encode_gossip,
}

_DECODERS: dict[int, Callable[[bytes], Message]] = {
    _BUNDLE: _decode_bundle,
    _PRE_PREPARE: _decode_pre_prepare,
    _PROPOSAL: _decode_proposal,
    _PREPARE: _decode_prepare,
    _COMMIT: _decode_commit,
    _CHECKPOINT: _decode_checkpoint,
    _VIEW_CHANGE: _decode_view_change,
    _NEW_VIEW: _decode_new_view,
    _FETCH: _decode_fetch,
    _OFFER: _decode_offer,
    _STATUS: _decode_status,
    _DECIDED: _decode_decided,
    _FETCH_STATE: _decode_fetch_state,
    _STATE_CHUNK: _decode_state_chunk,
    _GOSSIP: _decode_gossip,
}
