"""Who behaves as no honest participant does: strikes that anybody computes from public updates, in integers.

Honest participants with different data send updates that differ a lot, but that are related: each has some whose update
points its way, and few points against most. Nobody can copy within a round, for all commit before any reveals. With
c_ij the cosine of two updates and m the median of all pairs (so that participants who are alike because their data are
raise the bar for all), participant i gets a strike in a round when

    ECHO      1 - c_ij <= (1 - m) / 20 for some j that is no copy of i: two people with one update (Fung et al. 2020,
              FoolsGold: sybils with one aim are more alike than honest participants, however they are skewed)
    COPY      the same with j's update of the round before, and i's is nearer to it than j's own is now
    REPLAY    |u_i - p_i| <= |u_i| / 1000: the own previous update p_i again
    STRANGER  c_ij < 1/10 for all j: related to nobody, as noise is; not counted for tiny updates
    OPPOSED   c_ij < 0 for more than 3/5 of the others, and |u_i| is at least the median length: against the majority,
              whatever the aggregate, and not because there was nothing left to learn

and by where everybody has walked, s_i' = s_i - round_div(s_i, 16) + 16 sign(u_i), some 16 rounds of signs,

    CHORUS    1 - c_ij <= (1 - m) / 2 between walks, for a tenth of all, at least 8, and no majority: they go one way
              round after round, though in a round they may differ as honest ones do (all add one small vector)

Cosines are floor(256 <u, v> / (|u| |v|)) with integer roots for lengths, so all is int64 and exact. `Watch` calls
detected who had strikes in more than 3/5 of its last 20 rounds. The limits lie between what honest participants of
non-IID data show and what attacks do; docs/federated-benchmarks.md has both, and what goes undetected.
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
"""Products are at most 2**54, distances 2**56, lengths 2**27: nothing here leaves int64."""

ONE: Final = 256
"""A cosine of 1."""

ALIKE: Final = 20
UNRELATED: Final = 10
AGAINST: Final = (3, 5)
TOGETHER: Final = 2
CHORUS_SHARE: Final = 10
CHORUS_LEAST: Final = 8
SAME: Final = 1000
TINY: Final = 100
"""An update below 1/100 of the median length says nothing about whom it is related to: it is mostly rounding."""

WINDOW: Final = 20
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
    CHORUS = auto()


def strikes(updates: Sequence[Update], previous: Sequence[Update] | None) -> list[Strike]:
    """What is odd about each of n updates int16 (d), beside those of the same participants a round before.

    An update of zeros, which asks for nothing, has no strikes.
    """
    n = len(updates)
    if n < 2:
        return [Strike.NONE] * n
    products = gram(updates if previous is None else [*updates, *previous])
    squares = np.diagonal(products)
    lengths = _roots(squares[:n])
    there = lengths > 0
    others = ~np.eye(n, dtype=bool) & there[:, None] & there[None, :]
    now = _cosines(products[:n, :n], lengths, lengths)
    bar = _bar(now, others, ALIKE)
    found = np.full(n, Strike.NONE, dtype=object)
    copies = np.zeros((n, n), dtype=bool)
    if previous is not None:
        past = products[:n, n:]
        distances = squares[:n, None] + squares[None, n:] - 2 * past
        own = np.diagonal(distances)
        copies = (_cosines(past, lengths, _roots(squares[n:])) * ALIKE >= bar) & (distances < own[None, :]) & others
        found[copies.any(axis=1)] |= Strike.COPY
        found[there & (_roots(own) * SAME <= lengths)] |= Strike.REPLAY
    echoes = (now * ALIKE >= bar) & others & ~copies & ~copies.T
    found[echoes.any(axis=1)] |= Strike.ECHO
    related = ((now * UNRELATED >= ONE) & others).any(axis=1)
    median = np.sort(lengths)[n // 2]
    sizeable = lengths * TINY >= median
    found[there & sizeable & ~related & (others.sum(axis=1) >= LEAST)] |= Strike.STRANGER
    against = ((now < 0) & others).sum(axis=1)
    found[(lengths >= median) & (against * AGAINST[1] > others.sum(axis=1) * AGAINST[0])] |= Strike.OPPOSED
    return list(found)


def walked(walk: Update, update: Update) -> Update:
    """The walk int16 (d,) after an update; |s| stays within 264."""
    return np.asarray(walk - ((walk + 8) >> 4) + 16 * np.sign(update), dtype=np.int16)


def choruses(walks: Sequence[Update]) -> list[bool]:
    """Who of n has walked int16 (d,) with many others."""
    n = len(walks)
    if n <= CHORUS_LEAST:
        return [False] * n
    products = gram(walks)
    lengths = _roots(np.diagonal(products))
    others = ~np.eye(n, dtype=bool) & (lengths > 0)[:, None] & (lengths > 0)[None, :]
    cosines = _cosines(products, lengths, lengths)
    company = ((cosines * TOGETHER >= _bar(cosines, others, TOGETHER)) & others).sum(axis=1)
    many = (company >= max(CHORUS_LEAST, -(-n // CHORUS_SHARE))) & (2 * (company + 1) <= n)
    return [bool(one) for one in many]


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
        self._walks: dict[int, Update] = {}

    def observe(self, updates: dict[int, Update]) -> list[Verdict]:
        """Takes in a round's updates by participant; who is detected now. Rounds that one missed don't count."""
        places = sorted(updates)
        nothing = np.zeros_like(next(iter(updates.values()))) if updates else np.zeros(0, np.int16)
        previous = [self._previous.get(place, nothing) for place in places] if self._previous else None
        found = strikes([updates[place] for place in places], previous)
        for place in places:
            self._walks[place] = walked(self._walks.get(place, nothing), updates[place])
        together = choruses([self._walks[place] for place in places])
        for place, strike, sings in zip(places, found, together, strict=True):
            self._last[place].append(strike | Strike.CHORUS if sings else strike)
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


def _cosines(products: _Integers, left: _Integers, right: _Integers) -> _Integers:
    """floor(256 <u, v> / (|u| |v|)) for products (n, m) and lengths (n,) and (m,); 0 for what has no length."""
    return np.asarray(products * ONE // np.maximum(np.multiply.outer(left, right), 1))


def _bar(cosines: _Integers, others: npt.NDArray[np.bool_], times: int) -> int:
    """What `times` a cosine has to reach: from 1 it is `times` nearer than the median pair is."""
    pairs = np.sort(cosines[others])
    median = int(pairs[len(pairs) // 2]) if len(pairs) else 0
    return times * ONE - (ONE - median)


def _roots(squares: _Integers) -> _Integers:
    """floor(sqrt(x)), exact below 2**60."""
    roots = np.sqrt(squares.astype(np.float64)).astype(np.int64)
    roots -= roots * roots > squares
    roots += (roots + 1) * (roots + 1) <= squares
    return roots
