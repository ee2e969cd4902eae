"""With what a view begins: figure 3 of TOCS 2002, by example and over random histories with liars."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.pbft.messages import Checkpoint, Entry, ViewChange
from offchain.ledger.pbft.selection import Selection, select
from offchain.ledger.pbft.state import NULL_DIGEST
from offchain.ledger.types import Digest, ReplicaId, Sequence, View

INTERVAL = 4


def named(name: str) -> Digest:
    return Digest(name.encode().ljust(32, b"."))


GENESIS = named("state 0")
A, B, C = named("batch a"), named("batch b"), named("batch c")


def group(replicas: int) -> GroupConfig:
    return GroupConfig(replicas, ReplicaId(0), interval=INTERVAL)


def entry(sequence: int, view: int, batch: Digest) -> Entry:
    return Entry(Sequence(sequence), View(view), batch)


def change(
    replica: int,
    prepared: tuple[Entry, ...] = (),
    preprepared: tuple[Entry, ...] | None = None,
    stable: int = 0,
    also: tuple[int, ...] = (),
) -> ViewChange:
    """Q is P unless told; checkpoints are those of everybody's history."""
    checkpoints = tuple(Checkpoint(Sequence(s), named(f"state {s}")) for s in (stable, *also))
    q = prepared if preprepared is None else preprepared
    return ViewChange(View(9), ReplicaId(replica), Sequence(stable), checkpoints, prepared, q)


def chosen(changes: list[ViewChange], replicas: int = 4) -> tuple[Digest, ...] | None:
    selection = select(changes, group(replicas))
    return None if selection is None else selection.choices


def test_nothing_prepared_nothing_chosen() -> None:
    assert select([change(i) for i in range(3)], group(4)) == Selection(Sequence(0), GENESIS, ())


def test_fewer_than_a_quorum_decide_nothing() -> None:
    assert select([change(i) for i in range(2)], group(4)) is None


def test_one_witness_of_a_batch_that_may_have_committed_is_enough_if_others_accepted_it() -> None:
    witness = change(0, (entry(1, 0, A),))
    other = change(1, (), (entry(1, 0, A),))
    assert chosen([witness, other, change(2)]) == (A,)


def test_what_nobody_else_accepted_waits_for_a_quorum_that_knows_nothing_of_it() -> None:
    liar = change(0, (entry(1, 5, A),))
    assert chosen([liar, change(1), change(2)]) is None
    assert chosen([liar, change(1), change(2), change(3)]) == ()


def test_the_highest_view_wins() -> None:
    old, new = entry(1, 2, A), entry(1, 3, B)
    changes = [change(0, (old,)), change(1, (new,)), change(2, (), (entry(1, 3, B), old)), change(3)]
    assert chosen(changes) == (B,)


def test_an_older_batch_is_not_chosen_while_a_newer_one_may_have_committed() -> None:
    witness, other = change(0, (entry(1, 1, A),)), change(1, (), (entry(1, 0, B),))
    liar = change(2, (entry(1, 0, B),))
    assert chosen([witness, other, liar]) is None
    assert chosen([witness, other, liar, change(3, (), (entry(1, 1, A),))]) == (A,)


def test_a_hole_becomes_the_null_batch_and_ends_are_left_out() -> None:
    both = (entry(1, 0, A), entry(3, 0, C))
    assert chosen([change(i, both) for i in range(3)]) == (A, NULL_DIGEST, C)
    liar = change(3, (entry(4, 0, B),))
    assert chosen([*(change(i, both) for i in range(3)), liar]) == (A, NULL_DIGEST, C)


def test_the_view_begins_after_the_highest_checkpoint_that_enough_had() -> None:
    changes = [change(0, also=(4,)), change(1, stable=4), change(2)]
    assert select(changes, group(4)) == Selection(Sequence(4), named("state 4"), ())
    liar = change(0, stable=8)
    assert select([liar, change(1, also=(4,)), change(2, also=(4,))], group(4)) is None
    assert select([liar, *(change(i, also=(4,)) for i in (1, 2, 3))], group(4)) == Selection(
        Sequence(4), named("state 4"), ()
    )


def test_one_that_forgot_a_number_cannot_say_that_nothing_was_prepared_there() -> None:
    kept = (entry(1, 0, A),)
    changes = [change(0, (), stable=4), change(1, kept), change(2, kept), change(3, kept)]
    assert select(changes, group(4)) == Selection(Sequence(0), GENESIS, (A,))


