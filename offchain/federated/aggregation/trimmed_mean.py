"""Coordinate-wise trimmed mean.

Yin et al. 2018, "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates", definition 2. Breakdown
point b / n: up to b hostile updates leave every coordinate within the range of the honest values.

    sorted x_0 <= .. <= x_(n-1) at a coordinate:  a = round_div(x_b + .. + x_(n-b-1), n - 2b),  n > 2b
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from offchain.errors import Rejected
from offchain.federated.aggregation.blocks import Vector, addresses, checked, over
from offchain.federated.aggregation.networks import network


def trimmed_mean(updates: Sequence[Vector], cut: int, *, threads: int = 1) -> Vector:
    """The mean (d), int16, of n updates (d) without the `cut` lowest and highest values of each coordinate.

    Memory: the result and 544 KiB a thread. Raises Rejected unless 0 <= 2 * cut < n.
    """
    rows = checked(updates)
    if not 0 <= 2 * cut < len(rows):
        raise Rejected(f"cutting {cut} values at each side of {len(rows)} leaves none: cut fewer or wait for more")
    kept = len(rows) - 2 * cut
    return window_mean(rows, network(len(rows), cut, kept), cut, kept, 0, threads)


def window_mean(
    rows: Sequence[Vector], comparators: NDArray[np.int64], low: int, count: int, steps: int, threads: int
) -> Vector:
    """`kernels.window_mean` of checked rows (d): int16 (d)."""
    from offchain.federated.aggregation import kernels

    out = np.empty(rows[0].size, np.int16)
    starts = addresses(rows)
    over(
        out.size,
        threads,
        lambda start, stop: kernels.window_mean(starts, comparators, low, count, steps, start, stop, out),
    )
    return out
