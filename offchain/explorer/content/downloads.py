"""Whole files out of the store, for people: a few at a time, bounded, verified before the first byte is handed on."""

import asyncio
import tempfile
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from offchain.errors import Retryable
from offchain.storage.cid import Cid
from offchain.storage.store import Store

MOST_BYTES = 512 << 20
AT_ONCE = 4
MOST_OPEN = 16
"""Files that are still being read: each takes its size on the disk until the slowest reader is done with it."""


class Downloads:
    """Used in one event loop. `folder`: for files on their way; None: the system's."""

    def __init__(self, store: Store, folder: Path | None) -> None:
        self._store = store
        self._folder = folder
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="downloads")
        self._running = 0
        self._open: weakref.WeakSet[IO[bytes]] = weakref.WeakSet()

    @property
    def busy(self) -> bool:
        """Whether a thread waits for the store."""
        return self._running > 0

    async def fetch(self, cid: Cid, size: int | None) -> IO[bytes]:
        """An open file that nobody else can see, gone when it is closed.

        Raises Retryable when the store does not have it (yet) or there are too many at once, Rejected when it is too
        large or not the size that was promised.
        """
        still_read = sum(not file.closed for file in self._open)
        if self._running >= AT_ONCE or self._running + still_read >= MOST_OPEN:
            raise Retryable("too many downloads at once; try again in some seconds")
        self._running += 1
        task = asyncio.get_running_loop().run_in_executor(self._threads, self._save, cid, size)
        task.add_done_callback(self._ended)
        # Who goes away does not stop the thread: it is counted until it ends.
        file = await asyncio.shield(task)
        self._open.add(file)
        return file

    def close(self) -> None:
        """Starts no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _save(self, cid: Cid, size: int | None) -> IO[bytes]:
        with tempfile.TemporaryDirectory(dir=self._folder, prefix="download-") as folder:
            path = Path(folder) / "content"
            self._store.save(cid, path, max_bytes=MOST_BYTES, size=size)
            return path.open("rb")

    def _ended(self, task: "asyncio.Future[IO[bytes]]") -> None:
        self._running -= 1
        if not task.cancelled():
            task.exception()  # looked at: whoever asked may have gone
