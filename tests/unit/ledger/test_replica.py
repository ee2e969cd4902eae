"""A group of replicas by example: the three phases, lies of a primary, crashes, checkpoints, catching up, shares."""

from dataclasses import replace

import pytest

from offchain.errors import Bug, Rejected
from offchain.ledger.pbft import execution
from offchain.ledger.pbft.codec import decode, digest, encode, message_digest
from offchain.ledger.pbft.effects import Connected, Received, TimedOut, Timer
from offchain.ledger.pbft.journal_records import Snapshot, decode_record
from offchain.ledger.pbft.messages import (
    Batch,
    Bundle,
    Checkpoint,
    Commit,
    Decided,
    Fetch,
    FetchState,
    Message,
    NewView,
    Prepare,
    PrePrepare,
    Reference,
    StateChunk,
    Status,
    ViewChange,
)
from offchain.ledger.pbft.replica import Replica
from offchain.ledger.types import Digest, Millis, ReplicaId, Sequence, View
from tests.unit.ledger.group import START, Group, Log, Stamp, cut

ZERO = Digest(bytes(32))


def kinds(messages: list[Message]) -> list[str]:
    return [type(message).__name__ for message in messages]


def tell(group: Group, to: int, sender: int, *messages: Message) -> None:
    """A faulty replica says something."""
    for message in messages:
        group[to].handle(Received(ReplicaId(sender), message))


def propose(number: int, *bundles: Bundle, view: int = 0, time: int = START) -> PrePrepare:
    batch = Batch(Millis(time), tuple(message_digest(bundle) for bundle in bundles))
    return PrePrepare(View(view), Sequence(number), batch)


def fill(group: Group, count: int, *hosts: int, name: str = "x") -> None:
    """One batch after the other."""
    for i in range(count):
        group[hosts[i % len(hosts)]].submit(f"{name}{i}".encode())
        group.deliver()


@pytest.mark.parametrize("size", [4, 5, 6, 7, 10])
def test_requests_of_all_replicas_are_executed_once_in_one_order(size: int) -> None:
    group = Group(size)
    for me in range(size):
        group[me].submit(b"a%d" % me, b"b%d" % me)
    group.deliver()
    assert all(log == group[0].log.entries for log in group.logs())
    assert len(group[0].log.entries) == 2 * size
    assert not any(host.accused for host in group.hosts)


def test_every_vote_is_in_the_journal_before_it_leaves() -> None:
    group = Group()
    group[1].submit(b"a")
    group.deliver()
    assert kinds([decode(record) for record in group[2].records]) == ["Bundle", "PrePrepare", "Prepare", "Decided"]
    assert [kind for kind in kinds(group[2].sent) if kind in ("Prepare", "Commit")] == ["Prepare", "Commit"]


def test_batches_grow_while_the_pipeline_is_full() -> None:
    group = Group(4, pipeline=2)
    for i in range(10):
        group[0].submit(b"%d" % i)
    group.deliver()
    group.run(1_000)
    assert len(group[3].log.entries) == 10
    assert group[3].replica.executed <= 3


def test_long_requests_are_cut_into_bundles() -> None:
    group = Group(4, max_bundle_bytes=100, max_request_bytes=60)
    group[1].submit(*(bytes([65 + i]) * 40 for i in range(5)))
    group.deliver()
    assert kinds(group[1].sent).count("Bundle") == 3
    assert len(group[2].log.entries) == 5
    with pytest.raises(Bug, match="61 bytes"):
        group[1].submit(b"a" * 61)


def test_the_ledgers_time_never_goes_back() -> None:
    group = Group()
    bundles = [Bundle((b"%d" % i,)) for i in range(3)]
    for number, time in ((1, START + 500), (2, START - 9_000), (3, START + 40_000)):
        tell(group, 1, 0, bundles[number - 1], propose(number, bundles[number - 1], time=time))
    votes = [message for message in group[1].sent if isinstance(message, Prepare)]
    assert [vote.sequence for vote in votes] == [1, 2]  # 40 s ahead is too far
    for peer in (2, 3):
        tell(group, 1, peer, *votes)
        tell(group, 1, peer, *(Commit(vote.view, vote.sequence, vote.digest) for vote in votes))
    assert group[1].replica.executed == 2
    assert group[1].replica.time == START + 500


