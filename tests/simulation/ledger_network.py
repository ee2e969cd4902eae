"""Links between replicas that lose, delay, double, reorder, replay, break and come back, by seed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from offchain.ledger.types import ReplicaId
from tests.simulation.ledger_time import Queue

FRAME = 1 << 20
"""Longest payload that a link carries, bytes; a longer one costs the sender its connection."""
KEPT = 24
"""Old messages of each link that may be replayed."""

Link = tuple[ReplicaId, ReplicaId]


@dataclass(slots=True)
class Weather:
    """What happens to a message. `latency`, `jitter`, `stall`: milliseconds; the others: probabilities.

    `stall`: how late a message is that is unlucky (`stalled`). `bandwidth`: bytes a millisecond for all that one
    replica sends; 0: unlimited.
    """

    latency: float = 5.0
    jitter: float = 20.0
    loss: float = 0.0
    doubled: float = 0.0
    stalled: float = 0.0
    stall: float = 0.0
    replayed: float = 0.0
    bandwidth: float = 0.0


@dataclass(slots=True)
class Network:
    """Carries bytes from replica to replica; `deliver(sender, to, data)` hands them over."""

    queue: Queue
    rng: Random
    replicas: int
    deliver: Callable[[ReplicaId, ReplicaId, bytes], None]
    connected: Callable[[ReplicaId, ReplicaId], None]
    """`connected(a, b)`: tells a that its link to b stands again."""
    weather: Weather = field(default_factory=Weather)
    blocked: set[Link] = field(default_factory=set)
    muffled: dict[int, float] = field(default_factory=dict)
    """By a message's first byte, which is its kind: the share that is lost."""
    sent: int = 0
    _old: dict[Link, list[bytes]] = field(default_factory=dict)
    _busy_until: dict[ReplicaId, float] = field(default_factory=dict)

    def send(self, sender: ReplicaId, to: ReplicaId, data: bytes) -> None:
        """Lets the weather decide."""
        self.sent += 1
        link, weather, rng = (sender, to), self.weather, self.rng
        if link in self.blocked or (weather.loss and rng.random() < weather.loss):
            return
        if self.muffled and rng.random() < self.muffled.get(data[0] if data else 0, 0.0):
            return
        if weather.replayed:
            self._replay(link, data)
        self._carry(link, data)
        if weather.doubled and rng.random() < weather.doubled:
            self._carry(link, data)

    def _carry(self, link: Link, data: bytes) -> None:
        weather, rng = self.weather, self.rng
        delay = weather.latency + rng.random() * weather.jitter
        if weather.stalled and rng.random() < weather.stalled:
            delay += rng.random() * weather.stall
        if weather.bandwidth:
            free = max(self._busy_until.get(link[0], 0.0), self.queue.now) + len(data) / weather.bandwidth
            self._busy_until[link[0]] = free
            delay += free - self.queue.now
        self.queue.after(delay, lambda: self.deliver(link[0], link[1], data))

    def _replay(self, link: Link, data: bytes) -> None:
        """Sometimes a message of long ago comes again: frames that wait in a buffer of a former connection."""
        old = self._old.setdefault(link, [])
        if len(old) < KEPT:
            old.append(data)
        else:
            old[self.rng.randrange(KEPT)] = data
        if self.rng.random() < self.weather.replayed:
            self._carry(link, self.rng.choice(old))

    def block(self, links: set[Link]) -> None:
        """Only these directions are cut from now on; whoever gets a link back is told."""
        healed = self.blocked - links
        self.blocked = set(links)
        for a, b in {(min(link), max(link)) for link in healed}:
            self.reconnect(a, b)

    def reconnect(self, a: ReplicaId, b: ReplicaId) -> None:
        """Both ends learn of a new connection, if there can be one."""
        if (a, b) in self.blocked or (b, a) in self.blocked:
            return
        for one, other in ((a, b), (b, a)):
            self.queue.after(self.rng.random() * 20, lambda one=one, other=other: self.connected(one, other))  # type: ignore[misc]


def island(members: set[ReplicaId], replicas: int) -> set[Link]:
    """Cuts between members and all others, both ways."""
    ids = [ReplicaId(index) for index in range(replicas)]
    return {(a, b) for a in ids for b in ids if a != b and (a in members) != (b in members)}


def random_cut(rng: Random, replicas: int) -> set[Link]:
    """A partition, a cut one way only, one replica that hears nothing or is heard by nobody, or f+1 on an island."""
    ids = [ReplicaId(index) for index in range(replicas)]
    kind = rng.randrange(5)
    if kind == 0:
        return island(set(rng.sample(ids, rng.randint(1, replicas - 1))), replicas)
    if kind == 1:
        return island(set(rng.sample(ids, (replicas - 1) // 3 + 1)), replicas)
    one = rng.choice(ids)
    if kind == 2:
        return {(one, other) for other in ids if other != one}
    if kind == 3:
        return {(other, one) for other in ids if other != one}
    links = [(a, b) for a in ids for b in ids if a != b]
    return set(rng.sample(links, rng.randint(1, len(links) // 2)))
