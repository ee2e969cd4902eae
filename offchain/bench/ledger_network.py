"""An emulated network for the ledger's replicas: virtual time, one shared link each, seeded latencies.

Every replica has one link of so many bits a second each way, which all its peers share, as at a hosted machine;
between two replicas there is a latency. Each ordered pair has one stream, as TCP gives it: frames arrive whole and in
order. The link serves its streams in turn, a packet of at most 1,460 bytes at a time, small frames of one stream
together in a packet; at the receiver packets queue for its link in the order in which they reach it. A packet's bits
pass both links at once (cut-through), so that s bytes on an idle network take s/bandwidth + latency.

Not counted: the time of CPUs and discs, headers of TCP and IP, TCP's slow start, losses.
"""

import heapq
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Generic, TypeVar

from offchain.ledger.types import ReplicaId

T = TypeVar("T")

PACKET_BYTES = 1_460
"""What one Ethernet frame carries of a TCP stream."""

Nanos = int
"""Virtual time in nanoseconds since the start."""
SECOND: Nanos = 1_000_000_000
MILLISECOND: Nanos = 1_000_000


@dataclass(frozen=True, slots=True)
class Links:
    """`bandwidth` of each link in bits a second, each way; `latency[a][b]` = `latency[b][a]` in nanoseconds."""

    bandwidth: float
    latency: tuple[tuple[Nanos, ...], ...]

    @property
    def size(self) -> int:
        """How many replicas."""
        return len(self.latency)

    def duration(self, size: int) -> Nanos:
        """How long `size` bytes occupy a link."""
        return round(size * 8 * SECOND / self.bandwidth)


def seeded_links(replicas: int, bandwidth: float, seed: int, shortest: float = 30, longest: float = 300) -> Links:
    """Latencies between replicas that stand evenly strewn on a sphere: from `shortest` milliseconds for neighbours to
    `longest` for antipodes, linear in the distance between.

    So no way over a third replica is shorter than the direct one, as is nearly so in real networks; latencies drawn for
    each pair apart would make relaying pay.
    """
    draw = random.Random(f"links {replicas} {seed}")
    places = [_on_sphere(draw) for _ in range(replicas)]
    latency = [[0] * replicas for _ in range(replicas)]
    for low in range(replicas):
        for high in range(low + 1, replicas):
            cosine = sum(a * b for a, b in zip(places[low], places[high], strict=True))
            angle = math.acos(max(-1.0, min(1.0, cosine))) / math.pi
            latency[low][high] = latency[high][low] = round((shortest + (longest - shortest) * angle) * MILLISECOND)
    return Links(bandwidth, tuple(tuple(row) for row in latency))


def _on_sphere(draw: random.Random) -> tuple[float, float, float]:
    height, turn = draw.uniform(-1, 1), draw.uniform(0, 2 * math.pi)
    radius = math.sqrt(1 - height * height)
    return radius * math.cos(turn), radius * math.sin(turn), height


class VirtualClock:
    """Runs what was scheduled, in order of time; what is due at the same time, in the order of scheduling."""

    def __init__(self) -> None:
        self.now: Nanos = 0
        self._due: list[tuple[Nanos, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = count()

    def at(self, moment: Nanos, action: Callable[..., None], *arguments: Any) -> None:
        """Do `action` at `moment`, which is not past."""
        heapq.heappush(self._due, (moment, next(self._order), action, arguments))

    def run(self, finished: Callable[[], bool], deadline: Nanos) -> bool:
        """Goes on until `finished` says so; False if before that nothing is left to do, or `deadline` passes."""
        while not finished():
            if not self._due or self._due[0][0] > deadline:
                return False
            self.now, _, action, arguments = heapq.heappop(self._due)
            action(*arguments)
        return True


class _Stream(Generic[T]):
    """Frames that wait for one peer: [message, bytes that are left of it]."""

    __slots__ = ("frames", "to")

    def __init__(self, to: int) -> None:
        self.to = to
        self.frames: deque[tuple[T, int]] = deque()

    def take(self) -> tuple[int, list[T]]:
        """The next packet: its bytes, and the messages that end in it."""
        room, ended = PACKET_BYTES, []
        while self.frames and room:
            message, left = self.frames[0]
            if left > room:
                self.frames[0] = (message, left - room)
                room = 0
            else:
                self.frames.popleft()
                ended.append(message)
                room -= left
        return PACKET_BYTES - room, ended


class Network(Generic[T]):
    """Carries messages; `deliver(to, sender, message)` is called when the last bit of one has come in."""

    def __init__(self, links: Links, clock: VirtualClock, deliver: Callable[[ReplicaId, ReplicaId, T], None]) -> None:
        self._links, self._clock, self._deliver = links, clock, deliver
        size = links.size
        self._streams = [[_Stream[T](to) for to in range(size)] for _ in range(size)]
        self._waiting: list[deque[_Stream[T]]] = [deque() for _ in range(size)]
        self._sending = [False] * size
        self._received_until: list[Nanos] = [0] * size
        self.sent_bytes = [0] * size

    def send(self, sender: ReplicaId, to: ReplicaId, message: T, size: int) -> None:
        """Queue a frame of `size` bytes behind what the sender has for the same peer."""
        stream = self._streams[sender][to]
        if not stream.frames:
            self._waiting[sender].append(stream)
        stream.frames.append((message, size))
        if not self._sending[sender]:
            # Not at once: what one step of a replica sends to a peer leaves together.
            self._sending[sender] = True
            self._clock.at(self._clock.now, self._next_packet, sender)

    def _next_packet(self, sender: int) -> None:
        waiting = self._waiting[sender]
        if not waiting:
            self._sending[sender] = False
            return
        stream = waiting.popleft()
        size, ended = stream.take()
        if stream.frames:
            waiting.append(stream)
        self.sent_bytes[sender] += size
        now, duration = self._clock.now, self._links.duration(size)
        self._clock.at(now + self._links.latency[sender][stream.to], self._reach, sender, stream.to, duration, ended)
        self._clock.at(now + duration, self._next_packet, sender)

    def _reach(self, sender: ReplicaId, to: ReplicaId, duration: Nanos, ended: list[T]) -> None:
        until = max(self._received_until[to], self._clock.now) + duration
        self._received_until[to] = until
        if ended:
            self._clock.at(until, self._complete, sender, to, ended)

    def _complete(self, sender: ReplicaId, to: ReplicaId, ended: list[T]) -> None:
        for message in ended:
            self._deliver(to, sender, message)
