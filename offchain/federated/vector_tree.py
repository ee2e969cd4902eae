"""Vectors in chunks under a Merkle root: updates, results, measures and masked vectors (docs/federated.md, Numbers).

A chunk is 256 coordinates, the last one shorter. A leaf is keccak256(kind as 32 bytes ‖ content), where the content is
a slice of the file; so a file's tree, and the opening of any leaf, need nothing but the file. Files are hashed block by
block from wherever they lie, a memory map too: a vector of 10 million takes a second, and no second copy of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from eth_utils.crypto import keccak

from offchain.errors import Bug, Rejected
from offchain.model.keccak import Bytes
from offchain.model.merkle import MerkleTree, hash_rows, root_from
from offchain.types import Root

CHUNK: Final = 256
"""Coordinates in a chunk."""

MAX_DIMENSION: Final = 1 << 24

_BLOCK_BYTES: Final = 2 << 20
"""What is copied at once to be hashed."""


class LeafKind(IntEnum):
    """The first word of a leaf; 1 to 4 are the model trees' (`offchain/model/leaves.py`)."""

    UPDATE = 5
    RESULT = 6
    MEASURES = 7
    MASKED = 8


@dataclass(frozen=True, slots=True)
class Opening:
    """A leaf's content with the way to its root: `LeafOpening` of the court."""

    content: bytes
    proof: tuple[bytes, ...]

    def leads_to(self, root: bytes, kind: LeafKind, index: int, count: int) -> bool:
        """Whether this is the content of leaf `index` of `count` under the root."""
        return root_from(leaf_hash(kind, self.content), index, count, self.proof) == root


class FileTree:
    """The tree over a file whose leaves are its slices of `leaf_bytes`, the last one shorter.

    `file` uint8 (n,), n at least 1; it is kept, not copied: a memory map stays on disk.
    """

    def __init__(self, kind: LeafKind, file: Bytes, leaf_bytes: int) -> None:
        self._file, self._leaf_bytes = file, leaf_bytes
        self.merkle = MerkleTree(leaf_hashes(kind, file, leaf_bytes))

    @property
    def root(self) -> Root:
        """The root."""
        return self.merkle.root

    def __len__(self) -> int:
        return len(self.merkle)

    def content(self, index: int) -> bytes:
        """The bytes of leaf `index`."""
        if not 0 <= index < len(self):
            raise Bug(f"leaf {index} of {len(self)}")
        return self._file[index * self._leaf_bytes : (index + 1) * self._leaf_bytes].tobytes()

    def open(self, index: int) -> Opening:
        """Leaf `index` with its proof."""
        return Opening(self.content(index), self.merkle.prove(index))


def chunk_count(dimension: int) -> int:
    """C, the number of chunks of a vector."""
    return -(-dimension // CHUNK)


def chunk_length(dimension: int, chunk: int) -> int:
    """Coordinates of one chunk. Bug when there is no such chunk."""
    if not 0 <= chunk < chunk_count(dimension):
        raise Bug(f"chunk {chunk} of a vector of {dimension}")
    return min(CHUNK, dimension - chunk * CHUNK)


def leaf_hash(kind: LeafKind, content: bytes) -> bytes:
    """keccak256(kind as 32 bytes ‖ content), 32 bytes."""
    return bytes(keccak(int(kind).to_bytes(32, "big") + content))


def leaf_hashes(kind: LeafKind, file: Bytes, leaf_bytes: int) -> Bytes:
    """The leaves over a file's slices of `leaf_bytes`, the last one shorter: uint8 (leaves, 32) for uint8 (n,)."""
    if file.ndim != 1 or file.dtype != np.uint8 or len(file) == 0:
        raise Bug(f"a tree over {file.dtype} of shape {file.shape}; bytes (n,) are wanted")
    whole, rest = divmod(len(file), leaf_bytes)
    leaves = np.empty((whole + (rest > 0), 32), dtype=np.uint8)
    rows = file[: whole * leaf_bytes].reshape(whole, leaf_bytes)
    block = max(_BLOCK_BYTES // leaf_bytes, 16)
    prefixed = np.zeros((min(block, whole), 32 + leaf_bytes), dtype=np.uint8)
    prefixed[:, 31] = int(kind)
    for start in range(0, whole, block):
        some = rows[start : start + block]
        prefixed[: len(some), 32:] = some
        leaves[start : start + len(some)] = hash_rows(prefixed[: len(some)])
    if rest:
        leaves[whole] = np.frombuffer(leaf_hash(kind, file[whole * leaf_bytes :].tobytes()), dtype=np.uint8)
    return leaves


def update_tree(update: npt.NDArray[np.int16]) -> FileTree:
    """The tree of an update, int16 (d,), kind 5."""
    return FileTree(LeafKind.UPDATE, as_bytes(update, "<i2"), 2 * CHUNK)


def masked_tree(masked: npt.NDArray[np.uint32]) -> FileTree:
    """The tree of a masked vector, uint32 (d,), kind 8."""
    return FileTree(LeafKind.MASKED, as_bytes(masked, "<u4"), 4 * CHUNK)


def rows_tree(kind: LeafKind, rows: Sequence[bytes]) -> MerkleTree:
    """The tree over rows of any lengths, at least one."""
    leaves = b"".join(leaf_hash(kind, row) for row in rows)
    return MerkleTree(np.frombuffer(leaves, dtype=np.uint8).reshape(-1, 32))


def as_bytes(vector: npt.NDArray[Any], dtype: str) -> Bytes:
    """A vector (d,) as the bytes of its file, uint8; no copy when it lies in memory as in the file."""
    if vector.ndim != 1:
        raise Bug(f"a vector of shape {vector.shape}")
    if vector.dtype != np.dtype(dtype):
        if vector.dtype.newbyteorder("<") != np.dtype(dtype):
            raise Bug(f"a vector of {vector.dtype} where {dtype} is meant")
        vector = vector.astype(dtype)
    return np.ascontiguousarray(vector).view(np.uint8)


def open_update(path: Path, dimension: int) -> npt.NDArray[np.int16]:
    """An update's file as a read-only memory map, int16 (d,). Raises Rejected when it has another size."""
    return _open(path, "<i2", dimension, "update")


def open_masked(path: Path, dimension: int) -> npt.NDArray[np.uint32]:
    """A masked vector's file as a read-only memory map, uint32 (d,). Raises Rejected when it has another size."""
    return _open(path, "<u4", dimension, "masked vector")


def _open(path: Path, dtype: str, dimension: int, noun: str) -> npt.NDArray[Any]:
    size, expected = path.stat().st_size, dimension * np.dtype(dtype).itemsize
    if size != expected:
        raise Rejected(f"{path.name}: {noun} of {size} bytes; {dimension} parameters take {expected}")
    return np.memmap(path, dtype=dtype, mode="r", shape=(dimension,))
