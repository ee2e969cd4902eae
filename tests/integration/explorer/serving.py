"""The explorer's server in a thread: the same as `assay explorer` runs, on a free port."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import APIRouter

from offchain.chain.contracts import AssayContracts
from offchain.explorer.api.serving import Explorer, Options
from offchain.storage.store import Store

PATIENCE = 60.0


@contextmanager
def serving(
    contracts: AssayContracts, store: Store, *, desk: APIRouter | None = None, folder: Path | None = None, port: int = 0
) -> Iterator[Explorer]:
    """For the length of a `with`. `folder`: where the index is kept; None: in memory."""
    options = Options("127.0.0.1", port, folder, poll_seconds=0.1)
    explorer = Explorer(contracts, store, options, desk=None if desk is None else lambda _: desk)
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(explorer.serve(stop),), name="explorer")
    thread.start()
    try:
        yield explorer
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)
        loop.close()
        assert explorer.close(PATIENCE), "a thread of the explorer is still busy"
