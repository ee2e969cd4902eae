"""How much noise a task needs: from a budget to the mechanism of one round."""

from __future__ import annotations

from math import isqrt
from typing import Final

from offchain.errors import Rejected
from offchain.federated.privacy.accountant import GaussianMechanism, SampledGaussian, noise_for
from offchain.federated.privacy.distributed_noise import HEADROOM, INT16_MAX, DistributedGaussian, share_variance

_MARGIN: Final = 1.001
"""What is rounded on the way to the ledger's integers must not cost the last round."""


def plan_examples(epsilon: float, delta: float, rounds: int, sample_rate: float, steps: int) -> SampledGaussian:
    """DP-SGD of `steps` steps a round with the least noise that keeps (epsilon, delta). Raises Rejected."""
    noise = noise_for(epsilon, delta, rounds, lambda multiplier: SampledGaussian(sample_rate, multiplier, steps))
    return SampledGaussian(sample_rate, noise * _MARGIN, steps)


def plan_shares(
    epsilon: float, delta: float, rounds: int, *, sensitivity: float, contributors: int, dimension: int
) -> DistributedGaussian:
    """Shares of discrete Gaussian noise with the least variance that keeps (epsilon, delta) over `rounds` sums.

    `sensitivity` in units of the updates, and so many `contributors` in every sum. Raises Rejected when an update of
    that length with its noise might leave int16.
    """
    noise = noise_for(epsilon, delta, rounds, GaussianMechanism) * _MARGIN
    variance = share_variance(noise, sensitivity, contributors)
    longest = round(sensitivity) + HEADROOM * (isqrt(variance) + 1)
    if longest > INT16_MAX:
        raise Rejected(
            f"noise for epsilon {epsilon:g} over {rounds} rounds may leave int16: it and the clip norm take up to "
            f"{longest} units of {INT16_MAX}; use fewer scale bits, a lower clip norm, larger groups or fewer rounds"
        )
    return DistributedGaussian(sensitivity, variance, contributors, dimension)
