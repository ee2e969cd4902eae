"""All links of one replica: it dials the members after it and listens to those before it; what they cost is bounded."""

import asyncio
import logging
import os
import random
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from offchain.errors import Bug, Rejected
from offchain.ledger.transport.admission import Admission, Pauses
from offchain.ledger.transport.frames import MAX_PAYLOAD_BYTES
from offchain.ledger.transport.handshake import Party
from offchain.ledger.transport.link import Link
from offchain.ledger.types import ReplicaId

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """Bounds of links: bytes and seconds. See docs/ledger.md, Links."""

    frame: int = MAX_PAYLOAD_BYTES
    queue: int = 8 << 20
    handshake: float = 20.0
    """Long, for a machine that is busy: who gives up early makes it busier."""
    dials: int = 8
    """At the same time; what many begin together, none of them finishes in time."""
    idle: float = 15.0
    """A peer says its status every second; one that is silent as long as this is gone."""
    first_redial: float = 0.05
    longest_redial: float = 2.0
    first_pause: float = 1.0
    longest_pause: float = 64.0
    forgive_after: float = 60.0


@dataclass(frozen=True, slots=True)
class LinkCounters:
    """Since the start. Bytes are those of frames and handshakes."""

    connected: int
    handshakes_pending: int
    cut_off: int
    refused: int
    queued_bytes: int
    sent_bytes: int
    received_bytes: int


class LinkHandler(Protocol):
    """Whom the links serve. All calls come from the event loop."""

    def link_up(self, peer: ReplicaId) -> None:
        """A link to `peer` stands, perhaps in place of another one."""

    def link_down(self, peer: ReplicaId) -> None:
        """There is no link to `peer` any more."""

    def payloads(self, peer: ReplicaId, payloads: list[bytes]) -> None:
        """What `peer` sent, in order. May raise Rejected: then the peer is cut off for a while."""