def test_an_equivocating_primary_gets_nothing_committed_twice() -> None:
    group = Group()
    bundles = Bundle((b"a",)), Bundle((b"b",))
    group.drops = lambda sender, _to, _message: sender == 0
    for me, number in ((1, 0), (2, 1), (3, 0)):
        tell(group, me, 0, *bundles, propose(1, bundles[number]))
    tell(group, 1, 0, propose(1, bundles[1]))
    group.deliver()
    assert group[1].accused == [(0, "two pre-prepares for 1 in view 0")]
    group.run(20_000)
    logs = group.logs(1, 2, 3)
    assert logs[0] == logs[1] == logs[2]
    assert sorted(logs[0]) == [b"a", b"b"]
    assert group[1].replica.view > 0


def test_a_silent_primary_is_replaced_within_a_time_out() -> None:
    group = Group()
    group[0].crash()
    group[2].submit(b"a")
    group.run(2_100)
    assert group.logs(1, 2, 3) == [[b"a"]] * 3
    assert {group[me].replica.view for me in (1, 2, 3)} == {1}


def test_silent_primaries_in_a_row_cost_doubled_time_outs() -> None:
    group = Group(7)
    for me in (0, 1):
        group[me].crash()
    group[2].submit(b"a")
    group.run(2_100 + 3_800)
    assert group[2].replica.view == 1
    group.run(300)
    assert group.logs(2, 3, 4, 5, 6) == [[b"a"]] * 5
    assert group[2].replica.view == 2


def test_who_sees_weak_many_leave_goes_along() -> None:
    group = Group(7)
    group.drops = lambda sender, to, message: isinstance(message, Bundle | Fetch)
    tell(group, 5, 0, Bundle((b"a",)))
    tell(group, 6, 0, Bundle((b"a",)))
    group.run(3_000)
    assert [host.replica.view for host in group.hosts] == [0, 0, 0, 0, 0, 1, 1]
    tell(group, 4, 0, Bundle((b"a",)))
    group.run(3_000)
    assert {host.replica.view for host in group.hosts} == {1}


def test_nobody_runs_ahead_of_a_quorum() -> None:
    group = Group()
    group.drops = cut(3)
    group[3].submit(b"lost")
    group.run(100_000)
    assert group[3].replica.view == 1
    assert group[3].replica.changing
    assert group[1].replica.view == 0
    group.heal()
    group.run(100)
    group[3].submit(b"kept")
    group.run(5_000)
    assert all(sorted(log) == [b"kept", b"lost"] for log in group.logs())


def test_a_batch_that_committed_at_one_survives_the_primary() -> None:
    group = Group()
    bundle = Bundle((b"a",))
    one = 2
    group.drops = lambda sender, to, message: isinstance(message, Commit) and to != one
    group[0].submit(b"a")
    group.deliver()
    assert [host.replica.executed for host in group.hosts] == [0, 0, 1, 0]
    group[0].crash()
    group[one].crash()
    group.drops = lambda sender, to, message: False
    group[one].restart()
    group.deliver()
    group[1].submit(b"b")
    group.run(20_000)
    assert all(log == [b"a", b"b"] for log in group.logs(1, 2, 3))
    assert group[1].executed[1] == bundle.requests


def test_a_number_that_nobody_prepared_becomes_the_null_batch() -> None:
    group = Group()
    bundles = [Bundle((b"%d" % i,)) for i in range(2)]
    group.drops = lambda sender, _to, _message: sender == 0
    for me in (1, 2, 3):
        tell(group, me, 0, *bundles, propose(2, bundles[1]))
    group.run(10_000)
    assert all(log == group[1].log.entries for log in group.logs(2, 3))
    assert sorted(group[1].log.entries) == [b"0", b"1"]
    assert group[1].executed[1] == ()
    assert group[1].executed[2] == (b"1",)


