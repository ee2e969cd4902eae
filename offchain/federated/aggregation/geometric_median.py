"""Geometric median: the point with the least sum of distances, by Weiszfeld's algorithm with fixed iterations.

Pillutla et al. 2019, "Robust Aggregation for Federated Learning" (RFA), algorithm 2. Breakdown point 1/2.

    z = round_div(sum_i q_i, n)
    T times:  D_i = |q_i - z|**2,  s_i = max(1, isqrt(D_i)),  w_i = floor(2**30 * min_j s_j / s_i)
              z = round_div(sum_i w_i q_i, sum_i w_i)
    a = z

Weights are relative to the nearest update's, 2**30, so they are as precise for long updates as for short ones; sums
stay below 128 * 2**30 * 2**15 = 2**52 (`mean.py`). max(1, .) is RFA's smoothing with nu = 1 unit.
"""

from collections.abc import Sequence
from math import isqrt

import numpy as np

from offchain.errors import Rejected
from offchain.federated.aggregation.blocks import Vector, checked
from offchain.federated.aggregation.mean import weighted_mean

_POWER = 30


def geometric_median(updates: Sequence[Vector], iterations: int, *, threads: int = 1) -> Vector:
    """The point (d), int16, after `iterations` steps from the mean of n updates (d).

    One pass over the updates for each iteration and one before: a block of z is measured while it is in the cache.
    Memory: the result and 64 KiB a thread. Raises Rejected unless iterations >= 1.
    """
    if iterations < 1:
        raise Rejected(f"the geometric median needs at least 1 iteration, not {iterations}: 8 are usual")
    rows = checked(updates)
    z = np.empty(rows[0].size, np.int16)
    weights = [1] * len(rows)
    for step in range(iterations + 1):
        scales = [(weight, 0) for weight in weights]
        distances = weighted_mean(rows, scales, sum(weights), z, threads, measure=step < iterations)
        lengths = [max(1, isqrt(distance)) for distance in distances.tolist()]
        weights = [(min(lengths) << _POWER) // length for length in lengths]
    return z
