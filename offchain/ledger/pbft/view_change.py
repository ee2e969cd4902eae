"""Leaving a view and beginning the next (TOCS 2002, section 2.3.5). View changes are signed; new views name them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from offchain.ledger.pbft.checkpoints import Checkpoints
from offchain.ledger.pbft.codec import message_digest
from offchain.ledger.pbft.fetching import FETCH_MOST
from offchain.ledger.pbft.journal_records import Entered, encode_entered
from offchain.ledger.pbft.messages import Fetch, NewView, Reference, ViewChange
from offchain.ledger.pbft.overhearing import Overhearing
from offchain.ledger.pbft.progress import Progress
from offchain.ledger.pbft.selection import Selection, select
from offchain.ledger.pbft.state import State
from offchain.ledger.pbft.view_change_form import fault, make
from offchain.ledger.types import Digest, ReplicaId, View


@dataclass(frozen=True, slots=True)
class _Pending:
    """A new view that lacks some of the view changes it refers to."""

    new_view: NewView
    lacking: dict[Digest, ReplicaId]
    found: dict[Digest, ViewChange]


class ViewChanges:
    """The latest view change of each replica, and the new views that they make."""

    def __init__(
        self,
        state: State,
        checkpoints: Checkpoints,
        progress: Progress,
        overhearing: Overhearing,
        on_enter: Callable[[Selection], None],
    ) -> None:
        self._state = state
        self._checkpoints = checkpoints
        self._progress = progress
        self._overhearing = overhearing
        self._on_enter = on_enter
        self._latest: dict[ReplicaId, ViewChange] = {}
        self._pending: dict[ReplicaId, _Pending] = {}
        self._begun: NewView | None = None
        """Ours, as the primary of the present view."""
        self._known: dict[Digest, ViewChange] = {}
        """What ours refers to."""
        self.own: ViewChange | None = None
        """Our last one."""

    def leave(self, view: View) -> None:
        """Votes no more in the present view and asks for another, above it."""
        state = self._state
        self._overhearing.on_leave()
        state.go_to(view, changing=True)
        # A new view below the one we leave for may become complete later, and must not take us back.
        self._pending = {sender: item for sender, item in self._pending.items() if item.new_view.view >= view}
        self._progress.on_leave()
        own = make(state, self._checkpoints, view)
        state.persist(own)
        state.broadcast(own)
        self.restore(own)
        self._evaluate()

    def restore(self, own: ViewChange) -> None:
        """Ours, which was sent."""
        self.own = own
        self._latest[self._state.me] = own

    def on_view_change(self, sender: ReplicaId, message: ViewChange) -> None:
        """A peer's own, or one that its new view refers to."""
        self._gather(message)
        state = self._state
        if message.replica != sender or message.view < state.view:
            return
        if message.view == state.view and not state.changing:
            return
        latest = self._latest.get(sender)
        if latest is not None and message.view <= latest.view:
            return
        wrong = fault(message, state.config, state.signer)
        if wrong is not None:
            state.accuse(sender, wrong)
            return
        self._latest[sender] = message
        self._claim(message)
        self._evaluate()

    def on_new_view(self, sender: ReplicaId, message: NewView) -> None:
        """The primary's set."""
        state = self._state
        if message.view < state.view or (message.view == state.view and not state.changing):
            return
        wrong = self._fault(sender, message)
        if wrong is not None:
            state.accuse(sender, wrong)
            return
        known = self._pending.get(sender)
        if known is not None and known.new_view.view >= message.view:
            return
        latest = {message_digest(change): change for change in self._latest.values()}
        wanted = {reference.digest: reference.replica for reference in message.view_changes}
        found = {identity: latest[identity] for identity in wanted if identity in latest}
        lacking = {identity: replica for identity, replica in wanted.items() if identity not in found}
        self._pending[sender] = _Pending(message, lacking, found)
        self._ask(sender)
        self._try_enter(sender)

    def on_tick(self) -> None:
        """Asks again for what pending new views lack: those who sent them must have it."""
        for sender in self._pending:
            self._ask(sender)

    def find(self, identity: Digest) -> ViewChange | None:
        """One that our new view refers to, for a peer."""
        return self._known.get(identity)

    def answer(self, view: View) -> NewView | ViewChange | None:
        """For a peer that is in, or leaves for, a view that has not begun for it and is not above ours."""
        state = self._state
        if state.me == state.primary and not state.changing and self._begun is not None:
            return self._begun
        if self.own is not None and self.own.view == state.view and (state.changing or view < state.view):
            return self.own
        return None

    def _fault(self, sender: ReplicaId, message: NewView) -> str | None:
        config = self._state.config
        replicas = [reference.replica for reference in message.view_changes]
        if sender != self._state.primary_of(message.view):
            return "a new view of another's"
        if not config.quorum <= len(replicas) <= config.replicas:
            return f"a new view of {len(replicas)} view changes"
        if any(low >= high for low, high in pairwise(replicas)):
            return "a new view with view changes out of order"
        return None

    def _ask(self, sender: ReplicaId) -> None:
        lacking = list(self._pending[sender].lacking)
        for at in range(0, len(lacking), FETCH_MOST):
            self._state.send(sender, Fetch(tuple(lacking[at : at + FETCH_MOST])))

    def _gather(self, message: ViewChange) -> None:
        """Completes pending new views with what their sender sends, or the view change's own replica."""
        if not self._pending:
            return
        identity = message_digest(message)
        for proposer, pending in list(self._pending.items()):
            if pending.lacking.get(identity) != message.replica or message.view != pending.new_view.view:
                continue
            wrong = fault(message, self._state.config, self._state.signer)
            if wrong is not None:
                self._state.accuse(proposer, f"a new view with {wrong}")
                del self._pending[proposer]
                continue
            del pending.lacking[identity]
            pending.found[identity] = message
            self._try_enter(proposer)

    def _try_enter(self, proposer: ReplicaId) -> None:
        pending = self._pending[proposer]
        if pending.lacking:
            return
        del self._pending[proposer]
        named = [(pending.found[item.digest], item.replica) for item in pending.new_view.view_changes]
        selection = None
        if all(change.replica == replica and change.view == pending.new_view.view for change, replica in named):
            selection = select([change for change, _ in named], self._state.config)
        if selection is None:
            self._state.accuse(proposer, "a new view that does not follow from its view changes")
            return
        self._enter(pending.new_view.view, selection, pending.found.values())

    def _evaluate(self) -> None:
        """After a new view change: join the others, start the timer, or begin the view as its primary."""
        state = self._state
        views = sorted((change.view for change in self._latest.values() if change.view > state.view), reverse=True)
        if len(views) >= state.weak:
            self.leave(views[state.weak - 1])
            return
        if not state.changing:
            return
        if sum(change.view >= state.view for change in self._latest.values()) >= state.quorum:
            self._progress.on_quorum()
        if state.primary == state.me:
            self._begin()

    def _begin(self) -> None:
        state = self._state
        changes = {
            message_digest(change): change for _, change in sorted(self._latest.items()) if change.view == state.view
        }
        if len(changes) < state.quorum:
            return
        selection = select(list(changes.values()), state.config)
        if selection is None:
            return
        new_view = NewView(state.view, tuple(Reference(change.replica, i) for i, change in changes.items()))
        state.broadcast(new_view)
        self._enter(state.view, selection, changes.values())
        self._begun, self._known = new_view, changes

    def _enter(self, view: View, selection: Selection, changes: Iterable[ViewChange]) -> None:
        state = self._state
        for change in changes:
            self._claim(change)
        self._checkpoints.prove(selection.start, selection.state)
        state.go_to(view, changing=False)
        state.begin(selection.start, selection.choices)
        state.persist_record(encode_entered(Entered(view, selection.start, selection.choices)))
        self._latest = {replica: change for replica, change in self._latest.items() if change.view > view}
        self._pending = {sender: item for sender, item in self._pending.items() if item.new_view.view > view}
        self._begun, self._known = None, {}
        self._progress.on_enter()
        self._overhearing.on_enter()
        self._on_enter(selection)

    def _claim(self, change: ViewChange) -> None:
        if change.replica != self._state.me:
            for checkpoint in change.checkpoints:
                self._checkpoints.claim(change.replica, checkpoint.sequence, checkpoint.digest)