def test_checkpoints_empty_the_memory_and_the_journal() -> None:
    group = Group(4, interval=4)
    fill(group, 42, 0, 1, 2, 3)
    for host in group.hosts:
        assert host.replica.stable == 40
        state = host.replica._state
        assert set(state.slots) == {41, 42}
        assert set(state.preprepared) == {41, 42}
        assert min(state.committed) == 37
        assert len(host.replica._bundles.held) == 6
        assert len(host.records) < 20


def test_fewer_than_a_quorum_make_no_checkpoint_stable() -> None:
    group = Group(4, interval=4)
    group.drops = lambda sender, to, message: isinstance(message, Checkpoint | Status) and sender in (1, 2)
    fill(group, 4, 0)
    assert [host.replica.stable for host in group.hosts] == [0, 4, 4, 0]


def test_a_replica_without_its_peers_stops_at_the_window() -> None:
    group = Group(4, interval=4)
    group.drops = lambda sender, to, message: isinstance(message, Checkpoint | Status | StateChunk)
    for i in range(12):
        group[0].submit(b"%d" % i)
        group.deliver()
    assert {host.replica.executed for host in group.hosts} == {8}
    group.heal()
    group.run(2_000)
    assert {len(host.log.entries) for host in group.hosts} == {12}


def test_one_that_was_away_a_little_gets_the_decisions() -> None:
    group = Group()
    group[3].crash()
    fill(group, 40, 0, 1, 2)
    group[3].restart()
    group.run(5_000)
    assert group[3].replica.executed == 40
    assert "FetchState" not in kinds(group[3].sent)
    assert group[3].log.entries == group[0].log.entries


def test_one_that_was_away_for_long_gets_the_state() -> None:
    group = Group(4, interval=4, chunk_bytes=16)
    group[3].crash()
    fill(group, 42, 0, 1, 2)
    group[3].restart()
    group.run(6_000)
    assert group[3].replica.executed == 42
    assert group[3].log.entries == group[0].log.entries
    assert group[3].replica.stable == 40
    fill(group, 3, 3, name="again")
    assert group[3].replica.executed == 45


def test_a_false_state_is_refused_and_asked_for_elsewhere() -> None:
    group = Group(4, interval=4)
    group[3].crash()
    fill(group, 42, 0, 1, 2)
    false = Log()
    false.execute(START, [b"lie"])
    handle = group[0].handle

    def lie(event: object) -> None:
        if isinstance(event, Received) and isinstance(event.message, FetchState):
            data = (5).to_bytes(8, "big") + false.snapshot()
            group[0].post(StateChunk(event.message.sequence, 0, 1, data), 3)
        else:
            handle(event)  # type: ignore[arg-type]

    group[0].handle = lie  # type: ignore[method-assign]
    group[3].restart()
    group.drops = lambda sender, to, message: isinstance(message, StateChunk) and sender != 0
    group.run(6_000)
    assert group[3].log.entries == []
    group.drops = lambda *_: False
    group.run(10_000)
    assert group[3].log.entries == group[1].log.entries
    assert set(group[3].accused) == {(0, "a snapshot that is not the state after 40")}


def test_f_liars_alone_decide_nothing() -> None:
    group = Group()
    group.drops = cut(3)
    bundle = Bundle((b"lie",))
    batch = propose(1, bundle).batch
    tell(group, 3, 0, bundle, Decided(Sequence(1), batch), Decided(Sequence(1), batch))
    tell(group, 3, 0, *(Prepare(View(0), Sequence(1), digest(batch)) for _ in range(3)))
    tell(group, 3, 0, *(Commit(View(0), Sequence(1), digest(batch)) for _ in range(3)))
    assert group[3].replica.executed == 0
    tell(group, 3, 1, Decided(Sequence(1), batch))
    assert group[3].log.entries == [b"lie"]


