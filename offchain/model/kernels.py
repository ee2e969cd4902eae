"""The compiled loops of the fast evaluator: windows, elements and the one fused pass back to int8.

Every kernel works on flat, contiguous arrays and releases the interpreter lock. `geometry` is a tuple of int64:
(height, width, channels, rows, columns, kernel height, kernel width, stride down, stride across, top, left).
Sums are int32, or int64 where the plan has found that they need it, and products int64, which always hold them. Import
this module late: it brings in numba, and compiles on first use (the result is cached on disk).
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

_FEW = 16
_DENSE_STRIDE = 8
"""Strides across up to which whole lines are pooled: at most so many times the columns that are asked for."""

Array = Any
Geometry = tuple[int, ...]

Integer = Any
Function = TypeVar("Function", bound=Callable[..., None])


def _compiled(function: Function) -> Function:
    return cast(Function, numba.njit(nogil=True, cache=True, boundscheck=False)(function))


@_compiled
def requantise(
    accumulator: Array,
    bias: Array,
    multiplier: Array,
    half: Array,
    shift: Array,
    low: Integer,
    high: Integer,
    out: Array,
) -> None:
    """out = clamp(((accumulator + bias) * multiplier + half) >> shift, low, high), all flat.

    accumulator: int32, float32 or float64 holding exact integers; bias, multiplier int32, half, shift int64: one value
    per unit, repeated to any multiple of the units, so that the inner loop is long enough to be vectorised.
    """
    period = bias.size
    for start in range(0, accumulator.size, period):
        count = min(period, accumulator.size - start)
        values = accumulator[start : start + count]
        results = out[start : start + count]
        for j in range(count):
            total = np.int64(np.int32(np.int32(values[j]) + bias[j]))
            value = (total * np.int64(multiplier[j]) + half[j]) >> shift[j]
            value = max(value, low)
            results[j] = min(value, high)


@_compiled
def requantise_wide(
    accumulator: Array,
    bias: Array,
    multiplier: Array,
    half: Array,
    shift: Array,
    low: Integer,
    high: Integer,
    out: Array,
) -> None:
    """`requantise` for sums that may leave int32: accumulator float64 or int32, bias int64."""
    period = bias.size
    for start in range(0, accumulator.size, period):
        count = min(period, accumulator.size - start)
        values = accumulator[start : start + count]
        results = out[start : start + count]
        for j in range(count):
            total = np.int64(values[j]) + bias[j]
            value = (total * np.int64(multiplier[j]) + half[j]) >> shift[j]
            value = max(value, low)
            results[j] = min(value, high)


@_compiled
def depthwise(
    x: Array,
    geometry: Geometry,
    weight: Array,
    bias: Array,
    multiplier: Array,
    half: Array,
    shift: Array,
    low: Integer,
    high: Integer,
    out: Array,
) -> None:
    """Depthwise convolution with requantisation; weight int8 (kernel height * kernel width, channels).

    Sums have the dtype of the bias, int32 or int64.
    """
    height, width, channels, rows, columns, tall, wide, down, across, top, left = geometry
    total = np.empty(channels, bias.dtype)
    samples = x.size // (height * width * channels)
    target = 0
    for position in range(samples * rows * columns):
        column = position % columns
        row = (position // columns) % rows
        sample = position // (columns * rows)
        y0 = row * down - top
        x0 = column * across - left
        total[:] = bias[:channels]
        for k in range(max(0, -y0), min(tall, height - y0)):
            for j in range(max(0, -x0), min(wide, width - x0)):
                source = ((sample * height + y0 + k) * width + x0 + j) * channels
                pixel = x[source : source + channels]
                factors = weight[k * wide + j]
                for c in range(channels):
                    total[c] += np.int32(pixel[c]) * np.int32(factors[c])
        results = out[target : target + channels]
        for c in range(channels):
            value = (np.int64(total[c]) * np.int64(multiplier[c]) + half[c]) >> shift[c]
            value = max(value, low)
            results[c] = min(value, high)
        target += channels


@_compiled
def average_pool(
    x: Array,
    geometry: Geometry,
    multiplier: Integer,
    half: Integer,
    shift: Integer,
    low: Integer,
    high: Integer,
    out: Array,
) -> None:
    """Window sums, requantised with one multiplier."""
    height, width, channels, rows, columns, tall, wide, down, across, top, left = geometry
    total = np.empty(channels, np.int32)
    samples = x.size // (height * width * channels)
    target = 0
    for position in range(samples * rows * columns):
        column = position % columns
        row = (position // columns) % rows
        sample = position // (columns * rows)
        y0 = row * down - top
        x0 = column * across - left
        total[:] = 0
        for k in range(max(0, -y0), min(tall, height - y0)):
            for j in range(max(0, -x0), min(wide, width - x0)):
                source = ((sample * height + y0 + k) * width + x0 + j) * channels
                pixel = x[source : source + channels]
                for c in range(channels):
                    total[c] = np.int32(total[c] + np.int32(pixel[c]))
        results = out[target : target + channels]
        for c in range(channels):
            value = (np.int64(total[c]) * multiplier + half) >> shift
            value = max(value, low)
            results[c] = min(value, high)
        target += channels


@_compiled
def _max_pool_apart(x: Array, geometry: Geometry, low: Integer, high: Integer, out: Array) -> None:
    """`max_pool`, window by window."""
    height, width, channels, rows, columns, tall, wide, down, across, top, left = geometry
    best = np.empty(channels, np.int8)
    samples = x.size // (height * width * channels)
    target = 0
    for position in range(samples * rows * columns):
        y0 = (position // columns) % rows * down - top
        x0 = position % columns * across - left
        first = position // (columns * rows) * height
        begin, end = max(0, x0), min(width, x0 + wide)
        best[:] = -128
        for y in range(max(0, y0), min(height, y0 + tall)):
            source = ((first + y) * width + begin) * channels
            if channels == 1:
                values = x[source : source + end - begin]
                largest = best[0]
                for j in range(values.size):
                    largest = max(largest, values[j])
                best[0] = largest
            else:
                for j in range(end - begin):
                    pixel = x[source + j * channels : source + (j + 1) * channels]
                    for c in range(channels):
                        best[c] = max(best[c], pixel[c])
        for c in range(channels):
            value: Integer = np.int64(best[c])
            value = max(value, low)
            out[target + c] = min(value, high)
        target += channels


def max_pool(x: Array, geometry: Geometry, low: Integer, high: Integer, out: Array) -> None:
    """The largest real element of each window; padding is ignored.

    By whole lines; window by window where the stride asks for few of a line, or a model could take millions of times
    the terms that it counts.
    """
    pool = _max_pool_apart if geometry[8] > _DENSE_STRIDE else _max_pool_lines
    pool(x, geometry, low, high, out)


@_compiled
def _max_pool_lines(x: Array, geometry: Geometry, low: Integer, high: Integer, out: Array) -> None:
    """`max_pool`, line by line.

    First down the rows of the window, then across, each over whole lines of the image, which are long enough for
    vectors where channels are few; then the columns that the stride asks for are picked. Padding is -128, which never
    wins, for each window holds a real element.
    """
    height, width, channels, rows, columns, tall, wide, down, across, top, left = geometry
    line = width * channels
    before = left * channels
    reach = max(((columns - 1) * across + wide) * channels, before + line)
    tallest = np.full(reach, -128, np.int8)
    widest = np.empty(reach - (wide - 1) * channels, np.int8)
    samples = x.size // (height * line)
    target = 0
    for index in range(samples * rows):
        sample = index // rows
        y0 = (index % rows) * down - top
        begin, end = max(0, y0), min(height, y0 + tall)
        real = tallest[before : before + line]
        real[:] = x[(sample * height + begin) * line : (sample * height + begin + 1) * line]
        for y in range(begin + 1, end):
            values = x[(sample * height + y) * line : (sample * height + y + 1) * line]
            for j in range(values.size):
                real[j] = max(real[j], values[j])
        widest[:] = tallest[: widest.size]
        for place in range(1, wide):
            shifted = tallest[place * channels : place * channels + widest.size]
            for j in range(shifted.size):
                widest[j] = max(widest[j], shifted[j])
        for column in range(columns):
            source = column * across * channels
            if channels < _FEW:
                for c in range(channels):
                    out[target + c] = widest[source + c]
            else:
                out[target : target + channels] = widest[source : source + channels]
            target += channels
        results = out[target - columns * channels : target]
        for j in range(results.size):
            value: Integer = np.int64(results[j])
            value = max(value, low)
            results[j] = min(value, high)


@_compiled
def add(
    a: Array,
    b: Array,
    first: Integer,
    second: Integer,
    half: Integer,
    shift: Integer,
    low: Integer,
    high: Integer,
    out: Array,
) -> None:
    """out = clamp((a * first + b * second + half) >> shift, low, high), elementwise."""
    for j in range(a.size):
        value = (np.int64(a[j]) * first + np.int64(b[j]) * second + half) >> shift
        value = max(value, low)
        out[j] = min(value, high)


@_compiled
def multiply(
    a: Array, b: Array, factor: Integer, half: Integer, shift: Integer, low: Integer, high: Integer, out: Array
) -> None:
    """out = clamp((a * b * factor + half) >> shift, low, high), elementwise."""
    for j in range(a.size):
        value = (np.int64(a[j]) * np.int64(b[j]) * factor + half) >> shift
        value = max(value, low)
        out[j] = min(value, high)


@_compiled
def look_up(x: Array, table: Array, features: Integer, out: Array) -> None:
    """out, `features` numbers for each element of x, from a table of 256 rows, clamped already; see `plan.Step`."""
    if features == 1:
        for j in range(x.size):
            out[j] = table[np.uint8(x[j])]
        return
    for j in range(x.size):
        row = np.intp(np.uint8(x[j])) * features
        for i in range(features):
            out[j * features + i] = table[row + i]


@_compiled
def move(
    x: Array,
    stride: Integer,
    start: Integer,
    low: Integer,
    high: Integer,
    out: Array,
    row: Integer,
    place: Integer,
    count: Integer,
) -> None:
    """Of each row of x, `stride` long, `count` elements from `start` on, clamped, to `place` of each row of out."""
    for sample in range(x.size // stride):
        values = x[sample * stride + start : sample * stride + start + count]
        results = out[sample * row + place : sample * row + place + count]
        for j in range(count):
            value: Integer = np.int64(values[j])
            value = max(value, low)
            results[j] = min(value, high)
