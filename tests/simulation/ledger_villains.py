"""Byzantine replicas: a real replica inside, and tactics that bend what it hears and says. Keys: its own only."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from random import Random

from offchain.errors import Bug
from offchain.ledger.pbft import codec
from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.pbft.effects import Accuse, Effect, Event, Received
from offchain.ledger.pbft.messages import (
    Batch,
    Bundle,
    Fetch,
    Message,
    Offer,
    PrePrepare,
    Proposal,
    ViewChange,
)
from offchain.ledger.pbft.proposals import FEWEST, shorten
from offchain.ledger.types import Digest, ReplicaId, Sequence, View
from tests.simulation.ledger_hosts import Host, World
from tests.simulation.ledger_time import Clock

KNOWN = 64
"""How much of each kind a villain remembers."""

Parcel = tuple[ReplicaId, Message]


@dataclass(slots=True)
class Coven:
    """What the Byzantine replicas of a run tell each other: who they are, and who of the others is to see what."""

    members: dict[ReplicaId, "Villain"] = field(default_factory=dict)
    side: dict[ReplicaId, int] = field(default_factory=dict)
    """The correct replicas in two halves, for lies that differ."""
    history: dict[Sequence, Batch] = field(default_factory=dict)
    """What they have agreed to say was decided."""

    def false_digest(self, sequence: Sequence) -> Digest:
        """The state that they have agreed to vouch for."""
        return Digest(sha256(b"false" + sequence.to_bytes(8)).digest())

    def split(self, replicas: int, rng: Random) -> None:
        """Two halves anew."""
        others = [ReplicaId(index) for index in range(replicas) if index not in self.members]
        rng.shuffle(others)
        self.side = {replica: index % 2 for index, replica in enumerate(others)}


class Tactic:
    """One way to misbehave; this one does nothing. `every`: milliseconds between ticks, 0: none."""

    every = 0

    def __init__(self, villain: "Villain", rng: Random) -> None:
        self.villain, self.rng = villain, rng

    def incoming(self, sender: ReplicaId, message: Message) -> bool:
        """Whether the replica inside may hear it."""
        return True

    def outgoing(self, to: ReplicaId, message: Message) -> Iterable[Parcel]:
        """What is sent instead."""
        yield to, message

    def tick(self) -> None:
        """Something of its own accord."""


class Villain(Host):
    """A Byzantine replica's process. It does not crash, and nobody checks it."""

    def __init__(
        self, world: World, me: ReplicaId, config: GroupConfig, clock: Clock, rng: Random, coven: Coven
    ) -> None:
        super().__init__(world, me, config, clock, rng)
        self.coven = coven
        self.signer = world.secrets.signer(me)
        self.tactics: list[Tactic] = []
        self.batches: deque[PrePrepare] = deque(maxlen=KNOWN)
        self.bundles: deque[Bundle] = deque(maxlen=KNOWN)
        self.view_changes: dict[View, dict[ReplicaId, ViewChange]] = {}
        self.lies: dict[Digest, Message] = {}
        """What its lies refer to, for whoever asks."""
        self.said: deque[Parcel] = deque(maxlen=KNOWN)

    def start(self) -> None:
        """Also starts what the tactics do of their own accord."""
        super().start()
        for tactic in self.tactics:
            if tactic.every:
                self._tick(tactic)

    def _tick(self, tactic: Tactic) -> None:
        self.later(tactic.every * self.rng.uniform(0.5, 1.5), lambda: (tactic.tick(), self._tick(tactic)))  # type: ignore[func-returns-value]

    def later(self, delay: float, action: Callable[[], object]) -> None:
        """Does something in `delay` milliseconds."""
        self.world.queue.after(delay, action)

    def feed(self, event: Event) -> None:
        """Learns, and lets the tactics decide what the replica inside hears."""
        if isinstance(event, Received):
            self.learn(event.sender, event.message)
            allowed = [tactic.incoming(event.sender, event.message) for tactic in self.tactics]
            if not all(allowed):
                return
        super().feed(event)

    def learn(self, sender: ReplicaId, message: Message) -> None:
        """Remembers what may be useful."""
        match message:
            case PrePrepare():
                self.batches.append(message)
            case Bundle():
                self.bundles.append(message)
            case ViewChange():
                self.view_changes.setdefault(message.view, {})[message.replica] = message
            case Fetch():
                for digest in message.digests:
                    if digest in self.lies:
                        self.post(sender, self.lies[digest])
            case _:
                pass

    def emit(self, to: list[ReplicaId], message: Message) -> None:
        """Everything that the replica inside says goes through the tactics."""
        if isinstance(message, Proposal) and self.replica is not None:
            # Tactics bend whole batches; they are shortened again when they leave.
            batch = self.replica._state.batches[message.digest]
            message = PrePrepare(message.view, message.sequence, batch)
        self.learn(self.me, message)
        parcels: list[Parcel] = [(peer, message) for peer in to]
        for tactic in self.tactics:
            parcels = [bent for peer, said in parcels for bent in tactic.outgoing(peer, said)]
        for peer, said in parcels:
            self.post(peer, said)

    def post(self, to: ReplicaId, message: Message) -> None:
        """Sends as it is."""
        self.said.append((to, message))
        if isinstance(message, PrePrepare) and len(message.batch.bundles) >= FEWEST:
            message = shorten(message, codec.digest(message.batch))
        try:
            data = codec.encode(message)
        except Bug:  # no such bytes exist
            return
        self.post_bytes(to, data)

    def post_bytes(self, to: ReplicaId, data: bytes) -> None:
        """Sends any bytes."""
        if to != self.me:
            if self.world.trace:
                self.world.say(f"{self.me} => {to} {self.world.decode(data)!r:.300}")
            self.world.network.send(self.me, to, data)

    def accuse(self, effect: Accuse) -> None:
        """A villain's accusations mean nothing."""

    def _check_steps(self, effects: list[Effect]) -> None:
        self.register.history.clear()

    def sign(self, change: ViewChange) -> ViewChange:
        """A view change of ours, whatever it says."""
        own = replace(change, replica=self.me)
        signed = replace(own, signature=self.signer.sign(codec.encode(replace(own, signature=b""))))
        self.lies[codec.message_digest(signed)] = signed
        return signed

    def false_batch(self, sequence: Sequence, batch: Batch) -> Batch:
        """Another batch, the same for all villains."""
        return self.coven.history.setdefault(sequence, self.variant(batch))

    def variant(self, batch: Batch) -> Batch:
        """Another batch that would pass where this one does."""
        other = self._variant(batch)
        self.lies[codec.digest(other)] = Offer(other)
        return other

    def _variant(self, batch: Batch) -> Batch:
        kind = self.rng.randrange(9)
        if kind == 0 and batch.bundles:
            return replace(batch, bundles=batch.bundles[::-1])
        if kind == 1 and batch.bundles:
            return replace(batch, bundles=batch.bundles[:-1])
        if kind in (2, 3) and self.bundles:
            return replace(batch, bundles=(codec.message_digest(self.rng.choice(self.bundles)),))
        if kind == 4:
            return replace(batch, bundles=(Digest(self.rng.randbytes(32)),))
        return replace(batch, time=type(batch.time)(batch.time + 1))

    @property
    def is_primary(self) -> bool:
        """Whether the replica inside leads its view."""
        return self.replica is not None and self.replica.primary == self.me
