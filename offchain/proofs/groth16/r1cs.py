"""Rank-1 constraint systems: built once for a circuit, as arrays; solved for a witness in one compiled pass.

A constraint is (a . w)(b . w) = c . w over wires w, where wire 0 is 1. Constraints are emitted in batches with NumPy,
each under the name of a *group*, which tests leave out one at a time. A constraint may *define* a wire: then c is that
wire alone, and solving sets it to the product, so only the other wires are anybody's to assign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug, Rejected
from offchain.proofs.field import ORDER

Wires = npt.NDArray[np.int64]

ONE = 0
"""The wire that is 1."""

MOST_WIRES = 1 << 22
"""As many constraints as powers are made for, and nearly every wire has one."""


@dataclass(frozen=True, slots=True)
class Sparse:
    """A matrix by rows: entries starts[i] .. starts[i + 1] of row i. coefficients: indices into the system's table."""

    starts: npt.NDArray[np.int64]
    wires: npt.NDArray[np.int32]
    coefficients: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class System:
    """A constraint system.

    wires: their number; public: of them, after wire 0, in order.
    table: uint64 (k, 4), the distinct coefficients, in Montgomery form.
    defines: int32 (constraints,), the wire that a constraint defines, or -1.
    groups: name of each group with its constraints' numbers [first, last).
    """

    wires: int
    public: int
    table: npt.NDArray[np.uint64]
    a: Sparse
    b: Sparse
    c: Sparse
    defines: npt.NDArray[np.int32]
    groups: tuple[tuple[str, int, int], ...]

    @property
    def constraints(self) -> int:
        """Number of constraints."""
        return len(self.defines)


@dataclass(frozen=True, slots=True)
class Sum:
    """`count` linear combinations at once: entry i adds coefficients[i] * wires[i] to combination rows[i].

    coefficients: distinct values in `values`, referred to by index, for there are few and they are wide.
    """

    count: int
    rows: Wires
    wires: Wires
    indices: Wires
    values: tuple[int, ...]

    def __add__(self, other: Sum) -> Sum:
        """Row by row."""
        if self.count != other.count:
            raise Bug(f"{self.count} and {other.count} combinations are added")
        return Sum(
            self.count,
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.wires, other.wires]),
            np.concatenate([self.indices, other.indices + len(self.values)]),
            self.values + other.values,
        )

    def __sub__(self, other: Sum) -> Sum:
        """Row by row."""
        return self + other.times(-1)

    def times(self, factor: int) -> Sum:
        """All combinations times a number."""
        return Sum(self.count, self.rows, self.wires, self.indices, tuple(v * factor % ORDER for v in self.values))

    def plus(self, constant: int) -> Sum:
        """A number added to each combination."""
        return self + constants(self.count, constant)

    def take(self, index: Wires) -> Sum:
        """Combinations `index[0]`, `index[1]`, …; every combination must have equally many entries, in any order."""
        order = np.argsort(self.rows, kind="stable")
        each = len(order) // max(self.count, 1)
        if each * self.count != len(order):
            raise Bug("combinations of different lengths are gathered")
        chosen = order.reshape(self.count, each)[index].reshape(-1)
        rows = np.repeat(np.arange(len(index)), each)
        return Sum(len(index), rows, self.wires[chosen], self.indices[chosen], self.values)


def wires_of(wires: Wires, factor: int = 1) -> Sum:
    """Each wire of an array, in its order, times a number."""
    flat = wires.reshape(-1)
    return Sum(len(flat), np.arange(len(flat)), flat, np.zeros(len(flat), dtype=np.int64), (factor % ORDER,))


def constants(count: int, value: int) -> Sum:
    """The same number `count` times."""
    return wires_of(np.zeros(count, dtype=np.int64), value)


def weighted(wires: Wires, weights: Sequence[int]) -> Sum:
    """The sum over the last axis of weights[k] * wires[…, k]."""
    flat = wires.reshape(-1, wires.shape[-1])
    count, terms = flat.shape
    return Sum(
        count,
        np.repeat(np.arange(count), terms),
        flat.reshape(-1),
        np.tile(np.arange(terms), count),
        tuple(w % ORDER for w in weights),
    )


def summed(terms: Sum, groups: Wires, count: int) -> Sum:
    """`count` combinations: combination k is the sum of those i of `terms` with groups[i] = k."""
    return Sum(count, groups[terms.rows], terms.wires, terms.indices, terms.values)


