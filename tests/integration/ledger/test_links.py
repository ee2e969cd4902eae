"""Links over real sockets: who gets in, who is cut off, and that the others do not feel it."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from offchain.errors import Rejected
from offchain.ledger.identity import Identity, InstanceId
from offchain.ledger.local_group import free_ports
from offchain.ledger.node_thread import new_loop
from offchain.ledger.transport.frames import FrameWriter
from offchain.ledger.transport.handshake import REPLY_BYTES, Dialler, Party
from offchain.ledger.transport.links import LinkLimits, Links
from offchain.ledger.types import ReplicaId

INSTANCE = InstanceId(bytes(range(32)))
IDENTITIES = [Identity(bytes([0] * 31 + [number])) for number in range(1, 6)]
MEMBERS = tuple(identity.address for identity in IDENTITIES[:4])
LIMITS = LinkLimits(
    handshake=0.4, dials=2, idle=30.0, first_redial=0.02, longest_redial=0.1, first_pause=0.15, longest_pause=1.2
)
HOST = "127.0.0.1"


class Inbox:
    """Notes what its links say. A payload `bad` is one that does not decode."""

    def __init__(self) -> None:
        self.got: list[tuple[int, bytes]] = []
        self.ups: list[int] = []
        self.downs: list[int] = []

    def link_up(self, peer: ReplicaId) -> None:
        self.ups.append(peer)

    def link_down(self, peer: ReplicaId) -> None:
        self.downs.append(peer)

    def payloads(self, peer: ReplicaId, payloads: list[bytes]) -> None:
        for payload in payloads:
            if payload == b"bad":
                raise Rejected("no message")
            self.got.append((peer, payload))


class Mesh:
    """Some replicas of four in one loop; the tests play the others by hand."""

    def __init__(self, *present: int, limits: LinkLimits = LIMITS) -> None:
        self.endpoints = [(HOST, port) for port in free_ports(4)]
        self.limits = limits
        self.inboxes = {me: Inbox() for me in present}
        self.links = {me: self.make(me, self.inboxes[me]) for me in present}

    def make(self, me: int, inbox: Inbox) -> Links:
        return Links(party(me), self.endpoints, self.endpoints[me], inbox, self.limits)

    async def __aenter__(self) -> "Mesh":
        for links in self.links.values():
            await links.start()
        await until(lambda: all(links.connected == self.links.keys() - {me} for me, links in self.links.items()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for links in self.links.values():
            await links.stop()


def party(me: int) -> Party:
    return Party(INSTANCE, ReplicaId(me), MEMBERS, IDENTITIES[me])


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await work()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(bounded())


async def dial_by_hand(
    mesh: Mesh, who: Party, to: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, FrameWriter]:
    """A peer that speaks the protocol but is ours to misbehave with."""
    reader, writer = await asyncio.open_connection(*mesh.endpoints[to])
    dialler = Dialler(who, ReplicaId(to), secrets.token_bytes(32))
    writer.write(dialler.hello)
    finish, keys = dialler.answer(await reader.readexactly(REPLY_BYTES))
    writer.write(finish)
    return reader, writer, FrameWriter(keys.send)


async def closed(reader: asyncio.StreamReader) -> None:
    """Returns when the other side hangs up."""
    async with asyncio.timeout(3):
        with suppress(ConnectionError):
            while await reader.read(65_536):
                pass


async def talks(mesh: Mesh, sender: int, receiver: int) -> None:
    text = secrets.token_bytes(8)
    mesh.links[sender].send(ReplicaId(receiver), text)
    await until(lambda: (sender, text) in mesh.inboxes[receiver].got)


def test_all_pairs_talk_and_keep_order() -> None:
    async def work() -> None:
        async with Mesh(0, 1, 2, 3) as mesh:
            sent = [secrets.token_bytes(size) for size in (0, 1, 100, 200_000, 1 << 20, 3)]
            for me, links in mesh.links.items():
                for payload in sent[:-1]:
                    links.broadcast(payload)
                links.send(ReplicaId((me + 1) % 4), sent[-1])
            await until(lambda: all(len(inbox.got) == 3 * 5 + 1 for inbox in mesh.inboxes.values()))
            for me, inbox in mesh.inboxes.items():
                for peer in set(range(4)) - {me}:
                    got = [payload for sender, payload in inbox.got if sender == peer]
                    assert got == (sent if me == (peer + 1) % 4 else sent[:-1])

    run(work)


def test_a_replica_that_comes_back_is_linked_again() -> None:
    async def work() -> None:
        async with Mesh(0, 1, 2, 3) as mesh:
            await mesh.links[1].stop()
            await until(lambda: all(1 not in mesh.links[peer].connected for peer in (0, 2, 3)))
            mesh.inboxes[1] = Inbox()
            mesh.links[1] = mesh.make(1, mesh.inboxes[1])
            await mesh.links[1].start()
            await until(lambda: mesh.links[1].connected == {0, 2, 3})
            await talks(mesh, 0, 1)
            await talks(mesh, 1, 3)
            assert mesh.inboxes[0].downs == [1]
            assert mesh.links[0].counters().cut_off == 0

    run(work)


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"\x00\x00\x00\x08garbage." + bytes(16), id="garbage"),
        pytest.param(b"\xff\xff\xff\xff", id="oversize"),
        pytest.param(None, id="does not decode"),
    ],
)
def test_a_peer_that_breaks_the_rules_is_cut_off_for_a_while(stream: bytes | None) -> None:
    async def work() -> None:
        async with Mesh(1, 2, 3) as mesh:
            loop = asyncio.get_running_loop()
            for expected in (0.15, 0.3):
                reader, writer, frames = await dial_by_hand(mesh, party(0), 2)
                await until(lambda: 0 in mesh.links[2].connected)
                begun = loop.time()
                writer.write(frames.seal([b"bad"]) if stream is None else stream)
                await closed(reader)
                # While the pause lasts it is refused, and the others are served.
                reader, _, _ = await dial_by_hand(mesh, party(0), 2)
                await closed(reader)
                assert mesh.links[2].connected == {1, 3}
                await talks(mesh, 1, 2)
                await talks(mesh, 2, 3)
                while 0 not in mesh.links[2].connected:
                    await asyncio.sleep(0.02)
                    _, writer, _ = await dial_by_hand(mesh, party(0), 2)
                    await asyncio.sleep(0.02)
                assert expected <= loop.time() - begun < expected + 0.5
                writer.close()
                await until(lambda: 0 not in mesh.links[2].connected)
            assert mesh.links[2].counters().cut_off == 2
            assert mesh.links[1].connected == {2, 3}

    run(work)


def test_a_peer_that_does_not_read_is_cut_off() -> None:
    async def work() -> None:
        async with Mesh(1, 2, 3, limits=replace(LIMITS, queue=1 << 20)) as mesh:
            _, writer, _ = await dial_by_hand(mesh, party(0), 2)
            await until(lambda: 0 in mesh.links[2].connected)
            # The sleeper's stream stops reading at 64 KiB; the kernel takes some megabytes.
            for _ in range(60):
                mesh.links[2].broadcast(bytes(200_000))
                await asyncio.sleep(0.005)
                if 0 not in mesh.links[2].connected:
                    break
            assert mesh.links[2].connected == {1, 3}
            assert mesh.links[2].counters().cut_off == 1
            await talks(mesh, 2, 1)
            assert all(len(payload) in (8, 200_000) for _, payload in mesh.inboxes[1].got)
            writer.close()

    run(work)


def test_who_connects_as_somebody_else_is_refused() -> None:
    async def work() -> None:
        async with Mesh(1, 2, 3) as mesh:
            for impostor in (IDENTITIES[4], IDENTITIES[3]):
                reader, writer, _ = await dial_by_hand(mesh, replace(party(0), identity=impostor), 2)
                await closed(reader)
                writer.close()
            assert mesh.links[2].connected == {1, 3}
            assert mesh.links[2].counters().refused == 2
            assert mesh.links[2].counters().cut_off == 0, "the honest replica must not pay for the impostor"

    run(work)


def test_a_second_connection_takes_the_place_of_the_first() -> None:
    """The first one may be dead without our knowing: its peer's machine went down."""

    async def work() -> None:
        async with Mesh(1, 2, 3) as mesh:
            first, first_writer, _ = await dial_by_hand(mesh, party(0), 2)
            await until(lambda: 0 in mesh.links[2].connected)
            _, writer, frames = await dial_by_hand(mesh, party(0), 2)
            await closed(first)
            writer.write(frames.seal([b"me again"]))
            await until(lambda: (0, b"me again") in mesh.inboxes[2].got)
            assert mesh.inboxes[2].downs == [], "the core must not think the peer gone"
            first_writer.close()
            writer.close()

    run(work)


