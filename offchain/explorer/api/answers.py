"""Answers of GET requests: computed once for each state of the index, however many ask; with ETag and gzip."""

import asyncio
import gzip
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

from fastapi import Request, Response
from pydantic import BaseModel

Result = TypeVar("Result")

MOST_BYTES = 64 << 20
OVERHEAD = 1_000
"""Bytes that an answer takes besides its body: whoever makes up queries must not fill the memory with small ones."""
LEAST_ZIPPED = 1_000
LEVEL = 5
"""Of gzip; beyond it costs more time than the bytes are worth on a machine's own network."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A body of JSON in both encodings; `zipped` is empty where it would not be worth it."""

    state: Hashable
    body: bytes
    zipped: bytes
    etag: str

    @classmethod
    def of(cls, state: Hashable, body: bytes) -> "Answer":
        """Of JSON text."""
        zipped = gzip.compress(body, LEVEL, mtime=0) if len(body) >= LEAST_ZIPPED else b""
        return cls(state, body, zipped, f'W/"{blake2b(body, digest_size=12).hexdigest()}"')

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        return len(self.body) + len(self.zipped) + OVERHEAD

    def respond(self, request: Request, cache: str) -> Response:
        """200, or 304 to whoever has it already."""
        headers = {"ETag": self.etag, "Cache-Control": cache, "Vary": "Accept-Encoding"}
        if has(request, self.etag):
            return Response(status_code=304, headers=headers)
        body = self.body
        if self.zipped and takes_gzip(request):
            headers["Content-Encoding"] = "gzip"
            body = self.zipped
        return Response(body, media_type="application/json", headers=headers)


class Answers:
    """`state()` changes whenever any answer may: all computed before count for nothing then."""

    def __init__(self, state: Callable[[], Hashable], threads: int = 4, most_bytes: int = MOST_BYTES) -> None:
        self._state = state
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="answers")
        self._most = most_bytes
        self._kept: dict[str, Answer] = {}
        self._size = 0
        self._running: dict[tuple[str, Hashable], asyncio.Future[Answer]] = {}

    async def give(self, request: Request, compute: Callable[[], BaseModel], cache: str = "no-cache") -> Response:
        """The answer to a request; `compute` reads and runs in a thread. Raises what it raises."""
        url, state = f"{request.url.path}?{request.url.query}", self._state()
        kept = self._kept.get(url)
        if kept is not None and kept.state == state:
            return kept.respond(request, cache)
        running = self._running.get((url, state))
        if running is None:
            running = asyncio.get_running_loop().run_in_executor(self._threads, _made, state, compute)
            self._running[url, state] = running
            running.add_done_callback(lambda done: self._done(url, state, done))
        # Whoever goes away must not take the answer from those who wait for it too.
        return (await asyncio.shield(running)).respond(request, cache)

    async def run(self, read: Callable[[], Result]) -> Result:
        """Reads in one of the threads, without keeping the answer."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, read)

    def close(self) -> None:
        """Starts no more; what runs is left to end by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _done(self, url: str, state: Hashable, done: "asyncio.Future[Answer]") -> None:
        self._running.pop((url, state), None)
        if done.cancelled() or done.exception() is not None:
            return
        self._drop(url)
        self._kept[url] = done.result()
        self._size += done.result().size
        while self._size > self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, url: str) -> None:
        old = self._kept.pop(url, None)
        self._size -= 0 if old is None else old.size


def _made(state: Hashable, compute: Callable[[], BaseModel]) -> Answer:
    return Answer.of(state, compute().model_dump_json(by_alias=True).encode())


def has(request: Request, etag: str) -> bool:
    """Whether the client says that it has this already."""
    given = request.headers.get("if-none-match", "")
    bare = etag.removeprefix("W/")
    return any(item.strip().removeprefix("W/") in (bare, "*") for item in given.split(",")) if given else False


def takes_gzip(request: Request) -> bool:
    """Whether the client takes it; who refuses it with q=0 is so rare that it gets plain text for any q=0."""
    wanted = request.headers.get("accept-encoding", "")
    return "gzip" in wanted and "q=0," not in f"{wanted},"
