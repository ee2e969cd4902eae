"""The discrete Gaussian, sampled exactly: no decision of the sampler depends on a floating-point number.

Canonne, Kamath, Steinke 2020, "The Discrete Gaussian for Differential Privacy" (arXiv 2004.00010), algorithms 1 to 3,
for integer variances and many samples at once. Each array holds the samples ("lanes") that are still undecided.
Running time depends on what is drawn; don't let others measure it.
"""

from __future__ import annotations

from math import isqrt
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from offchain.errors import Rejected
from offchain.federated.privacy.random_bytes import RandomBytes, uniform_below

MAX_VARIANCE: Final = 1 << 24
"""So that 2 * variance * t**2, with t = isqrt(variance) + 1, fits 64 bits with room to spare."""

_SMALL: Final = 1 << 31
"""A square of less fits an int64."""

Lanes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def discrete_gaussian(random_bytes: RandomBytes, variance: int, count: int) -> Lanes:
    """int64 (count,): each value x with probability proportional to exp(-x**2 / (2 variance)) (algorithm 3).

    `variance` is sigma**2, an integer; that of the samples is a little less, by nothing that matters above 1.
    Raises Rejected for a variance outside [1, 2**24].
    """
    if not 1 <= variance <= MAX_VARIANCE:
        raise Rejected(
            f"variance {variance} of discrete Gaussian noise: give 1 to {MAX_VARIANCE}; use fewer scale bits"
        )
    scale = isqrt(variance) + 1
    samples = np.empty(count, dtype=np.int64)
    filled = 0
    while filled < count:
        # About 0.76 of the proposals are accepted when sigma is large.
        proposed = _discrete_laplace(random_bytes, scale, (count - filled) * 4 // 3 + 16)
        accepted = proposed[_accept(random_bytes, proposed, scale, variance)][: count - filled]
        samples[filled : filled + len(accepted)] = accepted
        filled += len(accepted)
    return samples


def _accept(random_bytes: RandomBytes, proposed: Lanes, scale: int, variance: int) -> Flags:
    """True with probability exp(-(|y| - variance / scale)**2 / (2 variance))."""
    distance = np.abs(np.abs(proposed) * scale - variance)
    denominator = 2 * variance * scale**2
    small = distance < _SMALL
    accepted = np.zeros(len(proposed), dtype=bool)
    accepted[small] = _bernoulli_exp(random_bytes, np.square(distance[small]), denominator)
    for lane in np.flatnonzero(~small):
        # Beyond some hundred deviations: Python's integers, one e-fold at a time.
        folds, rest = divmod(int(distance[lane]) ** 2, denominator)
        accepted[lane] = all(_bernoulli_exp_below_one(random_bytes, _lanes(1), 1)[0] for _ in range(folds)) and bool(
            _bernoulli_exp_below_one(random_bytes, _lanes(rest), denominator)[0]
        )
    return accepted


def _discrete_laplace(random_bytes: RandomBytes, scale: int, count: int) -> Lanes:
    """int64 (count,): x with probability proportional to exp(-|x| / scale) (algorithm 2, with s = 1)."""
    samples = np.empty(count, dtype=np.int64)
    filled = 0
    while filled < count:
        tries = (count - filled) * 7 // 4 + 16
        low = uniform_below(random_bytes, scale, tries)
        low = low[_bernoulli_exp_below_one(random_bytes, low, scale)]
        values = low + scale * _geometric(random_bytes, len(low))
        negative = uniform_below(random_bytes, 2, len(values)) == 1
        kept = np.where(negative, -values, values)[~(negative & (values == 0))][: count - filled]
        samples[filled : filled + len(kept)] = kept
        filled += len(kept)
    return samples


def _geometric(random_bytes: RandomBytes, count: int) -> Lanes:
    """int64 (count,): how many draws of Bernoulli(exp(-1)) succeed before the first that fails."""
    successes = np.zeros(count, dtype=np.int64)
    lanes = np.arange(count)
    while len(lanes):
        lanes = lanes[_bernoulli_exp_below_one(random_bytes, np.ones(len(lanes), dtype=np.int64), 1)]
        successes[lanes] += 1
    return successes


def _bernoulli_exp(random_bytes: RandomBytes, numerators: Lanes, denominator: int) -> Flags:
    """True with probability exp(-numerator / denominator) (algorithm 1, both cases); numerators not negative."""
    result = np.ones(len(numerators), dtype=bool)
    folds = numerators // denominator
    lanes = np.flatnonzero(folds)
    while len(lanes):
        result[lanes] = _bernoulli_exp_below_one(random_bytes, np.ones(len(lanes), dtype=np.int64), 1)
        folds[lanes] -= 1
        lanes = lanes[result[lanes] & (folds[lanes] > 0)]
    lanes = np.flatnonzero(result)
    result[lanes] = _bernoulli_exp_below_one(random_bytes, numerators[lanes] % denominator, denominator)
    return result


def _bernoulli_exp_below_one(random_bytes: RandomBytes, numerators: Lanes, denominator: int) -> Flags:
    """The same for 0 <= numerator <= denominator (algorithm 1, first case).

    The k-th coin is Bernoulli(gamma / k), thrown as Bernoulli(gamma) and Bernoulli(1 / k), which fit small integers;
    the answer is whether the first coin that fails has an odd number.
    """
    result = np.zeros(len(numerators), dtype=bool)
    lanes = np.arange(len(numerators))
    k = 1
    while len(lanes):
        heads = uniform_below(random_bytes, denominator, len(lanes)) < numerators[lanes]
        heads &= uniform_below(random_bytes, k, len(lanes)) == 0
        result[lanes[~heads]] = k % 2 == 1
        lanes = lanes[heads]
        k += 1
    return result


def _lanes(*values: Any) -> Lanes:
    return np.array(values, dtype=np.int64)