def test_strangers_who_say_nothing_do_not_stay() -> None:
    async def work() -> None:
        async with Mesh(0, 1, 2, 3) as mesh:
            silent = [await asyncio.open_connection(*mesh.endpoints[2]) for _ in range(10)]
            await until(lambda: mesh.links[2].counters().handshakes_pending == 10)
            for reader, writer in silent:
                await closed(reader)
                writer.close()
            assert mesh.links[2].counters().handshakes_pending == 0

    run(work)


def test_a_flood_of_connections_is_bounded_and_harms_no_link() -> None:
    async def work() -> None:
        async with Mesh(0, 1, 2, 3, limits=replace(LIMITS, handshake=5.0)) as mesh:
            flood = []
            for _ in range(200):
                flood.append(await asyncio.open_connection(*mesh.endpoints[3]))
                assert mesh.links[3].counters().handshakes_pending <= 4 * 4 + 64
            await until(lambda: mesh.links[3].counters().refused > 100)
            await talks(mesh, 0, 3)
            await talks(mesh, 3, 1)
            for _, writer in flood:
                writer.close()

    run(work)


def test_a_silent_link_is_given_up() -> None:
    async def work() -> None:
        async with Mesh(0, 1, 2, 3, limits=replace(LIMITS, idle=0.3)) as mesh:
            await until(lambda: bool(mesh.inboxes[2].downs))
            await until(lambda: mesh.links[2].connected == {0, 1, 3})

    run(work)


def test_an_address_in_use_is_said() -> None:
    async def work() -> None:
        async with Mesh(0, 1) as mesh:
            with pytest.raises(Rejected, match="another process"):
                await mesh.make(1, Inbox()).start()

    run(work)
