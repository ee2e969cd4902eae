"""`Store`: a place that keeps content by CID, and `open_store`, which finds one by its location.

    local:PATH                                  a directory (the default)
    kubo:http://127.0.0.1:5001                  a Kubo node, over its RPC API
    embedded:PATH[?network=local&peer=…]        a Kubo node inside this process, with its repository at PATH
    gateway:https://HOST                        any IPFS gateway, read only; every block is verified
    local:PATH,gateway:https://HOST             several: reads try them in order, the first keeps a copy

Whatever the place, bytes that come back have been verified against the CID, and so have their number and form.
"""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from offchain.errors import Rejected
from offchain.storage.bounds import Clock, Progress
from offchain.storage.cid import Cid

DEFAULT_SECONDS = 600.0
"""How long one download may take in all, unless told otherwise."""

_KINDS = "local:PATH, kubo:URL, embedded:PATH or gateway:URL"


class Store(Protocol):
    """A place that keeps content by CID."""

    @property
    def location(self) -> str:
        """The place as `open_store` understands it; names the store in every error."""

    @property
    def writable(self) -> bool:
        """Whether anything can be added."""

    def add(self, data: bytes) -> Cid:
        """Keeps the bytes and gives their CID. Raises Retryable when the place is not ready."""

    def add_file(self, path: Path) -> Cid:
        """Keeps a file's bytes, read as a stream. Raises Rejected when it can't be read, and as `add`."""

    def read(self, cid: Cid, *, max_bytes: int, size: int | None = None, progress: Progress | None = None) -> bytes:
        """The verified content of `cid`.

        `size` is the size that a manifest promises (`FileRef.size`), if any. Raises Rejected when the content has more
        than `max_bytes`, another size, or a form that is not Assay's profile, however often one tries; `Missing` when
        the place doesn't have it; `WrongContent` when it gives other bytes; Retryable when it is down or too slow.
        """

    def save(
        self, cid: Cid, path: Path, *, max_bytes: int, size: int | None = None, progress: Progress | None = None
    ) -> int:
        """Like `read`, but streams into a file, which appears whole or not at all. Gives the number of bytes."""

    def has(self, cid: Cid) -> bool:
        """Whether the place keeps the content itself, without asking anyone else. Raises Retryable as `add`."""

    def probe(self) -> str:
        """One line about the place's state. Raises Retryable or Rejected, saying what to do, when it can't be used."""

    def close(self) -> None:
        """Lets go of connections and nodes. The store can't be used afterwards."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_store(location: str, *, seconds: float = DEFAULT_SECONDS, clock: Clock = time.monotonic) -> Store:
    """Opens the store at `location` (see the module's text); `seconds` bound each download.

    Raises Rejected for a location nobody understands or a backend that isn't installed.
    """
    stores = [_open_one(part, seconds, clock) for part in location.split(",")]
    if len(stores) == 1:
        return stores[0]
    from offchain.storage.layered import LayeredStore

    return LayeredStore(stores)


def probe(location: str) -> str:
    """One line about the store at `location`, for `assay doctor`. Raises Rejected or Retryable if it can't be used."""
    with open_store(location, seconds=10) as store:
        return store.probe()


def _open_one(location: str, seconds: float, clock: Clock) -> Store:
    """Backends are imported when they are asked for: most users need one of them."""
    kind, separator, rest = location.partition(":")
    if not separator or not rest:
        raise Rejected(f"--store {location}: not a location; use {_KINDS}")
    match kind:
        case "local":
            from offchain.storage.local import LocalStore

            return LocalStore(Path(rest).expanduser(), seconds=seconds, clock=clock)
        case "kubo":
            from offchain.storage.kubo import KuboStore

            return KuboStore(rest, seconds=seconds, clock=clock)
        case "embedded":
            from offchain.storage.embedded import EmbeddedStore, parse_embedded

            path, options = parse_embedded(rest)
            return EmbeddedStore(path, options, seconds=seconds, clock=clock)
        case "gateway":
            from offchain.storage.gateway import GatewayStore

            return GatewayStore(rest, seconds=seconds, clock=clock)
        case _:
            raise Rejected(f"--store {location}: unknown kind {kind!r}; use {_KINDS}")
