"""Readers of the explorer's API in tests: JSON, and the event stream as a browser reads it."""

import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

PATIENCE = 60.0
Found = TypeVar("Found")


@dataclass(frozen=True)
class Said:
    """One server-sent event."""

    id: int
    kind: str
    data: dict[str, Any]


class Listener:
    """Reads a stream in a thread, as EventSource does; `ended` once the server has closed it."""

    def __init__(self, url: str, last: int | None = None) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((str(parts.hostname), int(parts.port or 0)), PATIENCE)
        header = "" if last is None else f"Last-Event-ID: {last}\r\n"
        asked = f"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n{header}\r\n"
        self._socket.sendall(asked.encode())
        self._news: queue.Queue[Said] = queue.Queue()
        self.heard: list[Said] = []
        self.ended = threading.Event()
        self.status = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def next(self, kind: str, **wanted: Any) -> Said:
        """The next message of a kind with these values; what comes before it is passed over."""
        deadline = time.monotonic() + PATIENCE
        while True:
            said = self._news.get(timeout=max(0.01, deadline - time.monotonic()))
            self.heard.append(said)
            if said.kind == kind and wanted.items() <= said.data.items():
                return said

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> None:
        file = self._socket.makefile("rb")
        try:
            self.status = int(file.readline().split()[1])
            while file.readline().strip():
                pass
            self._messages(file)
        except (OSError, ValueError):
            pass
        self.ended.set()

    def _messages(self, file: Any) -> None:
        fields: dict[str, str] = {}
        while size := int(file.readline() or b"0", 16):
            for line in file.read(size).decode().split("\n"):
                name, found, value = line.partition(": ")
                if found and name:
                    fields[name] = value
                elif not line and "event" in fields:
                    self._news.put(Said(int(fields["id"]), fields["event"], json.loads(fields["data"])))
                    fields = {}
            file.readline()


@contextmanager
def listening(url: str, last: int | None = None) -> Iterator[Listener]:
    listener = Listener(url, last)
    try:
        yield listener
    finally:
        listener.close()


def eventually(look: Callable[[], Found | None]) -> Found:
    """What `look` gives as soon as it gives something true."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"still {found!r}"
        time.sleep(0.02)
