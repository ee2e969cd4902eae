"""Bytes of any length under one root, a chunk at a time (docs/dispute.md, Trees).

A blob is cut into chunks of `CHUNK` bytes, the last one possibly shorter; the root is that of the tree over their
keccak256. So a blob of one chunk has the hash of its bytes as its root.
"""

from collections.abc import Sequence

import numpy as np
from eth_utils.crypto import keccak

from offchain.errors import Bug
from offchain.model.keccak import Bytes
from offchain.model.leaves import ChunkOpening
from offchain.model.merkle import MerkleTree, hash_rows, root_of_all, roots_of
from offchain.types import Root

CHUNK = 1024
FAN_OUT = 32
"""Hashes that one move of the dispute game posts at most."""

_LEVELS = FAN_OUT.bit_length() - 1
_BLOCK_BYTES = 16 << 20


def chunk_count(size: int) -> int:
    """Chunks of a blob of `size` bytes; an empty one has one, which is empty."""
    return max(1, -(-size // CHUNK))


def blob_root(data: bytes) -> Root:
    """The root of one blob."""
    if len(data) <= CHUNK:
        return Root(keccak(data))
    return blob_roots_of([data])[0]


def blob_roots(rows: Bytes) -> Bytes:
    """The roots of many equally long blobs: uint8 (n, 32) for uint8 (n, length)."""
    count, size = rows.shape
    if size <= CHUNK:
        return hash_rows(rows)
    roots = np.empty((count, 32), dtype=np.uint8)
    block = max(1, _BLOCK_BYTES // size)
    for start in range(0, count, block):
        roots[start : start + block] = roots_of(_leaves(rows[start : start + block]))
    return roots


def blob_roots_of(blobs: Sequence[bytes]) -> list[Root]:
    """The roots of a few blobs of any lengths, equally long chunks hashed together."""
    chunks = [blob[start : start + CHUNK] for blob in blobs for start in range(0, max(len(blob), 1), CHUNK)]
    places: dict[int, list[int]] = {}
    for place, chunk in enumerate(chunks):
        places.setdefault(len(chunk), []).append(place)
    hashes = np.empty((len(chunks), 32), dtype=np.uint8)
    for size, equal in places.items():
        joined = np.frombuffer(b"".join(chunks[place] for place in equal), dtype=np.uint8)
        hashes[equal] = hash_rows(joined.reshape(len(equal), size))
    roots, start = [], 0
    for blob in blobs:
        stop = start + chunk_count(len(blob))
        roots.append(root_of_all([row.tobytes() for row in hashes[start:stop]]))
        start = stop
    return roots


class BlobTree:
    """One blob with the proofs of its chunks."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        rows = np.frombuffer(data, dtype=np.uint8).reshape(1, -1)
        self._tree = MerkleTree(_leaves(rows)[0])

    @property
    def root(self) -> Root:
        """The blob's root."""
        return self._tree.root

    @property
    def chunks(self) -> int:
        """The number of chunks."""
        return len(self._tree)

    def chunk(self, index: int) -> bytes:
        """The bytes of one chunk."""
        if not 0 <= index < self.chunks:
            raise Bug(f"chunk {index} of {self.chunks}")
        return self._data[index * CHUNK : (index + 1) * CHUNK]

    def prove(self, index: int) -> tuple[bytes, ...]:
        """The siblings that lead from the chunk's hash to the root."""
        return self._tree.prove(index)

    def open(self, index: int) -> ChunkOpening:
        """The chunk with its proof."""
        return ChunkOpening(index, self.chunk(index), self.prove(index))

    def hashes(self, base: int, count: int) -> tuple[bytes, ...]:
        """What stands below the part of `count` chunks from `base` on: subtrees of 32 chunks, or at most 32 chunks.

        The part must be one that the game can get to: the whole blob, or a subtree of 32 chunks.
        """
        if base % FAN_OUT or not 0 < count <= self.chunks - base:
            raise Bug(f"chunks {base} to {base + count} of {self.chunks}")
        if count <= FAN_OUT:
            return tuple(row.tobytes() for row in self._tree.level(0)[base : base + count])
        subtrees = slice(base // FAN_OUT, -(-(base + count) // FAN_OUT))
        return tuple(row.tobytes() for row in self._tree.level(_LEVELS)[subtrees])


def _leaves(rows: Bytes) -> Bytes:
    """The hashes of the chunks of each row: uint8 (n, chunks, 32) for uint8 (n, length)."""
    count, size = rows.shape
    whole, rest = divmod(size, CHUNK)
    leaves = np.empty((count, chunk_count(size), 32), dtype=np.uint8)
    if whole:
        chunks = np.ascontiguousarray(rows[:, : whole * CHUNK]).reshape(count * whole, CHUNK)
        leaves[:, :whole] = hash_rows(chunks).reshape(count, whole, 32)
    if rest or not whole:
        leaves[:, whole] = hash_rows(rows[:, whole * CHUNK :])
    return leaves
