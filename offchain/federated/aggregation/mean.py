"""FedAvg: the weighted mean.

McMahan et al. 2017, "Communication-Efficient Learning of Deep Networks from Decentralized Data", algorithm 1. Breakdown
point 0: a single update moves it anywhere.

    a_k = round_div(sum_i w_i q_ik, sum_i w_i), 1 <= w_i <= 2**20

Other rules use weights up to 2**30; sums stay below 128 * 2**30 * 2**15 = 2**52, so float64 holds them exactly.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from offchain.errors import Rejected
from offchain.federated.aggregation.blocks import Vector, addresses, checked, over

MAX_WEIGHT = 1 << 20
"""Of a task's participants; the rules' own weights go up to 2**30."""


def mean(updates: Sequence[Vector], weights: Sequence[int], *, threads: int = 1) -> Vector:
    """The mean (d), int16, of n updates (d) with integer weights.

    Memory: the result and 64 KiB a thread. Raises Rejected if there is not one weight in 1 to 2**20 for each update.
    """
    rows = checked(updates)
    if len(weights) != len(rows) or not all(1 <= weight <= MAX_WEIGHT for weight in weights):
        raise Rejected(f"the weights of {len(rows)} updates are {len(rows)} numbers in 1 to {MAX_WEIGHT}: correct them")
    out = np.empty(rows[0].size, np.int16)
    weighted_mean(rows, [(weight, 0) for weight in weights], sum(weights), out, threads)
    return out


def plain_mean(rows: Sequence[Vector], threads: int) -> Vector:
    """The unweighted mean (d), int16, of checked rows (d)."""
    out = np.empty(rows[0].size, np.int16)
    weighted_mean(rows, [(1, 0)] * len(rows), len(rows), out, threads)
    return out


def weighted_mean(
    rows: Sequence[Vector],
    scales: Sequence[tuple[float, float]],
    divisor: int,
    out: Vector,
    threads: int,
    *,
    measure: bool = False,
) -> NDArray[np.int64]:
    """`kernels.weighted_mean` of checked rows (d) into out; scales are pairs of factor and offset.

    Returns the squared distances of the rows from the result, int64 (n), if they are to be measured, else none.
    """
    from offchain.federated.aggregation import kernels

    spare = -len(rows) % kernels.GROUP
    starts = addresses([*rows, *[rows[0]] * spare])
    factors, offsets = np.array([*scales, *[(0, 0)] * spare], np.float64).T.copy()
    parts: list[NDArray[np.int64]] = []

    def work(start: int, stop: int) -> None:
        distances = np.zeros(len(rows) if measure else 0, np.int64)
        kernels.weighted_mean(starts, factors, offsets, float(divisor), start, stop, out, distances)
        parts.append(distances)

    over(out.size, threads, work)
    return np.asarray(np.sum(parts, axis=0))
