"""The compiled loops of the aggregation rules.

Import this module late: it brings in numba, and compiles on first use (the result is cached on disk). Every kernel
releases the interpreter lock, works on coordinates start .. stop - 1 of n updates, and takes these as `rows`: int64
(n), the addresses of contiguous int16 vectors, which the caller keeps alive. So nothing is copied, and one call is all.

Floats here are only wide registers for integers: every value is an integer below 2**53, or is shown to lead to the
right one, so neither the order of a sum nor a fused multiply-add changes a bit.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic

GROUP = 4
"""Rows that are worked on at once, so that what they are added to is loaded once for all."""

_BLOCK = 1 << 13
_SORTED_BLOCK = 1 << 11
_LANES = 128
"""Columns that a network sorts at once: rows of a tile are whole vector registers, and 128 rows fit the first cache."""

_GRAM_BLOCK = 1 << 9
_LIMIT = 1 << 31

Array = Any
Number = Any
carray: Any = numba.carray  # type: ignore[attr-defined]
Function = TypeVar("Function", bound=Callable[..., Any])


def _compiled(function: Function) -> Function:
    return cast(Function, numba.njit(nogil=True, cache=True, boundscheck=False, error_model="numpy")(function))


def _to_pointer(_typing: Any, address: Any) -> Any:
    """int64 to int16*, for `numba.carray`."""
    signature = cast(Any, types).CPointer(types.int16)(address)

    def generate(context: Any, builder: Any, given: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(given.return_type))

    return signature, generate


_pointer = cast(Callable[[Number], Any], intrinsic(_to_pointer))


@_compiled
def _row(address: Number, start: Number, count: Number) -> Array:
    """`count` values of a row, from `start` on."""
    return carray(_pointer(address + 2 * start), count)


@_compiled
def weighted_mean(
    rows: Array,
    factors: Array,
    offsets: Array,
    divisor: Number,
    start: Number,
    stop: Number,
    out: Array,
    distances: Array,
) -> None:
    """out (int16, d) = round_div(sum_i floor(q_i * factors_i + offsets_i), divisor); the sum's magnitude below 2**52.

    rows: a multiple of `GROUP`, those that are too many with factor and offset 0. factors, offsets float64 (rows). To
    each of distances, int64 (n or 0), the squared distance of that row from the result is added.
    """
    total = np.empty(_BLOCK)
    for at in range(start, stop, _BLOCK):
        count = min(_BLOCK, stop - at)
        part, result = total[:count], out[at : at + count]
        for j in range(count):
            part[j] = 0
        for i in range(0, rows.size, GROUP):
            _add_group(rows[i : i + GROUP], factors[i : i + GROUP], offsets[i : i + GROUP], at, part)
        _divide(part, divisor, result)
        for i in range(distances.size):
            distances[i] += _squared_distance(_row(rows[i], at, count), result)


@_compiled
def _add_group(rows: Array, factors: Array, offsets: Array, at: Number, total: Array) -> None:
    a, b = _row(rows[0], at, total.size), _row(rows[1], at, total.size)
    c, d = _row(rows[2], at, total.size), _row(rows[3], at, total.size)
    f0, f1, f2, f3 = factors[0], factors[1], factors[2], factors[3]
    o0, o1, o2, o3 = offsets[0], offsets[1], offsets[2], offsets[3]
    if o0 == 0 and o1 == 0 and o2 == 0 and o3 == 0:
        # Integer factors: there is nothing to round.
        for j in range(total.size):
            total[j] += f0 * a[j] + f1 * b[j] + f2 * c[j] + f3 * d[j]
        return
    for j in range(total.size):
        first = np.floor(f0 * a[j] + o0) + np.floor(f1 * b[j] + o1)
        total[j] += first + np.floor(f2 * c[j] + o2) + np.floor(f3 * d[j] + o3)


@_compiled
def _divide(total: Array, divisor: Number, out: Array) -> None:
    """out (int16) = round_div(total, divisor), both float64 that hold integers.

    The quotient by the reciprocal is off by less than one, so the remainder, which is exact, tells the right one.
    """
    half = np.floor(divisor / 2)
    reciprocal = 1.0 / divisor
    for j in range(out.size):
        x = total[j] + half
        quotient = np.floor(x * reciprocal)
        remainder = x - quotient * divisor
        if remainder < 0:
            quotient -= 1.0
        if remainder >= divisor:
            quotient += 1.0
        out[j] = np.int16(quotient)


@_compiled
def _squared_distance(x: Array, z: Array) -> Number:
    """sum (x - z)**2 in int64, both int16; below 2**56 for 2**24 coordinates."""
    total = np.int64(0)
    for j in range(x.size):
        difference = np.int32(x[j]) - np.int32(z[j])
        total += np.int64(difference) * np.int64(difference)
    return total


@_compiled
def squared_norms(rows: Array, start: Number, stop: Number, out: Array) -> None:
    """To each of out, int64 (n), the sum of q**2 of that row is added."""
    zeros = np.zeros(_BLOCK, np.int16)
    for i in range(rows.size):
        for at in range(start, stop, _BLOCK):
            count = min(_BLOCK, stop - at)
            out[i] += _squared_distance(_row(rows[i], at, count), zeros[:count])


@_compiled
def window_mean(
    rows: Array,
    network: Array,
    low: Number,
    count: Number,
    steps: Number,
    start: Number,
    stop: Number,
    out: Array,
) -> None:
    """Sorts each column by a network, then averages a window of `count` places of it; out int16 (d).

    network: int64 (comparators, 2), places of the smaller and of the larger. The window begins at place `low`; while
    the value that it would leave behind is further from the median than the one that it would take in, it moves on, at
    most `steps` times.
    """
    block = np.empty((rows.size, _SORTED_BLOCK), np.int16)
    tile = np.zeros((rows.size, _LANES), np.int16)
    total = np.empty(_LANES, np.int32)
    for at in range(start, stop, _SORTED_BLOCK):
        columns = min(_SORTED_BLOCK, stop - at)
        for i in range(rows.size):
            _copy(_row(rows[i], at, columns), block[i])
        for first in range(0, columns, _LANES):
            width = min(_LANES, columns - first)
            for i in range(rows.size):
                _copy(block[i, first : first + width], tile[i])
            _sort(tile, network)
            _sum_window(tile, low, count, total)
            if steps > 0:
                _move_window(tile, low, count, steps, total)
            _divide_window(total, count, out[at + first : at + first + width])


@_compiled
def _copy(source: Array, target: Array) -> None:
    """Loops compile in a fraction of the time that assignments to slices need."""
    for j in range(source.size):
        target[j] = source[j]


@_compiled
def _sort(tile: Array, network: Array) -> None:
    for k in range(network.shape[0]):
        small, large = tile[network[k, 0]], tile[network[k, 1]]
        for c in range(_LANES):
            x, y = small[c], large[c]
            small[c] = min(x, y)
            large[c] = max(x, y)


@_compiled
def _sum_window(tile: Array, low: Number, count: Number, total: Array) -> None:
    for c in range(_LANES):
        total[c] = 0
    for i in range(low, low + count):
        for c in range(_LANES):
            total[c] += np.int32(tile[i, c])


@_compiled
def _move_window(tile: Array, low: Number, count: Number, steps: Number, total: Array) -> None:
    """The sums of windows nearest to the median. In a sorted column whoever stops moving never moves again."""
    rows = tile.shape[0]
    below, above = tile[(rows - 1) // 2], tile[rows // 2]
    twice = np.empty(_LANES, np.int32)
    for c in range(_LANES):
        twice[c] = ((np.int32(below[c]) + np.int32(above[c]) + 1) >> 1) * 2
    for t in range(low, low + steps):
        leave, enter = tile[t], tile[t + count]
        for c in range(_LANES):
            if np.int32(leave[c]) + np.int32(enter[c]) < twice[c]:
                total[c] += np.int32(enter[c]) - np.int32(leave[c])


@_compiled
def _divide_window(total: Array, count: Number, out: Array) -> None:
    """round_div of int32 sums: the quotient is a multiple of 1 / (2 count), so in float64 its floor is exact."""
    for c in range(out.size):
        out[c] = np.int16(np.floor((2.0 * total[c] + count) / (2.0 * count)))


@_compiled
def gram(rows: Array, start: Number, stop: Number, total: Array) -> None:
    """To total, int64 (n, n), the inner products of all pairs of rows are added.

    Within a block products are summed in int32. That is exact where the sum is below 2**31, whatever wraps on the way,
    and it is, by Cauchy and Schwarz, if no row's squared norm in the block reaches 2**31. A row that is longer is two
    rows, high * 2**8 + low, both at most 2**7 in magnitude: their squared norms are below 2**9 * 2**14.
    """
    most = (2 * rows.size + GROUP - 1) // GROUP * GROUP
    values = np.zeros((most, _GRAM_BLOCK), np.int16)
    owner, scale = np.zeros(most, np.int64), np.zeros(most, np.int64)
    sums = np.empty((GROUP, GROUP), np.int64)
    for at in range(start, stop, _GRAM_BLOCK):
        count = min(_GRAM_BLOCK, stop - at)
        used = 0
        for i in range(rows.size):
            used = _place(_row(rows[i], at, count), i, used, values, owner, scale)
        while used % GROUP:
            scale[used] = 0
            used += 1
        for a in range(0, used, GROUP):
            for b in range(a, used, GROUP):
                _products(values, a, b, count, sums)
                _add_products(sums, a, b, owner, scale, total)


@_compiled
def _place(row: Array, index: Number, used: Number, values: Array, owner: Array, scale: Array) -> Number:
    """Writes a row, or its two parts, behind the `used` rows of values; how many are used then."""
    squares = np.int64(0)
    for j in range(row.size):
        squares += np.int64(np.int32(row[j]) * np.int32(row[j]))
    owner[used], scale[used] = index, 1
    if squares < _LIMIT:
        for j in range(row.size):
            values[used, j] = row[j]
        return used + 1
    owner[used + 1], scale[used + 1] = index, 256
    for j in range(row.size):
        high = (np.int32(row[j]) + 128) >> 8
        values[used, j] = np.int16(np.int32(row[j]) - high * 256)
        values[used + 1, j] = np.int16(high)
    return used + 2


@_compiled
def _products(values: Array, a: Number, b: Number, count: Number, out: Array) -> None:
    """The inner products of rows a .. a + 3 with b .. b + 3, modulo 2**32; out int64 (4, 4)."""
    x0, x1, x2, x3 = values[a, :count], values[a + 1, :count], values[a + 2, :count], values[a + 3, :count]
    y0, y1, y2, y3 = values[b, :count], values[b + 1, :count], values[b + 2, :count], values[b + 3, :count]
    zero = np.int32(0)
    s00, s01, s02, s03 = zero, zero, zero, zero
    s10, s11, s12, s13 = zero, zero, zero, zero
    s20, s21, s22, s23 = zero, zero, zero, zero
    s30, s31, s32, s33 = zero, zero, zero, zero
    for k in range(count):
        p0, p1, p2, p3 = np.int32(x0[k]), np.int32(x1[k]), np.int32(x2[k]), np.int32(x3[k])
        q0, q1, q2, q3 = np.int32(y0[k]), np.int32(y1[k]), np.int32(y2[k]), np.int32(y3[k])
        s00, s01 = np.int32(s00 + p0 * q0), np.int32(s01 + p0 * q1)
        s02, s03 = np.int32(s02 + p0 * q2), np.int32(s03 + p0 * q3)
        s10, s11 = np.int32(s10 + p1 * q0), np.int32(s11 + p1 * q1)
        s12, s13 = np.int32(s12 + p1 * q2), np.int32(s13 + p1 * q3)
        s20, s21 = np.int32(s20 + p2 * q0), np.int32(s21 + p2 * q1)
        s22, s23 = np.int32(s22 + p2 * q2), np.int32(s23 + p2 * q3)
        s30, s31 = np.int32(s30 + p3 * q0), np.int32(s31 + p3 * q1)
        s32, s33 = np.int32(s32 + p3 * q2), np.int32(s33 + p3 * q3)
    out[0, 0], out[0, 1], out[0, 2], out[0, 3] = s00, s01, s02, s03
    out[1, 0], out[1, 1], out[1, 2], out[1, 3] = s10, s11, s12, s13
    out[2, 0], out[2, 1], out[2, 2], out[2, 3] = s20, s21, s22, s23
    out[3, 0], out[3, 1], out[3, 2], out[3, 3] = s30, s31, s32, s33


@_compiled
def _add_products(sums: Array, a: Number, b: Number, owner: Array, scale: Array, total: Array) -> None:
    """Adds each pair once at both of its places; of the tile on the diagonal only the upper half is new."""
    for i in range(GROUP):
        for j in range(i if a == b else 0, GROUP):
            product = sums[i, j] * scale[a + i] * scale[b + j]
            total[owner[a + i], owner[b + j]] += product
            if a + i != b + j:
                total[owner[b + j], owner[a + i]] += product
