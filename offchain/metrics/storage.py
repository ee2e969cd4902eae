"""Counts what a store is asked and what it gives, around any store."""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from prometheus_client import CollectorRegistry

from offchain.errors import Rejected, Retryable
from offchain.metrics import catalogue
from offchain.metrics.registry import LONG, counter, histogram
from offchain.storage.bounds import Missing, Progress, WrongContent
from offchain.storage.cid import Cid
from offchain.storage.store import Store

T = TypeVar("T")


class StorageMeters:
    """Metrics of all stores of one process. `clock`: monotonic seconds."""

    def __init__(self, registry: CollectorRegistry, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._requests = counter(registry, catalogue.STORAGE_REQUESTS)
        self._bytes = counter(registry, catalogue.STORAGE_BYTES)
        self._seconds = histogram(registry, catalogue.STORAGE_SECONDS, LONG)

    def watch(self, store: Store) -> Store:
        """The same store, counted."""
        return MeteredStore(store, self)

    def run(self, operation: str, act: Callable[[], T]) -> T:
        """Does it, and counts how it ended."""
        began, outcome = self._clock(), "failed"
        try:
            result = act()
            outcome = "ok"
            return result
        except (Rejected, Retryable) as error:
            outcome = _outcome(error)
            raise
        finally:
            self._requests.labels(operation, outcome).inc()
            self._seconds.labels(operation).observe(self._clock() - began)

    def moved(self, direction: str, size: int) -> None:
        """So many bytes were `read` or `written`."""
        self._bytes.labels(direction).inc(size)


class MeteredStore:
    """See `Store`."""

    def __init__(self, store: Store, meters: StorageMeters) -> None:
        self._store = store
        self._meters = meters

    @property
    def location(self) -> str:
        """See `Store`."""
        return self._store.location

    @property
    def writable(self) -> bool:
        """See `Store`."""
        return self._store.writable

    def add(self, data: bytes) -> Cid:
        """See `Store`."""
        cid = self._meters.run("add", lambda: self._store.add(data))
        self._meters.moved("written", len(data))
        return cid

    def add_file(self, path: Path) -> Cid:
        """See `Store`."""
        cid = self._meters.run("add", lambda: self._store.add_file(path))
        self._meters.moved("written", path.stat().st_size)
        return cid

    def read(self, cid: Cid, *, max_bytes: int, size: int | None = None, progress: Progress | None = None) -> bytes:
        """See `Store`."""
        data = self._meters.run(
            "read", lambda: self._store.read(cid, max_bytes=max_bytes, size=size, progress=progress)
        )
        self._meters.moved("read", len(data))
        return data

    def save(
        self, cid: Cid, path: Path, *, max_bytes: int, size: int | None = None, progress: Progress | None = None
    ) -> int:
        """See `Store`."""
        written = self._meters.run(
            "save", lambda: self._store.save(cid, path, max_bytes=max_bytes, size=size, progress=progress)
        )
        self._meters.moved("read", written)
        return written

    def has(self, cid: Cid) -> bool:
        """See `Store`."""
        return self._meters.run("has", lambda: self._store.has(cid))

    def probe(self) -> str:
        """See `Store`."""
        return self._store.probe()

    def close(self) -> None:
        """See `Store`."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _outcome(error: Exception) -> str:
    if isinstance(error, Missing):
        return "missing"
    if isinstance(error, WrongContent):
        return "wrong"
    return "refused" if isinstance(error, Rejected) else "unready"
