"""Long work of which only the result counts: done once in the background, its value kept."""

from collections.abc import Callable, Hashable
from concurrent.futures import Executor, Future
from typing import Any, Generic, TypeVar, cast

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memo(Generic[Key]):
    """Values by key. What fails is done again when it is asked for the next time; who asks decides when that is.

    The executor stays the caller's. Work never touches chain or journal; those belong to the worker's thread.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._futures: dict[Key, Future[Any]] = {}
        self._failed: set[Key] = set()

    def get(self, key: Key, work: Callable[[], Value]) -> Value | None:
        """The value, or None while the work is going on; begins it. Raises what the work has raised."""
        future = self._futures.get(key)
        if future is None:
            future = self._futures[key] = self._executor.submit(work)
        if not future.done():
            return None
        error = future.exception()
        if error is not None:
            del self._futures[key]
            self._failed.add(key)
            raise error
        self._failed.discard(key)
        return cast(Value, future.result())

    def peek(self, key: Key) -> Any | None:
        """The value if it is there; begins nothing."""
        future = self._futures.get(key)
        return future.result() if future is not None and future.done() and future.exception() is None else None

    def has_failed(self, key: Key) -> bool:
        """Whether the last try that was asked about has failed."""
        return key in self._failed

    def under_way(self) -> int:
        """How many are being worked on."""
        return sum(not future.done() for future in self._futures.values())

    def done(self) -> int:
        """How many have come to an end, well or not: changes when there is news."""
        return sum(future.done() for future in self._futures.values())

    def keep(self, wanted: Callable[[Key], bool]) -> None:
        """Forgets values whose key is not wanted; what is being worked on stays."""
        self._futures = {key: future for key, future in self._futures.items() if wanted(key) or not future.done()}
        self._failed = {key for key in self._failed if wanted(key)}

    def close(self) -> None:
        """Begins nothing that waits."""
        for future in self._futures.values():
            future.cancel()
