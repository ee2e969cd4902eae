"""The compiled loops of the aggregation rules.

Import this module late: it brings in numba, and compiles on first use (the result is cached on disk). Every kernel
releases the interpreter lock. Floats here are only wide registers for integers: every value is an integer below 2**53
or is shown to lead to the exact one, so neither the order of a sum nor a fused multiply-add changes a bit.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

LANES = 128
"""Columns that a network sorts at once: rows of a tile are whole vector registers, and 128 rows fit the first cache."""

Array = Any
Number = Any
Function = TypeVar("Function", bound=Callable[..., Any])


def _compiled(function: Function) -> Function:
    return cast(Function, numba.njit(nogil=True, cache=True, boundscheck=False, error_model="numpy")(function))


@_compiled
def add_scaled(total: Array, values: Array, factor: Number, offset: Number) -> None:
    """total (float64) += floor(values (int16) * factor + offset)."""
    for j in range(values.size):
        total[j] += np.floor(values[j] * factor + offset)


@_compiled
def add_weighted(total: Array, values: Array, weight: Number) -> None:
    """total (float64) += weight * values (int16)."""
    for j in range(values.size):
        total[j] += weight * values[j]


@_compiled
def divide(total: Array, divisor: Number, out: Array) -> None:
    """out (int16) = round_div(total, divisor), both float64 that hold integers below 2**52; the results fit int16.

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
def squared_distance(x: Array, z: Array) -> Number:
    """sum (x - z)**2 in int64, both int16; below 2**56 for 2**24 coordinates."""
    total = np.int64(0)
    for j in range(x.size):
        difference = np.int32(x[j]) - np.int32(z[j])
        total += np.int64(difference) * np.int64(difference)
    return total


@_compiled
def sort_and_average(values: Array, network: Array, low: Number, count: Number, steps: Number, out: Array) -> None:
    """Sorts each column by a network, then averages a window of `count` places of it.

    values: int16 (rows, at least columns), left as they are. network: int64 (comparators, 2), places of the smaller and
    of the larger. The window begins at place `low`; while the value that it would leave behind is further from the
    median than the one that it would take in, it moves on, at most `steps` times. out: int16 (columns).
    """
    rows = values.shape[0]
    tile = np.zeros((rows, LANES), np.int16)
    total = np.empty(LANES, np.int32)
    for start in range(0, out.size, LANES):
        width = min(LANES, out.size - start)
        for i in range(rows):
            for c in range(width):
                tile[i, c] = values[i, start + c]
        _sort(tile, network)
        total[:] = 0
        for i in range(low, low + count):
            for c in range(LANES):
                total[c] += np.int32(tile[i, c])
        if steps > 0:
            _move_window(tile, low, count, steps, total)
        for c in range(width):
            out[start + c] = np.int16(np.floor((2.0 * total[c] + count) / (2.0 * count)))


@_compiled
def _sort(tile: Array, network: Array) -> None:
    for k in range(network.shape[0]):
        small, large = tile[network[k, 0]], tile[network[k, 1]]
        for c in range(LANES):
            x, y = small[c], large[c]
            small[c] = min(x, y)
            large[c] = max(x, y)


@_compiled
def _move_window(tile: Array, low: Number, count: Number, steps: Number, total: Array) -> None:
    """The sums of windows nearest to the median. In a sorted column whoever stops moving never moves again."""
    rows = tile.shape[0]
    below, above = tile[(rows - 1) // 2], tile[rows // 2]
    twice = np.empty(LANES, np.int32)
    for c in range(LANES):
        twice[c] = ((np.int32(below[c]) + np.int32(above[c]) + 1) >> 1) * 2
    for t in range(low, low + steps):
        leave, enter = tile[t], tile[t + count]
        for c in range(LANES):
            if np.int32(leave[c]) + np.int32(enter[c]) < twice[c]:
                total[c] += np.int32(enter[c]) - np.int32(leave[c])
