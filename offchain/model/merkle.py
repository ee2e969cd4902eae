"""Merkle trees in which an index has one place, the twin of `IndexedMerkle.sol` (docs/dispute.md, Trees).

A parent is keccak256(left ‖ right); an odd last node moves up unchanged. With the number of leaves known, the path of
an index is fixed, so nobody can open two different leaves at the same index.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from eth_utils.crypto import keccak

from offchain.errors import Bug
from offchain.model.keccak import Bytes, keccak_rows
from offchain.types import Root

_FEW = 16
"""Fewer hashes than this at once are made faster one by one."""


class MerkleTree:
    """A tree over leaves uint8 (n, 32), n at least 1. All levels are kept: 64 bytes a leaf."""

    def __init__(self, leaves: Bytes) -> None:
        if leaves.ndim != 2 or leaves.shape[1] != 32 or len(leaves) == 0:
            raise Bug(f"a Merkle tree over leaves of shape {leaves.shape}")
        self._levels: list[Bytes] = list(_levels(leaves[np.newaxis]))

    @property
    def root(self) -> Root:
        """The root; of a single leaf, the leaf itself."""
        return Root(self._levels[-1][0, 0].tobytes())

    def __len__(self) -> int:
        return self._levels[0].shape[1]

    def leaf(self, index: int) -> bytes:
        """The leaf at `index`, 32 bytes."""
        return bytes(self._levels[0][0, index])

    def level(self, height: int) -> Bytes:
        """The roots of the subtrees of 2**height leaves, uint8 (n, 32); above the root, the root."""
        subtrees: Bytes = self._levels[min(height, len(self._levels) - 1)][0]
        return subtrees

    def prove(self, index: int) -> tuple[bytes, ...]:
        """The siblings from the leaf at `index` up to the root, 32 bytes each; at most ceil(log2(n)) of them."""
        if not 0 <= index < len(self):
            raise Bug(f"leaf {index} of {len(self)}")
        proof = []
        for level in self._levels[:-1]:
            if index ^ 1 < level.shape[1]:
                proof.append(level[0, index ^ 1].tobytes())
            index //= 2
        return tuple(proof)


def root_from(leaf: bytes, index: int, count: int, proof: Sequence[bytes]) -> Root | None:
    """Where `proof` leads from `leaf` at `index` of `count` leaves; None if no proof of that length can be meant."""
    if not 0 <= index < count:
        return None
    node, place, width, siblings = leaf, index, count, iter(proof)
    while width > 1:
        if place ^ 1 < width:
            sibling = next(siblings, None)
            if sibling is None:
                return None
            node = keccak(node + sibling if place % 2 == 0 else sibling + node)
        place, width = place // 2, (width + 1) // 2
    return Root(node) if next(siblings, None) is None else None


def root_of_all(leaves: Sequence[bytes]) -> Root:
    """The root over a few leaves, 32 bytes each; zero over none."""
    level = list(leaves) or [bytes(32)]
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [keccak(b"".join(pair)) if len(pair) == 2 else pair[0] for pair in pairs]
    return Root(level[0])


def roots_of(leaves: Bytes) -> Bytes:
    """The roots of many trees of equal size: uint8 (trees, 32) for uint8 (trees, n, 32)."""
    *_, top = _levels(leaves)
    return top[:, 0]


def _levels(leaves: Bytes) -> Iterator[Bytes]:
    """The leaves (trees, n, 32), then level by level up to the roots (trees, 1, 32)."""
    level = leaves
    yield level
    while level.shape[1] > 1:
        trees, width = level.shape[:2]
        pairs = width // 2
        joined = np.ascontiguousarray(level[:, : 2 * pairs]).reshape(trees * pairs, 64)
        parents = hash_rows(joined).reshape(trees, pairs, 32)
        level = parents if width % 2 == 0 else np.concatenate([parents, level[:, -1:]], axis=1)
        yield level


def hash_rows(rows: Bytes) -> Bytes:
    """`keccak_rows`, and as fast for a few rows: uint8 (n, 32) for uint8 (n, length)."""
    if len(rows) >= _FEW:
        return keccak_rows(rows)
    return np.frombuffer(b"".join(keccak(row.tobytes()) for row in rows), dtype=np.uint8).reshape(-1, 32)
