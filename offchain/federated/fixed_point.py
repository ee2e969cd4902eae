"""Fixed point: how float updates and models become the integers that everybody computes with.

An update is int16 and a model int32, both at `scale_bits`: the value is the integer over 2**scale_bits. Rounding is to
the nearest integer, ties towards plus infinity, as `round_div` of the rules does; what doesn't fit saturates and is
counted. No other place of the federated room turns floats into integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from offchain.errors import Rejected

Update = npt.NDArray[np.int16]
"""(d,) little-endian int16 on disk."""

Model = npt.NDArray[np.int32]
"""(d,) little-endian int32 on disk."""

MAX_SCALE_BITS: Final = 24
"""Beyond it an int32 model could not hold a weight of 128."""


@dataclass(frozen=True, slots=True)
class Quantised:
    """An update int16 (d,), and how many of its values did not fit and were clamped."""

    values: Update
    saturated: int


def quantise_update(values: npt.NDArray[Any], scale_bits: int) -> Quantised:
    """Float (d,) to int16: clamp(floor(value * 2**scale_bits + 1/2), -2**15, 2**15 - 1), exactly.

    Computed in float64: the product is exact, and the half is compared with the fraction and never added, which would
    round. Raises Rejected when a value is not finite or `scale_bits` is out of range.
    """
    rounded = _rounded(values, scale_bits, "update")
    limits = np.iinfo(np.int16)
    clamped = np.clip(rounded, limits.min, limits.max)
    return Quantised(clamped.astype(np.int16), int(np.count_nonzero(clamped != rounded)))


def quantise_model(values: npt.NDArray[Any], scale_bits: int) -> Model:
    """Float (d,) to int32, rounded like an update. Raises Rejected when a value is not finite or does not fit."""
    rounded = _rounded(values, scale_bits, "model")
    limits = np.iinfo(np.int32)
    if rounded.size and (rounded.min() < limits.min or rounded.max() > limits.max):
        raise Rejected(f"model: a weight does not fit int32 at {scale_bits} scale bits; use fewer")
    return rounded.astype(np.int32)


def dequantise(values: npt.NDArray[np.int16] | npt.NDArray[np.int32], scale_bits: int) -> npt.NDArray[np.float32]:
    """Integers (d,) to the nearest float32 of value / 2**scale_bits (exact below 2**24). Raises Rejected."""
    _require_scale(scale_bits)
    return np.ldexp(values.astype(np.float64), -scale_bits).astype(np.float32)


def _rounded(values: npt.NDArray[Any], scale_bits: int, what: str) -> npt.NDArray[np.float64]:
    _require_scale(scale_bits)
    exact = np.asarray(values, dtype=np.float64)
    if not np.isfinite(exact).all():
        raise Rejected(f"{what}: holds a value that is not finite; train with a lower learning rate")
    scaled = np.ldexp(exact, scale_bits)
    below = np.floor(scaled)
    return np.asarray(below + (scaled - below >= 0.5), dtype=np.float64)


def _require_scale(scale_bits: int) -> None:
    if not 0 <= scale_bits <= MAX_SCALE_BITS:
        raise Rejected(f"scale of {scale_bits} bits; use 0 to {MAX_SCALE_BITS}")
