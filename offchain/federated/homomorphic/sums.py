"""Files of sums, which members post at UNMASK: of ciphertexts by who added them, of updates by who decrypted. Pure.

Both begin with the digest of the session that is summed (32 bytes) and a bitmap of the positions that are in it (16
bytes, big-endian). Neither says who made it: all who do it right make the same file, and the hashes that they post are
the same, so the chain shows how many signed a sum.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from offchain.errors import Rejected
from offchain.federated.homomorphic.parameters import Parameters
from offchain.federated.homomorphic.sealing import block_count
from offchain.federated.secure.terms import Position, Session

SET_BYTES: Final = 16
HEAD_BYTES: Final = 32 + SET_BYTES
Members = tuple[Position, ...]
"""Ascending."""


def added_size(parameters: Parameters, dimension: int) -> int:
    """Bytes of a sum of ciphertexts."""
    return HEAD_BYTES + block_count(parameters, dimension) * parameters.block_bytes


def signed_size(dimension: int) -> int:
    """Bytes of a decrypted sum."""
    return HEAD_BYTES + 4 * dimension


def head(session: Session, members: Members) -> bytes:
    """The first 48 bytes."""
    return session.digest + sum(1 << position for position in members).to_bytes(SET_BYTES, "big")


def read_added(
    content: memoryview, session: Session, among: Collection[Position], parameters: Parameters
) -> tuple[Members, Iterator[memoryview]]:
    """Whose ciphertexts are in it, and its blocks. `among`: whose updates count in the round.

    Raises Rejected when it is no sum of this session, of too few, or of somebody else's too.
    """
    members = _members(content, session, among, added_size(parameters, session.dimension))
    size = parameters.block_bytes
    return members, (content[start : start + size] for start in range(HEAD_BYTES, len(content), size))


def signed_file(session: Session, members: Members, total: npt.NDArray[np.int32]) -> bytes:
    """What members sign by posting its keccak256: the sum int32 (d,), little-endian."""
    return head(session, members) + total.astype("<i4", copy=False).tobytes()


def read_signed(
    content: memoryview, session: Session, among: Collection[Position]
) -> tuple[Members, npt.NDArray[np.int32]]:
    """Whose updates, and their sum int32 (d,). Raises Rejected like `read_added`."""
    members = _members(content, session, among, signed_size(session.dimension))
    return members, np.frombuffer(content, dtype="<i4", offset=HEAD_BYTES).astype(np.int32, copy=False)


def _members(content: memoryview, session: Session, among: Collection[Position], size: int) -> Members:
    if len(content) != size or bytes(content[:32]) != session.digest:
        raise Rejected(f"a file of {len(content)} bytes is no sum of group {session.group}")
    bits = int.from_bytes(content[32:HEAD_BYTES], "big")
    members = tuple(Position(place) for place in range(8 * SET_BYTES) if bits >> place & 1)
    if len(members) < session.threshold or not set(members) <= set(among):
        raise Rejected(
            f"a sum over members {members} of group {session.group}; those that count are {tuple(among)}, and its "
            f"threshold is {session.threshold}"
        )
    return members
