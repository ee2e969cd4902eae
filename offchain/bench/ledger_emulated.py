"""The paper's Table 5: how long the real state machines take over an emulated network, beside the lower bound.

The replicas are `Replica` itself, the sizes those of its encoded messages with the links' framing; network and clock
are `ledger_network`. Everything is given to its creators at time 0, links idle, everybody connected. Requests have the
size of the paper's (Table 3: 304 bytes with its signature) and no content; what clients send to replicas isn't counted.
"""

import random
from collections.abc import Sequence as Sequence_
from dataclasses import dataclass
from hashlib import sha256

from offchain.bench.ledger_bound import Bound, Traffic, lower_bound
from offchain.bench.ledger_network import MILLISECOND, SECOND, Links, Nanos, Network, VirtualClock, seeded_links
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
from offchain.ledger.pbft.messages import Batch, Bundle, Commit, Message, Prepare, PrePrepare
from offchain.ledger.pbft.replica import Replica
from offchain.ledger.types import Digest, Millis, ReplicaId, Sequence, View

FRAME_BYTES = 4 + 16
"""Length and MAC around each message (docs/ledger.md)."""
EPOCH = 1_700_000_000_000
"""Unix time in milliseconds when virtual time begins."""
REQUEST_BYTES = 304
MEGABIT = 1_000_000

SCENARIOS = ((100, 10), (100, 30), (1_000, 30), (100, 50), (200, 50), (5_000, 50), (10_000, 50))
"""Transactions and replicas of the rows."""
BANDWIDTHS = (0.1, 30.0, 125.0)
"""Megabits a second of the columns."""
PAPER: dict[tuple[int, int], tuple[float | None, float | None, float | None]] = {
    (100, 10): (8.609, 1.494, 1.497),
    (100, 30): (8.707, 1.685, 1.755),
    (1_000, 30): (73.536, 1.682, 1.833),
    (100, 50): (8.697, 1.842, 1.752),
    (200, 50): (15.984, 1.908, 1.893),
    (5_000, 50): (37.532, 1.767, 1.678),
    (10_000, 50): (None, 7.215, 2.074),
}
"""Proof of Training, Table 5, in seconds."""
AT_ALL, AT_ONE = "at all", "at one"


@dataclass(frozen=True, slots=True)
class Row:
    """One emulation. Times in seconds; `ratio` is `everybody` over its bound.

    `bound_any_way`: for everybody, however bundles are spread. `batches`: that were executed. `timeout`: the group's,
    longer than usual where the bound asks for it. `paper`: its figure.
    """

    transactions: int
    replicas: int
    mbps: float
    arriving: str
    quorum: float
    everybody: float
    bound_quorum: float
    bound: float
    bound_any_way: float
    ratio: float
    batches: int
    timeout: float
    paper: float | None


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
        self.finished = 0
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
                    size = FRAME_BYTES + len(encode(message))
                    # As `Links.broadcast`.
                    peers = (*range(me + 1, self._size), *range(me))
                    for peer in sorted(peers, key=lambda peer, first=first: peer != first):  # type: ignore[misc]
                        self.network.send(ReplicaId(me), ReplicaId(peer), message, size)
                case Send(to, message):
                    self.network.send(ReplicaId(me), to, message, FRAME_BYTES + len(encode(message)))
                case SetTimer(timer, after):
                    self._set(me, timer, after)
                case CancelTimer(timer):
                    self._timers[me].pop(timer, None)
                case Executed():
                    self.executed_at[me] = self.clock.now
                    self.batches[me] += 1
                    self.finished += self.applications[me].count == self._wanted
                case Accuse(peer, reason):
                    raise Bug(f"replica {me} accuses {peer} in a run without faults: {reason}")
                case Persist() | Restart():
                    pass

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
    if not group.clock.run(lambda: group.finished == links.size, began + deadline) and wanted:
        counts = [application.count for application in group.applications]
        raise Bug(f"after {deadline / SECOND} s the replicas have executed {counts} of {wanted}")
    if len({application.digest() for application in group.applications}) != 1:
        raise Bug("the replicas differ after they have executed everything")
    times = sorted(moment - began for moment in group.executed_at)
    return Outcome(times[group.configs[0].quorum - 1], times[-1], max(group.batches))