def test_each_creator_has_a_share() -> None:
    group = Group(4, creator_bundles=8)
    for i in range(20):
        tell(group, 1, 3, Bundle((b"%d" % i,)))
    assert len(group[1].replica._bundles.waiting) == 8
    assert group[1].accused == []
    tell(group, 1, 2, Bundle((b"mine",)))
    assert len(group[1].replica._bundles.waiting) == 9
    tell(group, 1, 3, Bundle((b"!invalid",)), Bundle(()))
    tell(group, 1, 2, Bundle((b"!invalid",)), Bundle(()))
    assert group[1].accused == [(2, "a bundle with an invalid request")] * 2


def test_our_own_requests_wait_for_room_with_our_peers() -> None:
    group = Group(4, creator_bundles=8, pipeline=1)
    group.drops = cut(1)
    for i in range(20):
        group[1].submit(b"%d" % i)
    assert group[1].replica.backlog == 14
    group.heal()
    group.run(10_000)
    assert group[1].replica.backlog == 0
    assert sorted(group[2].log.entries) == sorted(b"%d" % i for i in range(20))


def test_a_bundle_that_its_creator_kept_from_the_primary_is_passed_on() -> None:
    group = Group()
    bundle = Bundle((b"a",))
    tell(group, 2, 3, bundle)
    group.run(1_100)
    assert group.logs() == [[b"a"]] * 4
    assert group[2].replica.view == 0


def test_a_bundle_that_only_the_primary_has_is_fetched() -> None:
    group = Group()
    group.drops = lambda sender, to, message: isinstance(message, Bundle) and sender == 3 and to != 0
    group[3].submit(b"a")
    group.run(400)
    assert group.logs() == [[b"a"]] * 4
    assert kinds(group[1].sent).count("Fetch") == 1


def test_votes_before_the_proposal_count_and_each_peer_votes_once() -> None:
    group = Group()
    bundle = Bundle((b"a",))
    proposal = propose(1, bundle)
    prepare = Prepare(View(0), Sequence(1), digest(proposal.batch))
    tell(group, 1, 2, Prepare(View(0), Sequence(1), ZERO), prepare)
    tell(group, 1, 0, bundle, proposal)
    assert "Commit" not in kinds(group[1].sent)
    tell(group, 1, 3, prepare)
    assert "Commit" in kinds(group[1].sent)


def test_votes_outside_the_window_and_of_other_views_cost_nothing() -> None:
    group = Group()
    for number in (0, 129, 2**63):
        tell(group, 1, 2, Prepare(View(0), Sequence(number), ZERO), Commit(View(0), Sequence(number), ZERO))
    for view in range(1, 500):
        tell(group, 1, 2, Prepare(View(view), Sequence(1), ZERO))
    assert group[1].replica._state.slots == {}
    assert sum(len(kept) for kept in group[1].replica._early._kept.values()) == 48


def test_a_batch_of_too_many_bundles_is_not_even_kept() -> None:
    group = Group(4, batch_bundles=2)
    bundles = [Bundle((b"%d" % i,)) for i in range(3)]
    tell(group, 1, 0, propose(1, *bundles), propose(1, *bundles, view=4), propose(1, bundles[0], bundles[0]))
    assert [reason for _, reason in group[1].accused] == ["a batch of 3 bundles"] * 2 + ["a batch with a bundle twice"]
    assert group[1].replica._early._kept == {}


def test_a_replica_in_a_view_change_does_not_vote_in_the_old_view() -> None:
    group = Group()
    bundle = Bundle((b"a",))
    group.drops = lambda *_: True
    tell(group, 1, 3, bundle)
    group.run(2_500)
    assert group[1].replica.changing
    tell(group, 1, 0, propose(1, bundle))
    assert not {"Prepare", "Commit"} & set(kinds(group[1].sent))


