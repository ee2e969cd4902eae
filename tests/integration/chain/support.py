"""Tools of these tests: a TCP proxy that misbehaves on demand, and networks with other finality."""

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urlsplit

from offchain.chain.client import ChainClient
from offchain.chain.networks import Finality

Body = bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer of the proxy's own."""

    body: Body
    status: str = "200 OK"
    content_type: str = "application/json"


Verdict = Body | Reply | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP request to the node: its JSON body, parsed."""

    body: Any

    @property
    def methods(self) -> list[str]:
        items = self.body if isinstance(self.body, list) else [self.body]
        return [item["method"] for item in items]


class Proxy:
    """A real TCP proxy in front of a node.

    `before` sees each request and may answer itself (return an HTTP body, or a `Reply`), or raise `HangError` (never
    answer) or `CutError` (close at once). `after` sees the request once the node has answered and may raise the same:
    then the node did the work and the client never learns.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (str(parts.hostname), int(parts.port or 0))
        self.before: Callable[[Exchange], Verdict] = lambda exchange: None
        self.after: Callable[[Exchange], None] = lambda exchange: None
        self.requests = 0
        self._closed = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.1)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._server.close()
        for thread in self._threads:
            thread.join(60)

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _ = self._server.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, socket.create_connection(self._target) as upstream:
            connection.settimeout(0.1)
            while not self._closed.is_set():
                try:
                    request = _read_message(connection, self._closed)
                    if not request:
                        return
                    self.requests += 1
                    exchange = Exchange(json.loads(request.partition(b"\r\n\r\n")[2]))
                    own = self.before(exchange)
                    if own is not None:
                        connection.sendall(_response(own if isinstance(own, Reply) else Reply(own)))
                        continue
                    upstream.sendall(request)
                    answer = _read_message(upstream, self._closed)
                    self.after(exchange)
                    connection.sendall(answer)
                except CutError:
                    return
                except HangError:
                    self._closed.wait(30)
                    return
                except OSError:
                    return


class HangError(Exception):
    """Never answer."""


class CutError(Exception):
    """Close the connection."""


def _response(reply: Reply) -> bytes:
    length = len(reply.body)
    head = f"HTTP/1.1 {reply.status}\r\nContent-Type: {reply.content_type}\r\nContent-Length: {length}\r\n\r\n"
    return head.encode() + reply.body


def _read_message(connection: socket.socket, closed: threading.Event) -> bytes:
    data = b""
    while not closed.is_set():
        head, found, body = data.partition(b"\r\n\r\n")
        if found:
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            if len(body) >= int(lengths[0].split(b":")[1]):
                return data
        try:
            chunk = connection.recv(65536)
        except TimeoutError:
            continue
        if not chunk:
            return b""
        data += chunk
    return b""


def with_confirmations(client: ChainClient, blocks: int) -> ChainClient:
    """The same connection with another finality."""
    network = replace(client.network, finality=Finality("confirmations", blocks=blocks), poll_seconds=0.02)
    return ChainClient(client.provider, network, client.endpoint, client.errors)


def with_tag(client: ChainClient) -> ChainClient:
    """The same connection with BSC's kind of finality: the node says itself what is final."""
    network = replace(client.network, finality=Finality("tag", tag="finalized"))
    return ChainClient(client.provider, network, client.endpoint, client.errors)


def mine(client: ChainClient, blocks: int = 1) -> None:
    client.request("anvil_mine", hex(blocks))
