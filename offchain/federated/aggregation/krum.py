"""Krum and Multi-Krum: the updates that have the nearest neighbours.

Blanchard et al. 2017, "Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent", section 4. Breakdown
point (n - 3) / (2n): it withstands f hostile updates of n >= 2f + 3.

    D_ij = |u_i - u_j|**2;  score_i = sum of the n - f - 2 smallest D_ij, j != i
    Krum: a = the update with the lowest score.  Multi-Krum: a = the unweighted mean of the m with the lowest scores.

Of equal scores the lower index is lower. 1 <= m <= n - f - 2 keeps Multi-Krum's resilience (El Mhamdi et al. 2018).
Scores stay below 126 * 2**56 < 2**63.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from offchain.errors import Rejected
from offchain.federated.aggregation.blocks import Vector, checked
from offchain.federated.aggregation.distances import squared_distances
from offchain.federated.aggregation.mean import plain_mean


def krum(
    updates: Sequence[Vector], hostile: int, selected: int = 1, *, threads: int = 1
) -> tuple[Vector, tuple[int, ...]]:
    """The mean (d), int16, of the `selected` updates with the lowest scores, and their indices in ascending order.

    Memory: the result and 1 MiB. Raises Rejected unless n >= 2 * hostile + 3 and 1 <= selected <= n - hostile - 2.
    """
    rows = checked(updates)
    require_krum(len(rows), hostile, selected)
    order = np.argsort(scores(squared_distances(rows, threads=threads), hostile), kind="stable")
    chosen = sorted(int(index) for index in order[:selected])
    if selected == 1:
        return rows[chosen[0]].copy(), tuple(chosen)
    return plain_mean([rows[index] for index in chosen], threads), tuple(chosen)


def scores(distances: NDArray[np.int64], hostile: int) -> NDArray[np.int64]:
    """int64 (n): of each update the sum of the distances to its max(1, n - hostile - 2) nearest others.

    The distance to itself, 0, is always the first of the sorted row and adds nothing.
    """
    nearest = max(1, len(distances) - hostile - 2)
    return np.asarray(np.sort(distances, axis=1)[:, : nearest + 1].sum(axis=1))


def require_krum(count: int, hostile: int, selected: int) -> None:
    """Raises Rejected unless `count` updates are enough against `hostile` ones, and `selected` not too many."""
    if hostile < 0 or count < 2 * hostile + 3:
        raise Rejected(f"Krum against {hostile} hostile updates needs {2 * hostile + 3}, not {count}: lower f or wait")
    if not 1 <= selected <= count - hostile - 2:
        raise Rejected(f"Krum may select 1 to {count - hostile - 2} of {count} updates, not {selected}: correct m")