def powers_of_two(bits: int) -> list[int]:
    """1, 2, 4, …"""
    return [1 << i for i in range(bits)]


@dataclass(slots=True)
class Builder:
    """Collects wires and constraints. `public` wires come first, after wire 0.

    left_out: a group whose constraints are not emitted; only tests of soundness name one.
    """

    public: int
    left_out: str | None = None
    wires: int = 0
    _rows: int = 0
    _parts: tuple[list[Any], list[Any], list[Any]] = field(default_factory=lambda: ([], [], []))
    _defines: list[Any] = field(default_factory=list)
    _table: dict[int, int] = field(default_factory=dict)
    _groups: list[tuple[str, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wires = 1 + self.public

    def allocate(self, *shape: int) -> Wires:
        """New wires. Raises Rejected when there are too many: circuits come from strangers."""
        count = int(np.prod(shape, dtype=np.int64))
        if self.wires + count > MOST_WIRES:
            raise Rejected("circuit: too large for groth16; take fewer samples to a chunk, or ultrahonk")
        first, self.wires = self.wires, self.wires + count
        return np.arange(first, first + count).reshape(shape)

    def constrain(self, group: str, a: Sum, b: Sum, c: Sum | None = None) -> None:
        """a * b = c, row by row; c None is 0."""
        self._emit(group, a, b, c or Sum(a.count, *(np.zeros(0, dtype=np.int64),) * 3, ()), np.full(a.count, -1))

    def product(self, group: str, a: Sum, b: Sum) -> Wires:
        """New wires (count,) that a constraint each defines as a * b."""
        made = self.allocate(a.count)
        self.product_of(group, a, b, made)
        return made

    def product_of(self, group: str, a: Sum, b: Sum, made: Wires) -> None:
        """Wires (count,) that are allocated already, each defined as a * b."""
        self._emit(group, a, b, wires_of(made), made)

    def define(self, group: str, a: Sum) -> Wires:
        """New wires (count,) that a constraint each defines as a."""
        return self.product(group, a, constants(a.count, 1))

    def zero(self, group: str, a: Sum) -> None:
        """Each combination is 0."""
        self.constrain(group, a, constants(a.count, 1))

    def bits(self, group: str, *shape: int) -> Wires:
        """New wires that are 0 or 1, the last axis of `shape` the bits of a number, the lowest first."""
        made = self.allocate(*shape)
        self.constrain(group, wires_of(made), wires_of(made), wires_of(made))
        return made

    def system(self) -> System:
        """What has been built."""
        from offchain.proofs.groth16.vectors import to_montgomery

        table = to_montgomery(list(self._table))
        a, b, c = (self._sparse(parts) for parts in self._parts)
        defines = np.concatenate(self._defines) if self._defines else np.zeros(0, dtype=np.int32)
        return System(self.wires, self.public, table, a, b, c, defines.astype(np.int32), tuple(self._groups))

    def _emit(self, group: str, a: Sum, b: Sum, c: Sum, defines: Wires) -> None:
        if not a.count == b.count == c.count == len(defines):
            raise Bug(f"{group}: {a.count}, {b.count} and {c.count} rows")
        if group == self.left_out or a.count == 0:
            # A wire without its definition is free: the forger's to assign.
            return
        for parts, part in zip(self._parts, (a, b, c), strict=True):
            known = np.array([self._index(value) for value in part.values], dtype=np.int32)
            kept = known[part.indices] if len(part.indices) else np.zeros(0, dtype=np.int32)
            parts.append((part.rows + self._rows, part.wires.astype(np.int32), kept))
        self._defines.append(defines)
        self._groups.append((group, self._rows, self._rows + a.count))
        self._rows += a.count

    def _index(self, value: int) -> int:
        return self._table.setdefault(value % ORDER, len(self._table))

    def _sparse(self, parts: list[Any]) -> Sparse:
        rows, wires, coefficients = (np.concatenate([part[k] for part in parts]) for k in range(3))
        order = np.argsort(rows, kind="stable")
        starts = np.zeros(self._rows + 1, dtype=np.int64)
        np.cumsum(np.bincount(rows, minlength=self._rows), out=starts[1:])
        return Sparse(starts, wires[order], coefficients[order])
