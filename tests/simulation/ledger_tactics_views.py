"""What Byzantine replicas do to changes of view: lie about what prepared, begin views wrongly or too soon."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from random import Random

from offchain.ledger.pbft import codec
from offchain.ledger.pbft.messages import (
    Batch,
    Checkpoint,
    Commit,
    Entry,
    Message,
    NewView,
    Offer,
    Prepare,
    PrePrepare,
    Reference,
    ViewChange,
)
from offchain.ledger.types import Digest, Millis, ReplicaId, Sequence, View
from tests.simulation.ledger_villains import Parcel, Tactic, Villain


def forge(villain: Villain, change: ViewChange) -> ViewChange:
    """A lie about our past, well signed."""
    return villain.sign(villain.rng.choice(LIES)(villain, change))


def _nothing(villain: Villain, change: ViewChange) -> ViewChange:
    return replace(change, prepared=(), preprepared=())


def _hides_one(villain: Villain, change: ViewChange) -> ViewChange:
    return replace(change, prepared=change.prepared[:-1], preprepared=change.preprepared[1:])


def _stale(villain: Villain, change: ViewChange) -> ViewChange:
    """As if no checkpoint had been."""
    return replace(change, stable=Sequence(0), checkpoints=change.checkpoints[:0], prepared=(), preprepared=())


def _forged_checkpoint(villain: Villain, change: ViewChange) -> ViewChange:
    step = villain.config.interval
    ahead = Sequence(change.stable + step * villain.rng.choice((1, 2, 50)))
    false = Checkpoint(ahead, Digest(villain.rng.randbytes(32)))
    if villain.rng.random() < 0.5:
        return replace(change, checkpoints=(*change.checkpoints, false))
    return replace(change, stable=ahead, checkpoints=(false,), prepared=(), preprepared=())


def _false_checkpoint(villain: Villain, change: ViewChange) -> ViewChange:
    wrong = tuple(replace(point, digest=Digest(villain.rng.randbytes(32))) for point in change.checkpoints)
    return replace(change, checkpoints=wrong)


def _batch(villain: Villain) -> Batch:
    if villain.batches and villain.rng.random() < 0.8:
        return villain.variant(villain.rng.choice(villain.batches).batch)
    batch = Batch(Millis(villain.clock.wall()), (Digest(villain.rng.randbytes(32)),))
    villain.lies[codec.digest(batch)] = Offer(batch)
    return batch


def _false_prepared(villain: Villain, change: ViewChange) -> ViewChange:
    """P: something else prepared in the highest view; Q to match, or not."""
    entries = {entry.sequence: entry for entry in change.prepared}
    claims = {(entry.sequence, entry.digest): entry for entry in change.preprepared}
    for _ in range(villain.rng.randint(1, 4)):
        sequence = Sequence(change.stable + villain.rng.randint(1, 2 * villain.config.interval))
        view, batch = View(max(0, change.view - villain.rng.choice((1, 1, 2, 0)))), _batch(villain)
        entries[sequence] = Entry(sequence, view, codec.digest(batch))
        if villain.rng.random() < 0.7:
            digest = codec.digest(batch)
            claims[sequence, digest] = Entry(sequence, view, digest)
    return replace(change, prepared=_sorted(entries), preprepared=_sorted(claims))


def _other_prepared(villain: Villain, change: ViewChange) -> ViewChange:
    """P: what only some were shown prepared; they accepted it, so they vouch for it."""
    entries = {entry.sequence: entry for entry in change.prepared}
    claims = {(entry.sequence, entry.digest): entry for entry in change.preprepared}
    for shown in villain.rng.sample(list(villain.batches), min(6, len(villain.batches))):
        if change.stable < shown.sequence <= change.stable + 2 * villain.config.interval and shown.view < change.view:
            entry = Entry(shown.sequence, shown.view, codec.digest(shown.batch))
            entries[shown.sequence] = claims[entry.sequence, entry.digest] = entry
    return replace(change, prepared=_sorted(entries), preprepared=_sorted(claims))


def _false_preprepared(villain: Villain, change: ViewChange) -> ViewChange:
    """Q: accepted what others prepared, in a view in which nobody did."""
    claims = {(entry.sequence, entry.digest): entry for entry in change.preprepared}
    for proposal in list(villain.batches)[-8:]:
        digest = codec.digest(villain.variant(proposal.batch))
        view = View(max(0, change.view - 1))
        claims[proposal.sequence, digest] = Entry(proposal.sequence, view, digest)
    return replace(change, preprepared=_sorted(claims))


def _unsorted(villain: Villain, change: ViewChange) -> ViewChange:
    return replace(change, prepared=change.prepared[::-1] * 2, preprepared=change.preprepared * 2)


def _beyond(villain: Villain, change: ViewChange) -> ViewChange:
    far = Sequence(change.stable + villain.rng.choice((2 * villain.config.interval + 1, 10**6, 2**40)))
    return replace(change, prepared=(*change.prepared, Entry(far, View(0), codec.digest(_batch(villain)))))


def _sorted(entries: dict) -> tuple:  # type: ignore[type-arg]
    return tuple(entries[key] for key in sorted(entries))


LIES = (
    _nothing,
    _hides_one,
    _stale,
    _forged_checkpoint,
    _false_checkpoint,
    _false_prepared,
    _other_prepared,
    _other_prepared,
    _other_prepared,
    _false_preprepared,
    _unsorted,
    _beyond,
)


class TwoFaced(Tactic):
    """Its view changes differ from peer to peer."""

    def outgoing(self, to: ReplicaId, message: Message) -> Iterable[Parcel]:
        if isinstance(message, ViewChange) and message.replica == self.villain.me and self.rng.random() < 0.8:
            message = forge(self.villain, message)
        yield to, message


class OneLie(Tactic):
    """Every view change of its is one and the same lie to all, so that quorums may be built on it."""

    def __init__(self, villain: Villain, rng: Random) -> None:
        super().__init__(villain, rng)
        self.told: dict[View, ViewChange] = {}

    def outgoing(self, to: ReplicaId, message: Message) -> Iterable[Parcel]:
        if isinstance(message, ViewChange) and message.replica == self.villain.me:
            if message.view not in self.told:
                self.told[message.view] = forge(self.villain, message)
            message = self.told[message.view]
        yield to, message


class BadNewView(Tactic):
    """As primary of a new view: shows a set that tells least of what prepared, and is too small, repeated or forged.

    Then it proposes something else for the numbers that should be forgotten.
    """

    def __init__(self, villain: Villain, rng: Random) -> None:
        super().__init__(villain, rng)
        self.shown: dict[View, NewView] = {}
        self.is_consistent = rng.random() < 0.7

    def outgoing(self, to: ReplicaId, message: Message) -> Iterable[Parcel]:
        if not isinstance(message, NewView) or self.rng.random() < 0.1:
            yield to, message
            return
        if message.view not in self.shown or not self.is_consistent:
            self.shown[message.view] = replace(message, view_changes=self._bend(message))
        self.villain.later(self.rng.uniform(20, 200), partial(self._propose_again, to, message.view))
        yield to, self.shown[message.view]

    def _propose_again(self, to: ReplicaId, view: View) -> None:
        villain = self.villain
        for shown in list(villain.batches)[-8:]:
            if shown.view < view:
                other = villain.false_batch(shown.sequence, shown.batch)
                villain.post(to, PrePrepare(view, shown.sequence, other))
                villain.post(to, Prepare(view, shown.sequence, codec.digest(other)))
                villain.post(to, Commit(view, shown.sequence, codec.digest(other)))

    def _bend(self, message: NewView) -> tuple[Reference, ...]:
        villain, rng = self.villain, self.rng
        known = villain.view_changes.get(message.view, {})
        if villain.me not in known or rng.random() < 0.2:
            return self._random(message, known)
        lie = villain.sign(rng.choice((_nothing, _nothing, _other_prepared, _stale))(villain, known[villain.me]))
        others = sorted((c for c in known.values() if c.replica != villain.me), key=lambda c: len(c.prepared))
        quorum, kind = villain.config.quorum, rng.randrange(5)
        if kind == 0:
            chosen = [lie, *others[: rng.randrange(quorum - 1)]]
        elif kind == 1:
            return (refer(lie),) * quorum
        elif kind == 2:
            chosen = [lie, *(self._forged(change) for change in others)][:quorum]
        elif kind == 3:
            chosen = [lie, *others[:1], *(replace(lie, replica=change.replica) for change in others[1:])][:quorum]
        else:
            chosen = [lie, *others][:quorum]
        for change in chosen:
            villain.lies[codec.message_digest(change)] = change
        return tuple(refer(change) for change in sorted(chosen, key=lambda change: change.replica))

    def _forged(self, change: ViewChange) -> ViewChange:
        """Another's, as if nothing had prepared there; nobody can sign it."""
        if self.rng.random() < 0.5:
            return replace(change, prepared=(), preprepared=())
        return replace(change, view=View(0), signature=change.signature)

    def _random(self, message: NewView, known: dict[ReplicaId, ViewChange]) -> tuple[Reference, ...]:
        villain, rng, own = self.villain, self.rng, message.view_changes
        kind = rng.randrange(4)
        if kind == 0:
            return own[:-1]
        if kind == 1:
            return tuple(replace(item, digest=Digest(rng.randbytes(32))) for item in own)
        if kind == 2:
            return tuple(map(refer, rng.sample(list(known.values()), min(len(known), len(own)))))
        older = [refer(old) for changes in villain.view_changes.values() for old in changes.values()]
        return tuple(rng.sample(older, min(len(older), len(own))))


def refer(change: ViewChange) -> Reference:
    """As new views name it."""
    return Reference(change.replica, codec.message_digest(change))


class Hasty(Tactic):
    """Leaves for the next views all the time, and begins views of its own whenever it can."""

    every = 400

    def tick(self) -> None:
        replica, villain = self.villain.replica, self.villain
        if replica is None:
            return
        view = View(replica.view + self.rng.randint(0, 5))
        own = [changes[villain.me] for changes in villain.view_changes.values() if villain.me in changes]
        base = own[-1] if own else ViewChange(view, villain.me, replica.stable, (), (), ())
        change = forge(villain, replace(base, view=view))
        for peer in villain.peers:
            villain.post(peer, change)
            if view % villain.config.replicas == villain.me:
                villain.post(peer, NewView(view, tuple(map(refer, villain.view_changes.get(view, {}).values()))))
