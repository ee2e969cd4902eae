"""Long work in the background: one job for each order, whose results the worker's thread picks up.

A job may hand out results while it runs. It never touches chain or journal; those belong to the worker's thread.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from offchain.types import OrderId

Result = TypeVar("Result")

Emit = Callable[[Result], None]
ShouldStop = Callable[[], bool]
Work = Callable[[Emit[Result], ShouldStop], None]
"""What a job does: hands out results, and asks now and then whether it should stop."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A job has ended; `error` is what it raised, if anything."""

    oid: OrderId
    error: BaseException | None


class Jobs(Generic[Result]):
    """The jobs of one worker, run by an executor that stays the caller's."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._stops: dict[OrderId, threading.Event] = {}
        self._futures: dict[OrderId, Future[None]] = {}
        self._results: queue.SimpleQueue[tuple[OrderId, Result]] = queue.SimpleQueue()

    def __len__(self) -> int:
        return len(self._futures)

    def __contains__(self, oid: OrderId) -> bool:
        return oid in self._futures

    def has_news(self) -> bool:
        """Whether there are results or ends to pick up."""
        return not self._results.empty() or any(future.done() for future in self._futures.values())

    def start(self, oid: OrderId, work: Work[Result]) -> None:
        """Runs `work` for the order, as soon as the executor is free."""
        stop = threading.Event()
        self._stops[oid] = stop
        self._futures[oid] = self._executor.submit(work, lambda result: self._results.put((oid, result)), stop.is_set)

    def stop(self, oid: OrderId) -> None:
        """Asks the order's job to stop; it ends soon."""
        self._stops[oid].set()

    def results(self) -> list[tuple[OrderId, Result]]:
        """What was handed out since the last call, in order."""
        found: list[tuple[OrderId, Result]] = []
        while not self._results.empty():
            found.append(self._results.get())
        return found

    def ended(self) -> list[Ended]:
        """Jobs that ended since the last call; take their `results` after that, for the last come before the end."""
        over = [(oid, future) for oid, future in self._futures.items() if future.done()]
        for oid, _ in over:
            del self._futures[oid], self._stops[oid]
        return [Ended(oid, None if future.cancelled() else future.exception()) for oid, future in over]

    def stop_all(self) -> None:
        """Asks all jobs to stop and waits until they have."""
        for stop in self._stops.values():
            stop.set()
        for future in self._futures.values():
            future.cancel()
        for future in self._futures.values():
            if not future.cancelled():
                future.exception()
