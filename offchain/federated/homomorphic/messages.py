"""What members of a homomorphic session post at each stage, as files of one length each. Pure.

A file begins with its stage, its sender's position (a byte each) and the digest of the sender's session, 32 bytes. The
stages are those that the chain knows of secure mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug, Rejected
from offchain.federated.secure.masking import LOW_ORDER_KEYS
from offchain.federated.secure.terms import Position, Session, Stage
from offchain.federated.vector_tree import masked_tree
from offchain.protocol.hashing import keccak
from offchain.types import Root

HASH_BYTES: Final = 32
BOX_BYTES: Final = 48
"""32 secret bytes under ChaCha20-Poly1305."""

SET_BYTES: Final = 16
"""A bitmap of positions, big-endian."""

HEADER_BYTES: Final = 34
LEAST_DIMENSION: Final = 8
"""So many words of 4 bytes hold a hash."""

_UNMASK_BYTES: Final = HEADER_BYTES + 1 + 32 + SET_BYTES + 2 * HASH_BYTES


@dataclass(frozen=True, slots=True)
class Keys:
    """Stage KEYS. `public`: X25519, for boxes from members of one's own group and of the one that is added for."""

    public: bytes


@dataclass(frozen=True, slots=True)
class Shares:
    """Stage SHARES. `boxes`: for each member a group's secret, should this be the dealer; `fingerprint` of its key."""

    boxes: tuple[bytes, ...]
    fingerprint: bytes


class Kind(IntEnum):
    """What a file of UNMASK says."""

    ADDED = 1
    SIGNED = 2


@dataclass(frozen=True, slots=True)
class Unmask:
    """Stage UNMASK. ADDED: a file with the sum of the ciphertexts of the members `added` of the session `about`.

    SIGNED: one with the decrypted sum of one's own. `hash`: keccak256 of the file; `cid`: the digest of its CID.
    """

    kind: Kind
    about: bytes
    added: tuple[Position, ...]
    hash: bytes
    cid: bytes


Message: TypeAlias = Keys | Shares | Unmask


def encode(message: Message, session: Session, sender: Position) -> bytes:
    """The file of a message; `session`: the sender's."""
    if isinstance(message, Keys):
        return header(session, sender, Stage.KEYS) + message.public
    if isinstance(message, Shares):
        return header(session, sender, Stage.SHARES) + b"".join(message.boxes) + message.fingerprint
    body = bytes((message.kind,)) + message.about + set_to_bytes(message.added) + message.hash + message.cid
    return header(session, sender, Stage.UNMASK) + body


def decode(data: bytes, session: Session, sender: Position, stage: Stage) -> Message:
    """The message in a file. Raises Rejected when it is none of this session, sender and stage."""
    if len(data) != size_of(session, stage) or data[:HEADER_BYTES] != header(session, sender, stage):
        raise Rejected(f"the {stage.name} file of member {sender} is none of this session, sender and stage")
    body = data[HEADER_BYTES:]
    if stage is Stage.KEYS:
        if body in LOW_ORDER_KEYS:
            raise Rejected(f"member {sender} posted an X25519 key of low order")
        return Keys(body)
    if stage is Stage.SHARES:
        boxes = tuple(body[at : at + BOX_BYTES] for at in range(0, session.size * BOX_BYTES, BOX_BYTES))
        return Shares(boxes, body[-HASH_BYTES:])
    if body[0] not in list(Kind):
        raise Rejected(f"the UNMASK file of member {sender} is of unknown kind {body[0]}")
    rest, end = body[1:], 32 + SET_BYTES
    return Unmask(
        Kind(body[0]), rest[:32], set_from_bytes(rest[32:end]), rest[end : end + HASH_BYTES], rest[end + HASH_BYTES :]
    )


def read(data: bytes, session: Session, sender: Position, stage: Stage) -> Message | None:
    """The message in a file, None when it is none of the stage: then its author has posted nothing."""
    try:
        return decode(data, session, sender, stage)
    except Rejected:
        return None


def size_of(session: Session, stage: Stage) -> int:
    """Bytes of every file of a stage; of MASKED see `sealing.sealed_size`."""
    if stage is Stage.MASKED:
        raise Bug("ciphertexts have a size of their own")
    bodies = {Stage.KEYS: 32, Stage.SHARES: session.size * BOX_BYTES + HASH_BYTES}
    return _UNMASK_BYTES if stage is Stage.UNMASK else HEADER_BYTES + bodies[stage]


def header(session: Session, sender: Position, stage: Stage) -> bytes:
    """The first 34 bytes."""
    return bytes((stage, sender)) + session.digest


def set_to_bytes(positions: tuple[Position, ...]) -> bytes:
    """A set of positions as a bitmap of 16 bytes."""
    return sum(1 << position for position in positions).to_bytes(SET_BYTES, "big")


def set_from_bytes(data: bytes) -> tuple[Position, ...]:
    """The positions in a bitmap, ascending."""
    bits = int.from_bytes(data, "big")
    return tuple(Position(place) for place in range(8 * SET_BYTES) if bits >> place & 1)


def card_of(digest: bytes, dimension: int) -> npt.NDArray[np.uint32]:
    """What stands on chain for a file of ciphertexts: a vector uint32 (d,) whose first 32 bytes are its keccak256.

    Its root is what `postMasked` takes, so that requests for chunks can be answered. Rejected when d is below 8.
    """
    if dimension < LEAST_DIMENSION:
        raise Rejected(f"homomorphic: a model of {dimension} parameters; {LEAST_DIMENSION} are the least")
    card = np.zeros(dimension, dtype="<u4")
    card[: HASH_BYTES // 4] = np.frombuffer(digest, dtype="<u4")
    return card.astype(np.uint32, copy=False)


def card_root(digest: bytes, dimension: int) -> Root:
    """The root of the card."""
    return masked_tree(card_of(digest, dimension)).root


def sum_to_bytes(added: tuple[Position, ...], total: npt.NDArray[np.int32]) -> bytes:
    """The file that members sign: whose updates, then their sum, int32 little-endian."""
    return set_to_bytes(added) + total.astype("<i4", copy=False).tobytes()


def sum_from_bytes(data: bytes, session: Session) -> tuple[tuple[Position, ...], npt.NDArray[np.int32]]:
    """The set and the sum int32 (d,). Raises Rejected when the file is not of this form, or its members are too few."""
    added = set_from_bytes(data[:SET_BYTES])
    if len(data) != sum_size(session.dimension) or len(added) < session.threshold or added[-1] >= session.size:
        raise Rejected(f"a signed sum of {len(data)} bytes over members {added}: none of group {session.group}")
    return added, np.frombuffer(data, dtype="<i4", offset=SET_BYTES).astype(np.int32)


def sum_size(dimension: int) -> int:
    """Bytes of the file that members sign."""
    return SET_BYTES + 4 * dimension


def hash_of(data: bytes) -> bytes:
    """keccak256 of a file."""
    return keccak(data)
