"""Bulyan: Krum's choice, then a trimmed mean around the median of each coordinate.

El Mhamdi et al. 2018, "The Hidden Vulnerability of Distributed Learning in Byzantium", section 4. Breakdown point
(n - 3) / (4n): it withstands f hostile updates of n >= 4f + 3, and leaves them O(1 / sqrt(d)) of leeway in each
coordinate, where Krum alone leaves them O(1).

    theta = n - 2f times: Krum's choice among the r updates that remain (scores over max(1, r - f - 2) nearest others,
    of equal scores the lower index), which is taken out of them.
    beta = theta - 2f; at each coordinate, of the theta values the beta nearest to their median (`median.py`), of
    equally near ones the lower value:  a = round_div(their sum, beta)
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from offchain.errors import Rejected
from offchain.federated.aggregation.blocks import Vector, checked
from offchain.federated.aggregation.distances import squared_distances
from offchain.federated.aggregation.krum import scores
from offchain.federated.aggregation.networks import network
from offchain.federated.aggregation.trimmed_mean import window_mean


def bulyan(updates: Sequence[Vector], hostile: int, *, threads: int = 1) -> tuple[Vector, tuple[int, ...]]:
    """The aggregate (d), int16, of n updates (d), and the indices of the theta that Krum chose, ascending.

    Memory: the result and 1 MiB, or 544 KiB a thread. Raises Rejected unless n >= 4 * hostile + 3.
    """
    rows = checked(updates)
    require_bulyan(len(rows), hostile)
    theta = len(rows) - 2 * hostile
    chosen = sorted(iterated_krum(squared_distances(rows, threads=threads), hostile, theta))
    beta, steps = theta - 2 * hostile, 2 * hostile
    comparators = network(theta, 0, theta, sorted_throughout=True)
    return window_mean([rows[index] for index in chosen], comparators, 0, beta, steps, threads), tuple(chosen)


def iterated_krum(distances: NDArray[np.int64], hostile: int, count: int) -> list[int]:
    """Krum's choice among what remains, `count` times, in order; distances int64 (n, n)."""
    remaining = np.arange(len(distances))
    chosen = []
    for _ in range(count):
        best = int(np.argmin(scores(distances[np.ix_(remaining, remaining)], hostile)))
        chosen.append(int(remaining[best]))
        remaining = np.delete(remaining, best)
    return chosen


def require_bulyan(count: int, hostile: int) -> None:
    """Raises Rejected unless `count` updates are enough against `hostile` ones."""
    if hostile < 0 or count < 4 * hostile + 3:
        raise Rejected(
            f"Bulyan against {hostile} hostile updates needs {4 * hostile + 3}, not {count}: lower f or wait"
        )
