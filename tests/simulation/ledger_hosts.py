"""The edge around one replica, as the process has it: journal first, then messages; timers, crashes, restarts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from offchain.errors import Rejected
from offchain.ledger.pbft import codec
from offchain.ledger.pbft.application import GroupConfig
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
from offchain.ledger.pbft.messages import NULL_BATCH, Decided, Message
from offchain.ledger.pbft.replica import Replica
from offchain.ledger.types import Digest, ReplicaId, Sequence
from tests.simulation.ledger_checker import Checker, Violation, require
from tests.simulation.ledger_disk import Disk, RecordDisk
from tests.simulation.ledger_network import FRAME, Network
from tests.simulation.ledger_register import Secrets, Step
from tests.simulation.ledger_time import Clock, Queue

DECIDED = codec.encode(Decided(Sequence(1), NULL_BATCH))[0]
"""Such a record is the decision that a replica executes."""

Trace = Callable[[str], None]


@dataclass(slots=True)
class World:
    """What all hosts share."""

    queue: Queue
    network: Network
    checker: Checker
    secrets: Secrets
    config: GroupConfig
    trace: Trace | None = None
    decoded: dict[bytes, Message | None] = field(default_factory=dict)
    garbage: int = 0

    def decode(self, data: bytes) -> Message | None:
        """What the edge makes of a frame; None: it cuts the connection. The same bytes are decoded once."""
        if data not in self.decoded:
            self.decoded[data] = self._decode(data)
        return self.decoded[data]

    def _decode(self, data: bytes) -> Message | None:
        if len(data) > FRAME:
            return None
        try:
            message = codec.decode(data)
        except Rejected:
            return None
        require(codec.encode(message) == data, f"two encodings of {message}")
        return message

    def say(self, text: str) -> None:
        """Into the trace."""
        if self.trace:
            self.trace(f"{self.queue.now:10.1f} {text}")


class Host:
    """A correct replica's process. `doom`: where the next step that writes or sends kills it, if anywhere."""

    def __init__(self, world: World, me: ReplicaId, config: GroupConfig, clock: Clock, rng: Random) -> None:
        self.world, self.me, self.config, self.clock, self.rng = world, me, config, clock, rng
        self.disk: Disk = RecordDisk()
        self.register = world.secrets.ledger()
        self.replica: Replica | None = None
        self.doom: str | None = None
        self.crashes = 0
        self.jumps = 0
        self.turn = 0.0
        """How long events may wait for a busy disk, milliseconds."""
        self._inbox: list[Event] = []
        self._timers: dict[Timer, int] = {}
        self._life = 0
        self._at = Sequence(0)
        self._digest = Digest(b"")

    @property
    def peers(self) -> list[ReplicaId]:
        """All others."""
        return [ReplicaId(index) for index in range(self.config.replicas) if index != self.me]

    def start(self) -> None:
        """From what is on the disk; a journal that a crash left must be accepted."""
        self._life += 1
        self._timers, self._inbox = {}, []
        self.register = self.world.secrets.ledger()
        signer = self.world.secrets.signer(self.me)
        self.replica = Replica.restore(self.config, self.register, signer, self.disk.read())
        self._at, self._digest = self.replica.executed, self.register.digest()
        self.register.history.clear()
        self.world.checker.restored(self.me, self._at, self._digest)
        self.world.say(f"{self.me} starts: view {self.replica.view}, stable {self.replica.stable}")
        self.carry_out(self.replica.start(self.clock.wall()))
        for peer in self.peers:
            self.world.network.reconnect(min(self.me, peer), max(self.me, peer))

    def crash(self) -> None:
        """The process is gone, with all that it held in memory."""
        self.world.say(f"{self.me} crashes")
        self.replica, self.doom = None, None
        self.disk.lose(self.rng)
        self.crashes += 1
        self._life += 1

    def receive(self, sender: ReplicaId, data: bytes) -> None:
        """A frame arrives."""
        if self.replica is None:
            return
        message = self.world.decode(data)
        if message is None:
            self.cut_off(sender)
            return
        self.feed(Received(sender, message))

    def cut_off(self, sender: ReplicaId) -> None:
        """The peer sent garbage: a new connection after a pause (what was under way is lost by the weather anyway)."""
        self.world.garbage += 1
        self.world.network.reconnect(min(self.me, sender), max(self.me, sender))

    def connected(self, peer: ReplicaId) -> None:
        """A link stands again."""
        self.feed(Connected(peer))

    def submit(self, requests: tuple[bytes, ...]) -> bool:
        """A client's requests; whether somebody was there to take them."""
        if self.replica is None:
            return False
        self.feed(Submitted(requests))
        return self.replica is not None

    def feed(self, event: Event) -> None:
        """One step of the replica."""
        if self.replica is None:
            return
        self._inbox.append(event)
        if not self.turn:
            self._take_turn(self._life)
        elif len(self._inbox) == 1:
            self.world.queue.after(self.rng.random() * self.turn, partial(self._take_turn, self._life))

    def _take_turn(self, life: int) -> None:
        """As in the node: what came in while the disk was busy is handled together, and made durable together."""
        if life != self._life or self.replica is None:
            return
        events, self._inbox = self._inbox, []
        effects: list[Effect] = []
        for event in events:
            if self.world.trace:
                self.world.say(f"{self.me} <- {_short(event)}")
            effects += self.replica.handle(event, self.clock.wall())
        self.carry_out(effects)

    def carry_out(self, effects: list[Effect]) -> None:
        """Records first, then everything else in order; or a crash somewhere on the way."""
        self._check_steps(effects)
        records = [effect for effect in effects if isinstance(effect, Persist | Restart)]
        others = [effect for effect in effects if not isinstance(effect, Persist | Restart)]
        if self.doom and (records or self.doom == "sends"):
            if self.doom == "records":
                self.disk.tear(records, self.rng)
                others = []
            else:
                self.disk.write(records, sync=True)
                others = others[: self.rng.randint(0, len(others))] if self.doom == "sends" else []
            self._perform(others)
            self.crash()
            return
        if records:
            self.disk.write(records, any(isinstance(effect, Send | Broadcast) for effect in others))
        self._perform(others)

    def _perform(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            kind = type(effect)
            if kind is Broadcast:
                self.emit(self.peers, effect.message)  # type: ignore[union-attr]
            elif kind is Send:
                self.emit([effect.to], effect.message)  # type: ignore[union-attr]
            elif isinstance(effect, SetTimer):
                self._set_timer(effect)
            elif isinstance(effect, CancelTimer):
                self._timers.pop(effect.timer, None)
            elif isinstance(effect, Accuse):
                self.accuse(effect)

    def emit(self, to: list[ReplicaId], message: Message) -> None:
        """A message leaves."""
        self.world.checker.sent(self.me, message)
        data = codec.encode(message)
        require(len(data) <= FRAME, f"{self.me} sends {len(data)} bytes: {type(message).__name__}")
        if self.world.trace:
            self.world.say(f"{self.me} -> {','.join(map(str, to))} {_short(message)}")
        for peer in to:
            require(peer != self.me, f"{self.me} sends itself {message}")
            self.world.network.send(self.me, peer, data)

    def accuse(self, effect: Accuse) -> None:
        """The replica says that a peer lies."""
        self.world.say(f"{self.me} accuses {effect.peer}: {effect.reason}")
        self.world.checker.accused(self.me, effect.peer, effect.reason)

    def _set_timer(self, effect: SetTimer) -> None:
        life, token = self._life, self._timers.get(effect.timer, 0) + 1
        self._timers[effect.timer] = token = self.world.queue.steps * 1000 + token % 1000
        self.world.queue.after(self.clock.true_delay(effect.after), lambda: self._ring(effect.timer, life, token))

    def _ring(self, timer: Timer, life: int, token: int) -> None:
        if life == self._life and self._timers.get(timer) == token:
            del self._timers[timer]
            self.feed(TimedOut(timer))

    def _check_steps(self, effects: list[Effect]) -> None:
        """Compares what the replica says that it executed with what its application saw."""
        assert self.replica is not None
        history = list(self.register.history)
        self.register.history.clear()
        for effect in effects:
            if isinstance(effect, Persist) and effect.record[0] == DECIDED:
                decided = self.world.decode(effect.record)
                assert isinstance(decided, Decided)
                self.world.checker.decides(self.replica.view, decided.sequence, codec.digest(decided.batch))
            if isinstance(effect, Executed):
                if effect.sequence != self._at + 1:
                    self._jump(Sequence(effect.sequence - 1), history)
                self._step(effect, history)
        if history and isinstance(history[0], bytes):
            self._jump(self.replica.executed, history)
        require(not history, f"{self.me} executed more than it says: {history}")
        require(self._at == self.replica.executed, f"{self.me} executed {self.replica.executed}, not {self._at}")

    def _jump(self, sequence: Sequence, history: list[Step | Digest]) -> None:
        digest: Step | Digest | None = None
        while history and isinstance(history[0], bytes):  # before the last one were snapshots that were refused
            digest = history.pop(0)
        if not isinstance(digest, bytes):
            raise Violation(f"{self.me} goes from {self._at} to {sequence} without a state")
        self.world.say(f"{self.me} goes from {self._at} to {sequence}")
        self.jumps += sequence != self._at
        self._at, self._digest = sequence, digest
        self.world.checker.restored(self.me, sequence, digest)

    def _step(self, effect: Executed, history: list[Step | Digest]) -> None:
        self._at = effect.sequence
        step = Step(effect.time, effect.requests, effect.results, self._digest)
        if history and isinstance(history[0], Step) and history[0].requests == effect.requests:
            step = history.pop(0)  # type: ignore[assignment]
        self._digest = step.digest
        require(step.time == effect.time and step.results == effect.results, f"{self.me}: {effect}, {step}")
        self.world.checker.executed(self.me, effect.sequence, step)


def _short(thing: object) -> str:
    text = repr(thing)
    return text if len(text) < 300 else text[:300] + "…"
