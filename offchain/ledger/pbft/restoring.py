"""A replica's memory from its journal."""

from collections.abc import Sequence as Sequence_

from offchain.errors import Rejected
from offchain.ledger.pbft.agreement import Agreement
from offchain.ledger.pbft.bundles import Bundles
from offchain.ledger.pbft.checkpoints import Checkpoints
from offchain.ledger.pbft.codec import digest
from offchain.ledger.pbft.journal_records import Adopted, Entered, Record, Snapshot, decode_record
from offchain.ledger.pbft.messages import Bundle, Decided, Entry, Prepare, PrePrepare, ViewChange
from offchain.ledger.pbft.state import State
from offchain.ledger.pbft.view_change import ViewChanges


class Restoring:
    """Follows the records in the order in which they were written."""

    def __init__(
        self,
        state: State,
        bundles: Bundles,
        checkpoints: Checkpoints,
        agreement: Agreement,
        view_changes: ViewChanges,
    ) -> None:
        self._state = state
        self._bundles = bundles
        self._checkpoints = checkpoints
        self._agreement = agreement
        self._view_changes = view_changes

    def follow(self, records: Sequence_[bytes]) -> None:
        """Raises Rejected if they are no journal of this replica."""
        for at, data in enumerate(records):
            record = decode_record(data)
            if isinstance(record, Snapshot):
                if at:
                    raise Rejected("the journal has a stable checkpoint in its middle; check the files")
                self._state.stable = record.sequence
                self._checkpoints.own.clear()
            self._follow(record)
        self._state.journalled = sum(map(len, records))
        self._bundles.set_unproposed()
        for slot in self._state.slots.values():
            if slot.batch is not None:
                self._bundles.set_proposed(slot.batch)

    def _follow(self, record: Record) -> None:
        state = self._state
        match record:
            case Snapshot() | Adopted():
                self._load(record)
            case Bundle():
                self._bundles.restore(record)
            case Entered():
                state.go_to(record.view, changing=False)
                state.begin(record.start, record.choices)
            case ViewChange():
                if record.replica != state.me:
                    raise Rejected(f"the journal is of replica {record.replica}, not of {state.me}; check the files")
                state.go_to(record.view, changing=True)
                self._view_changes.restore(record)
            case PrePrepare():
                self._accepted(record)
            case Prepare():
                state.prepared[record.sequence] = Entry(record.sequence, record.view, record.digest)
                if record.view == state.view and not state.changing:
                    self._agreement.restore_prepared(record.sequence)
            case Decided():
                state.batches[digest(record.batch)] = record.batch
                state.decide(record.sequence, record.batch)
                state.logged = max(state.logged, record.sequence)
            case _:
                raise Rejected(f"the journal has a record of a {type(record).__name__}; check the files")

    def _load(self, record: Snapshot | Adopted) -> None:
        self._checkpoints.load(record.snapshot)
        self._state.executed = self._state.logged = record.sequence
        self._checkpoints.take()

    def _accepted(self, record: PrePrepare) -> None:
        state, identity = self._state, digest(record.batch)
        state.remember_preprepared(record.sequence, identity, record.view)
        state.batches[identity] = record.batch
        if record.view == state.view and not state.changing and state.is_in_window(record.sequence):
            self._agreement.restore_accepted(record.sequence, identity, record.batch)
