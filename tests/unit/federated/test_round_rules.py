"""What an account does when: phase by phase, and properties over all of them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.federated.round_actions import (
    Action,
    Answer,
    Ask,
    Challenge,
    Claim,
    Commit,
    Compute,
    Expire,
    Fail,
    Finalize,
    Join,
    Leave,
    Object,
    Post,
    ReplaceLeader,
    Reveal,
    Speak,
    Start,
    Train,
)
from offchain.federated.round_rules import Asked, Expected, Intent, Knowledge, TaskView, actions
from offchain.federated.secure.terms import Stage
from offchain.federated.task_state import TaskPhase, bitmap_of
from offchain.federated.terms import Mode, PrivacyTerms
from offchain.types import TOKEN, Commitment, Root, Seconds, Wei
from tests.unit.federated.views import ROUND, STATE, TERMS, account, participant, view

STAKE = Wei(100 * TOKEN)
PARTICIPANT = Intent(stake=STAKE)
WATCHER = Intent()
IDLE = Intent(watches=False)
MINE = Commitment(b"w" * 32)
RICH = Wei(50 * TOKEN)
EXPECTED = Expected(Root(b"r" * 32), Root(b"q" * 32), 0)
POSTED: dict[str, Any] = {"posted": True, "posting": 1, "result_root": b"r" * 32, "measures_root": b"q" * 32}


def kinds(found: tuple[Action, ...]) -> set[type[Action]]:
    return {type(action) for action in found}


def test_joins_only_when_it_wants_to_and_there_is_room() -> None:
    full = replace(STATE, active=5)
    outside = Knowledge(place=None)
    assert Join(STAKE) in actions(view(TaskPhase.COMMIT), outside, PARTICIPANT)
    assert not kinds(actions(view(TaskPhase.COMMIT, state=full), outside, PARTICIPANT)) & {Join}
    assert not kinds(actions(view(TaskPhase.OVER), outside, PARTICIPANT)) & {Join}
    assert not kinds(actions(view(TaskPhase.COMMIT), outside, WATCHER)) & {Join}


def test_starts_when_the_time_is_over_or_all_places_are_taken() -> None:
    full = replace(STATE, active=5)
    first = Knowledge(place=1)
    assert actions(view(TaskPhase.JOINING, now=599), first, PARTICIPANT) == ()
    assert Start() in actions(view(TaskPhase.JOINING, now=620), first, PARTICIPANT)
    assert actions(view(TaskPhase.JOINING, now=620, state=replace(STATE, active=2)), first, PARTICIPANT) == ()
    assert Start() in actions(view(TaskPhase.JOINING, now=10, state=full), first, PARTICIPANT)


def test_trains_once_then_commits_then_reveals() -> None:
    others = tuple(participant(number, round=0) for number in range(4))
    new = view(TaskPhase.COMMIT, participants=others)
    assert actions(new, Knowledge(place=2), PARTICIPANT) == (Train(),)
    assert actions(new, Knowledge(place=2, commitment=MINE), PARTICIPANT) == (Commit(),)
    assert actions(view(TaskPhase.COMMIT), Knowledge(place=2, commitment=MINE), PARTICIPANT) == ()
    assert actions(view(TaskPhase.REVEAL), Knowledge(place=2, commitment=MINE), PARTICIPANT) == (Reveal(),)
    assert actions(view(TaskPhase.REVEAL), Knowledge(place=2, commitment=Commitment(b"x" * 32)), PARTICIPANT) == ()
    assert actions(new, Knowledge(place=2), WATCHER) == ()


SECURE = replace(TERMS, mode=Mode.SECURE, group_size=3)


@pytest.mark.parametrize(
    ("phase", "round_", "trained", "expected"),
    [
        (TaskPhase.KEYS, {}, False, (Speak(Stage.KEYS),)),
        (TaskPhase.KEYS, {"roster": 0b1011}, False, ()),
        (TaskPhase.KEYS, {"keyed": 0b0100}, False, (Train(),)),
        (TaskPhase.SHARES, {"keyed": 0b0100}, True, (Speak(Stage.SHARES),)),
        (TaskPhase.SHARES, {"keyed": 0b0011}, True, ()),
        (TaskPhase.COMMIT, {"keyed": 0b0100, "shared": 0b0100}, False, (Train(),)),
        (TaskPhase.COMMIT, {"keyed": 0b0100, "shared": 0b0100}, True, (Speak(Stage.MASKED),)),
        (TaskPhase.COMMIT, {"keyed": 0b0100, "shared": 0b0100, "revealed": 0b0100}, True, ()),
        (TaskPhase.UNMASK, {"included": 0b0111}, True, (Speak(Stage.UNMASK),)),
        (TaskPhase.UNMASK, {"included": 0b0111, "answered": 0b0100}, True, ()),
        (TaskPhase.UNMASK, {"included": 0b1011}, True, ()),
    ],
)
def test_a_session_stage_by_stage(
    phase: TaskPhase, round_: dict[str, Any], trained: bool, expected: tuple[Action, ...]
) -> None:
    seen = view(phase, terms=SECURE, **{"roster": 0b1111, "committed": 4, **round_})
    assert actions(seen, Knowledge(place=2, commitment=MINE if trained else None), PARTICIPANT) == expected


def test_who_is_included_objects_to_sums_that_are_others() -> None:
    posted = {**POSTED, "result_root": b"x" * 32, "included": 0b0111, "challenge_ends": Seconds(700)}
    seen = view(TaskPhase.CHALLENGE, terms=SECURE, now=600, **posted)

    def objects(place: int | None, view_: TaskView = seen, intent: Intent = PARTICIPANT) -> bool:
        return Object() in actions(view_, Knowledge(place=place, expected=EXPECTED), intent)

    assert [place for place in range(4) if objects(place)] == [1, 2], "not the leader, nor who is not included"
    assert not objects(None)
    assert not objects(1, intent=IDLE)
    assert not objects(1, view(TaskPhase.CHALLENGE, now=600, **posted)), "plain mode has the court"
    agreed = {**posted, "result_root": b"r" * 32}
    assert not objects(1, view(TaskPhase.CHALLENGE, terms=SECURE, now=600, **agreed))


def test_the_budget_is_kept() -> None:
    ledger = replace(TERMS, privacy=PrivacyTerms((2000,), (10,), (25,)))
    spent, left = (
        view(TaskPhase.COMMIT, terms=ledger, participants=(participant(0, round=0, releases=used),)) for used in (2, 1)
    )
    assert actions(spent, Knowledge(place=0), PARTICIPANT) == ()
    assert actions(left, Knowledge(place=0), PARTICIPANT) == (Train(),)


def test_asks_late_for_all_chunks_that_bonds_allow() -> None:
    known = Knowledge(place=1, missing=frozenset({3}), bond=RICH)
    early, late = (view(TaskPhase.REQUEST, now=now, request_ends=Seconds(1100)) for now in (1040, 1080))
    assert actions(early, known, PARTICIPANT) == ()
    assert actions(late, known, PARTICIPANT) == tuple(Ask(3, chunk) for chunk in range(4))
    assert actions(late, replace(known, bond=Wei(2 * TOKEN)), PARTICIPANT) == (Ask(3, 0), Ask(3, 1))
    asked = replace(late, asked=(Asked(3, 0, account(9), True), Asked(3, 1, account(9), False)))
    assert actions(asked, known, PARTICIPANT) == (Ask(3, 2), Ask(3, 3))
    assert actions(late, known, IDLE) == ()


def test_the_author_answers_at_once_and_others_late() -> None:
    asked = (Asked(2, 1, account(9), True), Asked(3, 0, account(9), False))
    now = view(TaskPhase.REQUEST, now=1001, request_ends=Seconds(1100), answer_ends=Seconds(1180), asked=asked)
    late = view(TaskPhase.ANSWER, now=1175, answer_ends=Seconds(1180), asked=asked)
    held = frozenset({2, 3})
    assert actions(now, Knowledge(place=2, held=held), PARTICIPANT) == (Answer(2, 1),)
    assert actions(now, Knowledge(place=1, held=held), PARTICIPANT) == ()
    assert actions(late, Knowledge(place=1, held=held), PARTICIPANT) == (Answer(2, 1),)
    over = replace(late, now=Seconds(1200))
    assert actions(over, Knowledge(place=1, held=held), PARTICIPANT) == (Expire(2),)


def test_a_leader_computes_and_posts_and_a_late_one_is_replaced() -> None:
    turn = view(TaskPhase.AGGREGATE, leader=2, post_ends=Seconds(2000))
    assert actions(turn, Knowledge(place=2), PARTICIPANT) == (Compute(),)
    assert actions(turn, Knowledge(place=2, expected=EXPECTED), PARTICIPANT) == (Post(),)
    assert actions(turn, Knowledge(place=1, expected=EXPECTED), PARTICIPANT) == ()
    late = replace(turn, now=Seconds(2020))
    assert actions(late, Knowledge(place=2, expected=EXPECTED), PARTICIPANT) == (Post(),)
    assert actions(late, Knowledge(place=1, expected=EXPECTED), PARTICIPANT) == (ReplaceLeader(),)
    assert actions(late, Knowledge(place=None), IDLE) == (ReplaceLeader(),)


@pytest.mark.parametrize("part", ["result_root", "measures_root", "selection"])
def test_what_differs_is_challenged_by_who_can(part: str) -> None:
    right = view(TaskPhase.CHALLENGE, now=1900, leader=None, challenge_ends=Seconds(2000), **POSTED)
    other: dict[str, Any] = {part: 7 if part == "selection" else b"x" * 32}
    wrong = replace(right, round=replace(right.round, **other))
    known = Knowledge(place=1, expected=EXPECTED, bond=RICH, challenge_stake=Wei(10 * TOKEN))
    assert actions(right, known, PARTICIPANT) == ()
    assert actions(wrong, known, PARTICIPANT) == (Challenge(),)
    assert actions(wrong, replace(known, place=None), WATCHER) == (Challenge(),)
    for cannot in (
        replace(known, place=0),
        replace(known, bond=Wei(1)),
        replace(known, challenged=True),
    ):
        assert actions(wrong, cannot, PARTICIPANT) == ()
    assert actions(replace(wrong, now=Seconds(2000)), known, PARTICIPANT) == ()
    # In the first half of the window (of 240 s) in turn, and only if nobody else does.
    early = replace(wrong, now=Seconds(1763))
    assert actions(early, known, PARTICIPANT) == (Challenge(),)
    assert actions(early, replace(known, place=2), PARTICIPANT) == ()
    assert actions(early, replace(known, contested=True), PARTICIPANT) == ()
    assert actions(wrong, replace(known, contested=True), PARTICIPANT) == (Challenge(),)
    assert actions(wrong, replace(known, expected=None), PARTICIPANT) == (Compute(),)


@pytest.mark.parametrize(
    ("phase", "changes", "lost"),
    [
        (TaskPhase.COMMIT, {"committed": 0}, False),
        (TaskPhase.REVEAL, {"committed": 2}, True),
        (TaskPhase.REVEAL, {"committed": 3}, False),
        (TaskPhase.REQUEST, {"included": 0b11}, True),
        (TaskPhase.REQUEST, {"included": 0b11, "open_requests": 1}, False),
        (TaskPhase.AGGREGATE, {"included": 0b11, "leader": 1, "post_ends": Seconds(9999)}, True),
        (TaskPhase.AGGREGATE, {"included": 0b1111, "leader": None}, True),
        (TaskPhase.AGGREGATE, {"included": 0b1111, "leader": 1, "post_ends": Seconds(9999)}, False),
    ],
)
def test_lost_rounds_are_given_up(phase: TaskPhase, changes: dict[str, Any], lost: bool) -> None:
    assert (Fail() in actions(view(phase, **changes), Knowledge(place=0), IDLE)) is lost


SECURE = replace(TERMS, mode=Mode.SECURE, group_size=3)


@pytest.mark.parametrize(("answered", "lost"), [(0, True), (0b1, True), (0b111, False)])
def test_a_round_without_enough_columns_is_given_up(answered: int, lost: bool) -> None:
    """A group of four can be unmasked by three; a contract takes no posting about none, and replaces no leader."""
    changes = {"roster": 0b1111, "answered": answered, "leader": 1, "post_ends": Seconds(9999)}
    looking = view(TaskPhase.AGGREGATE, terms=SECURE, **changes)
    assert (Fail() in actions(looking, Knowledge(place=0), IDLE)) is lost


def test_what_the_shown_chunks_do_not_show_is_asked_for_until_it_is_dropped() -> None:
    """Ciphertexts: the chain shows their hash only, and a small model has fewer chunks than an update has answers."""
    answered = tuple(Asked(1, chunk, account(9), open=False) for chunk in range(2))
    terms = replace(TERMS, dimension=300)
    looking = view(TaskPhase.REQUEST, now=990, terms=terms, asked=answered, request_ends=Seconds(1000))
    known = Knowledge(place=0, missing=frozenset({1}), bond=RICH)
    assert [action for action in actions(looking, known, PARTICIPANT) if isinstance(action, Ask)] == [Ask(1, 0)] * 2


def test_finalizes_in_turn_the_leader_first() -> None:
    settle = view(TaskPhase.SETTLE, challenge_ends=Seconds(1000), **POSTED)
    settle = replace(settle, round=replace(settle.round, leader=2))
    turns = {}
    for place in (0, 1, 2, 3, None):
        now = 1000
        while Finalize() not in actions(replace(settle, now=Seconds(now)), Knowledge(place=place), IDLE):
            now += 1
        turns[place] = now - 1000
    assert turns == {2: 0, 3: 3, 0: 6, 1: 9, None: 12}


def test_rewards_before_the_stake() -> None:
    over = view(TaskPhase.OVER)
    assert actions(over, Knowledge(place=1, unclaimed=(1, 2)), PARTICIPANT) == (Claim(1), Claim(2))
    assert actions(over, Knowledge(place=1), PARTICIPANT) == (Leave(),)
    assert actions(over, Knowledge(place=1), replace(PARTICIPANT, leaves=False)) == ()
    gone = view(TaskPhase.OVER, participants=(participant(0, gone=True),))
    assert actions(gone, Knowledge(place=0), PARTICIPANT) == ()


PLACES = st.one_of(st.none(), st.integers(0, 3))


@st.composite
def situations(draw: st.DrawFn) -> tuple[TaskView, Knowledge, Intent]:
    indices = st.sets(st.integers(0, 3))
    times: dict[str, Any] = {name: Seconds(draw(st.integers(900, 1100))) for name in ROUND_ENDS}
    people = tuple(
        participant(
            number,
            round=draw(st.integers(0, 1)),
            excluded=draw(st.booleans()),
            word=draw(st.sampled_from([MINE, b"y" * 32])),
        )
        for number in range(4)
    )
    asked = tuple(Asked(index, draw(st.integers(0, 5)), account(50), draw(st.booleans())) for index in draw(indices))
    found = view(
        draw(st.sampled_from(list(TaskPhase))),
        participants=people,
        leader=draw(PLACES),
        asked=asked,
        included=bitmap_of(list(draw(indices))),
        committed=draw(st.integers(0, 4)),
        open_requests=draw(st.integers(0, 2)),
        **times,
    )
    known = Knowledge(
        place=draw(PLACES),
        commitment=draw(st.one_of(st.none(), st.just(MINE))),
        missing=frozenset(draw(indices)),
        held=frozenset(draw(indices)),
        expected=draw(st.one_of(st.none(), st.just(EXPECTED))),
        bond=Wei(draw(st.integers(0, 20)) * TOKEN),
        challenged=draw(st.booleans()),
    )
    intent = Intent(
        stake=draw(st.one_of(st.none(), st.just(STAKE))), drives=draw(st.booleans()), watches=draw(st.booleans())
    )
    return found, known, intent


ROUND_ENDS = [name for name in ROUND.__dataclass_fields__ if name.endswith(("end", "ends"))]


@given(situations())
def test_whatever_the_situation(situation: tuple[TaskView, Knowledge, Intent]) -> None:
    found, known, intent = situation
    done = actions(found, known, intent)
    assert len(set(done)) == len(done)
    asks = [action for action in done if isinstance(action, Ask)]
    assert len(asks) * TERMS.request_bond <= known.bond
    assert all(0 <= ask.chunk < TERMS.result_shape.leaves for ask in asks)
    if not intent.drives and not intent.watches:
        assert kinds(done) <= {Join, Train, Commit, Reveal, Answer, Compute, Post, Claim, Leave}
    if intent.stake is None or known.place is None:
        assert not kinds(done) & {Train, Commit, Reveal, Post}
    if known.place is not None and found.participants[known.place].excluded:
        assert not kinds(done) & {Train, Commit, Reveal, Join, Leave}
