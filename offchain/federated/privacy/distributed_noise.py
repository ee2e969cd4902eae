"""Central noise in shares: each participant adds a little discrete Gaussian noise, the sum carries it all.

With secure aggregation nobody sees more than the sum over the survivors, so the sum needs to be private and not each
update: the noise of a round is that of a trusted curator, not sqrt(n) times it. Kairouz, Liu, Steinke 2021, "The
Distributed Discrete Gaussian Mechanism for Federated Learning with Secure Aggregation" (arXiv 2102.06387).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import isqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from offchain.errors import Rejected
from offchain.federated.privacy.discrete_gaussian import MAX_VARIANCE, discrete_gaussian
from offchain.federated.privacy.random_bytes import RandomBytes

INT16_MAX: Final = (1 << 15) - 1
HEADROOM: Final = 12
"""Deviations between the clip norm and the end of int16: noise reaches them with probability below 2**-100."""


@dataclass(frozen=True, slots=True)
class DistributedGaussian:
    """One round's sum over at least `contributors` noisy updates of `dimension` coordinates, as a release.

    Units are those of the fixed-point updates. `sensitivity` is the largest L2 distance that what is protected can move
    the sum by: the clip norm when a participant's update may be replaced by nothing. Each participant adds discrete
    Gaussian noise of `variance` to every coordinate. Count among the contributors only those whose noise the adversary
    does not know: survivors less colluders. Raises Rejected for what gives no privacy.
    """

    sensitivity: float
    variance: int
    contributors: int
    dimension: int

    def __post_init__(self) -> None:
        if not 1 <= self.variance <= MAX_VARIANCE:
            raise Rejected(f"variance {self.variance} of a participant's noise: give 1 to {MAX_VARIANCE}")
        if not (self.sensitivity > 0 and self.contributors >= 1 and self.dimension >= 1):
            raise Rejected("distributed noise: sensitivity, contributors and dimension are above 0")

    @property
    def noise_multiplier(self) -> float:
        """Deviation of the noise of the sum over the sensitivity."""
        return math.sqrt(self.contributors * self.variance) / self.sensitivity

    def rdp(self, order: float) -> float:
        """Nats of one release: order * epsilon**2 / 2, for the sum satisfies epsilon**2 / 2 concentrated DP."""
        return order * self._epsilon() ** 2 / 2

    def _epsilon(self) -> float:
        """Kairouz et al. 2021, theorem 1: what sums of discrete Gaussians lose against one is the term with tau."""
        tau = 10 * sum(math.exp(-2 * math.pi**2 * self.variance * k / (k + 1)) for k in range(1, self.contributors))
        gaussian = 1 / self.noise_multiplier
        return min(math.sqrt(gaussian**2 + tau * self.dimension / 2), gaussian + tau * math.sqrt(self.dimension))


def share_variance(noise_multiplier: float, sensitivity: float, contributors: int) -> int:
    """The variance, rounded up, that each adds for a sum over `contributors` of `noise_multiplier` * `sensitivity`.

    Raises Rejected when it leaves the sampler's range.
    """
    variance = math.ceil((noise_multiplier * sensitivity) ** 2 / contributors)
    if not 1 <= variance <= MAX_VARIANCE:
        raise Rejected(
            f"noise of variance {variance} for each participant, 1 to {MAX_VARIANCE} can be drawn: "
            f"use {'fewer' if variance > 1 else 'more'} scale bits"
        )
    return variance


def clip_l2(update: npt.NDArray[np.int16], norm: int) -> npt.NDArray[np.int16]:
    """int16 (d,) shrunk to an L2 norm of at most `norm` units, exactly; what is short enough stays as it is.

    Values are multiplied by norm / ceil(L2) and cut towards zero, so that rounding never makes the vector longer.
    Raises Rejected for a norm outside [1, 2**15 - 1].
    """
    if not 1 <= norm <= INT16_MAX:
        raise Rejected(f"clip norm of {norm} units: give 1 to {INT16_MAX}")
    wide = update.astype(np.int64)
    square = int(np.dot(wide, wide))
    if square <= norm * norm:
        return update.copy()
    length = isqrt(square - 1) + 1
    shrunk: npt.NDArray[np.int64] = np.sign(wide) * (np.abs(wide) * norm // length)
    return shrunk.astype(np.int16)


def make_room(update: npt.NDArray[np.int16], variance: int) -> npt.NDArray[np.int16]:
    """int16 (d,) clamped to where noise of this variance stays within int16; moves no two updates apart.

    Raises Rejected when there is no room at all.
    """
    limit = _room(variance)
    if limit < 1:
        raise Rejected(f"noise of variance {variance} leaves no room in int16: use fewer scale bits")
    return np.clip(update, -limit, limit)


def _room(variance: int) -> int:
    return INT16_MAX - HEADROOM * (isqrt(variance) + 1)


def add_noise(update: npt.NDArray[np.int16], variance: int, random_bytes: RandomBytes) -> npt.NDArray[np.int16]:
    """int16 (d,): the update plus this participant's share of the noise, clamped to int16.

    Raises Rejected unless every value is HEADROOM deviations away from the ends of int16: with that the clamp, which is
    no function of the sum, is never seen (its probability for a whole model is below 2**-75 and part of no delta).
    """
    largest = int(np.abs(update.astype(np.int64)).max(initial=0))
    if largest > _room(variance):
        raise Rejected(
            f"update of {largest} units with noise of variance {variance} may leave int16: use fewer scale bits, "
            "or a lower clip norm"
        )
    noisy = update.astype(np.int64) + discrete_gaussian(random_bytes, variance, len(update))
    return np.clip(noisy, -INT16_MAX - 1, INT16_MAX).astype(np.int16)
