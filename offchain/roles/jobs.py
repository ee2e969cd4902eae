"""Long work in the background: one job for each key (an order, say), whose results the worker's thread picks up.

A job may hand out results while it runs. It never touches chain or journal; those belong to the worker's thread.
"""

import queue
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")

Emit = Callable[[Result], None]
ShouldStop = Callable[[], bool]
Work = Callable[[Emit[Result], ShouldStop], None]
"""What a job does: hands out results, and asks now and then whether it should stop."""


@dataclass(frozen=True, slots=True)
class Ended(Generic[Key]):
    """A job has ended; `error` is what it raised, if anything."""

    key: Key
    error: BaseException | None


class ThreadEach(Executor):
    """A thread for each job, for work that may hang in the network: it keeps no other waiting, and no process alive."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See Executor."""
        future: Future[Any] = Future()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
                    future.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        return future


class Jobs(Generic[Key, Result]):
    """The jobs of one worker, one for each key, run by an executor that stays the caller's."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._stops: dict[Key, threading.Event] = {}
        self._futures: dict[Key, Future[None]] = {}
        self._results: queue.SimpleQueue[tuple[Key, Result]] = queue.SimpleQueue()

    def __len__(self) -> int:
        return len(self._futures)

    def __contains__(self, key: Key) -> bool:
        return key in self._futures

    def has_news(self) -> bool:
        """Whether there are results or ends to pick up."""
        return not self._results.empty() or any(future.done() for future in self._futures.values())

    def start(self, key: Key, work: Work[Result]) -> None:
        """Runs `work` under the key, as soon as the executor is free."""
        stop = threading.Event()
        self._stops[key] = stop
        self._futures[key] = self._executor.submit(work, lambda result: self._results.put((key, result)), stop.is_set)

    def stop(self, key: Key) -> None:
        """Asks a job to stop; it ends soon."""
        self._stops[key].set()

    def results(self) -> list[tuple[Key, Result]]:
        """What was handed out since the last call, in order."""
        found: list[tuple[Key, Result]] = []
        while not self._results.empty():
            found.append(self._results.get())
        return found

    def ended(self) -> list[Ended[Key]]:
        """Jobs that ended since the last call; take their `results` after that, for the last come before the end."""
        over = [(key, future) for key, future in self._futures.items() if future.done()]
        for key, _ in over:
            del self._futures[key], self._stops[key]
        return [Ended(key, None if future.cancelled() else future.exception()) for key, future in over]

    def keys(self) -> tuple[Key, ...]:
        """The keys of all jobs that have not been picked up as ended."""
        return tuple(self._futures)

    def stop_all(self) -> None:
        """Asks all jobs to stop and waits until they have."""
        for stop in self._stops.values():
            stop.set()
        for future in self._futures.values():
            future.cancel()
        for future in self._futures.values():
            if not future.cancelled():
                future.exception()
