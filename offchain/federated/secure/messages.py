"""The four messages of secure aggregation and their files. Pure.

Places in a message are those of the group's members. What has no content (a place of its own, of somebody who takes no
part) is zero bytes, so every message of a group has one length. KEYS, SHARES and UNMASK begin with their stage, their
sender's position (a byte each) and the session's digest; the file of MASKED is the vector alone, uint32 little-endian,
for the contract opens chunks of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np

from offchain.errors import Bug, Rejected
from offchain.federated.secure.masking import Words
from offchain.federated.secure.shamir import SHARE_BYTES
from offchain.federated.secure.terms import Position, Session, Stage
from offchain.model.merkle import root_of_all
from offchain.protocol.hashing import keccak
from offchain.types import Root

KEY_BYTES: Final = 32
PAIR_BYTES: Final = 2 * SHARE_BYTES
"""Plaintext for one recipient: its share of the self-mask's seed, then of the mask key."""

BOX_BYTES: Final = PAIR_BYTES + 16
"""The same under ChaCha20-Poly1305."""

_ENTRY_BYTES: Final = 1 + SHARE_BYTES
_HEADER_BYTES: Final = 2 + 32


class Secret(IntEnum):
    """Which secret of a dealer a share is of."""

    SELF_SEED = 0
    MASK_KEY = 1


class Answer(IntEnum):
    """What an entry of UNMASK is."""

    NOTHING = 0
    SELF_SEED = 1
    MASK_KEY = 2
    COMPLAINT = 3


@dataclass(frozen=True, slots=True)
class Keys:
    """Stage KEYS. `mask_key`: X25519, for the pairs' seeds. `share_keys`: X25519, one for each dealer of shares, so
    that a complaint about one of them opens its box and no other. `commitment`: keccak256 of the self-mask's seed.
    """

    mask_key: bytes
    share_keys: tuple[bytes, ...]
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Shares:
    """Stage SHARES, of one dealer. `boxes`: for each recipient its two shares, encrypted. `commitments`: for each
    `Secret` and recipient, `boxes.share_commitment`. `seeds`: keccak256 of the seed shared with each member, in the own
    place that of the self-mask.
    """

    boxes: tuple[bytes, ...]
    commitments: tuple[tuple[bytes, ...], tuple[bytes, ...]]
    seeds: tuple[bytes, ...]

    @property
    def seeds_root(self) -> Root:
        """`IndexedMerkle` over `seeds` as leaves: what the chain holds of them."""
        return root_of_all(self.seeds)


@dataclass(frozen=True, slots=True, eq=False)
class Masked:
    """Stage MASKED. `vector`: uint32 (d,), see `masking`; None: posted, of the right length, and not fetched.

    A member needs to know who posted, not what; that a file has its length is what the chain's requests are for.
    """

    vector: Words | None


@dataclass(frozen=True, slots=True)
class Entry:
    """About one dealer: a share (33 bytes, big-endian), or with a complaint the private key of that dealer's box."""

    answer: Answer
    content: bytes


NOTHING: Final = Entry(Answer.NOTHING, bytes(SHARE_BYTES))


@dataclass(frozen=True, slots=True)
class Unmask:
    """Stage UNMASK. `entries`: one for each member of the group as dealer."""

    entries: tuple[Entry, ...]


Message: TypeAlias = Keys | Shares | Masked | Unmask


def encode(message: Message, session: Session, sender: Position) -> bytes:
    """The message's file; its keccak256 is what the chain holds, of MASKED the vector's root."""
    if isinstance(message, Masked):
        if message.vector is None:
            raise Bug("a vector that was not fetched has no file here")
        return message.vector.astype("<u4", copy=False).tobytes()
    if isinstance(message, Keys):
        return (
            _header(session, sender, Stage.KEYS) + message.mask_key + message.commitment + b"".join(message.share_keys)
        )
    if isinstance(message, Shares):
        parts = (*message.boxes, *message.commitments[0], *message.commitments[1], *message.seeds)
        return _header(session, sender, Stage.SHARES) + b"".join(parts)
    entries = (bytes((entry.answer,)) + entry.content for entry in message.entries)
    return _header(session, sender, Stage.UNMASK) + b"".join(entries)


def decode(data: bytes, session: Session, sender: Position, stage: Stage) -> Message:
    """The message in a file. Raises Rejected when it is none of this session, sender and stage."""
    length = size_of(session, stage)
    if len(data) != length:
        raise Rejected(f"the {stage.name} file of member {sender} has {len(data)} bytes, not {length}")
    if stage is Stage.MASKED:
        return Masked(np.frombuffer(data, dtype="<u4").astype(np.uint32, copy=False))
    if data[:_HEADER_BYTES] != _header(session, sender, stage):
        raise Rejected(f"the {stage.name} file of member {sender} was written for another session, sender or stage")
    body = data[_HEADER_BYTES:]
    if stage is Stage.KEYS:
        mask_key, commitment, *share_keys = _cut(body, KEY_BYTES)
        return Keys(mask_key, tuple(share_keys), commitment)
    if stage is Stage.SHARES:
        size, end = session.size, session.size * BOX_BYTES
        words = _cut(body[end:], 32)
        commitments = (tuple(words[:size]), tuple(words[size : 2 * size]))
        return Shares(tuple(_cut(body[:end], BOX_BYTES)), commitments, tuple(words[2 * size :]))
    return Unmask(tuple(_entry(part, sender) for part in _cut(body, _ENTRY_BYTES)))


def size_of(session: Session, stage: Stage) -> int:
    """Bytes of every file of a stage."""
    if stage is Stage.MASKED:
        return 4 * session.dimension
    each = {Stage.KEYS: KEY_BYTES, Stage.SHARES: BOX_BYTES + 96, Stage.UNMASK: _ENTRY_BYTES}[stage]
    return _HEADER_BYTES + each * session.size + (2 * KEY_BYTES if stage is Stage.KEYS else 0)


def digest_of(data: bytes) -> bytes:
    """keccak256 of a file."""
    return keccak(data)


def _header(session: Session, sender: Position, stage: Stage) -> bytes:
    return bytes((stage, sender)) + session.digest


def _entry(part: bytes, sender: Position) -> Entry:
    try:
        return Entry(Answer(part[0]), part[1:])
    except ValueError:
        raise Rejected(f"the UNMASK file of member {sender} has an entry of unknown kind {part[0]}") from None


def _cut(data: bytes, length: int) -> Sequence[bytes]:
    return [data[at : at + length] for at in range(0, len(data), length)]