@pytest.mark.parametrize("lost", [(), (PrePrepare,)])
def test_one_that_left_alone_hears_what_the_others_decide(lost: tuple[type, ...]) -> None:
    group = Group(4, interval=4)
    group.drops = cut(3)
    group[3].submit(b"lost")
    group.run(2_500)
    assert group[3].replica.changing
    group.drops = lambda sender, to, message: isinstance(message, (Status, Decided, *lost)) and to == 3
    fill(group, 20, 0)
    group.run(700)
    assert group[3].replica.executed == group[0].replica.executed >= 20
    assert group[3].replica.changing
    assert not {"Prepare", "Commit"} & set(kinds(group[3].sent))
    assert group[3].replica.stable == 20


@pytest.mark.parametrize(
    "lie",
    [
        lambda change: replace(change, signature=b"x"),
        lambda change: replace(change, stable=Sequence(64)),
        lambda change: replace(change, checkpoints=()),
        lambda change: replace(change, replica=ReplicaId(77)),
    ],
)
def test_a_false_view_change_is_not_counted(lie: object) -> None:
    group = Group()
    group.drops = lambda *_: True
    tell(group, 3, 2, Bundle((b"a",)))
    group.run(2_500)
    change = group[3].replica._view_changes.own
    assert change is not None
    false = lie(change)  # type: ignore[operator]
    tell(group, 1, 3, false)
    assert [peer for peer, _ in group[1].accused] == ([3] if false.replica == 3 else [])


def test_a_false_new_view_is_not_entered() -> None:
    group = Group()
    group.drops = lambda *_: True
    for me in (2, 3):
        tell(group, me, 1, Bundle((b"a",)))
    group.run(2_500)
    changes = [group[me].replica._view_changes.own for me in (2, 3)]
    references = tuple(Reference(change.replica, message_digest(change)) for change in changes if change is not None)
    tell(group, 2, 3, NewView(View(1), references))
    tell(group, 2, 1, NewView(View(1), references))
    assert group[2].accused == [(3, "a new view of another's"), (1, "a new view of 2 view changes")]
    assert group[2].replica.changing


def test_a_new_view_is_entered_once_its_view_changes_are_fetched() -> None:
    group = Group()
    group[0].crash()
    group.drops = lambda sender, to, message: isinstance(message, ViewChange) and (sender, to) == (3, 2)
    group[1].submit(b"a")
    group.run(2_010)
    assert kinds(group[2].sent).count("Fetch") == 1
    assert group.logs(1, 2, 3) == [[b"a"]] * 3
    assert {group[me].replica.view for me in (1, 2, 3)} == {1}


def test_what_a_status_says_back_is_bounded() -> None:
    group = Group()
    fill(group, 60, 0)
    group[1].sent.clear()
    behind = Status(View(0), False, Sequence(0), ZERO, Sequence(0))
    tell(group, 1, 2, behind)
    assert kinds(group[1].sent).count("Decided") == 16
    for _ in range(5_000):
        tell(group, 1, 2, behind)
    assert len(group[1].sent) * 2_100 < (9 << 20)
    group[1].sent.clear()
    tell(group, 1, 2, Fetch((ZERO,) * 100), FetchState(Sequence(64), 0), FetchState(Sequence(0), 2**31))
    assert group[1].sent == []


def test_a_restart_at_any_record_never_contradicts_a_vote() -> None:
    """Each prefix of the journal that votes left on: the replica says the same again, or nothing."""
    group = Group(4, interval=4)
    group[0].crash()
    fill(group, 3, 1)
    group.run(3_000)
    fill(group, 10, 1, 2)
    votes = {(type(m), m.view, m.sequence): m.digest for m in group[2].sent if isinstance(m, Prepare | Commit)}
    config = replace(group[2].replica._config)
    fake = Bundle((b"fake",))
    replica = Replica.restore(config, Log(), Stamp(ReplicaId(2)), group[2].records)
    said = list(replica.start(START))
    for number in range(1, 20):
        for event in (fake, propose(number, fake, view=replica.view)):
            said += replica.handle(Received(replica.primary, event), START)
    fresh = 0
    for effect in said:
        message = getattr(effect, "message", None)
        if isinstance(message, Prepare | Commit):
            known = votes.get((type(message), message.view, message.sequence))
            assert known in (None, message.digest)
            fresh += known is None
    assert fresh > 0


