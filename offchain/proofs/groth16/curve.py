"""BN254's groups G1 and G2 on arrays: sums of multiples, multiples of one point, one multiple of many points.

Affine points are rows of 2 elements in Montgomery form (G1: 8 limbs, G2: 16), all zero for the point at infinity. Sums
are kept in XYZZ coordinates (x = X / ZZ, y = Y / ZZZ, ZZ^3 = ZZZ^2; Explicit-Formulas Database, Sutherland), which
need no inversion; ZZ = 0 is infinity. Sums of multiples: Pippenger's buckets with signed digits.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from offchain.proofs.groth16.limbs import (
    BASE_ORDER,
    FQ,
    SCALAR_ORDER,
    Words,
    compiled,
    fadd,
    finverse,
    fload,
    fmul,
    fstore,
    fsub,
    fzero,
    limbs_of,
)

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
        made = list(pool.map(lambda part: _pippenger(part[0], part[1], bits, group.one, FQ), parts))
    rows: Words = _affine(np.concatenate(made), group.one, FQ)
    return added(group, *rows) if len(rows) > 1 else rows[0]


def multiples(group: Group, base: Words, scalars: Words, threads: int = 2) -> Words:
    """scalars[i] * base, affine rows (n, width): of one point, by a table of its multiples."""
    table = _affine(_table(base, group.one, FQ), group.one, FQ)
    return _in_threads(lambda part: _affine(_fixed(table, part, group.one, FQ), group.one, FQ), scalars, threads)


def scaled(group: Group, points: Words, scalars: Words, threads: int = 2) -> Words:
    """scalars[i] * points[i], or scalars[0] * points[i] for all if there is one scalar; affine rows."""
    every = np.ascontiguousarray(np.broadcast_to(scalars, (len(points), 4)))
    both = np.concatenate([points, every], axis=1)

    def run(part: Words) -> Words:
        points, factors = np.ascontiguousarray(part[:, :-4]), np.ascontiguousarray(part[:, -4:])
        made: Words = _affine(_each(points, factors, group.one, FQ), group.one, FQ)
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
    _negate(result, group.one, FQ)
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


@compiled
def _double(p: Any, m: Any) -> Any:
    """Twice a point in XYZZ (dbl-2008-s-1); infinity stays."""
    x, y, zz, zzz = p
    u = fadd(y, y, m)
    v = fmul(u, u, m)
    w = fmul(u, v, m)
    s = fmul(x, v, m)
    square = fmul(x, x, m)
    slope = fadd(fadd(square, square, m), square, m)
    x3 = fsub(fmul(slope, slope, m), fadd(s, s, m), m)
    y3 = fsub(fmul(slope, fsub(s, x3, m), m), fmul(w, y, m), m)
    return x3, y3, fmul(v, zz, m), fmul(w, zzz, m)


@compiled
def _add(p: Any, q: Any, m: Any) -> Any:
    """p + q in XYZZ (add-2008-s), complete: infinity, equal and opposite points as well."""
    if fzero(p[2]):
        return q
    if fzero(q[2]):
        return p
    u = fmul(p[0], q[2], m)
    s = fmul(p[1], q[3], m)
    dx = fsub(fmul(q[0], p[2], m), u, m)
    dy = fsub(fmul(q[1], p[3], m), s, m)
    if fzero(dx) and fzero(dy):
        return _double(p, m)
    square = fmul(dx, dx, m)
    cube = fmul(dx, square, m)
    v = fmul(u, square, m)
    x3 = fsub(fsub(fmul(dy, dy, m), cube, m), fadd(v, v, m), m)
    y3 = fsub(fmul(dy, fsub(v, x3, m), m), fmul(s, cube, m), m)
    # opposite points: dx = 0, so ZZ becomes 0, infinity
    return x3, y3, fmul(fmul(p[2], q[2], m), square, m), fmul(fmul(p[3], q[3], m), cube, m)


@compiled
def _add_affine(p: Any, x: Any, y: Any, one: Any, m: Any) -> Any:
    """p + (x, y) in XYZZ (madd-2008-s), complete; (0, 0) is infinity."""
    if fzero(y) and fzero(x):
        return p
    if fzero(p[2]):
        return x, y, one, one
    dx = fsub(fmul(x, p[2], m), p[0], m)
    dy = fsub(fmul(y, p[3], m), p[1], m)
    if fzero(dx) and fzero(dy):
        return _double(p, m)
    square = fmul(dx, dx, m)
    cube = fmul(dx, square, m)
    v = fmul(p[0], square, m)
    x3 = fsub(fsub(fmul(dy, dy, m), cube, m), fadd(v, v, m), m)
    y3 = fsub(fmul(dy, fsub(v, x3, m), m), fmul(p[1], cube, m), m)
    return x3, y3, fmul(p[2], square, m), fmul(p[3], cube, m)


@compiled
def _load_sum(array: Any, row: Any, one: Any) -> Any:
    return fload(array, row, 0, one), fload(array, row, 1, one), fload(array, row, 2, one), fload(array, row, 3, one)


@compiled
def _store_sum(array: Any, row: Any, p: Any) -> None:
    fstore(array, row, 0, p[0])
    fstore(array, row, 1, p[1])
    fstore(array, row, 2, p[2])
    fstore(array, row, 3, p[3])


@compiled
def _digits(scalars: Any, bits: Any, windows: Any) -> Any:
    """Signed digits int32 (windows, n), each within 2^(bits - 1), of scalars (n, 4)."""
    count = scalars.shape[0]
    digits = np.zeros((windows, count), np.int32)
    mask = (1 << bits) - 1
    half = 1 << (bits - 1)
    for i in range(count):
        carry = 0
        for k in range(windows):
            at = k * bits
            word, offset = at // 64, at % 64
            if word < 4:
                value = scalars[i, word] >> np.uint64(offset)
                if offset + bits > 64 and word < 3:
                    value |= scalars[i, word + 1] << np.uint64(64 - offset)
                digit = np.int64(value & np.uint64(mask)) + carry
            else:
                digit = np.int64(carry)
            carry = 0
            if digit > half:
                digit -= 1 << bits
                carry = 1
            digits[k, i] = digit
    return digits


@compiled
def _pippenger(points: Any, scalars: Any, bits: Any, one: Any, m: Any) -> Any:
    """The sum of multiples in XYZZ, one row."""
    windows = 254 // bits + 1
    digits = _digits(scalars, bits, windows)
    size = 1 << (bits - 1)
    zero = fsub(one, one, m)
    total = zero, zero, zero, zero
    buckets = np.zeros((size + 1, 2 * points.shape[1]), np.uint64)
    for k in range(windows - 1, -1, -1):
        for _ in range(bits):
            total = _double(total, m)
        buckets[:] = 0
        largest = 0
        for i in range(points.shape[0]):
            digit = digits[k, i]
            if digit != 0:
                x, y = fload(points, i, 0, one), fload(points, i, 1, one)
                if digit < 0:
                    digit = -digit
                    y = fsub(zero, y, m)
                largest = max(largest, digit)
                _store_sum(buckets, digit, _add_affine(_load_sum(buckets, digit, one), x, y, one, m))
        running = zero, zero, zero, zero
        window = zero, zero, zero, zero
        for b in range(largest, 0, -1):
            running = _add(running, _load_sum(buckets, b, one), m)
            window = _add(window, running, m)
        total = _add(total, window, m)
    result = np.zeros((1, 2 * points.shape[1]), np.uint64)
    _store_sum(result, 0, total)
    return result


@compiled
def _affine(sums: Any, one: Any, m: Any) -> Any:
    """Affine rows of XYZZ rows, with one inversion for all (Montgomery's trick)."""
    count, width = sums.shape[0], sums.shape[1] // 2
    result = np.zeros((count, width), np.uint64)
    prefix = np.zeros((count, width // 2), np.uint64)
    product = one
    for i in range(count):
        fstore(prefix, i, 0, product)
        zzz = fload(sums, i, 3, one)
        if not fzero(zzz):
            product = fmul(product, zzz, m)
    rest = finverse(product, one, m)
    for i in range(count - 1, -1, -1):
        zzz = fload(sums, i, 3, one)
        if not fzero(zzz):
            inverse = fmul(rest, fload(prefix, i, 0, one), m)
            rest = fmul(rest, zzz, m)
            root = fmul(inverse, fload(sums, i, 2, one), m)  # ZZ / ZZZ = 1 / Z
            fstore(result, i, 0, fmul(fload(sums, i, 0, one), fmul(root, root, m), m))
            fstore(result, i, 1, fmul(fload(sums, i, 1, one), inverse, m))
    return result


@compiled
def _table(base: Any, one: Any, m: Any) -> Any:
    """XYZZ rows (32 * 256): row 256 k + d is d * 256^k * base."""
    width = base.shape[0]
    row = base.reshape(1, width)
    table = np.zeros((32 * 256, 2 * width), np.uint64)
    power = fload(row, 0, 0, one), fload(row, 0, 1, one), one, one
    for k in range(32):
        _store_sum(table, 256 * k + 1, power)
        current = power
        for d in range(2, 256):
            current = _add(current, power, m)
            _store_sum(table, 256 * k + d, current)
        power = _add(current, power, m)
    return table


@compiled
def _fixed(table: Any, scalars: Any, one: Any, m: Any) -> Any:
    count = scalars.shape[0]
    result = np.zeros((count, 2 * table.shape[1]), np.uint64)
    zero = fsub(one, one, m)
    for i in range(count):
        total = zero, zero, zero, zero
        for k in range(32):
            digit = np.int64((scalars[i, k // 8] >> np.uint64(8 * (k % 8))) & np.uint64(255))
            if digit != 0:
                row = 256 * k + digit
                total = _add_affine(total, fload(table, row, 0, one), fload(table, row, 1, one), one, m)
        _store_sum(result, i, total)
    return result


@compiled
def _each(points: Any, scalars: Any, one: Any, m: Any) -> Any:
    """XYZZ rows of scalars[i] * points[i], four bits at a time."""
    count, width = points.shape
    result = np.zeros((count, 2 * width), np.uint64)
    small = np.zeros((16, 2 * width), np.uint64)
    zero = fsub(one, one, m)
    for i in range(count):
        x, y = fload(points, i, 0, one), fload(points, i, 1, one)
        current = zero, zero, zero, zero
        for d in range(1, 16):
            current = _add_affine(current, x, y, one, m)
            _store_sum(small, d, current)
        total = zero, zero, zero, zero
        for k in range(63, -1, -1):
            for _ in range(4):
                total = _double(total, m)
            digit = np.int64((scalars[i, k // 16] >> np.uint64(4 * (k % 16))) & np.uint64(15))
            if digit != 0:
                total = _add(total, _load_sum(small, digit, one), m)
        _store_sum(result, i, total)
    return result


@compiled
def _negate(points: Any, one: Any, m: Any) -> None:
    zero = fsub(one, one, m)
    for i in range(points.shape[0]):
        fstore(points, i, 1, fsub(zero, fload(points, i, 1, one), m))


def sums(group: Group, a: Words, b: Words) -> Words:
    """a[i] + b[i], affine rows."""
    result: Words = _affine(_sums(a, b, group.one, FQ), group.one, FQ)
    return result


def combinations(group: Group, points: Words, starts: Any, rows: Any, scalars: Words, threads: int = 2) -> Words:
    """For each k the sum over starts[k] <= i < starts[k + 1] of scalars[i] * points[rows[i]], affine rows.

    scalars: uint64 (entries, 4) not Montgomery; one beyond half the order is taken as a negative number, so small
    numbers of either sign are fast.
    """
    count = len(starts) - 1
    size = max(1, -(-count // (8 * threads)))
    minus = _negative(scalars, limbs_of(SCALAR_ORDER))
    spans = [(first, min(first + size, count)) for first in range(0, count, size)]

    def run(span: tuple[int, int]) -> Words:
        made: Words = _affine(_combinations(points, starts, rows, scalars, minus, *span, group.one, FQ), group.one, FQ)
        return made

    with ThreadPoolExecutor(threads) as pool:
        result: Words = np.concatenate([np.zeros((0, group.width), np.uint64), *pool.map(run, spans)])
    return result


def are_points(group: Group, rows: Words) -> bool:
    """Whether all affine rows are canonical, on the group's curve and not infinity; of the order of G2 it says
    nothing."""
    constant = to_rows(group, [(_CONSTANTS[group.degree], _CONSTANTS[group.degree])])
    ours = rows.dtype == np.uint64 and rows.ndim == 2 and rows.shape[1] == group.width
    return ours and bool(_are_points(np.ascontiguousarray(rows), constant, group.one, FQ))


@compiled
def _sums(a: Any, b: Any, one: Any, m: Any) -> Any:
    result = np.zeros((a.shape[0], 2 * a.shape[1]), np.uint64)
    zero = fsub(one, one, m)
    for i in range(a.shape[0]):
        first = _add_affine((zero, zero, zero, zero), fload(a, i, 0, one), fload(a, i, 1, one), one, m)
        _store_sum(result, i, _add_affine(first, fload(b, i, 0, one), fload(b, i, 1, one), one, m))
    return result


@compiled
def _negative(scalars: Any, order: Any) -> Any:
    """Takes those beyond half the order from it, in place; which ones."""
    minus = np.zeros(scalars.shape[0], np.bool_)
    for i in range(scalars.shape[0]):
        if scalars[i, 3] > order[3] >> np.uint64(1):
            minus[i] = True
            borrow = np.uint64(0)
            for k in range(4):
                value = order[k] - scalars[i, k]
                under = np.uint64(order[k] < scalars[i, k]) | np.uint64(value < borrow)
                scalars[i, k] = value - borrow
                borrow = under
    return minus


@compiled
def _combinations(
    points: Any, starts: Any, rows: Any, scalars: Any, minus: Any, first: Any, last: Any, one: Any, m: Any
) -> Any:
    result = np.zeros((last - first, 2 * points.shape[1]), np.uint64)
    zero = fsub(one, one, m)
    for k in range(first, last):
        total = zero, zero, zero, zero
        for bit in range(253, -1, -1):
            total = _double(total, m)
            for i in range(starts[k], starts[k + 1]):
                if (scalars[i, bit // 64] >> np.uint64(bit % 64)) & np.uint64(1):
                    x, y = fload(points, rows[i], 0, one), fload(points, rows[i], 1, one)
                    if minus[i]:
                        y = fsub(zero, y, m)
                    total = _add_affine(total, x, y, one, m)
        _store_sum(result, k - first, total)
    return result


@compiled
def _are_points(rows: Any, constant: Any, one: Any, m: Any) -> Any:
    b = fload(constant, 0, 0, one)
    for i in range(rows.shape[0]):
        for k in range(0, rows.shape[1], 4):
            below = False
            for limb in range(3, -1, -1):
                if rows[i, k + limb] != m[limb]:
                    below = rows[i, k + limb] < m[limb]
                    break
            if not below:
                return False
        x, y = fload(rows, i, 0, one), fload(rows, i, 1, one)
        right = fadd(fmul(fmul(x, x, m), x, m), b, m)
        if not fzero(fsub(fmul(y, y, m), right, m)):
            return False
    return True
