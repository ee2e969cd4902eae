"""Believing what f + 1 replicas say alike. The asking runs in threads; what counts is pure."""

import random
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

from offchain.errors import Retryable

Value = TypeVar("Value")
PAUSE_SECONDS = 0.15
"""Between rounds: replicas that differed were at different batches."""
HEDGE_SECONDS = 1.0
"""Before another replica is asked in place of those that are silent."""
SHUN_SECONDS = 30.0
"""For how long a replica that was slow is asked after all others."""


@dataclass(slots=True)
class Ballot(Generic[Value]):
    """What replicas said: the latest word of each, however often it was asked."""

    enough: int
    said: list[tuple[Value, set[str]]] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, url: str, value: Value) -> Value | None:
        """The value, once `enough` replicas say it."""
        for _, others in self.said:
            others.discard(url)
        said = next((who for other, who in self.said if other == value), None)
        if said is None:
            said = set()
            self.said.append((value, said))
        said.add(url)
        self.said = [(each, who) for each, who in self.said if who]
        return value if len(said) >= self.enough else None

    @property
    def largest(self) -> int:
        """How many said the same, at most."""
        return max((len(who) for _, who in self.said), default=0)

    def lament(self, replicas: int) -> Retryable:
        """Why nothing could be believed."""
        answered = sum(len(who) for _, who in self.said)
        why = f"{answered} of {replicas} replicas answered, {len(self.said)} different things" if self.said else ""
        failures = "; ".join(self.failed.values())
        needed = f"needed {self.enough} that say the same"
        return Retryable(", ".join(part for part in (why or "no replica's answer counts", needed, failures) if part))


class Electorate:
    """The replicas that a client knows."""

    def __init__(self, urls: Sequence[str], enough: int, executor: Executor, rng: random.Random) -> None:
        self.urls = tuple(urls)
        self.enough = enough
        self._executor = executor
        self._rng = rng
        self._lock = threading.Lock()
        self._slow: dict[str, float] = {}

    def shuffled(self) -> list[str]:
        """All of them, in an order of its own each time: load spreads, and no faulty one is always first.

        Who kept us waiting lately comes last.
        """
        now = monotonic()
        with self._lock:
            order = self._rng.sample(self.urls, len(self.urls))
            return sorted(order, key=lambda url: self._slow.get(url, 0.0) > now)

    def shun(self, urls: Iterable[str]) -> None:
        """These kept us waiting."""
        until = monotonic() + SHUN_SECONDS
        with self._lock:
            self._slow.update(dict.fromkeys(urls, until))

    def agree(
        self, ask: Callable[[str], Value], *, seconds: float, rounds: int = 1_000, patience: float = HEDGE_SECONDS
    ) -> Value:
        """What `enough` replicas answer alike, asking again until `seconds` are over or for so many `rounds`.

        After `patience` seconds without an answer another replica is asked, too: one that is silent costs no more.
        `ask` raises Retryable for a replica that is of no use now. Raises Retryable when there is no agreement.
        """
        until = monotonic() + seconds
        while True:
            ballot: Ballot[Value] = Ballot(self.enough)
            found = self._round(ask, ballot, until, patience)
            if found is not None:
                return found
            rounds -= 1
            if rounds <= 0 or monotonic() + PAUSE_SECONDS >= until:
                raise ballot.lament(len(self.urls))
            threading.Event().wait(PAUSE_SECONDS)

    def _round(self, ask: Callable[[str], Value], ballot: Ballot[Value], until: float, patience: float) -> Value | None:
        """Asks as many as could agree, one more for each that did not, and one more whenever all are silent."""
        left = self.shuffled()[::-1]
        more = 0
        under_way: dict[Future[Value], str] = {}
        try:
            while True:
                while left and len(under_way) + ballot.largest < self.enough + more:
                    url = left.pop()
                    under_way[self._executor.submit(ask, url)] = url
                if not under_way:
                    return None
                rest = until - monotonic()
                silence = max(0.0, min(patience, rest) if left else rest)
                done, _ = wait(under_way, timeout=silence, return_when=FIRST_COMPLETED)
                if not done and (not left or monotonic() >= until):
                    return None
                if not done:
                    self.shun(under_way.values())
                    more += 1
                for future in done:
                    found = _count(future, under_way.pop(future), ballot)
                    if found is not None:
                        return found
        finally:
            for future in under_way:
                future.cancel()


def _count(future: Future[Value], url: str, ballot: Ballot[Value]) -> Value | None:
    try:
        return ballot.add(url, future.result())
    except Retryable as error:
        ballot.failed[url] = str(error)
        return None
