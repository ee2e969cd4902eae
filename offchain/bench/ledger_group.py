"""A group of the real state machines on an emulated network: sizes are those of their encoded messages in frames.

Everything is given to its creators at once, links idle, everybody connected. Journals and CPU take no time.
"""

from collections.abc import Sequence as Sequence_
from dataclasses import dataclass
from hashlib import sha256

from offchain.bench.ledger_network import MILLISECOND, SECOND, Links, Nanos, Network, VirtualClock
from offchain.errors import Bug
from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.pbft.codec import encode
from offchain.ledger.pbft.effects import (
    Accuse,
    Broadcast,
    CancelTimer,
    Connected,
    Effect,
    Executed,
    Persist,
    Received,
    Restart,
    Send,
    SetTimer,
    Submitted,
    TimedOut,
    Timer,
)
from offchain.ledger.pbft.messages import Bundle, Message
from offchain.ledger.pbft.replica import Replica
from offchain.ledger.transport.frames import OVERHEAD_BYTES
from offchain.ledger.types import Digest, Millis, ReplicaId

EPOCH = 1_700_000_000_000
"""Unix time in milliseconds when virtual time begins."""


class Counting:
    """An application without content: remembers how much it executed, in which order."""

    def __init__(self) -> None:
        self.count = 0
        self._chain = sha256()

    def is_valid(self, request: bytes) -> bool:
        """Everything is."""
        return len(request) > 0

    def is_settled(self, request: bytes) -> bool:  # noqa: ARG002
        """Nothing is sent twice here."""
        return False

    def execute(self, time: Millis, requests: Sequence_[bytes]) -> list[bytes]:
        """Counts them."""
        self._chain.update(time.to_bytes(8))
        self.count += len(requests)
        for request in requests:
            self._chain.update(request)
        return [b""] * len(requests)

    def digest(self) -> Digest:
        """Of everything that was executed."""
        return Digest(self._chain.digest())

    def snapshot(self) -> bytes:
        """Not the state: nobody fetches it in a run without faults."""
        return self.digest()

    def restore(self, snapshot: bytes) -> None:
        """Raises Bug: see `snapshot`."""
        raise Bug(f"the emulated benchmark transferred state: {snapshot.hex()}")


class NoSigner:
    """Only view changes are signed, and the emulation has none."""

    def sign(self, text: bytes) -> bytes:
        """Raises Bug."""
        raise Bug(f"the emulated benchmark changed views: {text[:32].hex()}")

    def verify(self, replica: ReplicaId, text: bytes, signature: bytes) -> bool:
        """Raises Bug."""
        raise Bug(f"the emulated benchmark changed views: {replica} said {text[:32].hex()}, {signature.hex()}")


