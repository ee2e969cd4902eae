"""States that replicas vouch for, and the snapshots that we keep for those who need them."""

from dataclasses import dataclass
from hashlib import sha256

from offchain.errors import Bug
from offchain.ledger.pbft.messages import Checkpoint
from offchain.ledger.pbft.state import State
from offchain.ledger.types import Digest, Millis, ReplicaId, Sequence

KEPT = 4
"""Checkpoints that we remember: the stable one and the latest after it. Of each peer as many claims."""
_TIME_BYTES = 8
_PINNED_TICKS = 10


@dataclass(frozen=True, slots=True)
class Own:
    """A state of ours. The snapshot is the ledger's time, 8 bytes, and the application's."""

    digest: Digest
    snapshot: bytes


class Checkpoints:
    """Our own checkpoints from the stable one on, and what the peers claim."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._claims: dict[ReplicaId, dict[Sequence, Digest]] = {}
        self._proven: tuple[Sequence, Digest] | None = None
        self._pinned: tuple[Sequence, bytes] | None = None
        self._pinned_ticks = 0
        self._served: set[Sequence] = set()
        self.own: dict[Sequence, Own] = {}

    @property
    def stable_digest(self) -> Digest:
        """Of the state at the stable checkpoint."""
        return self.own[self._state.stable].digest

    def take(self) -> Own:
        """The state as it is now becomes a checkpoint of ours."""
        state = self._state
        own = Own(self.digest_now(), state.time.to_bytes(_TIME_BYTES, "big") + state.application.snapshot())
        self.add(state.executed, own)
        return own

    def add(self, sequence: Sequence, own: Own) -> None:
        """A checkpoint of ours; the stable one and the latest ones stay."""
        state = self._state
        self.own[sequence] = own
        later = sorted(number for number in self.own if number > state.stable)
        for number in later[: -(KEPT - 1)]:
            del self.own[number]

    def digest_now(self) -> Digest:
        """Of the present state."""
        time = self._state.time.to_bytes(_TIME_BYTES, "big")
        return Digest(sha256(b"checkpoint" + time + self._state.application.digest()).digest())

    def load(self, snapshot: bytes) -> None:
        """The present state becomes this one. Raises Rejected if the application refuses it."""
        self._state.application.restore(snapshot[_TIME_BYTES:])
        self._state.time = Millis(int.from_bytes(snapshot[:_TIME_BYTES], "big"))

    def claim(self, peer: ReplicaId, sequence: Sequence, state: Digest) -> None:
        """A peer says it had this state; its latest claims count."""
        if sequence % self._state.config.interval:
            return
        claims = self._claims.setdefault(peer, {})
        if sequence in claims:
            return
        claims[sequence] = state
        if len(claims) > KEPT:
            del claims[min(claims)]
        self._state.stirred = True

    def next_stable(self) -> Sequence | None:
        """The highest of our checkpoints that a quorum shares, if it is above the stable one.

        Raises Bug if a quorum says that our state is another: then this replica must not go on.
        """
        state = self._state
        for sequence in sorted(self.own, reverse=True):
            if sequence <= state.stable:
                return None
            count, other = self._count(sequence, self.own[sequence].digest)
            if count + 1 >= state.quorum:
                return sequence
            if other >= state.quorum:
                raise Bug(f"our state after {sequence} differs from a quorum's; restore this replica from another")
        return None

    def vouched(self, above: Sequence) -> tuple[Sequence, Digest] | None:
        """The highest state above a number that weak-many claim."""
        owners: dict[tuple[Sequence, Digest], int] = {}
        for claims in self._claims.values():
            for pair in claims.items():
                if pair[0] > above:
                    owners[pair] = owners.get(pair, 0) + 1
        known = [pair for pair, count in owners.items() if count >= self._state.weak]
        if self._proven is not None and self._proven[0] > above:
            known.append(self._proven)
        return max(known, default=None)

    def prove(self, sequence: Sequence, state: Digest) -> None:
        """A new view begins there: weak-many signed that they had this state, whatever they may claim elsewhere."""
        if self._proven is None or self._proven[0] < sequence:
            self._proven = (sequence, state)

    def claimants(self, sequence: Sequence, state: Digest) -> list[ReplicaId]:
        """Whom to ask for it: all who claim it, or if nobody does, anybody."""
        claimants = sorted(peer for peer, claims in self._claims.items() if claims.get(sequence) == state)
        others = [ReplicaId(peer) for peer in range(self._state.config.replicas) if peer != self._state.me]
        return claimants or others

    def newer(self, than: Sequence) -> list[Checkpoint]:
        """Our claims above a number."""
        return [Checkpoint(number, own.digest) for number, own in sorted(self.own.items()) if number > than]

    def forget(self) -> None:
        """What lies below the stable checkpoint; a snapshot that somebody is reading stays a while."""
        for number in sorted(self.own):
            if number < self._state.stable:
                snapshot = self.own.pop(number).snapshot
                if number in self._served:
                    self._pinned, self._pinned_ticks = (number, snapshot), _PINNED_TICKS
        self._served = {number for number in self._served if number in self.own}

    def serve(self, sequence: Sequence) -> bytes | None:
        """The snapshot at a checkpoint of ours, for a peer."""
        if self._pinned is not None and self._pinned[0] == sequence:
            self._pinned_ticks = _PINNED_TICKS
            return self._pinned[1]
        own = self.own.get(sequence)
        if own is None:
            return None
        self._served.add(sequence)
        return own.snapshot

    def on_tick(self) -> None:
        """Lets go of a snapshot that nobody asked for lately."""
        self._pinned_ticks -= 1
        if self._pinned_ticks <= 0:
            self._pinned = None

    def _count(self, sequence: Sequence, state: Digest) -> tuple[int, int]:
        """How many peers claim this state there, and how many agree on another."""
        votes: dict[Digest, int] = {}
        for claims in self._claims.values():
            claimed = claims.get(sequence)
            if claimed is not None:
                votes[claimed] = votes.get(claimed, 0) + 1
        return votes.pop(state, 0), max(votes.values(), default=0)
