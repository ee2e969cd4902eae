"""The sponge of docs/proofs.md as constraints: 264 a permutation, three for each x^5."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np

from offchain.proofs.field import ORDER
from offchain.proofs.groth16.r1cs import ONE, Builder, Sum, Wires
from offchain.proofs.poseidon2 import round_constants

Combination = dict[int, int]

_RATE = 3
_EXTERNAL = ((5, 7, 1, 3), (4, 6, 1, 1), (1, 3, 5, 7), (1, 1, 4, 6))
_BEFORE = (1, 2, 3, 4)
"""Wires of a permutation, in its own numbering: the words that the one before it left, not yet mixed; ..."""
_ABSORBED = (5, 6, 7)
_OWN = 8


@dataclass(slots=True)
class _Permutation:
    """One permutation's x^5, as combinations of its own wires; 3 k + 8, + 9, + 10 are x^2, x^4, x^5 of number k."""

    bases: list[Combination] = field(default_factory=list)

    def fifth(self, base: Combination) -> Combination:
        self.bases.append(base)
        return {_OWN + 3 * len(self.bases) - 1: 1}


def hash_wires(builder: Builder, group: str, domain: int, elements: Wires) -> Sum:
    """The hash of element wires (n,), one combination. All its wires are defined."""
    count = len(elements)
    blocks = max(-(-count // _RATE), 1)
    padding = blocks * _RATE - count
    if padding:
        nought = builder.define(group, Sum(1, *(np.zeros(0, dtype=np.int64),) * 3, ()))
        elements = np.concatenate([elements, np.repeat(nought, padding)])
    absorbed = elements.reshape(blocks, _RATE)
    # What is before the first permutation is the wire that is 1, times the capacity.
    last = _emit(builder, group, _first((domain << 64) + count), absorbed[:1], np.full(4, ONE))
    if blocks > 1:
        last = _emit(builder, group, _later(), absorbed[1:], last)
    row = np.array(_EXTERNAL[0])
    return Sum(1, np.zeros(4, dtype=np.int64), last, np.arange(4), tuple(int(v) for v in row))


@dataclass(frozen=True, slots=True)
class _Entries:
    """What every x^5 of a permutation is of, as entries: number of the x^5, wire, and coefficient."""

    rows: Wires
    wires: Wires
    values: tuple[int, ...]


def _first(capacity: int) -> _Entries:
    """The permutation of what is absorbed first."""
    made = _unmixed()
    scaled = (v * capacity if w == _BEFORE[3] else v for w, v in zip(made.wires.tolist(), made.values, strict=True))
    return _Entries(made.rows, made.wires, tuple(scaled))


@cache
def _unmixed() -> _Entries:
    return _permutation([{wire: 1} for wire in (*_ABSORBED, _BEFORE[3])])


@cache
def _later() -> _Entries:
    """Any permutation but the first: what is absorbed is added to what the one before it left."""
    mixed = _mix([{wire: 1} for wire in _BEFORE])
    return _permutation([_sum(mixed[k], {_ABSORBED[k]: 1}) for k in range(_RATE)] + [mixed[3]])


def _permutation(state: list[Combination]) -> _Entries:
    before, between, after, diagonal = round_constants()
    made = _Permutation()
    state = _mix(state)
    for row in before:
        state = _mix([made.fifth(_sum(word, {ONE: c})) for word, c in zip(state, row, strict=True)])
    for constant in between:
        state = [made.fifth(_sum(state[0], {ONE: constant})), *state[1:]]
        total = _sum(*state)
        state = [_sum(_times(word, d), total) for word, d in zip(state, diagonal, strict=True)]
    for row in after:
        state = _mix([made.fifth(_sum(word, {ONE: c})) for word, c in zip(state, row, strict=True)])
    entries = [(k, wire, value) for k, base in enumerate(made.bases) for wire, value in base.items()]
    rows, wires, values = zip(*entries, strict=True)
    return _Entries(np.array(rows), np.array(wires), values)


def _emit(builder: Builder, group: str, made: _Entries, absorbed: Wires, before: Wires) -> Wires:
    """Permutations one after the other; the last four x^5 of the last, which are its words before they are mixed."""
    count, fifths = len(absorbed), int(made.rows[-1]) + 1
    own = builder.allocate(count, 3 * fifths)
    previous = np.concatenate([before[np.newaxis], own[:-1, -10::3]])
    names = np.concatenate([np.full((count, 1), ONE), previous, absorbed, own], axis=1)
    table = {value: i for i, value in enumerate(dict.fromkeys(made.values))}
    indices = np.array([table[value] for value in made.values])
    base = Sum(fifths * count, *_repeated(made.rows, made.wires, indices, names, fifths), tuple(table))
    _define_powers(builder, group, base, own.reshape(-1, 3))
    return own[-1, -10::3]


def _define_powers(builder: Builder, group: str, base: Sum, own: Wires) -> None:
    """For each row: x^2 = x x, x^4 = x^2 x^2, x^5 = x^4 x, in this order, for each is used by the next row."""
    count = len(own)
    at = np.arange(count)
    nothing = np.zeros(count, dtype=np.int64)
    square, fourth = (Sum(3 * count, 3 * at + k + 1, own[:, k], nothing, (1,)) for k in (0, 1))
    left = Sum(3 * count, 3 * base.rows, base.wires, base.indices, base.values) + square + fourth
    right = Sum(3 * count, 3 * base.rows, base.wires, base.indices, base.values)
    right += Sum(3 * count, 3 * base.rows + 2, base.wires, base.indices, base.values)
    right += Sum(3 * count, 3 * at + 1, own[:, 0], nothing, (1,))
    builder.product_of(group, left, right, own.reshape(-1))


def _repeated(rows: Wires, wires: Wires, indices: Wires, names: Wires, each: int) -> tuple[Wires, Wires, Wires]:
    count = len(names)
    moved = (rows[np.newaxis] + each * np.arange(count)[:, np.newaxis]).reshape(-1)
    return moved, names[:, wires].reshape(-1), np.tile(indices, count)


def _mix(state: list[Combination]) -> list[Combination]:
    return [_sum(*(_times(word, c) for word, c in zip(state, row, strict=True))) for row in _EXTERNAL]


def _times(word: Combination, factor: int) -> Combination:
    return {wire: value * factor % ORDER for wire, value in word.items()}


def _sum(*words: Combination) -> Combination:
    total: Combination = {}
    for word in words:
        for wire, value in word.items():
            total[wire] = (total.get(wire, 0) + value) % ORDER
    return total