class Group:
    """Replicas on an emulated network."""

    def __init__(self, links: Links, timeout: int) -> None:
        self.clock = VirtualClock()
        self.network = Network[Message](links, self.clock, self._receive)
        self.applications = [Counting() for _ in range(links.size)]
        self.executed_at: list[Nanos] = [0] * links.size
        self.batches = [0] * links.size
        self.finished: set[int] = set()
        self._wanted = 0
        self._timers: list[dict[Timer, int]] = [{} for _ in range(links.size)]
        self._size = links.size
        self.configs = [
            GroupConfig(links.size, ReplicaId(me), timeout=timeout, status_every=timeout // 2)
            for me in range(links.size)
        ]
        self.replicas = [
            Replica(config, application, NoSigner())
            for config, application in zip(self.configs, self.applications, strict=True)
        ]

    def start(self) -> None:
        """Starts and connects all."""
        for me, replica in enumerate(self.replicas):
            self._do(me, replica.start(self._now()))
        for me, replica in enumerate(self.replicas):
            for peer in range(self._size):
                if peer != me:
                    self._do(me, replica.handle(Connected(ReplicaId(peer)), self._now()))

    def submit_all(self, loads: Sequence_[Sequence_[bytes]]) -> None:
        """Give each replica its requests, at once, a bundle's worth at a time."""
        self._wanted = sum(map(len, loads))
        for me, requests in enumerate(loads):
            for part in bundled(requests, self.configs[me].max_bundle_bytes):
                self._do(me, self.replicas[me].handle(Submitted(part), self._now()))

    def _now(self) -> Millis:
        return Millis(EPOCH + self.clock.now // MILLISECOND)

    def _receive(self, to: ReplicaId, sender: ReplicaId, message: Message) -> None:
        self._do(to, self.replicas[to].handle(Received(sender, message), self._now()))

    def _do(self, me: int, effects: Sequence_[Effect]) -> None:
        for effect in effects:
            match effect:
                case Broadcast(message, first):
                    self._broadcast(me, message, first)
                case Send(to, message):
                    self.network.send(ReplicaId(me), to, message, OVERHEAD_BYTES + len(encode(message)))
                case SetTimer(timer, after):
                    self._set(me, timer, after)
                case CancelTimer(timer):
                    self._timers[me].pop(timer, None)
                case Executed():
                    self._note(me)
                case Accuse(peer, reason):
                    raise Bug(f"replica {me} accuses {peer} in a run without faults: {reason}")
                case Persist() | Restart():
                    pass

    def _broadcast(self, me: int, message: Message, first: ReplicaId | None) -> None:
        """In the order of `Links.broadcast`."""
        size = OVERHEAD_BYTES + len(encode(message))
        peers = (*range(me + 1, self._size), *range(me))
        for peer in sorted(peers, key=lambda peer: peer != first):
            self.network.send(ReplicaId(me), ReplicaId(peer), message, size)

    def _note(self, me: int) -> None:
        self.executed_at[me] = self.clock.now
        self.batches[me] += 1
        if self.applications[me].count == self._wanted:
            self.finished.add(me)

    def _set(self, me: int, timer: Timer, after: Millis) -> None:
        mark = self._timers[me].get(timer, 0) + 1
        self._timers[me][timer] = mark
        self.clock.at(self.clock.now + after * MILLISECOND, self._ring, me, timer, mark)

    def _ring(self, me: int, timer: Timer, mark: int) -> None:
        if self._timers[me].get(timer) == mark:
            self._do(me, self.replicas[me].handle(TimedOut(timer), self._now()))


def bundled(requests: Sequence_[bytes], limit: int) -> list[tuple[bytes, ...]]:
    """Requests in parts of at most `limit` encoded bytes as bundles, in order."""
    parts: list[tuple[bytes, ...]] = []
    part: list[bytes] = []
    overhead = len(encode(Bundle(())))
    each = len(encode(Bundle((b"",)))) - overhead
    size = overhead
    for request in requests:
        if part and size + each + len(request) > limit:
            parts.append(tuple(part))
            part, size = [], overhead
        part.append(request)
        size += each + len(request)
    return [*parts, tuple(part)] if part else parts


@dataclass(frozen=True, slots=True)
class Outcome:
    """When a quorum, and when everybody, had executed everything, after it was submitted; in how many batches."""

    quorum: Nanos
    everybody: Nanos
    batches: int


def emulate(links: Links, loads: Sequence_[Sequence_[bytes]], timeout: int, deadline: Nanos) -> Outcome:
    """Runs a group that is given `loads[i]` at replica i. `timeout`: its first time-out, in milliseconds.

    Raises Bug if not all have executed everything, in one order, by `deadline` after that.
    """
    group = Group(links, timeout)
    group.start()
    group.clock.run(lambda: False, timeout * MILLISECOND // 4)
    began = timeout * MILLISECOND // 4
    group.clock.at(began, group.submit_all, loads)
    wanted = sum(map(len, loads))
    if not group.clock.run(lambda: len(group.finished) == links.size, began + deadline) and wanted:
        counts = [application.count for application in group.applications]
        raise Bug(f"after {deadline / SECOND} s the replicas have executed {counts} of {wanted}")
    if len({application.digest() for application in group.applications}) != 1:
        raise Bug("the replicas differ after they have executed everything")
    times = sorted(moment - began for moment in group.executed_at)
    return Outcome(times[group.configs[0].quorum - 1], times[-1], max(group.batches))
