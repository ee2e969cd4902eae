"""Sorting networks: the same comparisons for every column, so a register of them is sorted at once, without a branch.

Batcher's odd-even merge sort (1968; Knuth, The Art of Computer Programming 5.2.2 M), less every comparison that does
not change which values end up in which part of the order.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=64)
def network(places: int, low: int, count: int, *, sorted_throughout: bool = False) -> NDArray[np.int64]:
    """Comparators int64 (k, 2), each the places of its smaller and its larger value, in order.

    Afterwards places low .. low + count - 1 of the column hold the values of these ranks, in any order among
    themselves; with `sorted_throughout` the whole column is sorted.
    """
    pairs = list(_batcher(places))
    if not sorted_throughout:
        pairs = _needed(pairs, places, low, count)
    return np.array(pairs, np.int64).reshape(-1, 2)


def _batcher(places: int) -> Iterator[tuple[int, int]]:
    """Knuth's algorithm M for any number of places."""
    span = 1
    while span < places:
        step = span
        while step >= 1:
            for first in range(step % span, places - step, 2 * step):
                for at in range(first, min(first + step, places - step)):
                    if at // (2 * span) == (at + step) // (2 * span):
                        yield at, at + step
            step //= 2
        span *= 2


def _needed(pairs: list[tuple[int, int]], places: int, low: int, count: int) -> list[tuple[int, int]]:
    """The comparisons that the window depends on, found from the last to the first.

    A comparison between two places that nobody looks at again is idle if both are inside the window, whose order does
    not matter, or both outside it, whose values do not matter.
    """
    inside: list[bool | None] = [low <= place < low + count for place in range(places)]
    kept = []
    for a, b in reversed(pairs):
        if inside[a] is not None and inside[a] == inside[b]:
            continue
        inside[a] = inside[b] = None
        kept.append((a, b))
    return kept[::-1]
