"""Executes what is decided, in sequence; takes checkpoints; begins the journal anew at a stable one."""

from offchain.ledger.pbft.bundles import Bundles
from offchain.ledger.pbft.checkpoints import Checkpoints
from offchain.ledger.pbft.codec import digest, encode
from offchain.ledger.pbft.effects import Executed, Restart
from offchain.ledger.pbft.fetching import Fetching
from offchain.ledger.pbft.journal_records import Adopted, Entered, Snapshot, encode_entered, encode_snapshot
from offchain.ledger.pbft.messages import Batch, Checkpoint, Decided, Prepare, PrePrepare, ViewChange
from offchain.ledger.pbft.state import State
from offchain.ledger.types import Digest, Millis, Sequence, View

_JOURNAL_MOST = 64 << 20


class Execution:
    """The end of the three phases."""

    def __init__(self, state: State, bundles: Bundles, checkpoints: Checkpoints, fetching: Fetching) -> None:
        self._state = state
        self._bundles = bundles
        self._checkpoints = checkpoints
        self._fetching = fetching
        self._journal_began_with = 0

    def run(self) -> bool:
        """Executes all that can be; whether anything was."""
        state, before = self._state, self._state.executed
        while (batch := state.committed.get(Sequence(state.executed + 1))) is not None:
            missing = self._bundles.missing(batch)
            if missing:
                self._fetching.expect(missing)
                break
            self._execute(Sequence(state.executed + 1), batch)
        return state.executed > before

    def advance(self, own_view_change: ViewChange | None) -> bool:
        """Moves to the highest checkpoint that a quorum shares; whether there was one."""
        stable = self._checkpoints.next_stable()
        if stable is None:
            return False
        self.settle_at(stable, own_view_change)
        return True

    def settle_at(self, stable: Sequence, own_view_change: ViewChange | None) -> None:
        """Forgets what a stable checkpoint of ours makes superfluous, in memory and in the journal."""
        state = self._state
        state.stable = stable
        state.forget(stable)
        self._checkpoints.forget()
        self._bundles.forget()
        self._begin_journal(own_view_change)

    def shorten_journal(self, own_view_change: ViewChange | None) -> None:
        """Begins the journal anew if most of it is about views that are over: they may go on for ever."""
        if self._state.journalled > 2 * self._journal_began_with + _JOURNAL_MOST:
            self._begin_journal(own_view_change)

    def _begin_journal(self, own_view_change: ViewChange | None) -> None:
        records = self._journal(own_view_change)
        self._state.out.append(Restart(records))
        self._state.journalled = self._journal_began_with = sum(map(len, records))

    def _execute(self, sequence: Sequence, batch: Batch) -> None:
        state = self._state
        if sequence > state.logged:
            self._bundles.make_durable(batch)
            state.persist(Decided(sequence, batch))
            state.logged = sequence
        state.batches[digest(batch)] = batch
        requests = tuple(request for i in batch.bundles for request in self._bundles.held[i].requests)
        state.time = Millis(max(state.time, batch.time))
        results = tuple(state.application.execute(state.time, requests))
        state.executed = sequence
        self._bundles.set_executed(batch)
        state.out.append(Executed(sequence, state.time, requests, results))
        if sequence % state.config.interval == 0:
            own = self._checkpoints.take()
            state.broadcast(Checkpoint(sequence, own.digest))

    def _journal(self, own_view_change: ViewChange | None) -> tuple[bytes, ...]:
        """All that binds us above the stable checkpoint, in an order that `restoring` can follow."""
        state = self._state
        snapshot = Snapshot(state.stable, self._checkpoints.own[state.stable].snapshot)
        records = [encode_snapshot(snapshot)]
        if state.changing and own_view_change is not None:
            records.append(encode(own_view_change))
        else:
            records.append(encode_entered(_entered(state)))
        accepted = self._accepted()
        decided = self._decided()
        held = all(identity in self._bundles.held for _, batch in decided for identity in batch.bundles)
        if not held or len(decided) < state.executed - state.stable:
            adopted = max(self._checkpoints.own)
            decided = [(sequence, batch) for sequence, batch in decided if sequence > adopted]
            records.append(encode_snapshot(Adopted(adopted, self._checkpoints.own[adopted].snapshot)))
        batches = [batch for _, _, batch in accepted] + [batch for _, batch in decided]
        durable = dict.fromkeys(identity for batch in batches for identity in batch.bundles)
        records += [encode(self._bundles.held[identity]) for identity in durable]
        records += [encode(PrePrepare(view, sequence, batch)) for view, sequence, batch in accepted]
        records += [encode(Prepare(e.view, e.sequence, e.digest)) for _, e in sorted(state.prepared.items())]
        records += [encode(Decided(sequence, batch)) for sequence, batch in decided]
        self._bundles.durable = set(durable)
        state.logged = state.executed
        return tuple(records)

    def _decided(self) -> list[tuple[Sequence, Batch]]:
        """What was executed above the stable checkpoint; a state that was taken on stands for some of it."""
        state = self._state
        numbers = [Sequence(number) for number in range(state.stable + 1, state.executed + 1)]
        return [(number, state.committed[number]) for number in numbers if number in state.committed]

    def _accepted(self) -> list[tuple[View, Sequence, Batch]]:
        """Q with contents, older views first."""
        state = self._state
        found: list[tuple[View, Sequence, Batch]] = []
        for sequence, batches in state.preprepared.items():
            found += [(view, sequence, state.batches[identity]) for identity, view in batches.items()]
        return sorted(found, key=lambda item: (item[0], item[1]))


def _entered(state: State) -> Entered:
    """The present view, with those of its choices that still matter; those below the stable checkpoint were dropped."""
    first = max(state.start, state.stable)
    choices: list[Digest] = []
    while (choice := state.choices.get(Sequence(first + 1 + len(choices)))) is not None:
        choices.append(choice)
    return Entered(state.view, Sequence(first), tuple(choices))
