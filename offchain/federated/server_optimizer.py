"""What the model does with an aggregate: FedAvg, FedAvgM and FedAdam in integers, coordinate by coordinate.

Sources: FedAvg, McMahan et al. 2017; FedAvgM, Hsu et al. 2019 (section 4.3); FedAdam, Reddi et al. 2021 (algorithm 2).

The state is int32, 1, 2 or 3 words for each of d coordinates, `(words, d)`; the aggregate `a` is int16 in units of
2**-scale_bits of the model. Everything starts at zero but the model w. This is the specification, and a contract
computes single coordinates of it (`step_one` is its oracle). Integers are exact,
`round_div(x, y) = floor((2x + y) / (2y))`, `isqrt` rounds down, and `clamp` is to [-2**31, 2**31 - 1]:

    FEDAVG   (w)        w' = clamp(w + round_div(a * lr, 2**16))

    FEDAVGM  (w, m)     m' = clamp(round_div(m * beta1, 2**16) + a * 2**8)
                        w' = clamp(w + round_div(m' * lr, 2**24))

    FEDADAM  (w, m, v)  m' = clamp(round_div(m * beta1 + a * 2**8 * (2**16 - beta1), 2**16))
                        v' = clamp(round_div(v * beta2 + a * a * (2**16 - beta2), 2**16))
                        w' = clamp(w + round_div(m' * lr, (isqrt(v') + tau) * 2**24))

Units: w and a count units of the model, m units / 256, v squared units (never negative but in a client's malformed
first model, where its root counts as 0). beta1 and beta2 are Q16 in 0 .. 2**16 - 1. lr is Q16 in 1 .. 2**31 - 1: for
FEDAVG and FEDAVGM a factor (65,536 is 1.0); for FEDADAM, whose m' / sqrt(v') has no unit, the length of a step in units
of the model (65,536 is one unit, so a rate r of the real model is r * 2**(scale_bits + 16)). tau is FEDADAM's
adaptivity in units, 1 .. 2**15 - 1. What an optimiser does not use is 0, so each has one description. No product leaves
int64: |m' * lr| <= 2**62, and |a * a * 2**16| <= 2**46.
"""

from dataclasses import dataclass
from enum import IntEnum
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from offchain.errors import Rejected
from offchain.federated.aggregation.rounding import round_div, round_div_array, round_shift_array

ONE = 1 << 16
"""1.0 in Q16."""

MAX_LR = (1 << 31) - 1
MAX_TAU = (1 << 15) - 1

_LOW, _HIGH = -(1 << 31), (1 << 31) - 1
_BLOCK = 1 << 15
"""Coordinates at a time: the temporaries of a block stay in the cache."""


class OptimizerId(IntEnum):
    """Which optimiser; the contract's enumeration has the same numbers."""

    FEDAVG = 1
    FEDAVGM = 2
    FEDADAM = 3


@dataclass(frozen=True, slots=True)
class ServerOptimizer:
    """An optimiser and its terms, as a task names them; units in the module's docstring."""

    id: OptimizerId = OptimizerId.FEDAVG
    lr: int = ONE
    beta1: int = 0
    beta2: int = 0
    tau: int = 0

    @property
    def words(self) -> int:
        """int32 words of state per coordinate, the model's among them."""
        return int(self.id)

    def check(self) -> None:
        """Raises Rejected unless every term is in its range, and 0 where this optimiser has no use for it."""
        momentum = ONE - 1 if self.id != OptimizerId.FEDAVG else 0
        adam = self.id == OptimizerId.FEDADAM
        _require("lr", self.lr, 1, MAX_LR)
        _require("beta1", self.beta1, 0, momentum)
        _require("beta2", self.beta2, 0, ONE - 1 if adam else 0)
        _require("tau", self.tau, 1 if adam else 0, MAX_TAU if adam else 0)


def initial_state(terms: ServerOptimizer, weights: NDArray[np.int32]) -> NDArray[np.int32]:
    """The state (words, d) before the first round: the model's weights (d), and zeros."""
    state = np.zeros((terms.words, weights.size), np.int32)
    state[0] = weights
    return state


def step(terms: ServerOptimizer, state: NDArray[np.int32], aggregate: NDArray[np.int16]) -> NDArray[np.int32]:
    """The state (words, d) after an aggregate (d); the one given is left as it is.

    Raises Rejected if shapes do not fit or the terms are not valid.
    """
    terms.check()
    if state.shape != (terms.words, aggregate.size):
        expected = (terms.words, aggregate.size)
        raise Rejected(f"the state of {terms.id.name} has shape {state.shape}, not {expected}: give the round's own")
    result = np.empty_like(state)
    for start in range(0, aggregate.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        _step_block(terms, state[:, block], aggregate[block].astype(np.int64), result[:, block])
    return result


def step_one(terms: ServerOptimizer, words: tuple[int, ...], a: int) -> tuple[int, ...]:
    """The words of one coordinate after the aggregate `a`, in Python's integers: what the contract computes."""
    w, lr = words[0], terms.lr
    if terms.id == OptimizerId.FEDAVG:
        return (_clamp(w + round_div(a * lr, ONE)),)
    if terms.id == OptimizerId.FEDAVGM:
        m = _clamp(round_div(words[1] * terms.beta1, ONE) + a * 256)
        return _clamp(w + round_div(m * lr, 1 << 24)), m
    m = _clamp(round_div(words[1] * terms.beta1 + a * 256 * (ONE - terms.beta1), ONE))
    v = _clamp(round_div(words[2] * terms.beta2 + a * a * (ONE - terms.beta2), ONE))
    return _clamp(w + round_div(m * lr, (isqrt(max(v, 0)) + terms.tau) << 24)), m, v


def _step_block(terms: ServerOptimizer, state: NDArray[np.int32], a: NDArray[np.int64], out: NDArray[np.int32]) -> None:
    """`step` of a block: state and out (words, block), a (block)."""
    old = state.astype(np.int64)
    if terms.id == OptimizerId.FEDAVG:
        move = round_shift_array(a * terms.lr, 16)
    elif terms.id == OptimizerId.FEDAVGM:
        m = np.clip(round_shift_array(old[1] * terms.beta1, 16) + (a << 8), _LOW, _HIGH)
        move = round_shift_array(m * terms.lr, 24)
        out[1] = m
    else:
        m = np.clip(round_shift_array(old[1] * terms.beta1 + (a << 8) * (ONE - terms.beta1), 16), _LOW, _HIGH)
        v = np.clip(round_shift_array(old[2] * terms.beta2 + a * a * (ONE - terms.beta2), 16), _LOW, _HIGH)
        # Below 2**52 the floor of the correctly rounded root is the integer root.
        root = np.sqrt(np.maximum(v, 0).astype(np.float64)).astype(np.int64)
        move = round_div_array(m * terms.lr, (root + terms.tau) << 24)
        out[1], out[2] = m, v
    out[0] = np.clip(old[0] + move, _LOW, _HIGH)


def _clamp(value: int) -> int:
    return min(max(value, _LOW), _HIGH)


def _require(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise Rejected(f"the server optimiser's {name} is {value}: give one in {low} to {high}")
