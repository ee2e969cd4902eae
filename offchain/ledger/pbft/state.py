"""What all parts of a replica share: where it stands, what it voted for, and the effects of the present step."""

from typing import Any

from offchain.ledger.pbft.application import Application, GroupConfig, Signer
from offchain.ledger.pbft.codec import digest, encode
from offchain.ledger.pbft.effects import Accuse, Broadcast, Effect, Persist, Send
from offchain.ledger.pbft.messages import NULL_BATCH, Batch, Entry, Message
from offchain.ledger.types import Digest, Millis, ReplicaId, Sequence, View

NULL_DIGEST = digest(NULL_BATCH)
PREPREPARED_EACH = 8
"""So many batches of one number are remembered in Q. Forgetting more can cost time, but no agreement: Q only vouches
for what others say they prepared."""


class Slot:
    """One sequence number in the present view. Voters are bit masks over the replicas."""

    __slots__ = (
        "accepted",
        "batch",
        "commit_voters",
        "commits",
        "digest",
        "missing",
        "prepare_voters",
        "prepared",
        "prepares",
        "proven",
    )

    def __init__(self) -> None:
        self.batch: Batch | None = None
        """What the primary proposed or the view began with; once it is set it stays."""
        self.digest: Digest | None = None
        """Of the batch, or of the batch that the view must begin with and that we lack."""
        self.missing: set[Digest] = set()
        """Bundles that we lack."""
        self.accepted = False
        """We have promised this batch (in the journal) and voted for it."""
        self.prepared = False
        self.proven: Digest | None = None
        """A quorum committed it, whether we saw it prepare or not."""
        self.prepare_voters = 0
        self.commit_voters = 0
        self.prepares: dict[Digest, int] = {}
        self.commits: dict[Digest, int] = {}


class State:
    """The replica's memory, and the list of effects that the present step fills."""

    __slots__ = (
        "application",
        "batches",
        "changing",
        "choices",
        "committed",
        "config",
        "executed",
        "journalled",
        "logged",
        "me",
        "now",
        "out",
        "prepared",
        "preprepared",
        "primary",
        "quorum",
        "signer",
        "slots",
        "stable",
        "start",
        "stirred",
        "time",
        "top",
        "view",
        "weak",
    )

    def __init__(self, config: GroupConfig, application: Application, signer: Signer) -> None:
        self.config = config
        self.application = application
        self.signer = signer
        self.me = config.me
        self.quorum = config.quorum
        self.weak = config.weak
        self.out: list[Effect] = []
        self.stirred = False
        """Something happened from which more may follow at the end of the step."""
        self.now = Millis(0)
        self.view = View(0)
        self.primary = ReplicaId(0)
        self.changing = False
        self.executed = Sequence(0)
        self.stable = Sequence(0)
        self.logged = Sequence(0)
        """The last number whose decision is in the journal."""
        self.journalled = 0
        """Bytes of the journal since it began."""
        self.time = Millis(0)
        self.start = Sequence(0)
        """The checkpoint at which the view began."""
        self.top = Sequence(0)
        """The last number that the view began with; the primary proposes above it."""
        self.choices: dict[Sequence, Digest] = {}
        self.slots: dict[Sequence, Slot] = {}
        self.prepared: dict[Sequence, Entry] = {}
        self.preprepared: dict[Sequence, dict[Digest, View]] = {}
        self.batches: dict[Digest, Batch] = {NULL_DIGEST: NULL_BATCH}
        self.committed: dict[Sequence, Batch] = {}
        """Decided batches: those to execute, and executed ones from an interval below the stable checkpoint on."""

    def persist(self, message: Message) -> None:
        """A record that is a message: see `journal_records`."""
        self.persist_record(encode(message))

    def persist_record(self, record: bytes) -> None:
        """Into the journal."""
        self.out.append(Persist(record))
        self.journalled += len(record)

    def send(self, to: ReplicaId, message: Message) -> None:
        """To one peer."""
        self.out.append(Send(to, message))

    def broadcast(self, message: Message) -> None:
        """To all peers."""
        self.out.append(Broadcast(message))

    def accuse(self, peer: ReplicaId, reason: str) -> None:
        """Of something that no correct replica does."""
        self.out.append(Accuse(peer, reason))

    def primary_of(self, view: View) -> ReplicaId:
        """View v is led by replica v mod n."""
        return ReplicaId(view % self.config.replicas)

    def is_in_window(self, sequence: Sequence) -> bool:
        """Whether we vote for this number."""
        return self.stable < sequence <= self.stable + self.config.window

    def slot(self, sequence: Sequence) -> Slot:
        """The number's slot in this view, made if need be. Only for numbers in the window."""
        slot = self.slots.get(sequence)
        if slot is None:
            slot = self.slots[sequence] = Slot()
        return slot

    def go_to(self, view: View, changing: bool) -> None:
        """Another view: votes of the old one count no more."""
        self.view = view
        self.primary = self.primary_of(view)
        self.changing = changing
        self.slots.clear()
        self.choices.clear()
        self.stirred = True

    def begin(self, start: Sequence, choices: tuple[Digest, ...]) -> None:
        """What the view begins with: batches for the numbers after `start`."""
        self.start = start
        self.top = Sequence(start + len(choices))
        self.choices = {Sequence(start + 1 + i): choice for i, choice in enumerate(choices)}

    def remember_preprepared(self, sequence: Sequence, batch: Digest, view: View) -> None:
        """Into Q."""
        known = self.preprepared.setdefault(sequence, {})
        known[batch] = view
        if len(known) > PREPREPARED_EACH:
            del known[min(known, key=lambda other: known[other])]

    def decide(self, sequence: Sequence, batch: Batch) -> None:
        """The batch is committed in the group."""
        if sequence > self.executed:
            self.committed.setdefault(sequence, batch)
            self.stirred = True

    def forget(self, stable: Sequence) -> None:
        """What a stable checkpoint makes superfluous; decisions of the last interval stay for those a little behind."""
        tables: tuple[dict[Sequence, Any], ...] = (self.slots, self.prepared, self.preprepared, self.choices)
        for table in tables:
            for sequence in [number for number in table if number <= stable]:
                del table[sequence]
        for sequence in [number for number in self.committed if number <= stable - self.config.interval]:
            del self.committed[sequence]
        kept = {NULL_DIGEST: NULL_BATCH}
        wanted = [entry for entries in self.preprepared.values() for entry in entries]
        wanted += [slot.digest for slot in self.slots.values() if slot.digest is not None]
        kept.update({item: self.batches[item] for item in wanted if item in self.batches})
        kept.update({digest(batch): batch for batch in self.committed.values()})
        self.batches = kept
