"""Updates by blocks: what fits the cache is worked on at once, and no rule ever holds a copy of them all."""

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

_BLOCK_BYTES = 1 << 20
_LEAST, _MOST = 1 << 9, 1 << 15


def checked(updates: Sequence[Vector]) -> list[Vector]:
    """Read-only views of n updates, each int16 (d) and contiguous; nothing is copied if they are already.

    All have one numba type, so that no kernel is compiled twice. Raises Rejected if there are none or too many, or if
    they are not vectors of one length.
    """
    if not 1 <= len(updates) <= MAX_UPDATES:
        raise Rejected(f"{len(updates)} updates: a rule takes 1 to {MAX_UPDATES}")
    views = []
    for index, update in enumerate(updates):
        if update.dtype != np.int16 or update.shape != (updates[0].size,) or not 1 <= update.size <= MAX_DIMENSION:
            expected = f"int16 ({updates[0].size},), at most {MAX_DIMENSION}"
            raise Rejected(f"update {index} is {update.dtype} {update.shape}, not {expected}: drop it")
        view = np.ascontiguousarray(update, np.dtype(np.int16).newbyteorder("=")).view(np.ndarray)
        view.flags.writeable = False
        views.append(view)
    return views


def block_length(rows: int, bytes_per_value: int) -> int:
    """Coordinates of a block: `rows` rows of it are about a mebibyte, so they stay in a core's second cache."""
    fitting = _BLOCK_BYTES // (rows * bytes_per_value)
    return max(_LEAST, min(_MOST, fitting & -_LEAST))


def over(size: int, threads: int, work: Callable[[int, int], None]) -> None:
    """Calls work(start, stop) for `threads` ranges that make up range(size); results must not depend on the split."""
    bounds = [size * k // threads for k in range(threads + 1)]
    if threads == 1:
        work(0, size)
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(partial(work, *pair)) for pair in pairwise(bounds)]:
            done.result()


def spans(start: int, stop: int, length: int) -> list[slice]:
    """The blocks of range(start, stop)."""
    return [slice(at, min(at + length, stop)) for at in range(start, stop, length)]
