"""FedAvg: the weighted mean.

McMahan et al. 2017, "Communication-Efficient Learning of Deep Networks from Decentralized Data", algorithm 1. Breakdown
point 0: a single update moves it anywhere.

    a_k = round_div(sum_i w_i q_ik, sum_i w_i), 1 <= w_i <= 2**30

Sums stay below 128 * 2**30 * 2**15 = 2**52, so float64 holds them, and half the divisor besides, exactly.
"""

from collections.abc import Sequence

import numpy as np

from offchain.errors import Rejected
from offchain.federated.aggregation.blocks import Vector, block_length, checked, over, spans

MAX_WEIGHT = 1 << 20
"""Of a task's participants; the rules' own weights go up to 2**30."""


def mean(updates: Sequence[Vector], weights: Sequence[int] | None = None, *, threads: int = 1) -> Vector:
    """The mean (d), int16, of n updates (d) with integer weights; 1 each if none are given.

    Memory: the result and 256 KiB a thread. Raises Rejected if there is not one weight in 1 to 2**20 for each update.
    """
    rows = checked(updates)
    if weights is None:
        return weighted_mean(rows, [1] * len(rows), threads)
    if len(weights) != len(rows) or not all(1 <= weight <= MAX_WEIGHT for weight in weights):
        raise Rejected(f"the weights of {len(rows)} updates are {len(rows)} numbers in 1 to {MAX_WEIGHT}: correct them")
    return weighted_mean(rows, weights, threads)


def weighted_mean(rows: Sequence[Vector], weights: Sequence[int], threads: int) -> Vector:
    """`mean` of checked rows; weights 0 to 2**30, not all 0."""
    from offchain.federated.aggregation import kernels

    out = np.empty(rows[0].size, np.int16)
    divisor = float(sum(weights))
    entering = [(row, float(weight)) for row, weight in zip(rows, weights, strict=True) if weight]

    def work(start: int, stop: int) -> None:
        total = np.empty(block_length(1, 8))
        for block in spans(start, stop, total.size):
            part = total[: block.stop - block.start]
            part[:] = 0
            for row, weight in entering:
                kernels.add_weighted(part, row[block], weight)
            kernels.divide(part, divisor, out[block])

    over(out.size, threads, work)
    return out
