"""The file of a round's measures: inner products, norms and distances that follow from columns and aggregate.

Row 0 pays: `<u_i, a>` of all n columns, then `<a, a>`. Then what the rule rests on: of `ClippedMean` one row of the
squared norms, of `Krum` and `MultiKrum` row 1 + i with `|u_i - u_j|^2` for all j. In secure mode a last row holds the
roots of the columns, which are the groups' means. Numbers are int64, big-endian (docs/federated.md, Measures).

Inner products of int16 are exact in float64 while their sum stays below 2**53: 2**22 coordinates of 2**30 each. So they
are computed by BLAS in blocks far below that, and the blocks' sums added as integers, which is exact up to 2**63.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug, Rejected
from offchain.federated.vector_tree import LeafKind, Opening, rows_tree
from offchain.model.merkle import MerkleTree
from offchain.types import Root

Column = npt.NDArray[np.int16]
Integers = npt.NDArray[np.int64]

MAX_COLUMNS: Final = 128
_BLOCK: Final = 1 << 14
"""Coordinates at a time: 128 columns of float64 take 16 MiB."""


class Evidence(Enum):
    """What the rows between the first and the last hold."""

    NONE = "none"
    NORMS = "norms"
    DISTANCES = "distances"


@dataclass(frozen=True, slots=True)
class MeasuresShape:
    """How the measures of `columns` columns lie in their file."""

    columns: int
    evidence: Evidence
    secure: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.columns <= MAX_COLUMNS:
            raise Bug(f"measures of {self.columns} columns")

    @property
    def row_bytes(self) -> tuple[int, ...]:
        """The length of each row."""
        n = self.columns
        between = {Evidence.NONE: (), Evidence.NORMS: (8 * n,), Evidence.DISTANCES: (8 * n,) * n}[self.evidence]
        return (8 * (n + 1), *between, *((32 * n,) if self.secure else ()))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.row_bytes)

    @property
    def file_bytes(self) -> int:
        """Bytes of the file."""
        return sum(self.row_bytes)


@dataclass(frozen=True)
class Measures:
    """Rows as bytes; those after row 0 as the shape says."""

    shape: MeasuresShape
    rows: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if tuple(map(len, self.rows)) != self.shape.row_bytes:
            raise Bug(f"measures with rows of {[len(row) for row in self.rows]} bytes for {self.shape}")

    @cached_property
    def tree(self) -> MerkleTree:
        """The tree, kind 7."""
        return rows_tree(LeafKind.MEASURES, self.rows)

    @property
    def root(self) -> Root:
        """The root that a leader posts."""
        return self.tree.root

    @property
    def file(self) -> bytes:
        """The rows in order."""
        return b"".join(self.rows)

    def open(self, row: int) -> Opening:
        """A row with its proof."""
        return Opening(self.rows[row], self.tree.prove(row))

    def entries(self, row: int) -> tuple[int, ...]:
        """The numbers of a row (not of the roots' row)."""
        return read_row(self.rows[row])

    @property
    def group_roots(self) -> tuple[Root, ...]:
        """Secure mode: the columns' roots."""
        if not self.shape.secure:
            raise Bug("plain measures have no row of roots")
        last = self.rows[-1]
        return tuple(Root(last[at : at + 32]) for at in range(0, len(last), 32))


def compute_measures(
    columns: Sequence[Column], aggregate: Column, evidence: Evidence, group_roots: Sequence[bytes] = ()
) -> Measures:
    """The measures of columns int16 (d,) each and their aggregate int16 (d,); `group_roots` in secure mode only."""
    shape = MeasuresShape(len(columns), evidence, secure=bool(group_roots))
    products = gram([*columns, aggregate], last_only=evidence is Evidence.NONE)
    norms = np.diagonal(products)[:-1]
    rows = [row_bytes(products[-1])]
    if evidence is Evidence.NORMS:
        rows.append(row_bytes(norms))
    elif evidence is Evidence.DISTANCES:
        between = norms[:, np.newaxis] + norms[np.newaxis, :] - 2 * products[:-1, :-1]
        rows += [row_bytes(row) for row in between]
    if group_roots:
        rows.append(b"".join(group_roots))
    return Measures(shape, tuple(rows))


def gram(vectors: Sequence[Column], *, last_only: bool = False) -> Integers:
    """Exact inner products of all pairs of k vectors int16 (d,), int64 (k, k); or of all with the last one, (1, k)."""
    count, dimension = len(vectors), len(vectors[0])
    if any(vector.shape != (dimension,) or vector.dtype != np.int16 for vector in vectors):
        raise Bug("inner products of vectors that are not int16 of one length")
    sums = np.zeros((1 if last_only else count, count), dtype=np.int64)
    block = np.empty((count, min(_BLOCK, dimension)), dtype=np.float64)
    for start in range(0, dimension, _BLOCK):
        width = min(_BLOCK, dimension - start)
        for place, vector in enumerate(vectors):
            block[place, :width] = vector[start : start + width]
        some = block[:, :width]
        sums += ((some[-1:] if last_only else some) @ some.T).astype(np.int64)
    return sums


def row_bytes(entries: Integers) -> bytes:
    """Numbers as a row: int64, big-endian."""
    return entries.astype(">i8").tobytes()


def read_row(content: bytes) -> tuple[int, ...]:
    """A row's numbers. Raises Rejected when its length is no multiple of 8."""
    if len(content) % 8:
        raise Rejected(f"measures: a row of {len(content)} bytes; numbers have 8 each")
    return tuple(int(entry) for entry in np.frombuffer(content, dtype=">i8"))


def parse_measures(file: bytes, shape: MeasuresShape) -> Measures:
    """A measures file. Raises Rejected when it has another size."""
    if len(file) != shape.file_bytes:
        raise Rejected(f"measures of {len(file)} bytes; {shape.columns} columns take {shape.file_bytes}")
    rows, at = [], 0
    for length in shape.row_bytes:
        rows.append(file[at : at + length])
        at += length
    return Measures(shape, tuple(rows))
