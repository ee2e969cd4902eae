"""BN254's groups G1 and G2 on arrays: sums of multiples, multiples of one point, one multiple of many points.

Affine points are rows of 2 elements in Montgomery form (G1: 8 limbs, G2: 16), all zero for the point at infinity. Sums
are kept in XYZZ coordinates (x = X / ZZ, y = Y / ZZZ, ZZ^3 = ZZZ^2; Explicit-Formulas Database, Sutherland), which
need no inversion; ZZ = 0 is infinity. Sums of multiples: Pippenger's buckets with signed digits.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from offchain.proofs.groth16.curve_loops import (
    add_rows,
    all_on_curve,
    combine,
    each_times,
    fixed_base,
    negate,
    pippenger,
    table_of,
    take_negative,
    to_affine,
)
from offchain.proofs.groth16.limbs import BASE_ORDER, FQ, SCALAR_ORDER, Words, limbs_of

_MONT = 1 << 256
_ONE = limbs_of(_MONT % BASE_ORDER)
_NOUGHT = limbs_of(0)


@dataclass(frozen=True, slots=True)
class Group:
    """A group: coordinates of `degree` base elements, its one in that form, and its generator."""

    degree: int
    one: Any
    generator: tuple[tuple[int, ...], tuple[int, ...]]

    @property
    def width(self) -> int:
        """Limbs of an affine point."""
        return 8 * self.degree


G1 = Group(1, _ONE, ((1,), (2,)))
G2 = Group(
    2,
    (_ONE, _NOUGHT),
    (
        (
            10857046999023057135944570762232829481370756359578518086990519993285655852781,
            11559732032986387107991004021392285783925812861821192530917403151452391805634,
        ),
        (
            8495653923123431417604973247489272438418190587263600148770280649306958101930,
            4082367875863433681332203403145435568316851327593401208105741076214120093531,
        ),
    ),
)

# y^2 = x^3 + 3 in G1; in G2 the constant is 3 / (9 + u) = 3 (9 - u) / 82.
TWIST = (27 * pow(82, -1, BASE_ORDER) % BASE_ORDER, -3 * pow(82, -1, BASE_ORDER) % BASE_ORDER)
_CONSTANTS: dict[int, tuple[int, ...]] = {1: (3,), 2: TWIST}

Affine = tuple[tuple[int, ...], tuple[int, ...]] | None
"""A point for people and files: (x, y), each a tuple of `degree` numbers; None is infinity."""


def to_rows(group: Group, points: list[Affine]) -> Words:
    """Rows of limbs, uint64 (n, width), of points in numbers."""
    rows = np.zeros((len(points), group.width), dtype=np.uint64)
    for row, point in zip(rows, points, strict=True):
        if point is not None:
            row[:] = [word for part in (*point[0], *point[1]) for word in limbs_of(part * _MONT % BASE_ORDER)]
    return rows


def to_points(group: Group, rows: Words) -> list[Affine]:
    """The opposite of `to_rows`."""
    back = pow(_MONT, -1, BASE_ORDER)
    points: list[Affine] = []
    for row in rows:
        parts = [int.from_bytes(row[k : k + 4].tobytes(), "little") * back % BASE_ORDER for k in range(0, len(row), 4)]
        point = tuple(parts[: group.degree]), tuple(parts[group.degree :])
        points.append(point if any(parts) else None)
    return points


def scalar_rows(values: list[int]) -> Words:
    """uint64 (n, 4), not Montgomery, of numbers mod the order of the groups."""
    data = b"".join((value % SCALAR_ORDER).to_bytes(32, "little") for value in values)
    return np.frombuffer(data, dtype="<u8").reshape(len(values), 4).copy()


def multi_scalar(group: Group, points: Words, scalars: Words, threads: int = 2) -> Words:
    """The sum of scalars[i] * points[i], an affine row; points (n, width), scalars (n, 4) not Montgomery."""
    if len(points) != len(scalars):
        raise ValueError(f"{len(points)} points and {len(scalars)} scalars")
    bits = _window_bits(len(points) // threads)
    parts = (
        [(points[k::threads], scalars[k::threads]) for k in range(threads)]
        if len(points) > 256
        else [(points, scalars)]
    )
    with ThreadPoolExecutor(len(parts)) as pool:
        made = list(pool.map(lambda part: pippenger(part[0], part[1], bits, group.one, FQ), parts))
    rows: Words = to_affine(np.concatenate(made), group.one, FQ)
    return added(group, *rows) if len(rows) > 1 else rows[0]


def multiples(group: Group, base: Words, scalars: Words, threads: int = 2) -> Words:
    """scalars[i] * base, affine rows (n, width): of one point, by a table of its multiples."""
    table = to_affine(table_of(base, group.one, FQ), group.one, FQ)
    return _in_threads(lambda part: to_affine(fixed_base(table, part, group.one, FQ), group.one, FQ), scalars, threads)


def scaled(group: Group, points: Words, scalars: Words, threads: int = 2) -> Words:
    """scalars[i] * points[i], or scalars[0] * points[i] for all if there is one scalar; affine rows."""
    every = np.ascontiguousarray(np.broadcast_to(scalars, (len(points), 4)))
    both = np.concatenate([points, every], axis=1)

    def run(part: Words) -> Words:
        points, factors = np.ascontiguousarray(part[:, :-4]), np.ascontiguousarray(part[:, -4:])
        made: Words = to_affine(each_times(points, factors, group.one, FQ), group.one, FQ)
        return made

    return _in_threads(run, both, threads)


def added(group: Group, *points: Words) -> Words:
    """The sum of single affine rows."""
    total = points[0][np.newaxis]
    for point in points[1:]:
        total = sums(group, total, point[np.newaxis])
    first: Words = total[0]
    return first


def negated(group: Group, points: Words) -> Words:
    """-points, affine rows."""
    result = points.copy()
    negate(result, group.one, FQ)
    return result


def _in_threads(run: Any, rows: Words, threads: int) -> Words:
    size = max(1, -(-len(rows) // threads), 64)
    parts = [rows[start : start + size] for start in range(0, len(rows), size)] or [rows]
    with ThreadPoolExecutor(len(parts)) as pool:
        result: Words = np.concatenate(list(pool.map(run, parts)))
    return result


def _window_bits(count: int) -> int:
    """Pippenger's window, as measured: larger ones have fewer additions, and buckets that leave the cache."""
    return max(3, min(15, count.bit_length() - 5))


