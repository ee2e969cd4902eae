"""A group of replicas in one process: links in order, a clock that jumps from timer to timer, journals in lists."""

import heapq
from collections import deque
from collections.abc import Callable
from collections.abc import Sequence as Sequence_
from hashlib import sha256

from offchain.errors import Rejected
from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.pbft.codec import decode, encode
from offchain.ledger.pbft.effects import (
    Accuse,
    Broadcast,
    CancelTimer,
    Connected,
    Effect,
    Event,
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
from offchain.ledger.pbft.messages import Message
from offchain.ledger.pbft.replica import Replica
from offchain.ledger.types import Digest, Millis, ReplicaId

START = Millis(1_700_000_000_000)


class Log:
    """An application that remembers each request once, in order. Requests that begin with ! are invalid."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []

    def is_valid(self, request: bytes) -> bool:
        return not request.startswith(b"!")

    def is_settled(self, request: bytes) -> bool:
        return request in self.entries

    def execute(self, time: Millis, requests: Sequence_[bytes]) -> list[bytes]:
        results = []
        for request in requests:
            fresh = request not in self.entries
            if fresh:
                self.entries.append(request)
            results.append(b"done" if fresh else b"old")
        return results

    def digest(self) -> Digest:
        return Digest(sha256(self.snapshot()).digest())

    def snapshot(self) -> bytes:
        return b"".join(len(entry).to_bytes(2, "big") + entry for entry in self.entries)

    def restore(self, snapshot: bytes) -> None:
        entries, at = [], 0
        while at < len(snapshot):
            size = int.from_bytes(snapshot[at : at + 2], "big")
            entries.append(snapshot[at + 2 : at + 2 + size])
            if len(entries[-1]) != size:
                raise Rejected("no snapshot of a log")
            at += 2 + size
        self.entries = entries


class Stamp:
    """Signatures that only this class makes."""

    def __init__(self, me: ReplicaId) -> None:
        self._me = me

    def sign(self, text: bytes) -> bytes:
        return self._of(self._me, text)

    def verify(self, replica: ReplicaId, text: bytes, signature: bytes) -> bool:
        return signature == self._of(replica, text)

    def _of(self, replica: int, text: bytes) -> bytes:
        return sha256(b"secret %d" % replica + text).digest()


class Host:
    """One replica with its journal, timers and history."""

    def __init__(self, group: "Group", me: int) -> None:
        self.group = group
        self.me = ReplicaId(me)
        self.records: list[bytes] = []
        self.executed: dict[int, tuple[bytes, ...]] = {}
        self.accused: list[tuple[int, str]] = []
        self.sent: list[Message] = []
        self.timers: dict[Timer, int] = {}
        self.alive = True
        self.restart()

    def restart(self) -> None:
        self.log = Log()
        self.timers.clear()
        self.alive = True
        config = GroupConfig(self.group.size, self.me, **self.group.settings)
        self.replica = Replica.restore(config, self.log, Stamp(self.me), self.records)
        self.carry_out(self.replica.start(self.group.now))

    def crash(self) -> None:
        self.alive = False
        self.timers.clear()

    def handle(self, event: Event) -> None:
        if self.alive:
            self.carry_out(self.replica.handle(event, self.group.now))

    def submit(self, *requests: bytes) -> None:
        self.handle(Submitted(requests))

    def carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Persist(record):
                    self.records.append(record)
                case Restart(records):
                    self.records = list(records)
        for effect in effects:
            match effect:
                case Send(to, message):
                    self.post(message, to)
                case Broadcast(message):
                    self.post(message, *(peer for peer in range(self.group.size) if peer != self.me))
                case _:
                    self.note(effect)

    def note(self, effect: Effect) -> None:
        match effect:
            case SetTimer(timer, after):
                self.timers[timer] = self.group.ring(self.me, timer, after)
            case CancelTimer(timer):
                self.timers.pop(timer, None)
            case Executed(sequence, _, requests, results):
                assert len(requests) == len(results)
                assert self.executed.setdefault(sequence, requests) == requests
            case Accuse(peer, reason):
                self.accused.append((peer, reason))

    def post(self, message: Message, *peers: int) -> None:
        self.sent.append(message)
        data = encode(message)
        self.group.queue.extend((self.me, peer, data) for peer in peers)


class Group:
    """`drops(sender, receiver, message)` says what is lost."""

    def __init__(self, size: int = 4, **settings: int) -> None:
        self.size = size
        self.settings = settings
        self.now = START
        self.queue: deque[tuple[int, int, bytes]] = deque()
        self.drops: Callable[[int, int, Message], bool] = lambda *_: False
        self.hurries = True
        """Whether a primary's moment is over when all messages are delivered; else when its time has passed."""
        self._bells: list[tuple[int, int, int, Timer]] = []
        self._rung = 0
        self.hosts: list[Host] = []
        self.hosts = [Host(self, me) for me in range(size)]
        self.deliver()

    def __getitem__(self, me: int) -> Host:
        return self.hosts[me]

    def ring(self, me: int, timer: Timer, after: int) -> int:
        self._rung += 1
        heapq.heappush(self._bells, (self.now + after, self._rung, me, timer))
        return self._rung

    def deliver(self) -> None:
        """Until no message is left, nor anything that primaries wait for more bundles with."""
        while self.queue or self._end_moment():
            while self.queue:
                sender, to, data = self.queue.popleft()
                message = decode(data)
                if to < len(self.hosts) and self.hosts[to].alive and not self.drops(sender, to, message):
                    self.hosts[to].handle(Received(ReplicaId(sender), message))

    def _end_moment(self) -> bool:
        waiting = [host for host in self.hosts if Timer.BATCH in host.timers and self.hurries]
        for host in waiting:
            del host.timers[Timer.BATCH]
            host.handle(TimedOut(Timer.BATCH))
        return bool(waiting)

    def run(self, millis: int) -> None:
        """Lets time pass."""
        end = self.now + millis
        self.deliver()
        while self._bells and self._bells[0][0] <= end:
            at, number, me, timer = heapq.heappop(self._bells)
            self.now = Millis(max(self.now, at))
            host = self.hosts[me]
            if host.timers.get(timer) == number:
                del host.timers[timer]
                host.handle(TimedOut(timer))
                self.deliver()
        self.now = Millis(end)

    def heal(self) -> None:
        """Nothing is lost any more; links stand again."""
        self.drops = lambda *_: False
        for host in self.hosts:
            for peer in range(self.size):
                if peer != host.me:
                    host.handle(Connected(ReplicaId(peer)))
        self.deliver()

    def logs(self, *hosts: int) -> list[list[bytes]]:
        return [self.hosts[me].log.entries for me in (hosts or range(self.size))]


def cut(*isolated: int) -> Callable[[int, int, Message], bool]:
    """Drops what passes between these replicas and the others."""
    return lambda sender, to, _: (sender in isolated) != (to in isolated)
