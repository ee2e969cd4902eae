"""What Byzantine replicas do with data: false states, floods, garbage, old messages, invalid requests."""

import dataclasses
from collections.abc import Iterable
from dataclasses import replace
from random import Random

from offchain.ledger.pbft import codec
from offchain.ledger.pbft.messages import (
    NULL_BATCH,
    Batch,
    Bundle,
    Checkpoint,
    Commit,
    Decided,
    Fetch,
    FetchState,
    Gossip,
    Message,
    Prepare,
    StateChunk,
    Status,
    ViewChange,
)
from offchain.ledger.types import Digest, ReplicaId, Sequence, View
from tests.simulation.ledger_network import FRAME
from tests.simulation.ledger_villains import Parcel, Tactic, Villain


class FalseState(Tactic):
    """Wrong digests of states, corrupt chunks of snapshots, false standings."""

    def outgoing(self, to: ReplicaId, message: Message) -> Iterable[Parcel]:
        coven = self.villain.coven
        match message:
            case Checkpoint():
                message = replace(message, digest=coven.false_digest(message.sequence))
            case Status():
                message = self._status(message)
            case StateChunk():
                message = self._chunk(message)
            case Decided():
                message = replace(message, batch=self.villain.false_batch(message.sequence, message.batch))
            case _:
                pass
        yield to, message

    def _status(self, message: Status) -> Status:
        kind, interval, coven = self.rng.randrange(5), self.villain.config.interval, self.villain.coven
        if kind == 0:
            return replace(message, stable_digest=coven.false_digest(message.stable))
        if kind == 1:
            ahead = Sequence(message.stable + interval * self.rng.choice((1, 3, 10**6)))
            return replace(message, stable=ahead, stable_digest=coven.false_digest(ahead), executed=ahead)
        if kind == 2:
            return replace(message, stable=Sequence(0), executed=Sequence(0))
        if kind == 3:
            return replace(message, view=View(message.view + self.rng.choice((1, 7, 2**40))))
        return replace(message, executed=Sequence(message.executed + 5), changing=not message.changing)

    def _chunk(self, message: StateChunk) -> StateChunk:
        kind = self.rng.randrange(4)
        if kind == 0:
            return replace(message, data=self.rng.randbytes(len(message.data)))
        if kind == 1:
            return replace(message, chunks=self.rng.choice((1, message.chunks + 1, 2**31)))
        if kind == 2:
            return replace(message, data=message.data[:-1])
        return replace(message, chunk=message.chunk + 1)


class FalseHistory(Tactic):
    """Says of every number that something else was decided, and asks for everything from the start, all the time."""

    every = 500

    def tick(self) -> None:
        replica, villain, rng = self.villain.replica, self.villain, self.rng
        if replica is None:
            return
        for peer in rng.sample(villain.peers, min(3, len(villain.peers))):
            sequence = Sequence(max(1, replica.executed + rng.randint(-3, 3)))
            known = rng.choice(villain.batches).batch if villain.batches else NULL_BATCH
            villain.post(peer, Decided(sequence, villain.false_batch(sequence, known)))
            digest = Digest(rng.randbytes(32))
            villain.post(peer, Status(replica.view, False, Sequence(0), digest, Sequence(0)))
            villain.post(peer, FetchState(Sequence(rng.choice((0, replica.stable, 2**40))), rng.choice((0, 1, 2**31))))


class Flood(Tactic):
    """Fills whatever can be filled: bundles, votes of far views, questions for what nobody has."""

    every = 300

    def tick(self) -> None:
        villain, rng, replica = self.villain, self.rng, self.villain.replica
        if replica is None:
            return
        known = [request for bundle in list(villain.bundles)[-4:] for request in bundle.requests]
        for peer in villain.peers:
            for _ in range(2):
                place = View(replica.view + rng.randint(0, 9)), Sequence(replica.executed + rng.randint(1, 30))
                villain.post(peer, rng.choice((Prepare, Commit))(*place, Digest(rng.randbytes(32))))
            villain.post(peer, Fetch(tuple(Digest(rng.randbytes(32)) for _ in range(rng.choice((1, 50))))))
            if known:
                # Valid requests in ever new bundles; many of them only to burn our quota.
                villain.post(peer, Bundle(tuple(rng.choice(known) for _ in range(rng.randint(1, 3)))))


