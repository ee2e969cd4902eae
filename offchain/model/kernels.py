"""The compiled loops of the fast evaluator: gathering, pooling and the one fused pass back to int8.

Every kernel works on flat, contiguous arrays and releases the interpreter lock. `geometry` is a tuple of int64:
(height, width, channels, rows, columns, kernel height, kernel width, stride down, stride across, top, left).
Sums are int32 and products int64; `validation.validate` has proven that they fit. Import this module late: it brings
in numba, and compiles on first use (the result is cached on disk).
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

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
def gather(x: Array, geometry: Geometry, first: Integer, count: Integer, out: Array) -> None:
    """im2col: what the kernel covers at output positions first .. first + count of the batch, zero where it is padding.

    x: int8, flat (n, height, width, channels); out: int8, flat (count, kernel height * kernel width * channels).
    """
    height, width, channels, rows, columns, tall, wide, down, across, top, left = geometry
    span = wide * channels
    for index in range(count):
        position = first + index
        column = position % columns
        row = (position // columns) % rows
        sample = position // (columns * rows)
        y0 = row * down - top
        x0 = column * across - left
        begin = max(0, -x0)
        end = min(wide, width - x0)
        target = index * tall * span
        for k in range(tall):
            y = y0 + k
            if y < 0 or y >= height or begin >= end:
                out[target : target + span] = 0
            else:
                source = ((sample * height + y) * width + x0) * channels
                if begin > 0:
                    out[target : target + begin * channels] = 0
                for j in range(begin * channels, end * channels):
                    out[target + j] = x[source + j]
                if end < wide:
                    out[target + end * channels : target + span] = 0
            target += span


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
    """Depthwise convolution with requantisation; weight int8 (kernel height * kernel width, channels)."""
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
        total[:] = bias[:channels]
        for k in range(max(0, -y0), min(tall, height - y0)):
            for j in range(max(0, -x0), min(wide, width - x0)):
                source = ((sample * height + y0 + k) * width + x0 + j) * channels
                pixel = x[source : source + channels]
                factors = weight[k * wide + j]
                for c in range(channels):
                    total[c] = np.int32(total[c] + np.int32(pixel[c]) * np.int32(factors[c]))
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
def max_pool(x: Array, geometry: Geometry, low: Integer, high: Integer, out: Array) -> None:
    """The largest real element of each window; padding is ignored."""
    height, width, channels, rows, columns, tall, wide, down, across, top, left = geometry
    best = np.empty(channels, np.int8)
    samples = x.size // (height * width * channels)
    target = 0
    for position in range(samples * rows * columns):
        column = position % columns
        row = (position // columns) % rows
        sample = position // (columns * rows)
        y0 = row * down - top
        x0 = column * across - left
        best[:] = -128
        for k in range(max(0, -y0), min(tall, height - y0)):
            for j in range(max(0, -x0), min(wide, width - x0)):
                source = ((sample * height + y0 + k) * width + x0 + j) * channels
                pixel = x[source : source + channels]
                for c in range(channels):
                    best[c] = max(best[c], pixel[c])
        results = out[target : target + channels]
        for c in range(channels):
            value = max(np.int64(best[c]), low)
            results[c] = min(value, high)
        target += channels


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
