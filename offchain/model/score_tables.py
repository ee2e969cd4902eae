"""The two tables of the cross-entropy score, computed with decimal arithmetic so that every machine has the same.

The contract holds the same numbers (`contracts/libraries`), and a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache

import numpy as np

from offchain.model.graph import Int64Array

STEPS = 256
"""Steps of one bit: an output is a base-2 logit in units of 1/256 bit."""
EXP2_BITS = 24
"""Fractional bits of an entry of `exp2_table`: EXP2[0] is 2^24."""
LOSS_BITS = 16
"""Fractional bits of a loss: it counts units of 2^-16 bit."""

_CONTEXT = Context(prec=60, rounding=ROUND_HALF_EVEN)
"""No entry but the exact ones is within 10^-6 of a half, so 60 digits round each the only way there is."""


@cache
def exp2_table() -> Int64Array:
    """EXP2[f] = round(2^(24 - f / 256)), int64 (256,), read-only."""
    ln2 = _CONTEXT.ln(Decimal(2))

    def entry(step: int) -> Decimal:
        fraction = _CONTEXT.divide(Decimal(step), Decimal(STEPS))
        return _CONTEXT.exp(_CONTEXT.multiply(_CONTEXT.subtract(Decimal(EXP2_BITS), fraction), ln2))

    return _table(entry, STEPS)


@cache
def log2_table() -> Int64Array:
    """LOG2[i] = round(2^16 * log2(1 + i / 256)), int64 (257,), read-only."""
    ln2 = _CONTEXT.ln(Decimal(2))

    def entry(step: int) -> Decimal:
        value = _CONTEXT.add(Decimal(1), _CONTEXT.divide(Decimal(step), Decimal(STEPS)))
        return _CONTEXT.multiply(Decimal(1 << LOSS_BITS), _CONTEXT.divide(_CONTEXT.ln(value), ln2))

    return _table(entry, STEPS + 1)


def _table(entry: Callable[[int], Decimal], length: int) -> Int64Array:
    values = [int(entry(step).to_integral_value(context=_CONTEXT)) for step in range(length)]
    table = np.array(values, dtype=np.int64)
    table.setflags(write=False)
    return table
