"""A test set in chunks: shuffled by a beacon, cut, hashed, and a tree over the hashes (docs/proofs.md, Test set)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.errors import Rejected
from offchain.model.graph import Int8Array, Int32Array
from offchain.model.keccak import keccak_rows
from offchain.model.merkle import MerkleTree
from offchain.proofs.statement import Chunk
from offchain.types import Root

_LEAF_KIND = 9


@dataclass(frozen=True, slots=True)
class SplitTestSet:
    """Chunks of equal size, and how many samples were left over and are tested by nobody."""

    chunks: tuple[Chunk, ...]
    left_over: int


def split(inputs: Int8Array, labels: Int32Array, samples: int, beacon: bytes) -> SplitTestSet:
    """Shuffles by the beacon and cuts into chunks of `samples`.

    inputs: int8 (n, *shape); labels: int32 (n,); beacon: 32 bytes that nobody could choose.
    Raises Rejected when there is not even one chunk.
    """
    if len(inputs) < samples:
        raise Rejected(f"{len(inputs)} samples make no chunk of {samples}; give more, or smaller chunks")
    order = shuffled(len(inputs), beacon)
    chunks = tuple(
        Chunk(np.ascontiguousarray(inputs[some]), labels[some].astype(np.int32))
        for some in (order[start : start + samples] for start in range(0, len(inputs) - samples + 1, samples))
    )
    return SplitTestSet(chunks, len(inputs) % samples)


def shuffled(count: int, beacon: bytes) -> npt.NDArray[np.int64]:
    """Fisher and Yates' shuffle of 0 .. count - 1, int64 (count,).

    At place i it swaps with i + keccak256(beacon, i as 32 bytes) mod (count - i): counter mode, 256 bits a number, so
    no order is likelier than another by more than 2^-200.
    """
    order = np.arange(count)
    for i, number in enumerate(_numbers(count, beacon)):
        j = i + number % (count - i)
        order[i], order[j] = order[j], order[i]
    return order


def chunk_leaf(chunk_hash: int) -> bytes:
    """The leaf of a chunk: keccak256(abi.encode(9, chunkHash))."""
    return keccak(encode(["uint256", "uint256"], [_LEAF_KIND, chunk_hash]))


class ChunkTree:
    """The tree over chunk hashes whose root is on chain; the twin of `IndexedMerkle.sol`."""

    def __init__(self, chunk_hashes: Sequence[int]) -> None:
        if not chunk_hashes:
            raise Rejected("a test set of no chunks; give at least one chunk of samples")
        leaves = b"".join(chunk_leaf(chunk_hash) for chunk_hash in chunk_hashes)
        self._tree = MerkleTree(np.frombuffer(leaves, dtype=np.uint8).reshape(-1, 32))

    @property
    def root(self) -> Root:
        """The `chunkRoot` of a round."""
        return self._tree.root

    def __len__(self) -> int:
        return len(self._tree)

    def prove(self, index: int) -> tuple[bytes, ...]:
        """The siblings from the chunk at `index` up to the root, 32 bytes each."""
        return self._tree.prove(index)


def _numbers(count: int, beacon: bytes) -> Sequence[int]:
    rows = np.zeros((count, len(beacon) + 32), dtype=np.uint8)
    rows[:, : len(beacon)] = np.frombuffer(beacon, dtype=np.uint8)
    rows[:, -8:] = np.arange(count, dtype=">u8").view(np.uint8).reshape(count, 8)
    digests = keccak_rows(rows)
    return [int.from_bytes(digest.tobytes(), "big") for digest in digests]
