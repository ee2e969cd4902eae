"""Several stores as one: reads try them in order and keep a copy in the first, adds go to all that take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from offchain.errors import AssayError, Bug, Rejected, Retryable
from offchain.storage.bounds import Missing, Progress
from offchain.storage.cid import Cid
from offchain.storage.store import Store

T = TypeVar("T")


class LayeredStore:
    """The first store is near and keeps copies; the others are asked when it has nothing. See `Store`."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self._near, self._far = stores[0], tuple(stores[1:])
        self._writable = tuple(store for store in stores if store.writable)

    @property
    def location(self) -> str:
        """See `Store`."""
        return ",".join(store.location for store in (self._near, *self._far))

    @property
    def writable(self) -> bool:
        """See `Store`."""
        return bool(self._writable)

    def add(self, data: bytes) -> Cid:
        """See `Store`. Every store that can be written gets the content; the first that fails is reported."""
        return self._same(lambda store: store.add(data))

    def add_file(self, path: Path) -> Cid:
        """See `Store`."""
        return self._same(lambda store: store.add_file(path))

    def read(self, cid: Cid, *, max_bytes: int, size: int | None = None, progress: Progress | None = None) -> bytes:
        """See `Store`. What a far store gave is kept near."""

        def ask(store: Store) -> bytes:
            data = store.read(cid, max_bytes=max_bytes, size=size, progress=progress)
            if store is not self._near and self._near in self._writable:
                self._near.add(data)
            return data

        return self._first(cid, ask)

    def save(
        self, cid: Cid, path: Path, *, max_bytes: int, size: int | None = None, progress: Progress | None = None
    ) -> int:
        """See `Store`. What a far store gave is kept near."""

        def ask(store: Store) -> int:
            written = store.save(cid, path, max_bytes=max_bytes, size=size, progress=progress)
            if store is not self._near and self._near in self._writable:
                self._near.add_file(path)
            return written

        return self._first(cid, ask)

    def has(self, cid: Cid) -> bool:
        """See `Store`."""
        return any(store.has(cid) for store in self._writable)

    def probe(self) -> str:
        """See `Store`."""
        return "; ".join(store.probe() for store in (self._near, *self._far))

    def close(self) -> None:
        """See `Store`."""
        for store in (self._near, *self._far):
            store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _same(self, add: Callable[[Store], Cid]) -> Cid:
        if not self._writable:
            raise Rejected(f"{self.location}: none of these stores can be written; add local:PATH in front (--store)")
        cids = {add(store) for store in self._writable}
        if len(cids) != 1:
            raise Bug(f"stores disagree about a CID: {sorted(map(str, cids))}")
        return cids.pop()

    def _first(self, cid: Cid, ask: Callable[[Store], T]) -> T:
        """The first answer. A Rejected is proven and ends the search; whatever can be retried goes on to the next."""
        reasons: list[AssayError] = []
        for store in (self._near, *self._far):
            try:
                return ask(store)
            except Retryable as error:
                reasons.append(error)
        kind = Missing if all(isinstance(reason, Missing) for reason in reasons) else Retryable
        raise kind(f"no store could give {cid}: " + "; ".join(str(reason) for reason in reasons))
