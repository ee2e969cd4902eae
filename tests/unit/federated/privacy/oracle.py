"""Privacy computed in other ways than the accountant's: exact curves and numerical integrals."""

import math
from itertools import pairwise

import numpy as np
from scipy.integrate import quad
from scipy.special import log_ndtr


def gaussian_delta(sigma: float, epsilon: float) -> float:
    """Least δ of the Gaussian mechanism of sensitivity 1: Balle and Wang 2018 (arXiv 1805.06530), theorem 8."""
    first = log_ndtr(0.5 / sigma - epsilon * sigma)
    second = epsilon + log_ndtr(-0.5 / sigma - epsilon * sigma)
    return float(-math.exp(first) * math.expm1(min(second - first, 0.0)))


def sampled_rdp(rate: float, sigma: float, order: float) -> float:
    """RDP of one step by quadrature: the larger of both directions between N(0, σ²) and (1-q) N(0, σ²) + q N(1, σ²)."""

    def log_ratio(x: float) -> float:
        return float(np.logaddexp(math.log1p(-rate), math.log(rate) + (2 * x - 1) / (2 * sigma**2)))

    def moment(power: float) -> float:
        def integrand(x: float) -> float:
            density = -(x**2) / (2 * sigma**2) - math.log(sigma * math.sqrt(2 * math.pi))
            return math.exp(density + power * log_ratio(x))

        reach = order + 12 * sigma
        points = [float(point) for point in np.linspace(-reach, reach, 41)]
        return sum(quad(integrand, a, b, epsabs=0, epsrel=1e-11)[0] for a, b in pairwise(points))

    return math.log(max(moment(order), moment(1 - order))) / (order - 1)


def noise_of_sum(variance: int, count: int, reach: int) -> np.ndarray:
    """Probabilities (2 * reach + 1,) of the values -reach to reach of a sum of `count` discrete Gaussians."""
    values = np.arange(-reach, reach + 1)
    single = np.exp(-np.square(values, dtype=np.float64) / (2 * variance))
    single /= single.sum()
    law = single
    for _ in range(count - 1):
        law = np.convolve(law, single)[reach:-reach]
    return law


def shifted_rdp(law: np.ndarray, shift: int, order: float) -> float:
    """Rényi divergence between a law on the integers and the same moved by `shift`; tails below 1e-280 left out."""
    first, second = law[shift:], law[:-shift]
    known = (first > 1e-280) & (second > 1e-280)
    logs = order * np.log(first[known]) + (1 - order) * np.log(second[known])
    return float(np.log(np.exp(logs).sum()) / (order - 1))
