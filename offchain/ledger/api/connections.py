"""A client's connection, which has to get on: uvicorn lets one that says nothing, or reads nothing, stand for ever."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

PER_ADDRESS = 256
"""Connections of one address: half of what the server serves at once."""
PATIENCE_SECONDS = 5.0
"""Whoever does not finish a request's head within one to two of these is hung up on."""
LEAST_READ = 16 << 10
"""Bytes of an answer that a client takes in `PATIENCE_SECONDS`; who takes less only holds memory."""


class Connection(H11Protocol):
    """Looks every `PATIENCE_SECONDS` whether the client has done its part. `Guard` bounds everything in between."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As uvicorn makes it."""
        super().__init__(*args, **kwargs)
        self._look_timer: asyncio.TimerHandle | None = None
        self._seen: RequestResponseCycle | None = None
        self._was_idle = False
        self._unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Turns away an address that has too many."""
        super().connection_made(transport)
        others = (other.client for other in self.connections if isinstance(other, Connection))
        if sum(client is not None and client[:1] == (self.client or ())[:1] for client in others) > PER_ADDRESS:
            transport.abort()
        else:
            self._look_timer = self.loop.call_later(PATIENCE_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Looks no more."""
        if self._look_timer is not None:
            self._look_timer.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        # Also while it closes: what nobody reads keeps it open.
        idle, deaf = self._is_idle(), self._is_deaf()
        if idle or deaf:
            self.transport.abort()
        else:
            self._look_timer = self.loop.call_later(PATIENCE_SECONDS, self._look)

    def _is_idle(self) -> bool:
        """Whether no request was begun since the last look, none is under way, and uvicorn does not wait for one."""
        idle = (self.cycle is None or self.cycle.response_complete) and self.timeout_keep_alive_task is None
        stood = idle and self._was_idle and self.cycle is self._seen
        self._was_idle, self._seen = idle, self.cycle
        return stood

    def _is_deaf(self) -> bool:
        """Whether hardly anything of what waits for the client was taken since the last look."""
        before, self._unread = self._unread, self.transport.get_write_buffer_size()
        return before > 0 and self._unread > max(0, before - LEAST_READ)
