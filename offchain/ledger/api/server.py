"""Serves the API with uvicorn in the event loop that is running."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from offchain.errors import Rejected
from offchain.ledger.api.connections import Connection
from offchain.ledger.host_port import write_host_port

BACKLOG = 256
CONCURRENCY = 512
KEEP_ALIVE_SECONDS = 20
SHUTDOWN_SECONDS = 2


class _Server(uvicorn.Server):
    """Signals are the process's, not the server's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


class ApiServer:
    """One listening socket and its server."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        """Listens at once, so that the port is known; 0 takes a free one. Raises Rejected when it cannot."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # With its protocol named, or asyncio leaves Nagle's algorithm on: 40 ms for every answer of two writes.
        self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
            self._socket.listen(BACKLOG)
        except (OSError, OverflowError) as error:
            self._socket.close()
            raise Rejected(f"cannot listen on {host}:{port} ({error}); choose another host or port") from error
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app,
            loop="none",
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=CONCURRENCY,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            h11_max_incomplete_event_size=32 << 10,
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{write_host_port(self.host, self.port)}"

    async def start(self) -> None:
        """Begins to answer."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started and not self._task.done():
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Finishes what is being answered, within 2 s, and closes."""
        if self._task is None:
            self._socket.close()
            return
        self._server.should_exit = True
        await asyncio.gather(self._task, return_exceptions=True)
        self._socket.close()
