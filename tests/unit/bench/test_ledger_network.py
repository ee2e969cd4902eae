"""The emulated network: what one link, one latency and one queue do to frames."""

import pytest

from offchain.bench.ledger_network import (
    MILLISECOND,
    PACKET_BYTES,
    SECOND,
    Links,
    Nanos,
    Network,
    VirtualClock,
    seeded_links,
)
from offchain.ledger.types import ReplicaId

LATENCY = 50 * MILLISECOND
BYTE = 80_000
"""Nanoseconds of a byte at 0.1 Mbps."""


class Wire:
    """A network that notes when what came in."""

    def __init__(self, replicas: int) -> None:
        rows = tuple(tuple(0 if a == b else LATENCY for b in range(replicas)) for a in range(replicas))
        self.clock = VirtualClock()
        self.got: list[tuple[Nanos, int, int, str]] = []
        self.network = Network[str](Links(100_000, rows), self.clock, self._note)

    def _note(self, to: ReplicaId, sender: ReplicaId, message: str) -> None:
        self.got.append((self.clock.now, to, sender, message))

    def send(self, sender: int, to: int, message: str, size: int) -> None:
        self.network.send(ReplicaId(sender), ReplicaId(to), message, size)

    def run(self) -> list[tuple[Nanos, int, int, str]]:
        assert not self.clock.run(lambda: False, 1_000 * SECOND)
        return self.got


@pytest.mark.parametrize("size", [1, PACKET_BYTES, PACKET_BYTES + 1, 100_000])
def test_an_idle_network_takes_the_bytes_and_one_latency(size: int) -> None:
    wire = Wire(2)
    wire.send(0, 1, "a", size)
    assert wire.run() == [(LATENCY + size * BYTE, 1, 0, "a")]


def test_peers_share_the_sender_s_link_in_turn() -> None:
    wire = Wire(3)
    wire.send(0, 1, "long", 10 * PACKET_BYTES)
    wire.send(0, 2, "short", PACKET_BYTES)
    packet = PACKET_BYTES * BYTE
    assert wire.run() == [(LATENCY + 2 * packet, 2, 0, "short"), (LATENCY + 11 * packet, 1, 0, "long")]


def test_senders_share_the_receiver_s_link() -> None:
    wire = Wire(3)
    wire.send(1, 0, "a", 1_000)
    wire.send(2, 0, "b", 1_000)
    assert wire.run() == [(LATENCY + 1_000 * BYTE, 0, 1, "a"), (LATENCY + 2_000 * BYTE, 0, 2, "b")]


def test_both_ways_at_once() -> None:
    wire = Wire(2)
    wire.send(0, 1, "a", 1_000)
    wire.send(1, 0, "b", 1_000)
    assert [moment for moment, *_ in wire.run()] == [LATENCY + 1_000 * BYTE] * 2


def test_a_stream_keeps_its_order_and_puts_small_frames_together() -> None:
    wire = Wire(2)
    for name in "abc":
        wire.send(0, 1, name, 100)
    assert wire.run() == [(LATENCY + 300 * BYTE, 1, 0, name) for name in "abc"]
    assert wire.network.sent_bytes == [300, 0]


def test_seeded_latencies_are_those_of_places() -> None:
    links = seeded_links(20, 1e6, seed=3)
    assert links == seeded_links(20, 1e6, seed=3)
    assert links != seeded_links(20, 1e6, seed=4)
    for a in range(20):
        for b in range(a):
            way = links.latency[a][b]
            assert 30 * MILLISECOND <= way <= 300 * MILLISECOND
            assert way == links.latency[b][a]
            assert all(way <= links.latency[a][c] + links.latency[c][b] for c in range(20) if c not in (a, b))
