"""One replica: hands every event to the part that knows it, then does what has become possible."""

from collections.abc import Callable, Iterable
from collections.abc import Sequence as Sequence_
from typing import Any

from offchain.errors import Bug
from offchain.ledger.pbft.agreement import Agreement
from offchain.ledger.pbft.application import Application, GroupConfig, Signer
from offchain.ledger.pbft.bundles import Bundles
from offchain.ledger.pbft.catch_up import CatchUp
from offchain.ledger.pbft.checkpoints import Checkpoints
from offchain.ledger.pbft.codec import digest
from offchain.ledger.pbft.early import Early
from offchain.ledger.pbft.effects import Connected, Effect, Event, Received, SetTimer, Submitted, TimedOut, Timer
from offchain.ledger.pbft.execution import Execution
from offchain.ledger.pbft.fetching import ANSWER, Fetching
from offchain.ledger.pbft.messages import (
    Bundle,
    Checkpoint,
    Commit,
    Decided,
    Fetch,
    FetchState,
    Gossip,
    NewView,
    Offer,
    Prepare,
    PrePrepare,
    Proposal,
    StateChunk,
    Status,
    ViewChange,
)
from offchain.ledger.pbft.overhearing import Overhearing
from offchain.ledger.pbft.pacing import Pacing
from offchain.ledger.pbft.progress import Progress
from offchain.ledger.pbft.proposals import Proposals
from offchain.ledger.pbft.restoring import Restoring
from offchain.ledger.pbft.selection import Selection
from offchain.ledger.pbft.state import State
from offchain.ledger.pbft.transfer import Transfer
from offchain.ledger.pbft.view_change import ViewChanges
from offchain.ledger.types import Digest, Millis, ReplicaId, Sequence, View


