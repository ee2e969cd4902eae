"""Who behaves as no honest participant does: strikes that anybody computes from public updates, in integers.

Honest participants with different data send updates that differ a lot, but that are related: each has some whose update
points its way, and few points against most. Nobody can copy within a round, for all commit before any reveals. So a
round gives participant i, with G the inner products of its updates and L those with the round before, a strike when

    ECHO      G_ij >= 0.95 |u_i| |u_j| for some j that is no copy of i: two people with one update (Fung et al. 2020,
              FoolsGold: sybils with one aim are more alike than honest participants, however they are skewed)
    COPY      L_ij >= 0.95 |u_i| |p_j| for some other's previous update p_j, and u_i is nearer to it than u_j is
    REPLAY    |u_i - p_i| <= |u_i| / 1000: the own previous update again
    STRANGER  G_ij < 0.1 |u_i| |u_j| for all j: related to nobody, as noise is; not counted for tiny updates
    OPPOSED   G_ij < 0 for more than 3/5 of the others, and |u_i| is at least the median length: against the majority,
              whatever the aggregate, and not because there was nothing left to learn

where |u| is the integer root of the squared length, so that all is int64 and exact. `Watch` calls detected who had
strikes in more than 3/5 of its last 12 rounds. The limits lie between what honest participants of non-IID data show and
what attacks do; docs/federated-benchmarks.md has both, and what goes undetected.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Flag, auto
from typing import Final

import numpy as np
import numpy.typing as npt

from offchain.federated.measures import gram

Update = npt.NDArray[np.int16]
_Integers = npt.NDArray[np.int64]
"""Products are below 2**54, distances below 2**56, lengths below 2**28: nothing here leaves int64."""

ALIKE: Final = (19, 20)
UNRELATED: Final = (1, 10)
AGAINST: Final = (3, 5)
SAME: Final = 1000
TINY: Final = 100
"""An update below 1/100 of the median length says nothing about whom it is related to: it is mostly rounding."""

WINDOW: Final = 12
LEAST: Final = 4
MOST: Final = (3, 5)
"""Rounds of a participant that are looked at, how many there must be, and the share of them that is too much."""


class Strike(Flag):
    """What was odd about an update."""

    NONE = 0
    ECHO = auto()
    COPY = auto()
    REPLAY = auto()
    STRANGER = auto()
    OPPOSED = auto()


def strikes(updates: Sequence[Update], previous: Sequence[Update] | None) -> list[Strike]:
    """What is odd about each of n updates int16 (d), beside those of the same participants a round before.

    An update of zeros, which asks for nothing, has no strikes.
    """
    n = len(updates)
    if n < 2:
        return [Strike.NONE] * n
    products = gram(updates if previous is None else [*updates, *previous])
    now = products[:n, :n]
    lengths = _roots(np.diagonal(now))
    there = lengths > 0
    others = ~np.eye(n, dtype=bool) & there[:, None] & there[None, :]
    found = np.full(n, Strike.NONE, dtype=object)
    copies = np.zeros((n, n), dtype=bool)
    if previous is not None:
        past, squares = products[:n, n:], np.diagonal(products)
        distances = squares[:n, None] + squares[None, n:] - 2 * past
        own = np.diagonal(distances)
        copies = _alike(past, lengths, _roots(squares[n:]), ALIKE) & (distances < own[None, :]) & others
        found[copies.any(axis=1)] |= Strike.COPY
        found[there & (_roots(own) * SAME <= lengths)] |= Strike.REPLAY
    echoes = _alike(now, lengths, lengths, ALIKE) & others & ~copies & ~copies.T
    found[echoes.any(axis=1)] |= Strike.ECHO
    related = (_alike(now, lengths, lengths, UNRELATED) & others).any(axis=1)
    median = np.sort(lengths)[n // 2]
    sizeable = lengths * TINY >= median
    found[there & sizeable & ~related & (others.sum(axis=1) >= LEAST)] |= Strike.STRANGER
    against = ((now < 0) & others).sum(axis=1)
    found[(lengths >= median) & (against * AGAINST[1] > others.sum(axis=1) * AGAINST[0])] |= Strike.OPPOSED
    return list(found)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who was detected, and by which strikes."""

    participant: int
    reasons: Strike


class Watch:
    """Follows a task round by round. Participants are numbered 0 to n - 1; who is out is no longer looked at."""

    def __init__(self, participants: int) -> None:
        self._last: list[deque[Strike]] = [deque(maxlen=WINDOW) for _ in range(participants)]
        self._previous: dict[int, Update] = {}

    def observe(self, updates: dict[int, Update]) -> list[Verdict]:
        """Takes in a round's updates by participant; who is detected now. Rounds that one missed don't count."""
        places = sorted(updates)
        nothing = np.zeros_like(next(iter(updates.values()))) if updates else np.zeros(0, np.int16)
        previous = [self._previous.get(place, nothing) for place in places] if self._previous else None
        for place, strike in zip(places, strikes([updates[place] for place in places], previous), strict=True):
            self._last[place].append(strike)
        self._previous = dict(updates)
        return [Verdict(place, self._reasons(place)) for place in places if self._is_detected(place)]

    def _is_detected(self, place: int) -> bool:
        last = self._last[place]
        return len(last) >= LEAST and MOST[1] * sum(map(bool, last)) > MOST[0] * len(last)

    def _reasons(self, place: int) -> Strike:
        reasons = Strike.NONE
        for strike in self._last[place]:
            reasons |= strike
        return reasons


def _alike(products: _Integers, left: _Integers, right: _Integers, share: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """products (n, m) >= share * left (n,) * right (m,), of lengths."""
    over, under = share
    return np.asarray(products * under >= over * np.multiply.outer(left, right), dtype=bool)


def _roots(squares: _Integers) -> _Integers:
    """floor(sqrt(x)), exact below 2**60."""
    roots = np.sqrt(squares.astype(np.float64)).astype(np.int64)
    roots -= roots * roots > squares
    roots += (roots + 1) * (roots + 1) <= squares
    return roots
