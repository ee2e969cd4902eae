"""Exact squared distances between updates, by their inner products.

|x - y|**2 = <x, x> + <y, y> - 2 <x, y>, all from one Gram matrix in integers (`kernels.gram`). Inner products stay
below 2**30 * 2**24 = 2**54, distances below 2**56.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from offchain.federated.aggregation.blocks import Vector, addresses, checked, over


def squared_distances(updates: Sequence[Vector], *, threads: int = 1) -> NDArray[np.int64]:
    """int64 (n, n): |u_i - u_j|**2 of n updates (d), symmetric with zeros on the diagonal.

    Memory: 256 KiB and at most as much again a thread.
    """
    products = gram(updates, threads=threads)
    norms = np.diagonal(products)
    return np.asarray(norms[:, None] + norms[None, :] - 2 * products)


def gram(updates: Sequence[Vector], *, threads: int = 1) -> NDArray[np.int64]:
    """int64 (n, n): <u_i, u_j> of n updates (d)."""
    from offchain.federated.aggregation import kernels

    rows = checked(updates)
    starts = addresses(rows)
    parts: list[NDArray[np.int64]] = []

    def work(start: int, stop: int) -> None:
        total = np.zeros((len(rows), len(rows)), np.int64)
        kernels.gram(starts, start, stop, total)
        parts.append(total)

    over(rows[0].size, threads, work)
    return np.asarray(np.sum(parts, axis=0))
