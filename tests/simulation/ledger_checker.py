"""Watches one simulated run: what correct replicas say and execute must never contradict itself or one another."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeVar

from offchain.ledger.pbft import codec
from offchain.ledger.pbft.messages import (
    Checkpoint,
    Commit,
    Decided,
    Message,
    NewView,
    Prepare,
    PrePrepare,
    Proposal,
    ViewChange,
)
from offchain.ledger.pbft.state import PREPREPARED_EACH
from offchain.ledger.types import Digest, ReplicaId, Sequence, View
from tests.simulation.ledger_register import APPLIED, Step
from tests.simulation.ledger_time import EPOCH, Queue

Place = tuple[View, Sequence]
K = TypeVar("K")
V = TypeVar("V")


class Violation(AssertionError):  # noqa: N818 - as in offchain.errors
    """A rule of the ledger is broken."""


class Stalled(Violation):
    """What clients asked for was not executed everywhere in time."""


def require(condition: bool, text: str) -> None:
    """Raises Violation."""
    if not condition:
        raise Violation(text)


@dataclass(slots=True)
class Votes:
    """All that one correct replica ever said, in all its lives."""

    prepares: dict[Place, Digest] = field(default_factory=dict)
    commits: dict[Place, Digest] = field(default_factory=dict)
    changes: dict[View, ViewChange] = field(default_factory=dict)
    new_views: dict[View, NewView] = field(default_factory=dict)
    view: int = 0
    """Views below this one were left for good."""


@dataclass(slots=True)
class Checker:
    """Holds the truth: who is correct, what was submitted, what was executed first for each sequence number."""

    correct: frozenset[ReplicaId]
    primary_of: int
    """Number of replicas."""
    queue: Queue = field(default_factory=Queue)
    horizon: int = 0
    """How far ahead the time of a batch may be, milliseconds."""
    submitted: set[bytes] = field(default_factory=set)
    log: dict[Sequence, Step] = field(default_factory=dict)
    votes: dict[ReplicaId, Votes] = field(default_factory=dict)
    commits: dict[Place, Digest] = field(default_factory=dict)
    checkpoints: dict[Sequence, Digest] = field(default_factory=dict)
    batches: dict[Sequence, Digest] = field(default_factory=dict)
    applied: dict[bytes, Sequence] = field(default_factory=dict)
    decided: dict[Sequence, tuple[View, Digest]] = field(default_factory=dict)
    """What was executed for each number, and a view in which, or in an earlier one, a quorum had committed it."""
    prepares: dict[Sequence, set[tuple[View, Digest]]] = field(default_factory=dict)
    views: set[View] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.votes = {replica: Votes() for replica in self.correct}

    def sent(self, replica: ReplicaId, message: Message) -> None:
        """A correct replica's message is about to leave it."""
        votes = self.votes[replica]
        match message:
            case PrePrepare() | Proposal():
                digest = message.digest if isinstance(message, Proposal) else codec.digest(message.batch)
                require(message.view % self.primary_of == replica, f"{replica} is not the primary of {message}")
                self._prepare(replica, votes, message.view, message.sequence, digest)
            case Prepare():
                self._prepare(replica, votes, message.view, message.sequence, message.digest)
            case Commit():
                self._commit(replica, votes, message)
            case Checkpoint():
                _once(self.checkpoints, message.sequence, message.digest, f"{replica} checkpoint")
            case ViewChange():
                if message.replica == replica:
                    self._view_change(replica, votes, message)
            case NewView():
                if message.view % self.primary_of == replica:
                    _once(votes.new_views, message.view, message, f"{replica} new view")
                    self.views.add(message.view)
            case Decided():
                _once(self.batches, message.sequence, codec.digest(message.batch), f"{replica} decided")
            case _:
                pass

    def _prepare(self, replica: ReplicaId, votes: Votes, view: View, sequence: Sequence, digest: Digest) -> None:
        place = (view, sequence)
        if place not in votes.prepares:
            require(view >= votes.view, f"{replica} prepares {place} after it left for view {votes.view}")
            votes.view = max(votes.view, int(view))
        _once(votes.prepares, place, digest, f"{replica} prepare {place}")
        self.prepares.setdefault(sequence, set()).add((view, digest))
        self._keeps_decisions(sequence)

    def _commit(self, replica: ReplicaId, votes: Votes, message: Commit) -> None:
        place = (message.view, message.sequence)
        if place not in votes.commits:
            require(message.view >= votes.view, f"{replica} commits {place} after it left for view {votes.view}")
        require(votes.prepares.get(place, message.digest) == message.digest, f"{replica} commits another at {place}")
        _once(votes.commits, place, message.digest, f"{replica} commit {place}")
        _once(self.commits, place, message.digest, f"commits of correct replicas at {place}")

    def _view_change(self, replica: ReplicaId, votes: Votes, message: ViewChange) -> None:
        known = votes.changes.get(message.view)
        _once(votes.changes, message.view, message, f"{replica} view change {message.view}")
        if known is not None:
            return
        require(message.view >= votes.view, f"{replica} goes back from view {votes.view} to {message.view}")
        votes.view = int(message.view)
        prepared = {entry.sequence: entry for entry in message.prepared}
        for (view, sequence), digest in votes.commits.items():
            if sequence <= message.stable or view >= message.view:
                continue
            entry = prepared.get(sequence)
            require(entry is not None, f"{replica} hides in view change {message.view} that {sequence} prepared")
            assert entry is not None
            same = entry.view > view or (entry.view == view and entry.digest == digest)
            require(same, f"{replica} says in view change {message.view} that {entry} prepared, not {digest.hex()}")
        accepted = {(entry.sequence, entry.digest): entry.view for entry in message.preprepared}
        remembered = Counter(entry.sequence for entry in message.preprepared)
        for (view, sequence), digest in votes.prepares.items():
            # Of one number only the latest few are told, for they only vouch for what others prepared.
            if sequence > message.stable and view < message.view and remembered[sequence] < PREPREPARED_EACH:
                latest = accepted.get((sequence, digest), -1)
                require(latest >= view, f"{replica} hides in view change {message.view} its prepare {view, sequence}")

    def accused(self, replica: ReplicaId, peer: ReplicaId, reason: str) -> None:
        """A correct replica accuses a peer."""
        require(peer not in self.correct, f"{replica} accuses the correct {peer}: {reason}")

    def decides(self, view: View, sequence: Sequence, digest: Digest) -> None:
        """A correct replica, now in `view`, executes this batch."""
        if sequence not in self.decided:
            self.decided[sequence] = (view, digest)
            self._keeps_decisions(sequence)

    def _keeps_decisions(self, sequence: Sequence) -> None:
        """What a quorum committed in one view is what every later view begins with (Castro and Liskov's lemma)."""
        if sequence in self.decided:
            view, digest = self.decided[sequence]
            for later, other in self.prepares.get(sequence, ()):
                text = f"{other.hex()} is prepared for {sequence} in view {later}, {digest.hex()} was decided in {view}"
                require(later <= view or other == digest, text)

    def executed(self, replica: ReplicaId, sequence: Sequence, step: Step) -> None:
        """A correct replica executed a batch."""
        known = self.log.get(sequence)
        if known is not None:
            require(known == step, f"{replica} executes another {sequence}: {step} instead of {known}")
            return
        self.log[sequence] = step
        before = self.log.get(Sequence(sequence - 1))
        require(before is None or before.time <= step.time, f"time goes back at {sequence}")
        latest = EPOCH + 1.1 * self.queue.now + self.horizon
        require(step.time <= latest, f"{sequence} is {step.time - latest} ms ahead of every clock")
        for request, result in zip(step.requests, step.results, strict=True):
            require(request in self.submitted, f"{replica} executes at {sequence} what no client sent: {request.hex()}")
            if result == APPLIED:
                require(request not in self.applied, f"{sequence} applies again: {request.hex()}")
                self.applied[request] = sequence

    def restored(self, replica: ReplicaId, sequence: Sequence, digest: Digest) -> None:
        """A correct replica took on the state after `sequence`."""
        known = self.log.get(sequence)
        require(
            sequence == 0 or (known is not None and known.digest == digest),
            f"{replica} takes on a state at {sequence} that nobody computed",
        )

    def finished(self) -> None:
        """At the end of a run."""
        numbers = sorted(self.log)
        require(numbers == list(range(1, len(numbers) + 1)), f"gaps in the ledger: {numbers}")


def _once(known: dict[K, V], key: K, value: V, text: str) -> None:
    """What was said about `key` once holds for ever."""
    before = known.setdefault(key, value)
    require(before == value, f"{text}: {value} contradicts {before}")