class Replica:
    """Practical Byzantine fault tolerance, seen by one replica.

    Feed it `start` once and then every event through `handle`; carry out the effects in order, but make all records
    durable first.
    """

    def __init__(self, config: GroupConfig, application: Application, signer: Signer) -> None:
        if config.replicas < 4 or not 0 <= config.me < config.replicas:
            raise Bug(f"replica {config.me} of {config.replicas}: there must be at least 4")
        self._config = config
        state = self._state = State(config, application, signer)
        self._bundles = Bundles(state)
        self._checkpoints = Checkpoints(state)
        self._progress = Progress(state, self._bundles)
        self._fetching = Fetching(state, self._needs)
        self._early = Early(state)
        self._pacing = Pacing(state, self._bundles)
        self._proposals = Proposals(state, self._bundles, self._fetching)
        self._overhearing = Overhearing(state, self._fetching)
        self._agreement = Agreement(state, self._bundles, self._fetching, self._early, self._overhearing, self._pacing)
        self._execution = Execution(state, self._bundles, self._checkpoints, self._fetching)
        self._view_changes = ViewChanges(state, self._checkpoints, self._progress, self._overhearing, self._on_enter)
        self._transfer = Transfer(state, self._checkpoints)
        self._catch_up = CatchUp(
            state, self._bundles, self._checkpoints, self._agreement, self._view_changes, self._transfer
        )
        self._handlers: dict[type, Callable[[ReplicaId, Any], None]] = {
            Prepare: self._agreement.on_prepare,
            Commit: self._agreement.on_commit,
            PrePrepare: self._agreement.on_pre_prepare,
            Proposal: self._on_proposal,
            Bundle: self._on_bundle,
            Offer: self._on_offer,
            Checkpoint: self._on_checkpoint,
            ViewChange: self._view_changes.on_view_change,
            NewView: self._view_changes.on_new_view,
            Fetch: self._catch_up.on_fetch,
            Status: self._catch_up.on_status,
            Decided: self._catch_up.on_decided,
            FetchState: self._catch_up.on_fetch_state,
            StateChunk: self._on_chunk,
            Gossip: lambda _sender, _message: None,
        }
        self._checkpoints.take()

    @classmethod
    def restore(
        cls, config: GroupConfig, application: Application, signer: Signer, records: Sequence_[bytes]
    ) -> "Replica":
        """From what `Persist` and `Restart` wrote; none: a new replica. Raises Rejected if they are no journal."""
        replica = cls(config, application, signer)
        Restoring(
            replica._state,
            replica._bundles,
            replica._checkpoints,
            replica._agreement,
            replica._view_changes,
        ).follow(records)
        return replica

    def start(self, now: Millis) -> list[Effect]:
        """Sets timers, says where we stand, executes what the journal says was committed."""
        state = self._state
        state.now = now
        self._set_status_timer()
        if state.changing and self._view_changes.own is not None:
            state.broadcast(self._view_changes.own)
        self._agreement.resume()
        state.stirred = True
        self._settle()
        self._catch_up.on_start()
        state.broadcast(self._catch_up.status())
        return self._take()

    def handle(self, event: Event, now: Millis) -> list[Effect]:
        """One step. `now`: Unix time, which may jump."""
        state = self._state
        state.now = now
        if type(event) is Received:
            handler = self._handlers[type(event.message)]
            handler(event.sender, event.message)
        else:
            self._on_other(event)
        if state.stirred:
            self._settle()
        return self._take()

    @property
    def view(self) -> View:
        """The view we are in, or are leaving for."""
        return self._state.view

    @property
    def changing(self) -> bool:
        """Whether the view has not begun."""
        return self._state.changing

    @property
    def primary(self) -> ReplicaId:
        """Of the view."""
        return self._state.primary

    @property
    def executed(self) -> Sequence:
        """The last batch that was executed."""
        return self._state.executed

    @property
    def stable(self) -> Sequence:
        """The last stable checkpoint."""
        return self._state.stable

    @property
    def time(self) -> Millis:
        """The ledger's time."""
        return self._state.time

    @property
    def backlog(self) -> int:
        """Our own bundles that our peers have no room for yet: whoever submits should wait while there are some."""
        return self._bundles.backlog

    def _take(self) -> list[Effect]:
        out = self._state.out
        if out:
            self._state.out = []
        return out

    def _settle(self) -> None:
        """What has become possible: to spread, execute, forget and propose, until nothing more is."""
        state = self._state
        while state.stirred:
            state.stirred = False
            self._bundles.spread()
            if self._execution.run():
                self._progress.on_executed()
                self._catch_up.on_executed()
                state.stirred = True
            if self._execution.advance(self._view_changes.own):
                self._agreement.resume()
                state.stirred = True
            self._agreement.propose()
        self._execution.shorten_journal(self._view_changes.own)
        self._progress.watch()

    def _on_other(self, event: Event) -> None:
        match event:
            case Submitted():
                self._bundles.submit(event.requests)
            case Connected():
                self._state.send(event.peer, self._catch_up.status())
            case TimedOut(Timer.STATUS):
                self._set_status_timer()
                self._catch_up.on_tick()
                self._remind()
            case TimedOut(Timer.BATCH):
                self._pacing.on_timer()
            case TimedOut(Timer.FETCH):
                self._fetching.on_timer()
            case TimedOut(Timer.PROGRESS):
                self._on_progress_timer()

    def _remind(self) -> None:
        """Who left its view alone has to tell the others why: they may never have got the bundle."""
        if not self._state.changing:
            return
        self._bundles.drop_settled()
        oldest = next(iter(self._bundles.waiting), None)
        if oldest is not None:
            self._state.broadcast(self._bundles.held[oldest])

    def _set_status_timer(self) -> None:
        self._state.out.append(SetTimer(Timer.STATUS, Millis(self._config.status_every)))

    def _on_progress_timer(self) -> None:
        """Half of the time: perhaps the primary lacks the bundle, or we lack votes. All of it: the next view."""
        self._bundles.drop_settled()
        if not self._state.changing and self._progress.watched not in self._bundles.waiting:
            return
        if self._progress.is_over():
            self._view_changes.leave(View(self._state.view + 1))
            return
        oldest = self._progress.watched
        if not self._state.changing and oldest is not None:
            if oldest in self._bundles.unproposed:
                self._state.broadcast(self._bundles.held[oldest])
            self._state.broadcast(self._catch_up.status())

    def _on_enter(self, selection: Selection) -> None:
        """A view begins: what it begins with, then votes that came early."""
        state = self._state
        self._bundles.set_unproposed()
        own = self._checkpoints.own.get(selection.start)
        if selection.start > state.stable and own is not None and own.digest == selection.state:
            self._execution.settle_at(selection.start, None)
        if selection.start > state.executed:
            self._transfer.hurry()
        self._agreement.resume()
        for sender, vote in self._early.take():
            self._handlers[type(vote)](sender, vote)

    def _on_bundle(self, sender: ReplicaId, message: Bundle) -> None:
        identity = self._bundles.receive(sender, message, self._fetching.wanted)
        if identity is not None:
            self._fetching.arrived(identity)
            self._agreement.on_content(identity)
            for primary, pre_prepare in self._proposals.on_bundle(identity):
                self._agreement.on_pre_prepare(primary, pre_prepare)

    def _on_proposal(self, sender: ReplicaId, message: Proposal) -> None:
        pre_prepare = self._proposals.on_proposal(sender, message)
        if pre_prepare is not None:
            self._agreement.on_pre_prepare(sender, pre_prepare)

    def _on_offer(self, _sender: ReplicaId, message: Offer) -> None:
        identity = digest(message.batch)
        if identity in self._fetching.wanted:
            self._fetching.arrived(identity)
            self._state.batches[identity] = message.batch
            self._agreement.on_batch(identity, message.batch)
            self._overhearing.on_batch(identity, message.batch)
            for primary, pre_prepare in self._proposals.on_batch(identity, message.batch):
                self._agreement.on_pre_prepare(primary, pre_prepare)

    def _on_checkpoint(self, sender: ReplicaId, message: Checkpoint) -> None:
        self._checkpoints.claim(sender, message.sequence, message.digest)

    def _on_chunk(self, sender: ReplicaId, message: StateChunk) -> None:
        if self._transfer.on_chunk(sender, message):
            self._catch_up.on_executed()
            self._state.stirred = True

    def _needs(self) -> Iterable[Digest]:
        """Contents that the lowest open numbers refer to: more would be more memory than a faulty primary may take."""
        state, needs, numbers = self._state, dict[Digest, None](), 0
        for sequence in sorted(state.slots.keys() | state.committed.keys()):
            lacking = self._lacking(sequence) if sequence > state.executed else []
            needs.update(dict.fromkeys(lacking))
            numbers += bool(lacking)
            if numbers == ANSWER:
                break
        needs.update(dict.fromkeys(list(self._proposals.lacking())[:ANSWER]))
        needs.update(dict.fromkeys(i for i in self._overhearing.lacking()[:ANSWER] if i not in state.batches))
        return needs

    def _lacking(self, sequence: Sequence) -> list[Digest]:
        state, lacking = self._state, list[Digest]()
        slot, decided = state.slots.get(sequence), state.committed.get(sequence)
        if decided is not None:
            lacking += self._bundles.missing(decided)
        elif slot is not None:
            contents = (slot.digest, slot.proven)
            lacking += [i for i in contents if i is not None and i not in state.batches]
        return lacking + (list(slot.missing) if slot is not None else [])
