"""Hands every change to all who read the stream. One reader cannot hold up another: who does not keep up is cut off."""

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from offchain.errors import Retryable

MOST_READERS = 256
MOST_OF_ONE = 128
"""Of one address: one that opens all there are would keep the others out."""
MOST_WAITING = 4_000
"""Messages that wait for one reader."""


class Full(Retryable):
    """Too many readers: 503."""


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event, encoded once for all readers. `seq`: of the newest event that it knows of."""

    kind: str
    seq: int
    encoded: bytes

    @classmethod
    def of(cls, kind: str, seq: int, data: Mapping[str, object]) -> "Message":
        """Data has no line break: it is JSON."""
        text = json.dumps(data, separators=(",", ":"))
        return cls(kind, seq, f"id: {seq}\nevent: {kind}\ndata: {text}\n\n".encode())


class Reader:
    """One reader's queue. `lost`: it was too slow, or the server stops; the stream ends."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._waiting: deque[Message] = deque()
        self._news = asyncio.Event()
        self.lost = False

    def offer(self, messages: Iterable[Message]) -> None:
        """Queues them, or gives the reader up."""
        self._waiting.extend(messages)
        if len(self._waiting) > MOST_WAITING:
            self.cut()
        self._news.set()

    def cut(self) -> None:
        """Ends it; what waits is dropped."""
        self.lost = True
        self._waiting.clear()
        self._news.set()

    async def take(self, seconds: float) -> list[Message]:
        """What waits, as soon as anything does; nothing after `seconds`, or when the reader is lost."""
        if not self._waiting and not self.lost:
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                return []
        self._news.clear()
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


class Hub:
    """All readers. Lives in one event loop; nothing here may be called from another thread."""

    def __init__(self, most: int = MOST_READERS, most_of_one: int = MOST_OF_ONE) -> None:
        self._readers: set[Reader] = set()
        self._most = most
        self._most_of_one = most_of_one
        self._closed = False

    def __len__(self) -> int:
        return len(self._readers)

    def join(self, address: str) -> Reader:
        """A new reader at an address. Raises Full."""
        from_there = sum(reader.address == address for reader in self._readers)
        if self._closed or len(self._readers) >= self._most or from_there >= self._most_of_one:
            raise Full("too many pages follow this server; close some, or try again in a minute")
        reader = Reader(address)
        self._readers.add(reader)
        return reader

    def leave(self, reader: Reader) -> None:
        """It reads no more."""
        self._readers.discard(reader)

    def publish(self, messages: list[Message]) -> None:
        """To all."""
        for reader in self._readers:
            reader.offer(messages)

    def close(self) -> None:
        """Ends all streams."""
        self._closed = True
        for reader in self._readers:
            reader.cut()