class Links:
    """See the module. To be used from one event loop."""

    def __init__(
        self,
        party: Party,
        endpoints: Sequence[tuple[str, int]],
        listen: tuple[str, int],
        handler: LinkHandler,
        limits: LinkLimits | None = None,
    ) -> None:
        """`endpoints`: host and port of each member in order, port 0 where nobody knows; `listen`: where we listen."""
        self._party = party
        self._endpoints = tuple(endpoints)
        self._listen = listen
        self._handler = handler
        self._limits = limits or LinkLimits()
        self._links: dict[ReplicaId, Link] = {}
        self._turns: list[Link] | None = None
        """The links in the order in which we send to all; None: to be sorted again."""
        self._young: set[Link] = set()
        members = len(party.members)
        self._admission: Admission[Link] = Admission(
            pending=4 * members + 64, burst=4 * members + 16, per_second=members + 4
        )
        self._pauses = Pauses(
            first=self._limits.first_pause,
            longest=self._limits.longest_pause,
            forgive_after=self._limits.forgive_after,
        )
        self._dials = asyncio.Semaphore(self._limits.dials)
        self._server: asyncio.Server | None = None
        self._diallers: list[asyncio.Task[None]] = []
        self._flushing = False
        self._dirty: dict[Link, None] = {}
        self._paused = False
        self._stopping = False
        self._cut_off = 0
        self._refused = 0
        self._past_sent = 0
        self._past_received = 0

    async def start(self) -> None:
        """Listens and dials. Raises Rejected when the address cannot be listened at."""
        loop = asyncio.get_running_loop()
        host, port = self._listen
        try:
            self._server = await loop.create_server(self._accept, host, port, reuse_address=True, backlog=512)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise Rejected(f"cannot listen on {host}:{port} ({why}); is another process there?") from error
        for peer in range(self._party.me + 1, len(self._party.members)):
            self._diallers.append(loop.create_task(self._keep_dialling(ReplicaId(peer))))
        self._diallers.append(loop.create_task(self._sweep()))

    def relocate(self, endpoints: Sequence[tuple[str, int]]) -> None:
        """Members may have moved. Links that stand are left alone."""
        self._endpoints = tuple(endpoints)

    async def stop(self) -> None:
        """Closes everything."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for task in self._diallers:
            task.cancel()
        await asyncio.gather(*self._diallers, return_exceptions=True)
        self.flush()
        for link in [*self._links.values(), *self._young]:
            link.close()
        await asyncio.sleep(0)

    # Sending

    def send(self, peer: ReplicaId, payload: bytes) -> None:
        """Sends `payload`, or drops it when there is no link to `peer`: the core says again what matters."""
        link = self._links.get(peer)
        if link is not None:
            self._put([link], payload)

    def broadcast(self, payload: bytes, first: ReplicaId | None = None) -> None:
        """Sends `payload` to all peers there is a link to: to `first`, then to those after us, in turn.

        If all began with the same peer, the links of the others would stand idle meanwhile.
        """
        if self._turns is None:
            self._turns = self._in_turn()
        links = self._turns
        if first is not None and (link := self._links.get(first)) is not None:
            links = [link, *(other for other in links if other is not link)]
        self._put(links, payload)

    def _in_turn(self) -> list[Link]:
        me, members = self._party.me, len(self._party.members)
        return [self._links[peer] for peer in sorted(self._links, key=lambda peer: (peer - me) % members)]

    def _put(self, links: list[Link], payload: bytes) -> None:
        if len(payload) > self._limits.frame:
            raise Bug(f"a message of {len(payload)} bytes; at most {self._limits.frame} fit in a frame")
        for link in links:
            if link.put(payload) > self._limits.queue:
                self.cut_off(_peer_of(link), "does not read what it is sent")
        self._dirty.update(dict.fromkeys(links))
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Writes what was sent since the last time."""
        self._flushing = False
        dirty, self._dirty = self._dirty, {}
        most = self._limits.queue
        for link in dirty:
            if not link.flush(most):
                self.cut_off(_peer_of(link), "does not read what it is sent")

    # Peers

    @property
    def connected(self) -> frozenset[ReplicaId]:
        """Peers there is a link to."""
        return frozenset(self._links)

    def cut_off(self, peer: ReplicaId, reason: str) -> None:
        """Ends the link to a peer that misbehaves; it may come back after a pause that doubles."""
        self._cut_off += 1
        pause = self._pauses.punish(peer, time.monotonic())
        logger.warning("replica %d is cut off for %.0f s: %s", peer, pause, reason)
        link = self._links.get(peer)
        if link is not None:
            self._drop(peer, link)

    def pause(self, paused: bool) -> None:
        """Stops or resumes reading from all peers, when we cannot keep up."""
        self._paused = paused
        for link in self._links.values():
            link.pause(paused)

    def counters(self) -> LinkCounters:
        """For the status."""
        links = [*self._links.values(), *self._young]
        return LinkCounters(
            connected=len(self._links),
            handshakes_pending=len(self._young),
            cut_off=self._cut_off,
            refused=self._refused,
            queued_bytes=sum(link.waiting_bytes for link in links),
            sent_bytes=self._past_sent + sum(link.sent_bytes for link in links),
            received_bytes=self._past_received + sum(link.received_bytes for link in links),
        )

    # LinkOwner

    def link_authenticated(self, link: Link) -> None:
        """Takes the link into use; a former one of the same peer goes, for its other end may be long dead."""
        peer, now = _peer_of(link), time.monotonic()
        self._admission.end(link)
        self._young.discard(link)
        if self._stopping or self._pauses.left(peer, now) > 0:
            self._refused += 1
            link.close()
            return
        former = self._links.get(peer)
        self._links[peer], self._turns = link, None
        if former is not None:
            former.close()
        link.last_heard = now
        link.pause(self._paused)
        logger.info("linked with replica %d", peer)
        self._handler.link_up(peer)

    def link_received(self, link: Link, payloads: list[bytes]) -> None:
        """Passes on what a peer said."""
        peer = _peer_of(link)
        if self._links.get(peer) is link:
            link.last_heard = time.monotonic()
            self._handler.payloads(peer, payloads)

    def link_failed(self, link: Link, error: Rejected) -> None:
        """Only an authenticated peer can be blamed; of strangers there is no end."""
        peer = link.peer
        if peer is not None and self._links.get(peer) is link:
            self.cut_off(peer, str(error))
        else:
            self._refused += 1
            logger.info("handshake with %s: %s", link.address or "a peer", error)

    def link_closed(self, link: Link) -> None:
        """Forgets the link."""
        self._past_sent += link.sent_bytes
        self._past_received += link.received_bytes
        self._admission.end(link)
        self._young.discard(link)
        peer = link.peer
        if peer is not None and self._links.get(peer) is link:
            self._drop(peer, link)

    def _drop(self, peer: ReplicaId, link: Link) -> None:
        del self._links[peer]
        self._turns = None
        self._dirty.pop(link, None)
        link.close()
        logger.info("no link with replica %d", peer)
        if not self._stopping:
            self._handler.link_down(peer)

    # Connecting

    def _accept(self) -> asyncio.Protocol:
        return _Arrival(self)

    def _welcome(self, transport: asyncio.BaseTransport) -> Link | None:
        """A link for a connection that came in, unless its address has come too often."""
        name = transport.get_extra_info("peername")
        address, now = (str(name[0]) if isinstance(name, tuple) and name else ""), time.monotonic()
        if self._stopping or not self._admission.admit(address, now):
            self._refused += 1
            return None
        link = Link.listening(self, self._party, secrets.token_bytes(32), self._limits.frame)
        link.begun = now
        evicted = self._admission.begin(link, address)
        if evicted is not None:
            evicted.close()
        self._young.add(link)
        return link

    async def _keep_dialling(self, peer: ReplicaId) -> None:
        wait = self._limits.first_redial
        while True:
            pause = self._pauses.left(peer, time.monotonic())
            if self._endpoints[peer][1] == 0:
                pause = self._limits.longest_redial
            if pause:
                await asyncio.sleep(pause)
                continue
            async with self._dials:
                link = await self._dial(peer)
            if link is not None:
                opened = time.monotonic()
                await link.closed.wait()
                if time.monotonic() - opened > self._limits.longest_redial:
                    wait = self._limits.first_redial
            # Some jitter, so that not all dial a member that comes back at the same moment.
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))
            wait = min(self._limits.longest_redial, wait * 2)

    async def _dial(self, peer: ReplicaId) -> Link | None:
        """Connects and shakes hands; None when nobody is there."""
        loop = asyncio.get_running_loop()
        link = Link.dialling(self, self._party, peer, secrets.token_bytes(32), self._limits.frame)
        link.begun = time.monotonic()
        self._young.add(link)
        host, port = self._endpoints[peer]
        try:
            async with asyncio.timeout(self._limits.handshake):
                await loop.create_connection(lambda: link, host, port)
                await link.settled.wait()
        except (OSError, TimeoutError):
            link.close()
        finally:
            self._young.discard(link)
        return link if link.is_open else None

    async def _sweep(self) -> None:
        """Closes what is silent."""
        while True:
            await asyncio.sleep(min(1.0, self._limits.handshake / 2))
            now = time.monotonic()
            for link in [link for link in self._young if now - link.begun > self._limits.handshake]:
                link.close()
            for peer, link in list(self._links.items()):
                if now - link.last_heard > self._limits.idle and not self._paused:
                    logger.info("replica %d is silent", peer)
                    self._drop(peer, link)


class _Arrival(asyncio.Protocol):
    """Stands at the door: a connection becomes a link only when it is admitted."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hands the connection over, or drops it."""
        stream = cast(asyncio.Transport, transport)
        link = self._links._welcome(stream)
        if link is None:
            stream.abort()
            return
        stream.set_protocol(link)
        link.connection_made(stream)


def _peer_of(link: Link) -> ReplicaId:
    if link.peer is None:
        raise Bug("a link without a peer")
    return link.peer
