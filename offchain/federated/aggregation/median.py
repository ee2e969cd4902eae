"""Coordinate-wise median.

Yin et al. 2018, "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates", definition 1. Breakdown
point 1/2: fewer than half hostile updates leave every coordinate within the range of the honest values.

    sorted x_0 <= .. <= x_(n-1) at a coordinate:  odd n: a = x_((n-1)/2);  even n: a = round_div(x_(n/2-1) + x_(n/2), 2)
"""

from collections.abc import Sequence

from offchain.federated.aggregation.blocks import Vector
from offchain.federated.aggregation.trimmed_mean import trimmed_mean


def median(updates: Sequence[Vector], *, threads: int = 1) -> Vector:
    """The median (d), int16, of n updates (d): a trimmed mean of which one or two values are left.

    Memory: the result and 544 KiB a thread.
    """
    return trimmed_mean(updates, (len(updates) - 1) // 2, threads=threads)
