"""Updates as the compiled loops take them: addresses of contiguous vectors, worked on by ranges of coordinates."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from offchain.errors import Rejected

Vector = NDArray[np.int16]
"""One update: int16 (d)."""

MAX_UPDATES = 128
MAX_DIMENSION = 1 << 24


def checked(updates: Sequence[Vector]) -> list[Vector]:
    """n updates, each int16 (d), contiguous and aligned; nothing is copied that is so already.

    Raises Rejected if there are none or too many, or if they are not vectors of one length.
    """
    if not 1 <= len(updates) <= MAX_UPDATES:
        raise Rejected(f"{len(updates)} updates: a rule takes 1 to {MAX_UPDATES}")
    for index, update in enumerate(updates):
        if update.dtype != np.int16 or update.shape != (updates[0].size,) or not 1 <= update.size <= MAX_DIMENSION:
            expected = f"int16 ({updates[0].size},), at most {MAX_DIMENSION}"
            raise Rejected(f"update {index} is {update.dtype} {update.shape}, not {expected}: drop it")
    return [np.require(update, np.int16, ("C_CONTIGUOUS", "ALIGNED")) for update in updates]


def addresses(rows: Sequence[Vector]) -> NDArray[np.int64]:
    """Where `checked` vectors begin, int64 (n); valid as long as these are held."""
    return np.array([row.ctypes.data for row in rows], np.int64)


def over(size: int, threads: int, work: Callable[[int, int], None]) -> None:
    """Calls work(start, stop) for `threads` ranges that make up range(size); results must not depend on the split."""
    bounds = [size * k // threads for k in range(threads + 1)]
    if threads == 1:
        work(0, size)
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(partial(work, *pair)) for pair in pairwise(bounds)]:
            done.result()
