"""What a replica that has left its view still hears of it: it votes there no more, but a quorum of commits proves a
decision to everybody. So one that left alone keeps up with those that stayed."""

from offchain.ledger.pbft.codec import digest
from offchain.ledger.pbft.fetching import Fetching
from offchain.ledger.pbft.messages import Batch, Commit, PrePrepare
from offchain.ledger.pbft.state import Slot, State
from offchain.ledger.types import Digest, ReplicaId, Sequence, View


class Overhearing:
    """The slots of the view that was left, until another begins."""

    def __init__(self, state: State, fetching: Fetching) -> None:
        self._state = state
        self._fetching = fetching
        self._view = View(0)
        self._slots: dict[Sequence, Slot] = {}
        self._is_on = False

    def on_leave(self) -> None:
        """Before the state goes to another view: keeps the votes of the present one, if it had begun."""
        if not self._state.changing:
            self._view, self._slots, self._is_on = self._state.view, dict(self._state.slots), True

    def on_enter(self) -> None:
        """A view began: votes count there."""
        self._slots, self._is_on = {}, False

    def is_for(self, view: View) -> bool:
        """Whether votes of this view are overheard."""
        return self._is_on and view == self._view and self._state.changing

    def on_commit(self, sender: ReplicaId, message: Commit) -> None:
        """A vote of those who stayed."""
        slot, bit = self._slot(message.sequence), 1 << sender
        if slot is None or slot.commit_voters & bit:
            return
        slot.commit_voters |= bit
        votes = slot.commits[message.digest] = slot.commits.get(message.digest, 0) | bit
        if slot.proven is None and votes.bit_count() >= self._state.quorum:
            slot.proven = message.digest
            self._decide(message.sequence, slot)

    def on_pre_prepare(self, sender: ReplicaId, message: PrePrepare) -> None:
        """A proposal of the primary that we left: contents, no more."""
        slot = self._slot(message.sequence)
        if slot is None or slot.batch is not None or sender != self._state.primary_of(message.view):
            return
        slot.digest, slot.batch = digest(message.batch), message.batch
        self._decide(message.sequence, slot)

    def on_batch(self, identity: Digest, batch: Batch) -> None:
        """A batch came that was fetched."""
        for sequence, slot in self._slots.items():
            if slot.proven == identity:
                self._state.decide(sequence, batch)

    def lacking(self) -> list[Digest]:
        """Batches that are decided and not here."""
        state = self._state
        return [
            slot.proven
            for sequence, slot in sorted(self._slots.items())
            if sequence > state.executed and sequence not in state.committed and slot.proven is not None
        ]

    def _slot(self, sequence: Sequence) -> Slot | None:
        state = self._state
        if sequence <= state.executed or not state.is_in_window(sequence):
            return None
        if len(self._slots) >= state.config.window:
            self._slots = {number: slot for number, slot in self._slots.items() if number > state.executed}
        return self._slots.setdefault(sequence, Slot())

    def _decide(self, sequence: Sequence, slot: Slot) -> None:
        identity = slot.proven
        if identity is None:
            return
        batch = slot.batch if slot.digest == identity else self._state.batches.get(identity)
        if batch is not None:
            self._state.batches[identity] = batch
            self._state.decide(sequence, batch)
        else:
            self._fetching.expect([identity])
