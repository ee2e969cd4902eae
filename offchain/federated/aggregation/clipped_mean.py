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
from offchain.federated.aggregation.blocks import Vector, addresses, checked, over
from offchain.federated.aggregation.mean import weighted_mean


def clipped_mean(updates: Sequence[Vector], norm: int, *, threads: int = 1) -> Vector:
    """The mean (d), int16, of n updates (d), each scaled down to the length `norm` in units.

    Memory: the result and 64 KiB a thread. Raises Rejected unless norm >= 1.
    """
    if norm < 1:
        raise Rejected(f"updates cannot be clipped to the norm {norm}: give at least 1")
    rows = checked(updates)
    out = np.empty(rows[0].size, np.int16)
    weighted_mean(rows, [_scale(squares, norm) for squares in squared_norms(rows, threads)], len(rows), out, threads)
    return out


def squared_norms(rows: Sequence[Vector], threads: int) -> list[int]:
    """sum q**2 of each of the checked rows, exact."""
    from offchain.federated.aggregation import kernels

    starts = addresses(rows)
    parts: list[list[int]] = []

    def work(start: int, stop: int) -> None:
        norms = np.zeros(len(rows), np.int64)
        kernels.squared_norms(starts, start, stop, norms)
        parts.append(norms.tolist())

    over(rows[0].size, threads, work)
    return [sum(column) for column in zip(*parts, strict=True)]


def _scale(squares: int, norm: int) -> tuple[float, float]:
    """Factor and offset of an update (see above); those that are short enough count as they are."""
    length = isqrt(squares - 1) + 1 if squares else 0
    if length <= norm:
        return 1, 0
    return norm / length, (length // 2 + 0.5) / length
