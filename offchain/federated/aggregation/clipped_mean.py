"""Norm-clipped mean: no update counts for more than its length allows.

Sun et al. 2019, "Can You Really Backdoor Federated Learning?", section 4 (norm thresholding). Breakdown point 0, but
an update moves the mean by C / n at most.

    N_i = sum_k q_ik**2,  s_i = ceil(sqrt(N_i));  c_ik = q_ik if s_i <= C, else round_div(q_ik * C, s_i)
    a_k = round_div(sum_i c_ik, n), unweighted

round_div(q C, s) = floor(q (C / s) + (floor(s / 2) + 1/2) / s), since the numerator's half never reaches the next
integer. In float64 the argument is off by less than 2**-36 (|q C / s| <= 2**15, three roundings), and it is at least
1 / (2s) >= 2**-28 from every integer, for s <= 2**27: the floor is exact.
"""

from collections.abc import Sequence
from math import isqrt

import numpy as np

from offchain.errors import Rejected
from offchain.federated.aggregation.blocks import Vector, block_length, checked, over, spans


def clipped_mean(updates: Sequence[Vector], norm: int, *, threads: int = 1) -> Vector:
    """The mean (d), int16, of n updates (d), each scaled down to the length `norm` in units.

    Memory: the result and 320 KiB a thread. Raises Rejected unless norm >= 1.
    """
    if norm < 1:
        raise Rejected(f"updates cannot be clipped to the norm {norm}: give at least 1")
    rows = checked(updates)
    return _mean_of_scaled(rows, [_scale(squares, norm) for squares in squared_norms(rows, threads)], threads)


def squared_norms(rows: Sequence[Vector], threads: int) -> list[int]:
    """sum q**2 of each row, exact."""
    from offchain.federated.aggregation import kernels

    zeros = np.zeros(block_length(1, 4), np.int16)
    norms = [0] * len(rows)

    def work(start: int, stop: int) -> None:
        for index in range(start, stop):
            row = rows[index]
            for block in spans(0, row.size, zeros.size):
                norms[index] += kernels.squared_distance(row[block], zeros)

    over(len(rows), min(threads, len(rows)), work)
    return norms


def _scale(squares: int, norm: int) -> tuple[float, float] | None:
    """Factor and offset of an update that is too long (see above); None for others."""
    length = isqrt(squares - 1) + 1 if squares else 0
    if length <= norm:
        return None
    return norm / length, (length // 2 + 0.5) / length


def _mean_of_scaled(rows: Sequence[Vector], scales: Sequence[tuple[float, float] | None], threads: int) -> Vector:
    from offchain.federated.aggregation import kernels

    out = np.empty(rows[0].size, np.int16)

    def work(start: int, stop: int) -> None:
        total = np.empty(block_length(1, 8))
        for block in spans(start, stop, total.size):
            part = total[: block.stop - block.start]
            part[:] = 0
            for row, scale in zip(rows, scales, strict=True):
                if scale is None:
                    kernels.add_weighted(part, row[block], 1.0)
                else:
                    kernels.add_scaled(part, row[block], *scale)
            kernels.divide(part, float(len(rows)), out[block])

    over(out.size, threads, work)
    return out
