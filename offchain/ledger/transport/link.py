"""One TCP connection to a replica: the handshake, then frames."""

import asyncio
from typing import Protocol, cast

from offchain.errors import Rejected
from offchain.ledger.transport.frames import OVERHEAD_BYTES, FrameReader, FrameWriter
from offchain.ledger.transport.handshake import (
    FINISH_BYTES,
    HELLO_BYTES,
    REPLY_BYTES,
    Dialler,
    LinkKeys,
    Listener,
    Party,
)
from offchain.ledger.types import ReplicaId


class LinkOwner(Protocol):
    """Whom a link tells what happens. All calls come from the event loop."""

    def link_authenticated(self, link: "Link") -> None:
        """The handshake is over; `link.peer` is who it says."""

    def link_received(self, link: "Link", payloads: list[bytes]) -> None:
        """Payloads from the peer. May raise Rejected: the link is closed as `link_failed`."""

    def link_failed(self, link: "Link", error: Rejected) -> None:
        """The peer broke the rules; the link is closed already."""

    def link_closed(self, link: "Link") -> None:
        """The connection is gone. Comes once, last, if the connection was ever made."""


class _DialSteps:
    def __init__(self, party: Party, peer: ReplicaId, ephemeral: bytes) -> None:
        self._dialler = Dialler(party, peer, ephemeral)
        self.peer: ReplicaId | None = peer
        self.expects = REPLY_BYTES

    def start(self) -> bytes:
        return self._dialler.hello

    def take(self, data: bytes) -> tuple[bytes, LinkKeys | None]:
        return self._dialler.answer(data)


class _ListenSteps:
    def __init__(self, party: Party, ephemeral: bytes) -> None:
        self._listener = Listener(party, ephemeral)
        self.expects = HELLO_BYTES

    @property
    def peer(self) -> ReplicaId | None:
        return self._listener.peer

    def start(self) -> bytes:
        return b""

    def take(self, data: bytes) -> tuple[bytes, LinkKeys | None]:
        if self.expects == HELLO_BYTES:
            self.expects = FINISH_BYTES
            return self._listener.reply(data), None
        return b"", self._listener.finish(data)


class Link(asyncio.Protocol):
    """See the module. What is sent in one turn of the loop leaves in one write."""

    def __init__(self, owner: LinkOwner, steps: "_DialSteps | _ListenSteps", frame_limit: int) -> None:
        """For `dialling` and `listening`."""
        self._owner = owner
        self._steps: _DialSteps | _ListenSteps | None = steps
        self._frame_limit = frame_limit
        self._transport: asyncio.Transport | None = None
        self._early = b""
        self._reader: FrameReader | None = None
        self._writer: FrameWriter | None = None
        self._queue: list[bytes] = []
        self._queued = 0
        self._claimed: ReplicaId | None = None
        self.closed = asyncio.Event()
        """Set when the connection is gone, or was never made."""
        self.settled = asyncio.Event()
        """Set when the handshake is over, well or not."""
        self.address = ""
        self.last_heard = 0.0
        """Of the owner's clock; the owner keeps it."""
        self.begun = 0.0
        self.received_bytes = 0
        self.sent_bytes = 0

    @classmethod
    def dialling(cls, owner: LinkOwner, party: Party, peer: ReplicaId, ephemeral: bytes, frame_limit: int) -> "Link":
        """The side that connects to `peer`."""
        return cls(owner, _DialSteps(party, peer, ephemeral), frame_limit)

    @classmethod
    def listening(cls, owner: LinkOwner, party: Party, ephemeral: bytes, frame_limit: int) -> "Link":
        """The side that is connected to."""
        return cls(owner, _ListenSteps(party, ephemeral), frame_limit)

    @property
    def peer(self) -> ReplicaId | None:
        """Who is at the other end; believed only once `is_open`."""
        return self._steps.peer if self._steps is not None else self._claimed

    @property
    def is_open(self) -> bool:
        """Whether the handshake is over and the connection stands."""
        return self._writer is not None and self._transport is not None and not self._transport.is_closing()

    @property
    def waiting_bytes(self) -> int:
        """What the peer has not taken yet."""
        in_transport = self._transport.get_write_buffer_size() if self._transport is not None else 0
        return self._queued + in_transport

    def put(self, payload: bytes) -> int:
        """Queues a payload for `flush`; what waits now in our own queue, in bytes."""
        self._queue.append(payload)
        self._queued += len(payload) + OVERHEAD_BYTES
        return self._queued

    def flush(self, most: int) -> bool:
        """Writes what is queued; False, and nothing is written, when more than `most` bytes wait for the peer."""
        queue, transport, writer = self._queue, self._transport, self._writer
        if not queue or writer is None or transport is None or transport.is_closing():
            self._queue, self._queued = [], 0
            return True
        if transport.get_write_buffer_size() + self._queued > most:
            return False
        self.sent_bytes += self._queued
        self._queue, self._queued = [], 0
        transport.write(writer.seal(queue))
        return True

    def pause(self, paused: bool) -> None:
        """Stops or resumes reading."""
        if self._transport is not None and not self._transport.is_closing():
            if paused and self._transport.is_reading():
                self._transport.pause_reading()
            elif not paused and not self._transport.is_reading():
                self._transport.resume_reading()

    def close(self) -> None:
        """Drops the connection and what was not sent."""
        if self._transport is not None:
            self._transport.abort()
        else:
            self.closed.set()
            self.settled.set()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins the handshake."""
        # Not isinstance: uvloop's transports are none of asyncio's.
        stream = cast(asyncio.Transport, transport)
        self._transport = stream
        name = transport.get_extra_info("peername")
        self.address = str(name[0]) if isinstance(name, tuple) and name else ""
        if self.closed.is_set():
            stream.abort()
        elif self._steps is not None and (greeting := self._steps.start()):
            stream.write(greeting)

    def data_received(self, data: bytes) -> None:
        """Handshake first, frames after."""
        self.received_bytes += len(data)
        try:
            if self._reader is None:
                data = self._shake_hands(data)
            if data and self._reader is not None and not self._is_closing():
                payloads = self._reader.feed(data)
                if payloads:
                    self._owner.link_received(self, payloads)
        except Rejected as error:
            self.close()
            self._owner.link_failed(self, error)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Tells the owner."""
        self.closed.set()
        self.settled.set()
        self._owner.link_closed(self)

    def _shake_hands(self, data: bytes) -> bytes:
        """Takes the steps that `data` completes; what is left after the last one."""
        data = self._early + data
        while (steps := self._steps) is not None and len(data) >= steps.expects and not self._is_closing():
            taken, data = data[: steps.expects], data[steps.expects :]
            answer, keys = steps.take(taken)
            if answer and self._transport is not None:
                self._transport.write(answer)
            if keys is not None:
                self._claimed, self._steps = steps.peer, None
                self._reader, self._writer = FrameReader(keys.receive, self._frame_limit), FrameWriter(keys.send)
                self._owner.link_authenticated(self)
                self.settled.set()
        if self._steps is None:
            self._early = b""
            return data
        self._early = data
        return b""

    def _is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()
