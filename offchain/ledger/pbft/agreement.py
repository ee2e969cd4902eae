"""The three phases: proposals of the primary, votes, and when they suffice (TOCS 2002, section 2.3.3)."""

from offchain.ledger.pbft.bundles import Bundles
from offchain.ledger.pbft.codec import digest
from offchain.ledger.pbft.early import Early
from offchain.ledger.pbft.fetching import ANSWER, Fetching
from offchain.ledger.pbft.messages import Batch, Commit, Entry, Message, Prepare, PrePrepare
from offchain.ledger.pbft.overhearing import Overhearing
from offchain.ledger.pbft.pacing import Pacing
from offchain.ledger.pbft.proposals import shorten
from offchain.ledger.pbft.state import Slot, State
from offchain.ledger.types import Digest, Millis, ReplicaId, Sequence


class Agreement:
    """Votes of the present view."""

    def __init__(
        self,
        state: State,
        bundles: Bundles,
        fetching: Fetching,
        early: Early,
        overhearing: Overhearing,
        pacing: Pacing,
    ) -> None:
        self._state = state
        self._bundles = bundles
        self._pacing = pacing
        self._fetching = fetching
        self._early = early
        self._overhearing = overhearing
        self._mine = 1 << state.me

    def on_prepare(self, sender: ReplicaId, message: Prepare) -> None:
        """Hot: every replica's vote for every number."""
        state, sequence, bit = self._state, message.sequence, 1 << sender
        if message.view != state.view or state.changing:
            self._early.keep(sender, message)
            return
        slot = state.slots.get(sequence)
        if slot is None:
            if not state.is_in_window(sequence):
                return
            slot = state.slot(sequence)
        if slot.prepare_voters & bit or (sender == state.primary and sequence > state.top):
            return
        slot.prepare_voters |= bit
        batch = message.digest
        votes = slot.prepares[batch] = slot.prepares.get(batch, 0) | bit
        if slot.accepted and not slot.prepared and batch == slot.digest and votes.bit_count() >= state.quorum:
            self._prepared(sequence, slot)

    def on_commit(self, sender: ReplicaId, message: Commit) -> None:
        """Hot as well."""
        state, sequence, bit = self._state, message.sequence, 1 << sender
        if message.view != state.view or state.changing:
            if self._overhearing.is_for(message.view):
                self._overhearing.on_commit(sender, message)
            else:
                self._early.keep(sender, message)
            return
        slot = state.slots.get(sequence)
        if slot is None:
            if not state.is_in_window(sequence):
                return
            slot = state.slot(sequence)
        if slot.commit_voters & bit:
            return
        slot.commit_voters |= bit
        batch = message.digest
        votes = slot.commits[batch] = slot.commits.get(batch, 0) | bit
        if slot.proven is None and votes.bit_count() >= state.quorum:
            self._proven(sequence, slot, batch)

    def on_pre_prepare(self, sender: ReplicaId, message: PrePrepare) -> None:
        """The primary's proposal; the first one for a number counts."""
        state, sequence = self._state, message.sequence
        if not 0 < len(message.batch.bundles) <= state.config.batch_bundles:
            state.accuse(sender, f"a batch of {len(message.batch.bundles)} bundles")
            return
        if message.view != state.view or state.changing:
            if self._overhearing.is_for(message.view):
                self._overhearing.on_pre_prepare(sender, message)
            else:
                self._early.keep(sender, message)
            return
        if sender != state.primary:
            state.accuse(sender, "a pre-prepare of another's view")
            return
        if sequence <= state.top or not state.is_in_window(sequence):
            return
        identity = digest(message.batch)
        slot = state.slot(sequence)
        if slot.digest is not None:
            if slot.digest != identity:
                state.accuse(sender, f"two pre-prepares for {sequence} in view {message.view}")
            return
        if not self._is_proper(sender, message.batch) or self._contradicts(sequence, identity):
            return
        self._place(sequence, slot, identity, message.batch)

    def on_content(self, identity: Digest) -> None:
        """A bundle came that a number may have waited for."""
        for sequence, slot in list(self._state.slots.items()):
            if identity in slot.missing:
                slot.missing.discard(identity)
                if not slot.missing:
                    self._accept(sequence, slot)

    def on_batch(self, identity: Digest, batch: Batch) -> None:
        """A batch came that a number may have waited for."""
        for sequence, slot in list(self._state.slots.items()):
            if slot.proven == identity:
                self._state.decide(sequence, batch)
            if slot.digest == identity and slot.batch is None:
                self._place(sequence, slot, identity, batch)

    def resume(self) -> None:
        """Votes for what the view began with, as far as the window reaches."""
        state = self._state
        for sequence in sorted(state.choices):
            if not state.is_in_window(sequence):
                continue
            slot, identity = state.slot(sequence), state.choices[sequence]
            if slot.digest is not None or self._contradicts(sequence, identity):
                continue
            slot.digest = identity
            batch = state.batches.get(identity)
            if batch is None:
                self._fetching.ask_now(identity)
            else:
                self._place(sequence, slot, identity, batch)

    def propose(self) -> None:
        """The primary's part: when it is time, as long as numbers and bundles are free."""
        state = self._state
        if state.changing or state.primary != state.me or not self._bundles.unproposed:
            self._pacing.reset()
            return
        last = max((s for s, slot in state.slots.items() if slot.accepted), default=Sequence(0))
        sequence = Sequence(max(last, state.top, state.executed, state.stable) + 1)
        highest = min(state.executed + state.config.pipeline, state.stable + state.config.window)
        if sequence > highest or not self._pacing.is_due():
            return
        while self._bundles.unproposed and sequence <= highest:
            batch = Batch(Millis(max(state.now, 0)), self._bundles.take())
            self._place(sequence, state.slot(sequence), digest(batch), batch)
            self._pacing.on_proposed(sequence)
            sequence = Sequence(sequence + 1)

    def votes(self, sequence: Sequence) -> list[Message]:
        """What we said about a number in this view, to say it again."""
        state, said = self._state, list[Message]()
        slot = state.slots.get(sequence)
        if slot is None or not slot.accepted or slot.batch is None or slot.digest is None:
            return said
        if state.me == state.primary and sequence > state.top:
            said.append(PrePrepare(state.view, sequence, slot.batch))
        else:
            said.append(Prepare(state.view, sequence, slot.digest))
        if slot.prepared:
            said.append(Commit(state.view, sequence, slot.digest))
        return said

    def restore_accepted(self, sequence: Sequence, identity: Digest, batch: Batch) -> None:
        """A promise of this view from the journal."""
        slot = self._state.slot(sequence)
        slot.digest, slot.batch, slot.accepted = identity, batch, True
        self._bundles.set_proposed(batch)
        self._count_own(sequence, slot, identity)

    def restore_prepared(self, sequence: Sequence) -> None:
        """A commit of this view from the journal."""
        slot = self._state.slot(sequence)
        if slot.digest is not None:
            slot.prepared = True
            slot.commit_voters |= self._mine
            slot.commits[slot.digest] = slot.commits.get(slot.digest, 0) | self._mine

    def _is_proper(self, sender: ReplicaId, batch: Batch) -> bool:
        if len(set(batch.bundles)) != len(batch.bundles):
            self._state.accuse(sender, "a batch with a bundle twice")
            return False
        return batch.time <= self._state.now + self._state.config.max_drift

    def _contradicts(self, sequence: Sequence, identity: Digest) -> bool:
        """Whether we have executed something else there; with at most f faulty replicas it does not happen."""
        decided = self._state.committed.get(sequence)
        return decided is not None and digest(decided) != identity

    def _place(self, sequence: Sequence, slot: Slot, identity: Digest, batch: Batch) -> None:
        slot.digest, slot.batch = identity, batch
        self._state.batches[identity] = batch
        self._bundles.set_proposed(batch)
        slot.missing = set(self._bundles.missing(batch))
        if slot.proven == identity:
            self._state.decide(sequence, batch)
        if slot.missing:
            is_near = sequence <= self._state.executed + ANSWER
            self._fetching.expect(slot.missing if is_near else ())
        else:
            self._accept(sequence, slot)

    def _accept(self, sequence: Sequence, slot: Slot) -> None:
        """The promise: into the journal first, then to all."""
        state, identity, batch = self._state, slot.digest, slot.batch
        if identity is None or batch is None:
            return
        slot.accepted = True
        state.remember_preprepared(sequence, identity, state.view)
        self._bundles.make_durable(batch)
        pre_prepare = PrePrepare(state.view, sequence, batch)
        state.persist(pre_prepare)
        proposes = state.me == state.primary and sequence > state.top
        state.broadcast(shorten(pre_prepare, identity) if proposes else Prepare(state.view, sequence, identity))
        if self._count_own(sequence, slot, identity).bit_count() >= state.quorum:
            self._prepared(sequence, slot)

    def _count_own(self, sequence: Sequence, slot: Slot, identity: Digest) -> int:
        """Our prepare, and the primary's, which its pre-prepare is.

        A view's beginning comes with the new view and not with pre-prepares; there the primary says by a prepare of its
        own when it has the contents.
        """
        proposed = sequence > self._state.top
        own = self._mine | (1 << self._state.primary if proposed else 0)
        slot.prepare_voters |= own
        slot.prepares[identity] = slot.prepares.get(identity, 0) | own
        return slot.prepares[identity]

    def _prepared(self, sequence: Sequence, slot: Slot) -> None:
        state, identity = self._state, slot.digest
        if identity is None:
            return
        slot.prepared = True
        state.prepared[sequence] = Entry(sequence, state.view, identity)
        state.persist(Prepare(state.view, sequence, identity))
        state.broadcast(Commit(state.view, sequence, identity))
        slot.commit_voters |= self._mine
        votes = slot.commits[identity] = slot.commits.get(identity, 0) | self._mine
        if slot.proven is None and votes.bit_count() >= state.quorum:
            self._proven(sequence, slot, identity)

    def _proven(self, sequence: Sequence, slot: Slot, identity: Digest) -> None:
        slot.proven = identity
        batch = self._state.batches.get(identity)
        if batch is not None:
            self._state.decide(sequence, batch)
        elif sequence > self._state.executed:
            self._fetching.expect([identity])