def test_a_primary_does_not_propose_a_number_twice_after_a_restart() -> None:
    group = Group()
    group.drops = lambda sender, to, message: not isinstance(message, Bundle)
    group[0].submit(b"a")
    group.deliver()
    group[0].crash()
    group[0].restart()
    group[0].submit(b"b")
    group.run(500)
    proposals = [message for message in group[0].sent if isinstance(message, PrePrepare)]
    assert [proposal.sequence for proposal in proposals] == [1, 2]
    group.heal()
    group.run(3_000)
    assert group.logs() == [[b"a", b"b"]] * 4


def test_a_view_change_is_said_again_word_for_word_after_a_restart() -> None:
    group = Group()
    group.drops = cut(3)
    group[3].submit(b"a")
    group.run(3_000)
    said = [message for message in group[3].sent if isinstance(message, ViewChange)]
    group[3].crash()
    group[3].restart()
    assert group[3].replica.changing
    again = [message for message in group[3].sent if isinstance(message, ViewChange)][len(said) :]
    assert again
    assert set(again) == set(said)


def test_the_whole_group_goes_on_after_a_power_cut() -> None:
    group = Group(4, interval=4)
    fill(group, 22, 0, 1, 2, 3)
    for host in group.hosts:
        host.crash()
    group.queue.clear()
    for host in group.hosts:
        host.restart()
    group.deliver()
    assert {host.replica.executed for host in group.hosts} == {22}
    fill(group, 5, 0, 1, 2, 3, name="y")
    assert {host.replica.executed for host in group.hosts} == {27}


def test_a_journal_that_grows_without_end_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "_JOURNAL_MOST", 0)
    group = Group()
    fill(group, 10, 0, 1, 2, 3)
    group[0].crash()
    group[2].submit(b"a")
    group.drops = lambda sender, to, message: isinstance(message, NewView)
    group.run(8_000)
    assert group[1].replica.view > 1
    kept = [decode_record(record) for record in group[1].records]
    assert isinstance(kept[0], Snapshot)
    assert sum(isinstance(record, ViewChange) for record in kept) < 3
    for me in (1, 2, 3):
        group[me].crash()
        group[me].restart()
        assert group[me].replica.executed == 10
    group.heal()
    group.run(30_000)
    assert all(log == group[1].log.entries for log in group.logs(2, 3))
    assert len(group[1].log.entries) == 11


def test_a_journal_of_another_replica_or_none_is_refused() -> None:
    group = Group()
    group.drops = cut(3)
    group[3].submit(b"a")
    group.run(3_000)
    config = replace(group[2].replica._config)
    for records in (group[3].records, [b"\x80"], [b"junk"], [encode(Checkpoint(Sequence(4), ZERO))]):
        with pytest.raises(Rejected):
            Replica.restore(config, Log(), Stamp(ReplicaId(2)), records)
    with pytest.raises(Bug, match="at least 4"):
        Group(3)


def test_a_state_that_differs_from_a_quorums_stops_the_replica() -> None:
    group = Group(4, interval=4)
    group[3].log.entries.append(b"corrupt")
    with pytest.raises(Bug, match="differs from a quorum's"):
        fill(group, 4, 0)


def test_events_that_ask_for_nothing_do_nothing() -> None:
    group = Group()
    for host in group.hosts:
        host.sent.clear()
        host.handle(TimedOut(Timer.PROGRESS))
        host.handle(TimedOut(Timer.FETCH))
        assert host.sent == []
    group[0].handle(Connected(ReplicaId(2)))
    assert kinds(group[0].sent) == ["Status"]