def traffic(loads: Sequence_[Sequence_[bytes]], limit: int) -> Traffic:
    """Bytes of frames that a run with these loads cannot do without."""
    parts = [bundled(load, limit) for load in loads]
    sizes = tuple(sum(FRAME_BYTES + len(encode(Bundle(part))) for part in mine) for mine in parts)
    digests = [Digest(bytes(32))] * sum(len(mine) for mine in parts)
    view, first, nothing = View(0), Sequence(1), Digest(bytes(32))

    def preprepare(count: int) -> int:
        return FRAME_BYTES + len(encode(PrePrepare(view, first, Batch(Millis(EPOCH), tuple(digests[:count])))))

    prepare, commit = (FRAME_BYTES + len(encode(kind(view, first, nothing))) for kind in (Prepare, Commit))
    return Traffic(sizes, preprepare(1), preprepare(len(digests)), prepare, commit)


def run(
    scenarios: Sequence_[tuple[int, int]] = SCENARIOS, bandwidths: Sequence_[float] = BANDWIDTHS, seed: int = 0
) -> list[Row]:
    """Every scenario at every bandwidth: transactions that arrive at all replicas, then at one."""
    return [
        measure(transactions, replicas, mbps, spread=spread, seed=seed)
        for spread in (True, False)
        for transactions, replicas in scenarios
        for mbps in bandwidths
    ]


def measure(
    transactions: int, replicas: int, mbps: float, *, spread: bool, seed: int, request_bytes: int = REQUEST_BYTES
) -> Row:
    """One row. `spread`: the transactions arrive evenly at all replicas; else all at the one after the primary."""
    links = seeded_links(replicas, mbps * MEGABIT, seed)
    config = GroupConfig(replicas, ReplicaId(0))
    loads = share(requests(transactions, request_bytes, seed), replicas, spread=spread)
    least = traffic(loads, config.max_bundle_bytes)
    bound = lower_bound(links, config.quorum, 0, least)
    any_way = lower_bound(links, config.quorum, 0, least, relayed=True)
    timeout = patient_timeout(bound, config)
    outcome = emulate(links, loads, timeout, 20 * bound.everybody)
    return Row(
        transactions=transactions,
        replicas=replicas,
        mbps=mbps,
        arriving=AT_ALL if spread else AT_ONE,
        quorum=outcome.quorum / SECOND,
        everybody=outcome.everybody / SECOND,
        bound_quorum=bound.quorum / SECOND,
        bound=bound.everybody / SECOND,
        bound_any_way=any_way.everybody / SECOND,
        ratio=outcome.everybody / bound.everybody,
        batches=outcome.batches,
        timeout=timeout / 1_000,
        paper=PAPER[transactions, replicas][BANDWIDTHS.index(mbps)] if (transactions, replicas) in PAPER else None,
    )


def patient_timeout(bound: Bound, config: GroupConfig) -> int:
    """Milliseconds: the group's own, or on links that are slower than that four times what the bound asks for."""
    needed = 4 * -(-bound.everybody // SECOND) * 1_000
    return needed if bound.everybody > config.timeout * MILLISECOND // 2 else config.timeout


def requests(count: int, size: int, seed: int) -> list[bytes]:
    """Distinct requests of `size` bytes."""
    draw = random.Random(f"requests {seed}")
    return [number.to_bytes(8) + draw.randbytes(size - 8) for number in range(count)]


def share(everything: Sequence_[bytes], replicas: int, *, spread: bool) -> list[Sequence_[bytes]]:
    """What each replica is given."""
    if spread:
        return [everything[me::replicas] for me in range(replicas)]
    return [everything if me == 1 else () for me in range(replicas)]
