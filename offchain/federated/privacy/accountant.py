"""RDP of the Gaussian mechanism, plain and under Poisson sampling; ε of many rounds.

Opacus computes the sampled mechanism (Mironov, Talwar, Zhang 2019); it is imported when first asked, as it takes
seconds to load.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from offchain.errors import Rejected
from offchain.federated.privacy.budget import CANDIDATE_ORDERS, MILLI, Mechanism
from offchain.federated.privacy.conversion import rdp_limit

ORDERS: tuple[float, ...] = tuple(order / MILLI for order in CANDIDATE_ORDERS)


@dataclass(frozen=True, slots=True)
class GaussianMechanism:
    """`steps` sums of L2 sensitivity 1 with noise of deviation `noise_multiplier` on each coordinate.

    Mironov 2017 (arXiv 1702.07476), proposition 7: order / (2 sigma**2) a step. Raises Rejected for no noise or steps.
    """

    noise_multiplier: float
    steps: int = 1

    def __post_init__(self) -> None:
        _check(self.noise_multiplier, self.steps)

    def rdp(self, order: float) -> float:
        """Nats of all the steps together."""
        return self.steps * order / (2 * self.noise_multiplier**2)


@dataclass(frozen=True, slots=True)
class SampledGaussian:
    """`steps` steps of DP-SGD, as one round's release of one participant.

    Each example is in each step's batch with probability `sample_rate`, independently of all others (Poisson). Two data
    sets are neighbours if one example is added or removed. Mironov, Talwar, Zhang 2019 (arXiv 1908.10530), section 3.3.
    Raises Rejected for a rate outside (0, 1], no noise or no steps.
    """

    sample_rate: float
    noise_multiplier: float
    steps: int

    def __post_init__(self) -> None:
        _check(self.noise_multiplier, self.steps)
        if not 0 < self.sample_rate <= 1:
            raise Rejected(f"sample rate {self.sample_rate}: give a probability above 0, at most 1")

    def rdp(self, order: float) -> float:
        """Nats of all the steps together."""
        return self.steps * _opacus_rdp(self.sample_rate, self.noise_multiplier, order)


def epsilon_of(
    mechanism: Mechanism, rounds: int, delta: float, *, orders: Sequence[float] = ORDERS
) -> tuple[float, float]:
    """(ε in nats, order that shows it) of `rounds` releases of `mechanism`; `orders` ascending.

    ε times (order - 1) is convex in the order (van Erven and Harremoës 2014, corollary 2, plus convex terms of the
    conversion), so ε falls and then rises: bisection finds the best order.
    """

    def excess(place: int) -> float:
        return -rdp_limit(-rounds * mechanism.rdp(orders[place]), orders[place], delta)

    low, high = 0, len(orders) - 1
    while low < high:
        middle = (low + high) // 2
        if excess(middle + 1) < excess(middle):
            low = middle + 1
        else:
            high = middle
    return max(excess(low), 0.0), orders[low]


def noise_for(
    epsilon: float, delta: float, rounds: int, make: Callable[[float], Mechanism], *, tolerance: float = 1e-3
) -> float:
    """The least noise multiplier, within a relative `tolerance`, at which `rounds` releases keep (epsilon, delta).

    `make(noise_multiplier)` is the mechanism of one round. Raises Rejected when not even a multiplier of 10**4 does.
    """
    low, high = 0.0, 1.0
    while epsilon_of(make(high), rounds, delta)[0] > epsilon:
        low, high = high, 2 * high
        if high > 1e4:
            raise Rejected(f"no noise keeps epsilon {epsilon} at delta {delta} over {rounds} rounds: raise the budget")
    while high - low > tolerance * high:
        middle = (low + high) / 2
        if epsilon_of(make(middle), rounds, delta)[0] > epsilon:
            low = middle
        else:
            high = middle
    return high


def _opacus_rdp(sample_rate: float, noise_multiplier: float, order: float) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from opacus.accountants.analysis.rdp import compute_rdp

    return float(compute_rdp(q=sample_rate, noise_multiplier=noise_multiplier, steps=1, orders=float(order)))


def _check(noise_multiplier: float, steps: int) -> None:
    if not noise_multiplier > 0:
        raise Rejected(f"noise multiplier {noise_multiplier}: give a number above 0")
    if steps < 1:
        raise Rejected(f"{steps} steps: give at least 1")
