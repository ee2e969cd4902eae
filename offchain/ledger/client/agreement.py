"""Believing what f + 1 replicas say alike. The asking runs in threads; what counts is pure."""

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

from offchain.errors import Retryable

Value = TypeVar("Value")
PAUSE_SECONDS = 0.15
"""Between rounds: replicas that differed were at different batches."""


@dataclass(slots=True)
class Ballot(Generic[Value]):
    """What replicas said, each once."""

    enough: int
    said: list[tuple[Value, int]] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, value: Value) -> Value | None:
        """The value, once `enough` replicas said it."""
        for index, (other, count) in enumerate(self.said):
            if other == value:
                self.said[index] = value, count + 1
                return value if count + 1 >= self.enough else None
        self.said.append((value, 1))
        return value if self.enough <= 1 else None

    @property
    def largest(self) -> int:
        """How many said the same, at most."""
        return max((count for _, count in self.said), default=0)

    def lament(self, replicas: int) -> Retryable:
        """Why nothing could be believed."""
        answered = sum(count for _, count in self.said)
        why = f"{answered} of {replicas} replicas answered, {len(self.said)} different things" if self.said else ""
        failures = "; ".join(self.failed.values())
        needed = f"needed {self.enough} that say the same"
        return Retryable(", ".join(part for part in (why or "no replica answered", needed, failures) if part))


class Electorate:
    """The replicas that a client knows."""

    def __init__(self, urls: Sequence[str], enough: int, executor: Executor, rng: random.Random) -> None:
        self.urls = tuple(urls)
        self.enough = enough
        self._executor = executor
        self._rng = rng
        self._lock = threading.Lock()

    def shuffled(self) -> list[str]:
        """All of them, in an order of its own each time: load spreads, and no faulty one is always first."""
        with self._lock:
            return self._rng.sample(self.urls, len(self.urls))

    def agree(self, ask: Callable[[str], Value], *, seconds: float, rounds: int = 1_000) -> Value:
        """What `enough` replicas answer alike, asking again until `seconds` are over or for so many `rounds`.

        `ask` raises Retryable for a replica that is of no use now. Raises Retryable when there is no agreement.
        """
        until = monotonic() + seconds
        while True:
            ballot: Ballot[Value] = Ballot(self.enough)
            found = self._round(ask, ballot, until)
            if found is not None:
                return found
            rounds -= 1
            if rounds <= 0 or monotonic() + PAUSE_SECONDS >= until:
                raise ballot.lament(len(self.urls))
            threading.Event().wait(PAUSE_SECONDS)

    def _round(self, ask: Callable[[str], Value], ballot: Ballot[Value], until: float) -> Value | None:
        """Asks as many as could agree, and one more for each that did not."""
        left = self.shuffled()
        under_way: dict[Future[Value], str] = {}
        try:
            while True:
                while left and len(under_way) + ballot.largest < self.enough:
                    url = left.pop()
                    under_way[self._executor.submit(ask, url)] = url
                if not under_way:
                    return None
                done, _ = wait(under_way, timeout=max(0.0, until - monotonic()), return_when=FIRST_COMPLETED)
                if not done:
                    return None
                for future in done:
                    found = _count(future, under_way.pop(future), ballot)
                    if found is not None:
                        return found
        finally:
            for future in under_way:
                future.cancel()


def _count(future: Future[Value], url: str, ballot: Ballot[Value]) -> Value | None:
    try:
        return ballot.add(future.result())
    except Retryable as error:
        ballot.failed[url] = str(error)
        return None
