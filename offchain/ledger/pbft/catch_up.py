"""Those who fell behind: says where we stand, answers those behind us, and takes what weak-many say was decided."""

from offchain.ledger.pbft.agreement import Agreement
from offchain.ledger.pbft.bundles import Bundles, size_of
from offchain.ledger.pbft.checkpoints import Checkpoints
from offchain.ledger.pbft.codec import digest
from offchain.ledger.pbft.fetching import ANSWER, FETCH_MOST
from offchain.ledger.pbft.messages import Decided, Fetch, FetchState, Message, NewView, Offer, Status, ViewChange
from offchain.ledger.pbft.state import State
from offchain.ledger.pbft.transfer import Transfer
from offchain.ledger.pbft.view_change import ViewChanges
from offchain.ledger.types import Digest, ReplicaId, Sequence

_SMALL = 2_100
"""About the bytes of the longest batch."""
_ENTRY = 48
"""Bytes of an entry of P or Q."""
_ALL_EVERY = 4
"""A replica that gets on says where it stands only every so many ticks."""


class CatchUp:
    """What each peer may ask of us between two ticks is bounded by `creator_bytes`."""

    def __init__(
        self,
        state: State,
        bundles: Bundles,
        checkpoints: Checkpoints,
        agreement: Agreement,
        view_changes: ViewChanges,
        transfer: Transfer,
    ) -> None:
        self._state = state
        self._bundles = bundles
        self._checkpoints = checkpoints
        self._agreement = agreement
        self._view_changes = view_changes
        self._transfer = transfer
        self._ticks = 0
        self._executed_at_tick = Sequence(0)
        self._asked_at = Sequence(0)
        self._told = Sequence(0)
        """The highest number of which weak-many said what was decided."""
        self._spent: dict[ReplicaId, int] = {}
        self._ahead: dict[ReplicaId, Sequence] = {}
        self._votes: dict[Sequence, dict[ReplicaId, Digest]] = {}

    def status(self) -> Status:
        """Where we stand."""
        state = self._state
        return Status(state.view, state.changing, state.stable, self._checkpoints.stable_digest, state.executed)

    def on_start(self) -> None:
        """The journal is executed."""
        self._executed_at_tick = self._state.executed

    def on_tick(self) -> None:
        """Once in `status_every`."""
        state = self._state
        self._ticks += 1
        self._spent.clear()
        self._checkpoints.on_tick()
        self._view_changes.on_tick()
        is_idle = state.executed == self._executed_at_tick
        self._executed_at_tick = state.executed
        self._transfer.on_tick(is_idle)
        has_work = bool(self._bundles.waiting) or self._is_behind()
        if state.changing or (is_idle and has_work) or self._ticks % _ALL_EVERY == 0:
            state.broadcast(self.status())

    def on_status(self, sender: ReplicaId, message: Status) -> None:
        """A peer says where it stands: what it lacks of ours goes back."""
        state = self._state
        self._checkpoints.claim(sender, message.stable, message.stable_digest)
        self._ahead[sender] = message.executed
        if message.view < state.view or (message.view == state.view and message.changing):
            self._send_view(sender, self._view_changes.answer(message.view))
        for checkpoint in self._checkpoints.newer(message.stable):
            self._send_small(sender, checkpoint)
        if message.executed < state.stable and Sequence(message.executed + 1) not in state.committed:
            self._send_small(sender, self.status())
            return
        # Who is a few numbers behind while all is moving gets there by itself.
        is_idle = state.executed == self._executed_at_tick
        if is_idle and message.stable > state.executed + state.config.interval:
            self._transfer.hurry()
        if is_idle or message.executed + state.config.pipeline < state.executed:
            self._answer(sender, message)

    def on_decided(self, sender: ReplicaId, message: Decided) -> None:
        """A peer has executed a batch: weak-many cannot all lie."""
        state, sequence = self._state, message.sequence
        if not state.executed < sequence <= state.executed + state.config.window or sequence in state.committed:
            return
        if len(message.batch.bundles) > state.config.batch_bundles:
            state.accuse(sender, "a decided batch that is too long")
            return
        votes = self._votes.setdefault(sequence, {})
        if sender in votes:
            return
        identity = digest(message.batch)
        votes[sender] = identity
        if sum(vote == identity for vote in votes.values()) >= state.weak:
            self._told = max(self._told, sequence)
            state.batches.setdefault(identity, message.batch)
            state.decide(sequence, message.batch)

    def on_fetch(self, sender: ReplicaId, message: Fetch) -> None:
        """A peer asks for contents."""
        for identity in message.digests[:FETCH_MOST]:
            if (bundle := self._bundles.held.get(identity)) is not None:
                if self._spend(sender, size_of(bundle)):
                    self._state.send(sender, bundle)
            elif (batch := self._state.batches.get(identity)) is not None:
                if self._spend(sender, _SMALL):
                    self._state.send(sender, Offer(batch))
            else:
                self._send_view(sender, self._view_changes.find(identity))

    def on_fetch_state(self, sender: ReplicaId, message: FetchState) -> None:
        """A peer asks for a piece of a snapshot."""
        piece = self._transfer.serve(message)
        if piece is not None and self._spend(sender, len(piece.data)):
            self._state.send(sender, piece)

    def on_executed(self) -> None:
        """Forgets votes about what is executed, and asks on if an answer is used up."""
        state = self._state
        for sequence in [number for number in self._votes if number <= state.executed]:
            del self._votes[sequence]
        if state.executed == self._told >= self._asked_at + ANSWER:
            self._asked_at = state.executed
            state.broadcast(self.status())

    def _answer(self, peer: ReplicaId, message: Status) -> None:
        state = self._state
        same_view = message.view == state.view and not message.changing and not state.changing
        for number in range(message.executed + 1, message.executed + 1 + ANSWER):
            sequence = Sequence(number)
            if sequence <= state.executed and sequence in state.committed:
                self._send_small(peer, Decided(sequence, state.committed[sequence]))
            if same_view:
                for vote in self._agreement.votes(sequence):
                    self._send_small(peer, vote)

    def _send_view(self, peer: ReplicaId, message: NewView | ViewChange | None) -> None:
        entries = len(message.prepared) + len(message.preprepared) if isinstance(message, ViewChange) else 0
        if message is not None and self._spend(peer, _SMALL + _ENTRY * entries):
            self._state.send(peer, message)

    def _send_small(self, peer: ReplicaId, message: Message) -> None:
        if self._spend(peer, _SMALL):
            self._state.send(peer, message)

    def _is_behind(self) -> bool:
        """Whether weak-many said that they have executed more than we."""
        executed = self._state.executed
        return sum(number > executed for number in self._ahead.values()) >= self._state.weak

    def _spend(self, peer: ReplicaId, size: int) -> bool:
        spent = self._spent.get(peer, 0) + size
        if spent > self._state.config.creator_bytes:
            return False
        self._spent[peer] = spent
        return True
