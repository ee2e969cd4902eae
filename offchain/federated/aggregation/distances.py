"""Exact squared distances between updates, by their inner products.

|x - y|**2 = <x, x> + <y, y> - 2 <x, y>, all from one Gram matrix. Its blocks are float64 matrix products of integers:
an inner product over 2**13 coordinates stays below 2**13 * 2**30 = 2**43, so every partial sum is an integer that
float64 holds, and the order in which BLAS adds, its threads and fused multiply-adds change nothing. Blocks are added in
int64: below 2**54 over 2**24 coordinates, and a distance below 2**56.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from offchain.federated.aggregation.blocks import Vector, checked, spans

_COLUMNS = 1 << 11
"""Of a block; at most 2**13 (above)."""


def squared_distances(updates: Sequence[Vector]) -> NDArray[np.int64]:
    """int64 (n, n): |u_i - u_j|**2 of n updates (d), symmetric with zeros on the diagonal.

    Memory: 2 MiB for 128 updates.
    """
    products = gram(updates)
    norms = np.diagonal(products)
    return np.asarray(norms[:, None] + norms[None, :] - 2 * products)


def gram(updates: Sequence[Vector]) -> NDArray[np.int64]:
    """int64 (n, n): <u_i, u_j> of n updates (d)."""
    rows = checked(updates)
    total = np.zeros((len(rows), len(rows)), np.int64)
    values = np.empty((len(rows), _COLUMNS))
    for block in spans(0, rows[0].size, _COLUMNS):
        part = values[:, : block.stop - block.start]
        for place, row in zip(part, rows, strict=True):
            place[:] = row[block]
        total += (part @ part.T).astype(np.int64)
    return total
