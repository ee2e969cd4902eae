"""Who behaves as no honest participant does: strikes that anybody computes from public updates, in integers.

Honest participants with different data send updates that differ a lot, but that are related: each has some whose update
points its way, and few points against most. Nobody can copy within a round, for all commit before any reveals. So a
round gives participant i, with G the inner products of its updates and L those with the round before, a strike when

    ECHO      G_ij >= 0.95 |u_i| |u_j| for some j that is no copy of i: two people with one update (Fung et al. 2020,
              FoolsGold: sybils with one aim are more alike than honest participants, however they are skewed)
    COPY      L_ij >= 0.95 |u_i| |p_j| for some other's previous update p_j, and u_i is nearer to it than u_j is
    REPLAY    |u_i - p_i| <= |u_i| / 1000: the own previous update again
    STRANGER  G_ij < 0.1 |u_i| |u_j| for all j: related to nobody, as noise is; not counted for tiny updates
    OPPOSED   G_ij < 0 for more than 3/5 of the others: against the majority, whoever leads the aggregate

`Watch` calls detected who had strikes in more than half of its last rounds. Comparisons of products are exact. The
limits lie between what honest participants of non-IID data show and what attacks do; docs/federated-benchmarks.md has
both, and what goes undetected.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from offchain.federated.measures import gram

Update = npt.NDArray[np.int16]
_Exact = npt.NDArray[Any]
"""Python's integers: products of four values of 2**27 don't fit 64 bits."""

ALIKE: Final = (19, 20)
UNRELATED: Final = (1, 10)
AGAINST: Final = (3, 5)
SAME: Final = 1000
TINY: Final = 100
"""An update below 1/100 of the median length says nothing about whom it is related to: it is mostly rounding."""

WINDOW: Final = 8
LEAST: Final = 4
"""Rounds of a participant that are looked at, and how many there must be."""


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
    products = gram(updates if previous is None else [*updates, *previous]).astype(object)
    now = products[:n, :n]
    norms = np.diagonal(now)
    there = np.array([bool(norm) for norm in norms])
    others = ~np.eye(n, dtype=bool) & there[:, None] & there[None, :]
    found = np.full(n, Strike.NONE, dtype=object)
    copies = np.zeros((n, n), dtype=bool)
    if previous is not None:
        past = products[:n, n:]
        old = np.diagonal(products)[n:]
        copies = _copies(past, norms, old) & others
        found[copies.any(axis=1)] |= Strike.COPY
        apart = norms + old - 2 * np.diagonal(past)
        found[there & _bools(apart * SAME**2 <= norms)] |= Strike.REPLAY
    echoes = _alike(now, norms, norms, ALIKE) & others & ~copies & ~copies.T
    found[echoes.any(axis=1)] |= Strike.ECHO
    related = _alike(now, norms, norms, UNRELATED) & others
    sizeable = _bools(norms * TINY**2 >= sorted(norms)[n // 2])
    found[there & sizeable & ~related.any(axis=1) & (others.sum(axis=1) >= LEAST)] |= Strike.STRANGER
    against = (_bools(now < 0) & others).sum(axis=1)
    found[against * AGAINST[1] > others.sum(axis=1) * AGAINST[0]] |= Strike.OPPOSED
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
        return len(last) >= LEAST and 2 * sum(bool(strike) for strike in last) > len(last)

    def _reasons(self, place: int) -> Strike:
        reasons = Strike.NONE
        for strike in self._last[place]:
            reasons |= strike
        return reasons


def _alike(products: _Exact, left: _Exact, right: _Exact, share: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """products >= share * |left| * |right|, for squared lengths (n,) and (n,)."""
    over, under = share
    return _bools(products > 0) & _bools(products**2 * under**2 >= np.multiply.outer(left, right) * over**2)


def _copies(past: _Exact, norms: _Exact, old: _Exact) -> npt.NDArray[np.bool_]:
    """Whether u_i is alike to p_j and nearer to it than u_j is; L[i, j] = <u_i, p_j>."""
    own = norms + old - 2 * np.diagonal(past)
    distance = norms[:, None] + old[None, :] - 2 * past
    return _alike(past, norms, old, ALIKE) & _bools(distance < own[None, :])


def _bools(values: _Exact) -> npt.NDArray[np.bool_]:
    return np.asarray(values, dtype=bool)