def sums(group: Group, a: Words, b: Words) -> Words:
    """a[i] + b[i], affine rows."""
    result: Words = to_affine(add_rows(a, b, group.one, FQ), group.one, FQ)
    return result


def combinations(group: Group, points: Words, starts: Any, rows: Any, scalars: Words, threads: int = 2) -> Words:
    """For each k the sum over starts[k] <= i < starts[k + 1] of scalars[i] * points[rows[i]], affine rows.

    scalars: uint64 (entries, 4) not Montgomery; one beyond half the order is taken as a negative number, so small
    numbers of either sign are fast.
    """
    count = len(starts) - 1
    size = max(1, -(-count // (8 * threads)))
    minus = take_negative(scalars, limbs_of(SCALAR_ORDER))
    spans = [(first, min(first + size, count)) for first in range(0, count, size)]

    def run(span: tuple[int, int]) -> Words:
        made: Words = to_affine(combine(points, starts, rows, scalars, minus, *span, group.one, FQ), group.one, FQ)
        return made

    with ThreadPoolExecutor(threads) as pool:
        result: Words = np.concatenate([np.zeros((0, group.width), np.uint64), *pool.map(run, spans)])
    return result


def are_points(group: Group, rows: Words) -> bool:
    """Whether all affine rows are canonical, on the group's curve and not infinity; of the order of G2 it says
    nothing."""
    constant = to_rows(group, [(_CONSTANTS[group.degree], _CONSTANTS[group.degree])])
    ours = rows.dtype == np.uint64 and rows.ndim == 2 and rows.shape[1] == group.width
    return ours and bool(all_on_curve(np.ascontiguousarray(rows), constant, group.one, FQ))
