"""What Byzantine replicas do to the order of batches: equivocate, withhold, delay, censor, vote for everything."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from random import Random

from offchain.ledger.pbft import codec
from offchain.ledger.pbft.messages import (
    SHORT_BYTES,
    Bundle,
    Commit,
    Fetch,
    Message,
    NewView,
    Prepare,
    PrePrepare,
    Proposal,
)
from offchain.ledger.types import Digest, Millis, ReplicaId, Sequence, View
from tests.simulation.ledger_villains import Parcel, Tactic, Villain


class Equivocate(Tactic):
    """As primary: one batch to one half, another one to the other; and the votes that each half wants to see."""

    def outgoing(self, to: ReplicaId, message: Message) -> Iterable[Parcel]:
        if isinstance(message, PrePrepare):
            yield from self._pre_prepare(to, message)
        elif isinstance(message, Prepare | Commit) and to in self.villain.coven.side:
            yield (
                to,
                replace(
                    message, digest=self.lies.get((message.view, message.sequence, self._side(to)), message.digest)
                ),
            )
        else:
            yield to, message

    def __init__(self, villain: Villain, rng: Random) -> None:
        super().__init__(villain, rng)
        self.variants: dict[tuple[View, Sequence], PrePrepare] = {}
        self.lies: dict[tuple[View, Sequence, int], Digest] = {}

    def _side(self, to: ReplicaId) -> int:
        return self.villain.coven.side.get(to, 0)

    def _pre_prepare(self, to: ReplicaId, message: PrePrepare) -> Iterable[Parcel]:
        place = (message.view, message.sequence)
        if place not in self.variants:
            self.variants[place] = replace(message, batch=self.villain.variant(message.batch))
            for member in self.villain.coven.members.values():
                member.batches.append(self.variants[place])
        other = self.variants[place]
        side = self._side(to)
        shown = other if side else message
        self.lies[(*place, side)] = codec.digest(shown.batch)
        yield to, shown
        for member in self.villain.coven.members.values():
            member.later(self.rng.uniform(1, 60), partial(_vote, member, to, shown))


def _vote(member: Villain, to: ReplicaId, shown: PrePrepare) -> None:
    """An accomplice confirms to one replica what that was shown."""
    digest = codec.digest(shown.batch)
    if shown.view % member.config.replicas != member.me:
        member.post(to, Prepare(shown.view, shown.sequence, digest))
    member.post(to, Commit(shown.view, shown.sequence, digest))


class Silent(Tactic):
    """Says nothing at all, or nothing that a primary has to say, or nothing to some."""

    def __init__(self, villain: Villain, rng: Random) -> None:
        super().__init__(villain, rng)
        self.mute: tuple[type, ...] = rng.choice([(object,), (PrePrepare,), (NewView,), (PrePrepare, NewView)])
        peers = villain.peers
        self.deaf_to = set(rng.sample(peers, rng.randint(1, len(peers)))) if rng.random() < 0.5 else set(peers)

    def outgoing(self, to: ReplicaId, message: Message) -> Iterable[Parcel]:
        if not (to in self.deaf_to and isinstance(message, self.mute)):
            yield to, message


class Slow(Tactic):
    """As primary: proposes just before the others lose patience."""

    def __init__(self, villain: Villain, rng: Random) -> None:
        super().__init__(villain, rng)
        self.share = rng.choice((0.4, 0.7, 0.9, 0.97))

    def outgoing(self, to: ReplicaId, message: Message) -> Iterable[Parcel]:
        if isinstance(message, PrePrepare | NewView):
            delay = self.villain.config.timeout * self.share
            self.villain.later(delay, lambda: self.villain.post(to, message))
        else:
            yield to, message


class Censor(Tactic):
    """As primary: orders nothing that one victim has spread."""

    def __init__(self, villain: Villain, rng: Random) -> None:
        super().__init__(villain, rng)
        self.victim = rng.choice(villain.peers)
        self.banned: set[Bundle] = set()

    def incoming(self, sender: ReplicaId, message: Message) -> bool:
        if isinstance(message, Bundle):
            if sender == self.victim:
                self.banned.add(message)
            return message not in self.banned
        return not (sender == self.victim and isinstance(message, Fetch))


class Withhold(Tactic):
    """Spreads its bundles to some only, and gives nobody what is missing."""

    def __init__(self, villain: Villain, rng: Random) -> None:
        super().__init__(villain, rng)
        peers = villain.peers
        self.friends = set(rng.sample(peers, rng.randint(0, len(peers) - 1)))
        self.gives = rng.random() < 0.3

    def incoming(self, sender: ReplicaId, message: Message) -> bool:
        return self.gives or not isinstance(message, Fetch)

    def outgoing(self, to: ReplicaId, message: Message) -> Iterable[Parcel]:
        if not isinstance(message, Bundle) or to in self.friends:
            yield to, message


class VoteForAll(Tactic):
    """Prepares and commits whatever anybody mentions, of any view."""

    def __init__(self, villain: Villain, rng: Random) -> None:
        super().__init__(villain, rng)
        self.seen: set[tuple[View, Sequence, Digest]] = set()

    def incoming(self, sender: ReplicaId, message: Message) -> bool:
        if isinstance(message, PrePrepare):
            self._vote(message.view, message.sequence, codec.digest(message.batch))
        elif isinstance(message, Prepare | Commit):
            self._vote(message.view, message.sequence, message.digest)
        return True

    def _vote(self, view: View, sequence: Sequence, digest: Digest) -> None:
        if (view, sequence, digest) in self.seen:
            return
        self.seen.add((view, sequence, digest))
        for peer in self.villain.peers:
            self.villain.post(peer, Prepare(view, sequence, digest))
            self.villain.post(peer, Commit(view, sequence, digest))


class BadBatches(Tactic):
    """As primary: times of the far future, numbers beyond the watermarks, batches of nothing or of the same twice,
    short proposals that stand for nothing, for something else, or for bundles that nobody has."""

    def _false_proposal(self, message: PrePrepare) -> Proposal:
        rng, batch = self.rng, message.batch
        short = tuple(bundle[:SHORT_BYTES] for bundle in batch.bundles)
        other = self.villain.variant(batch)
        digest = rng.choice((codec.digest(batch), codec.digest(other), Digest(rng.randbytes(32))))
        parts = rng.choice((short[::-1], short[1:], short * 2, (rng.randbytes(SHORT_BYTES),) * 5, short))
        return Proposal(message.view, message.sequence, batch.time, digest, parts)

    def outgoing(self, to: ReplicaId, message: Message) -> Iterable[Parcel]:
        if not isinstance(message, PrePrepare) or self.rng.random() < 0.5:
            yield to, message
            return
        batch, kind = message.batch, self.rng.randrange(8)
        if kind > 5:
            yield to, self._false_proposal(message)
            return
        if kind == 0:
            batch = replace(batch, time=Millis(batch.time + 10**9))
        elif kind == 1:
            batch = replace(batch, time=Millis(0))
        elif kind == 2:
            batch = replace(batch, bundles=batch.bundles * 2)
        elif kind == 3:
            batch = replace(batch, bundles=())
        elif kind == 4:
            batch = replace(
                batch, bundles=tuple(Digest(self.rng.randbytes(32)) for _ in range(self.rng.choice((1, 200))))
            )
        else:
            message = replace(message, sequence=Sequence(message.sequence + self.rng.choice((1, 10, 1000, 2**40))))
        yield to, replace(message, batch=batch)