@pytest.mark.parametrize("replicas", [4, 5, 6, 7, 10, 100])
def test_quorums_share_a_correct_replica_and_are_there_without_the_faulty(replicas: int) -> None:
    config = group(replicas)
    assert 2 * config.quorum - replicas >= config.faulty + 1
    assert config.quorum <= replicas - config.faulty
    assert config.quorum - config.faulty >= config.weak


def some(draw: st.DrawFn, replicas: list[int], enough: int) -> list[int]:
    """A part of them, most often just enough or one less."""
    return draw(st.permutations(replicas))[: draw(st.sampled_from([enough, enough, enough - 1, 0, len(replicas)]))]


class History:
    """What correct replicas may remember of one number after some views, in the order in which views begin.

    In each view one batch at most can gather a quorum of prepares; a batch once committed is the only one that later
    views propose. That is what the protocol guarantees by induction, and what `select` has to carry on.
    """

    def __init__(self, draw: st.DrawFn, replicas: int) -> None:
        config = group(replicas)
        self.correct = draw(st.permutations(range(replicas)))[: replicas - config.faulty]
        self.prepared: dict[int, Entry] = {}
        self.accepted: dict[int, dict[Digest, Entry]] = {replica: {} for replica in self.correct}
        self.committed: Digest | None = None
        for view in range(draw(st.integers(1, 4))):
            self._view(draw, view, config)

    def _view(self, draw: st.DrawFn, view: int, config: GroupConfig) -> None:
        batch = self.committed or draw(st.sampled_from([A, B, C]))
        # Liars vote for everything, so these many correct ones make a quorum of prepares.
        enough = config.quorum - config.faulty
        accepting = some(draw, self.correct, enough)
        for replica in accepting:
            self.accepted[replica][batch] = entry(1, view, batch)
        others = draw(st.sampled_from([A, B, C]))
        if self.committed is None:
            for replica in set(self.correct) - set(accepting):
                if draw(st.booleans()):
                    self.accepted[replica][others] = entry(1, view, others)
        if len(accepting) < enough:
            return
        witnesses = some(draw, accepting, enough)
        for replica in witnesses:
            self.prepared[replica] = entry(1, view, batch)
        if len(witnesses) >= enough:
            self.committed = batch

    def change(self, replica: int) -> ViewChange:
        prepared = (self.prepared[replica],) if replica in self.prepared else ()
        preprepared = tuple(sorted(self.accepted[replica].values(), key=lambda item: item.digest))
        return change(replica, prepared, preprepared)


ENTRIES = st.builds(entry, st.sampled_from([1, 1, 1, 2]), st.sampled_from([0, 0, 1, 2, 8]), st.sampled_from([A, B, C]))


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, History, list[ViewChange]]:
    replicas = draw(st.sampled_from([4, 5, 6, 7, 10]))
    history = History(draw, replicas)
    changes = [history.change(replica) for replica in draw(st.permutations(history.correct))]
    for liar in set(range(replicas)) - set(history.correct):
        prepared = draw(st.lists(ENTRIES, max_size=3, unique_by=lambda item: item.sequence))
        stable = draw(st.sampled_from([0, 0, INTERVAL]))
        q = (*prepared, *draw(st.lists(ENTRIES, max_size=3)))
        lie = change(liar, () if stable else tuple(prepared), q, stable)
        changes.insert(0, lie)
    return replicas, history, changes


@given(histories(), st.data())
@settings(max_examples=300, deadline=None)
def test_what_committed_is_chosen_whoever_lies(
    case: tuple[int, History, list[ViewChange]], data: st.DataObject
) -> None:
    replicas, history, changes = case
    for size in range(group(replicas).quorum, replicas + 1):
        choices = chosen(changes[:size], replicas)
        if choices is not None and history.committed is not None:
            assert choices[:1] == (history.committed,)


@given(histories())
@settings(max_examples=150, deadline=None)
def test_once_all_correct_are_heard_the_view_begins(case: tuple[int, History, list[ViewChange]]) -> None:
    replicas, history, changes = case
    selection = select(changes, group(replicas))
    assert selection is not None
    for batch in selection.choices[:1]:
        known = {item for accepted in history.accepted.values() for item in accepted}
        assert batch in known | {NULL_DIGEST}
