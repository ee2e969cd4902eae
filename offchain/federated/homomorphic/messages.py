"""What members of a homomorphic session post at each stage, as files of one length each. Pure.

KEYS, SHARES and MASKED (`sealing.py`) begin with their stage, their sender's position (a byte each) and the digest of
its session, 32 bytes. At UNMASK sums are posted (`sums.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug, Rejected
from offchain.federated.secure.masking import LOW_ORDER_KEYS
from offchain.federated.secure.terms import Position, Session, Stage
from offchain.federated.vector_tree import masked_tree
from offchain.types import Root

HASH_BYTES: Final = 32
BOX_BYTES: Final = 48
"""32 secret bytes under ChaCha20-Poly1305."""

HEADER_BYTES: Final = 34
LEAST_DIMENSION: Final = 8
"""So many words of 4 bytes hold a hash."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Stage KEYS. `public`: X25519, for boxes from members of one's own group and of the one that is added for."""

    public: bytes


@dataclass(frozen=True, slots=True)
class Shares:
    """Stage SHARES. `boxes`: for each member a group's secret, should this be the dealer; `fingerprint` of its key."""

    boxes: tuple[bytes, ...]
    fingerprint: bytes


Message: TypeAlias = Keys | Shares


def encode(message: Message, session: Session, sender: Position) -> bytes:
    """The file of a message; `session`: the sender's."""
    if isinstance(message, Keys):
        return header(session, sender, Stage.KEYS) + message.public
    return header(session, sender, Stage.SHARES) + b"".join(message.boxes) + message.fingerprint


def decode(data: bytes, session: Session, sender: Position, stage: Stage) -> Message:
    """The message in a file. Raises Rejected when it is none of this session, sender and stage."""
    if len(data) != size_of(session, stage) or data[:HEADER_BYTES] != header(session, sender, stage):
        raise Rejected(f"the {stage.name} file of member {sender} is none of this session, sender and stage")
    body = data[HEADER_BYTES:]
    if stage is Stage.KEYS:
        if body in LOW_ORDER_KEYS:
            raise Rejected(f"member {sender} posted an X25519 key of low order")
        return Keys(body)
    boxes = tuple(body[at : at + BOX_BYTES] for at in range(0, session.size * BOX_BYTES, BOX_BYTES))
    return Shares(boxes, body[-HASH_BYTES:])


def read(data: bytes, session: Session, sender: Position, stage: Stage) -> Message | None:
    """The message in a file, None when it is none of the stage: then its author has posted nothing."""
    try:
        return decode(data, session, sender, stage)
    except Rejected:
        return None


def size_of(session: Session, stage: Stage) -> int:
    """Bytes of every file of KEYS or SHARES."""
    if stage not in (Stage.KEYS, Stage.SHARES):
        raise Bug("ciphertexts and sums have sizes of their own")
    return HEADER_BYTES + (32 if stage is Stage.KEYS else session.size * BOX_BYTES + HASH_BYTES)


def header(session: Session, sender: Position, stage: Stage) -> bytes:
    """The first 34 bytes."""
    return bytes((stage, sender)) + session.digest


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
