"""The file of a round's result: the aggregate and the words of the server optimiser, chunk by chunk.

A leaf holds everything that the step of one chunk reads and writes: `a` (int16), then for each word of the optimiser
(w; m; v) the chunk's int32, all little-endian; the file is its leaves in order (docs/federated.md, Numbers). So whoever
opens one leaf of this round's result and one of the last round's has shown a coordinate's whole step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug, Rejected
from offchain.federated.server_optimizer import ServerOptimizer, initial_state, step
from offchain.federated.vector_tree import CHUNK, FileTree, LeafKind, as_bytes, chunk_count, chunk_length
from offchain.model.keccak import Bytes
from offchain.types import Root

Aggregate = npt.NDArray[np.int16]
State = npt.NDArray[np.int32]
"""(words, d): w, and what else the server optimiser keeps."""

MAX_WORDS: Final = 3


@dataclass(frozen=True, slots=True)
class ResultShape:
    """How a result of `dimension` parameters with `words` words of optimiser state lies in its file."""

    dimension: int
    words: int

    def __post_init__(self) -> None:
        if self.dimension < 1 or not 1 <= self.words <= MAX_WORDS:
            raise Bug(f"a result of {self.dimension} parameters and {self.words} words")

    @property
    def coordinate_bytes(self) -> int:
        """Bytes of one coordinate."""
        return 2 + 4 * self.words

    @property
    def leaf_bytes(self) -> int:
        """Bytes of every leaf but the last."""
        return CHUNK * self.coordinate_bytes

    @property
    def file_bytes(self) -> int:
        """Bytes of the file."""
        return self.dimension * self.coordinate_bytes

    @property
    def leaves(self) -> int:
        """How many leaves there are."""
        return chunk_count(self.dimension)


@dataclass(frozen=True, slots=True)
class ResultChunk:
    """One leaf, read: `aggregate` int16 (k,), `state` int32 (words, k)."""

    aggregate: Aggregate
    state: State

    def words_at(self, place: int) -> tuple[int, ...]:
        """The optimiser's words at a place of the chunk."""
        return tuple(int(word) for word in self.state[:, place])


@dataclass(frozen=True)
class Result:
    """A result in the form of its file, uint8 (file_bytes,); tree and vectors are made when asked for."""

    shape: ResultShape
    file: Bytes

    def __post_init__(self) -> None:
        if self.file.shape != (self.shape.file_bytes,):
            raise Rejected(
                f"result of {self.file.size} bytes; {self.shape.dimension} parameters with {self.shape.words} words of "
                f"state take {self.shape.file_bytes}"
            )

    @cached_property
    def tree(self) -> FileTree:
        """The tree, kind 6."""
        return FileTree(LeafKind.RESULT, self.file, self.shape.leaf_bytes)

    @property
    def root(self) -> Root:
        """The root that a leader posts."""
        return self.tree.root

    @property
    def aggregate(self) -> Aggregate:
        """`a`, int16 (d,), a new array."""
        return self._part(0, 2).view("<i2").astype(np.int16)

    @property
    def state(self) -> State:
        """The optimiser's words, int32 (words, d), a new array."""
        return np.stack([self._part(2 + 4 * word, 4).view("<i4").astype(np.int32) for word in range(self.shape.words)])

    @property
    def model(self) -> npt.NDArray[np.int32]:
        """w, int32 (d,), a new array."""
        return self._part(2, 4).view("<i4").astype(np.int32)

    def chunk(self, index: int) -> ResultChunk:
        """Leaf `index`, read."""
        start = index * self.shape.leaf_bytes
        return read_chunk(self.shape, index, self.file[start : start + self.shape.leaf_bytes].tobytes())

    def _part(self, offset: int, size: int) -> Bytes:
        """The bytes of one vector, whose values take `size` bytes and begin at `offset` × k of a chunk of k."""
        whole, rest = divmod(self.shape.dimension, CHUNK)
        cut = whole * self.shape.leaf_bytes
        rows = self.file[:cut].reshape(whole, self.shape.leaf_bytes)
        first = rows[:, offset * CHUNK : (offset + size) * CHUNK].reshape(-1)
        return np.concatenate([first, self.file[cut + offset * rest : cut + (offset + size) * rest]])


def pack_result(aggregate: Aggregate, state: State) -> Result:
    """The result of an aggregate int16 (d,) and the state int32 (words, d) after it."""
    shape = ResultShape(len(aggregate), len(state))
    if state.shape != (shape.words, shape.dimension):
        raise Bug(f"a state of shape {state.shape} with an aggregate of {shape.dimension}")
    file = np.empty(shape.file_bytes, dtype=np.uint8)
    whole, rest = divmod(shape.dimension, CHUNK)
    cut = whole * shape.leaf_bytes
    rows = file[:cut].reshape(whole, shape.leaf_bytes)
    parts = [(0, 2, as_bytes(aggregate, "<i2"))]
    parts += [(2 + 4 * word, 4, as_bytes(values, "<i4")) for word, values in enumerate(state)]
    for offset, size, content in parts:
        rows[:, offset * CHUNK : (offset + size) * CHUNK] = content[: whole * CHUNK * size].reshape(whole, CHUNK * size)
        file[cut + offset * rest : cut + (offset + size) * rest] = content[whole * CHUNK * size :]
    return Result(shape, file)


def initial_result(optimizer: ServerOptimizer, model: npt.NDArray[np.int32]) -> Result:
    """The result of "round 0": a = 0, w int32 (d,) as the client chose it, m = v = 0."""
    return pack_result(np.zeros(len(model), dtype=np.int16), initial_state(optimizer, model))


def next_result(optimizer: ServerOptimizer, previous: Result, aggregate: Aggregate) -> Result:
    """The result that an aggregate int16 (d,) gives after the last one. Raises Rejected when they don't fit."""
    return pack_result(aggregate, step(optimizer, previous.state, aggregate))


def read_chunk(shape: ResultShape, index: int, content: bytes) -> ResultChunk:
    """A leaf's content, read. Raises Rejected when it has another length."""
    length = chunk_length(shape.dimension, index)
    if len(content) != length * shape.coordinate_bytes:
        raise Rejected(f"chunk {index} of {len(content)} bytes; it has {length * shape.coordinate_bytes}")
    aggregate = np.frombuffer(content, dtype="<i2", count=length).astype(np.int16)
    state = np.frombuffer(content, dtype="<i4", offset=2 * length).reshape(shape.words, length)
    return ResultChunk(aggregate, state.astype(np.int32))


def open_result(path: Path, shape: ResultShape) -> Result:
    """A result's file, mapped into memory. Raises Rejected when it has another size."""
    size = path.stat().st_size
    if size != shape.file_bytes:
        raise Rejected(f"{path.name}: result of {size} bytes; the task's take {shape.file_bytes}")
    return Result(shape, np.memmap(path, dtype=np.uint8, mode="r"))
