"""Merkle trees that OpenZeppelin's `MerkleProof` verifies: keccak256 over pairs in ascending order.

Levels are built bottom up; an odd last node moves up unchanged. Leaves must be double hashes (`double_hash`), so that
no inner node, which is the hash of 64 bytes, can pass for a leaf.
"""

from collections.abc import Sequence

import numpy as np

from offchain.errors import Bug
from offchain.model.keccak import Bytes, keccak_rows
from offchain.types import Root


class MerkleTree:
    """A tree over leaves uint8 (n, 32), n at least 1. All levels are kept: 64 bytes a leaf."""

    def __init__(self, leaves: Bytes) -> None:
        if leaves.ndim != 2 or leaves.shape[1] != 32 or len(leaves) == 0:
            raise Bug(f"a Merkle tree over leaves of shape {leaves.shape}")
        self._levels = [leaves]
        while len(self._levels[-1]) > 1:
            self._levels.append(_parents(self._levels[-1]))

    @property
    def root(self) -> Root:
        """The root; of a single leaf, the leaf itself."""
        return Root(self._levels[-1][0].tobytes())

    def leaf(self, index: int) -> bytes:
        """The leaf at `index`, 32 bytes."""
        return bytes(self._levels[0][index])

    def prove(self, index: int) -> tuple[bytes, ...]:
        """The siblings from the leaf at `index` up to the root, 32 bytes each; at most ceil(log2(n)) of them."""
        if not 0 <= index < len(self._levels[0]):
            raise Bug(f"leaf {index} of {len(self._levels[0])}")
        proof = []
        for level in self._levels[:-1]:
            if index ^ 1 < len(level):
                proof.append(level[index ^ 1].tobytes())
            index //= 2
        return tuple(proof)


def verify(root: Root, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` leads from `leaf` to `root`; the twin of `MerkleProof.verify`."""
    node = leaf
    for sibling in proof:
        pair = np.frombuffer(min(node, sibling) + max(node, sibling), dtype=np.uint8)
        node = keccak_rows(pair[np.newaxis])[0].tobytes()
    return node == root


def double_hash(encodings: Bytes) -> Bytes:
    """keccak256(keccak256(row)) of each row: uint8 (n, 32) for uint8 (n, length)."""
    return keccak_rows(keccak_rows(encodings))


def _parents(level: Bytes) -> Bytes:
    pairs = len(level) // 2
    left, right = level[0 : 2 * pairs : 2], level[1 : 2 * pairs : 2]
    swap = _greater(left, right)[:, np.newaxis]
    ordered = np.concatenate([np.where(swap, right, left), np.where(swap, left, right)], axis=1)
    parents = keccak_rows(ordered)
    return parents if len(level) % 2 == 0 else np.concatenate([parents, level[-1:]])


def _greater(left: Bytes, right: Bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """For each row whether `left` is the larger big-endian number: the first of four words that differs decides."""
    a, b = (np.ascontiguousarray(side).view(">u8") for side in (left, right))
    first = (a != b).argmax(axis=1)
    rows = np.arange(len(a))
    greater: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = a[rows, first] > b[rows, first]
    return greater