class Surge(Tactic):
    """Is a client too, and spreads new valid requests faster than anybody can order them, other ones to each."""

    every = 100
    ACCOUNT = 255

    def __init__(self, villain: Villain, rng: Random) -> None:
        super().__init__(villain, rng)
        self.nonce = 0

    def tick(self) -> None:
        world = self.villain.world
        for peer in self.villain.peers:
            for _ in range(10):
                self.nonce += 1
                request = world.secrets.request(self.ACCOUNT, self.nonce, bytes(200))
                world.checker.submitted.add(request)
                self.villain.post(peer, Bundle((request,)))


class BadBundles(Tactic):
    """Spreads what no client signed, bundles of nothing, and requests and bundles that are too long."""

    every = 700

    def outgoing(self, to: ReplicaId, message: Message) -> Iterable[Parcel]:
        if isinstance(message, Bundle) and self.rng.random() < 0.5:
            message = self._bend(message)
        yield to, message

    def tick(self) -> None:
        for peer in self.villain.peers:
            self.villain.post(peer, self._bend(Bundle(())))

    def _bend(self, message: Bundle) -> Bundle:
        rng, config = self.rng, self.villain.config
        kind = rng.randrange(5)
        if kind == 0:
            return Bundle((*message.requests, rng.randbytes(rng.choice((0, 1, 40)))))
        if kind == 1 and message.requests:
            first = message.requests[0]
            return Bundle((first[:-1] + bytes([first[-1] ^ 1]),))
        if kind == 2:
            return Bundle((bytes(config.max_request_bytes + 1),))
        if kind == 3:
            return Bundle(
                (bytes(config.max_request_bytes),) * (config.max_bundle_bytes // config.max_request_bytes + 1)
            )
        return Bundle(())


class Replay(Tactic):
    """Says again what it said long ago, in views and at numbers long gone."""

    every = 200

    def tick(self) -> None:
        if self.villain.said:
            to, message = self.rng.choice(self.villain.said)
            self.villain.post(self.rng.choice((to, self.rng.choice(self.villain.peers))), message)
        changes = [change for view in self.villain.view_changes.values() for change in view.values()]
        if changes:
            self.villain.post(self.rng.choice(self.villain.peers), self.rng.choice(changes))


class Garbage(Tactic):
    """Bytes that are no message: torn, lengthened, random, oversized."""

    every = 400

    def outgoing(self, to: ReplicaId, message: Message) -> Iterable[Parcel]:
        if self.rng.random() < 0.1:
            data = codec.encode(message)
            self.villain.post_bytes(to, self._bend(data))
        yield to, message

    def _bend(self, data: bytes) -> bytes:
        kind = self.rng.randrange(4)
        if kind == 0:
            return data[: self.rng.randrange(len(data) + 1)]
        if kind == 1:
            return data + self.rng.randbytes(1)
        if kind == 2:
            at = self.rng.randrange(len(data))
            return data[:at] + bytes([data[at] ^ (1 << self.rng.randrange(8))]) + data[at + 1 :]
        return bytes(FRAME + 1)

    def tick(self) -> None:
        peer = self.rng.choice(self.villain.peers)
        self.villain.post_bytes(peer, self.rng.randbytes(self.rng.choice((0, 1, 2, 9, 100))))
        self.villain.post(peer, Gossip(self.rng.randbytes(10)))


class Mutate(Tactic):
    """Changes a field of what it says: any number by a little or a lot, any digest, any list."""

    def outgoing(self, to: ReplicaId, message: Message) -> Iterable[Parcel]:
        if self.rng.random() < 0.2:
            message = self._mutate(message)
        yield to, message

    def _mutate(self, message: Message) -> Message:
        field = self.rng.choice(dataclasses.fields(message))
        value = self._change(getattr(message, field.name))
        bent: Message = replace(message, **{field.name: value})  # type: ignore[arg-type]
        return self.villain.sign(bent) if isinstance(bent, ViewChange) else bent

    def _change(self, value: object) -> object:
        rng = self.rng
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return max(0, value + rng.choice((-2, -1, 1, 2, 64, 2**40)))
        if isinstance(value, bytes):
            return rng.randbytes(len(value))
        if isinstance(value, tuple):
            return rng.choice((value[:-1], value * 2, value[::-1]))
        return self.villain.variant(value) if isinstance(value, Batch) else value
