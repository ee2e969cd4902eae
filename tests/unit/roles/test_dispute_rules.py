"""What verifiers and players do when: tables of situations and actions."""

from dataclasses import replace
from typing import Any

import pytest

from offchain.chain.availability import Asked
from offchain.chain.court import Case, in_play
from offchain.dispute.gain import Prices
from offchain.dispute.requests import Item, Request, RequestStatus, Target
from offchain.dispute.state import Dispute, Side, Stage, Verdict
from offchain.model.validation import Fault
from offchain.protocol.scores import ABSTAIN
from offchain.roles.asking_rules import Absence, is_time_to_ask, may_end, next_target, voided_by
from offchain.roles.player_rules import (
    BYSTANDERS_PATIENCE,
    Dismiss,
    DisputeAction,
    MakeMove,
    TimeOut,
    dispute_action,
)
from offchain.roles.verifier_rules import (
    Challenge,
    SlashVoid,
    Validation,
    affordable,
    challenges,
    is_undecided,
    study_order,
    void_slashes,
)
from offchain.types import OrderId, Ppm, Seconds, Wei
from tests.simulation.evm import account
from tests.unit.roles.views import ME, ORDER, OTHER, THIRD, view

CHALLENGE, COMMIT, OVER = 1200, 1155, 1500
LIAR, HONEST = account(30), account(31)
TRUTH = {0: 40, 1: 47}


def validation(who: Any, index: int, score: int, **changes: Any) -> Validation:
    usual = Validation(
        validator=who, model_index=index, holder=who, score=score, stake=Wei(10), version=0, live=True, counted=True
    )
    return replace(usual, **changes)


def case(number: int, item: Validation, challenger: Any = OTHER, **changes: Any) -> Case:
    usual = Dispute(
        challenger=challenger,
        deadline=Seconds(CHALLENGE + 30),
        stage=Stage.SUMS,
        verdict=Verdict.NONE,
        model_index=item.model_index,
        defendant=item.holder,
        low=0,
        high=48,
        move_seconds=30,
        oid=OrderId(1),
        value=item.score,
        stake=Wei(10),
        seat=item.validator,
        version=item.version,
    )
    return Case(number, replace(usual, **changes))


def closed(number: int, item: Validation, verdict: Verdict, **changes: Any) -> Case:
    return case(number, item, stage=Stage.CLOSED, verdict=verdict, **changes)


# What a verifier examines and challenges


def test_models_with_conflicting_validations_come_first_then_the_smallest() -> None:
    said = [validation(LIAR, 2, 5), validation(HONEST, 2, 6), validation(LIAR, 0, 1), validation(HONEST, 0, 1)]
    sizes = {0: 10.0, 1: float("inf"), 2: 500.0, 3: 1.0}
    assert study_order(said, [0, 1, 2, 3], sizes.__getitem__) == (2, 3, 0, 1)
    removed = [replace(said[0], live=False), *said[1:]]
    assert study_order(removed, [0, 2], sizes.__getitem__) == (0, 2)


def chosen(
    *said: Validation, cases: tuple[Case, ...] = (), now: int = CHALLENGE, **changes: Any
) -> list[tuple[Any, ...]]:
    wanted: dict[str, Any] = {"truth": TRUTH, "prices": None, "undecided": False} | changes
    truth = wanted.pop("truth")
    found = challenges(view(now), said, truth, cases, ME, samples=48, **wanted)
    return [(item.validation.validator, item.validation.model_index, item.counter, item.attempt) for item in found]


def test_what_is_false_is_challenged_while_the_window_lasts() -> None:
    honest, false = validation(HONEST, 1, 47), validation(LIAR, 1, 48)
    assert chosen(honest, false) == [(LIAR, 1, ABSTAIN, 1)]
    assert chosen(honest, false, now=COMMIT) == []
    assert chosen(honest, false, now=OVER) == []
    assert chosen(honest, replace(false, live=False)) == []
    assert chosen(honest, replace(false, holder=ME)) == []
    assert chosen(honest, false, truth={0: 40}) == [], "what is not examined is not challenged"
    two = [replace(false, stake=Wei(5)), validation(THIRD, 0, 3, stake=Wei(50))]
    assert [item[:2] for item in chosen(honest, *two)] == [(THIRD, 0), (LIAR, 1)], "the most at stake first"


def test_a_true_score_takes_the_place_where_the_best_model_lacks_validations() -> None:
    """The order wants one validator; of the best model nobody tells the truth."""
    first, second = validation(LIAR, 1, 9, stake=Wei(20)), validation(THIRD, 1, 9)
    assert chosen(first, second) == [(LIAR, 1, 47, 1), (THIRD, 1, ABSTAIN, 1)]
    assert chosen(first, second, validation(HONEST, 1, 47)) == [(LIAR, 1, ABSTAIN, 1), (THIRD, 1, ABSTAIN, 1)]
    coming = case(1, first, challenger=OTHER, counter=47)
    assert chosen(first, second, cases=(coming,)) == [(THIRD, 1, ABSTAIN, 1)]
    assert chosen(validation(LIAR, 0, 9)) == [(LIAR, 0, ABSTAIN, 1)], "a model that cannot win needs nobody"


def test_places_that_others_have_emptied_are_taken_while_the_best_model_needs_them() -> None:
    empty = validation(LIAR, 1, 9, live=False, counted=False, emptied=True)
    other = replace(empty, validator=THIRD, holder=THIRD)
    assert chosen(empty, other) == [(LIAR, 1, 47, 1)], "the order wants one"
    assert chosen(empty, validation(HONEST, 1, 47)) == []
    assert chosen(replace(empty, model_index=0)) == [], "a model that cannot win needs nobody"
    assert chosen(empty, undecided=True) == []
    false = validation(THIRD, 1, 48)
    assert chosen(empty, false) == [(THIRD, 1, 47, 1)], "the court gives it away only when there are too few"
    (found,) = challenges(view(CHALLENGE), [empty], TRUTH, (), ME, samples=48, prices=None)
    assert found.keys == (f"fill:1:{LIAR}:1:0:1", None)


def test_no_stake_is_put_behind_a_place_before_it_is_clear_which_model_is_the_best() -> None:
    said = [validation(LIAR, 0, 9), validation(LIAR, 1, 9)]
    assert chosen(*said, undecided=True) == [(LIAR, 0, ABSTAIN, 1)]
    assert is_undecided(view(CHALLENGE), said, {0: 40}, ())
    assert not is_undecided(view(CHALLENGE), said, {0: 40}, {1}), "what cannot be had is not waited for"
    assert not is_undecided(view(CHALLENGE), said, TRUTH, ())
    assert not is_undecided(view(1206), said, {0: 40}, ()), "half of the window is over"
    assert not is_undecided(view(CHALLENGE), [said[0], replace(said[1], live=False)], {0: 40}, ())


def test_whoever_was_first_is_left_to_it_unless_it_leaves_the_place_empty() -> None:
    honest, false = validation(HONEST, 1, 47), validation(LIAR, 1, 48)
    assert chosen(honest, false, cases=(case(1, false),)) == []
    assert chosen(honest, false, cases=(case(1, false, challenger=ME),)) == []
    lost = closed(1, false, Verdict.STANDS)
    assert chosen(honest, false, cases=(lost,)) == [(LIAR, 1, ABSTAIN, 1)]
    assert chosen(honest, false, cases=(lost, case(2, false, challenger=THIRD))) == [(LIAR, 1, ABSTAIN, 1)]
    assert chosen(honest, replace(false, version=1), cases=(case(1, false),)) == [(LIAR, 1, ABSTAIN, 1)]
    assert chosen(false, cases=(case(1, false),)) == [(LIAR, 1, 47, 1)], "its place is needed"


def test_a_challenge_lost_by_the_clock_is_made_again_but_not_for_ever() -> None:
    honest, false = validation(HONEST, 1, 47), validation(LIAR, 1, 48)
    lost = tuple(closed(number, false, Verdict.STANDS, challenger=ME) for number in (1, 2, 3))
    assert chosen(honest, false, cases=lost[:2]) == [(LIAR, 1, ABSTAIN, 3)]
    assert chosen(honest, false, cases=lost) == []


def test_what_does_not_pay_for_its_gas_is_left_alone_unless_a_place_is_needed() -> None:
    honest, false = validation(HONEST, 1, 47), validation(LIAR, 1, 48)
    dear, cheap = Prices(Wei(10**9), Ppm(1_000_000)), Prices(Wei(0), Ppm(1_000_000))
    assert chosen(honest, false, prices=dear) == []
    assert chosen(honest, false, prices=cheap) == [(LIAR, 1, ABSTAIN, 1)]
    assert chosen(false, prices=dear) == [(LIAR, 1, 47, 1)]


def test_the_bond_goes_to_the_most_urgent_and_its_last_part_behind_no_place() -> None:
    def wanted(oid: int, until: int, counter: int = ABSTAIN) -> Challenge:
        return Challenge(OrderId(oid), validation(LIAR, 1, 48), counter, Wei(10), Seconds(until), 1)

    late, soon = wanted(1, 500), wanted(2, 300)
    assert affordable([late, soon], Wei(25)) == (soon, late)
    assert affordable([late, soon], Wei(19)) == (soon,)
    assert affordable([late, soon], Wei(9)) == ()
    place = wanted(3, 100, counter=47)
    assert affordable([late, place], Wei(19)) == (late,)
    assert affordable([late, place], Wei(20)) == (place, late)
    assert affordable([place], Wei(10)) == (place,)


def test_a_challenge_has_one_key_whatever_is_put_in_the_place() -> None:
    item = Challenge(OrderId(1), validation(LIAR, 1, 48), ABSTAIN, Wei(10), Seconds(1), 1)
    assert item.keys == tuple(reversed(replace(item, counter=47).keys))
    assert len({item.keys[0], replace(item, attempt=2).keys[0]}) == 2


def test_validations_of_models_that_i_had_voided_are_slashed_once() -> None:
    said = [validation(LIAR, 0, 5), validation(LIAR, 1, 5), validation(HONEST, 1, 5, counted=False)]
    assert void_slashes(said, frozenset({1})) == (SlashVoid(LIAR, 1),)


# Players


@pytest.mark.parametrize(
    ("who", "stage", "now", "live", "action"),
    [
        (OTHER, Stage.PICK_SUM, CHALLENGE, True, MakeMove(Side.CHALLENGER)),
        (LIAR, Stage.SUMS, CHALLENGE, True, MakeMove(Side.DEFENDANT)),
        (OTHER, Stage.SUMS, CHALLENGE, True, None),
        (OTHER, Stage.SUMS, CHALLENGE + 30, True, TimeOut()),
        (LIAR, Stage.SUMS, CHALLENGE + 30, True, None),
        (OTHER, Stage.SUMS, CHALLENGE, False, Dismiss()),
        (LIAR, Stage.SUMS, CHALLENGE, False, Dismiss()),
        (OTHER, Stage.CLOSED, CHALLENGE + 30, True, None),
        (ME, Stage.SUMS, CHALLENGE + 30, True, None),
        (ME, Stage.SUMS, CHALLENGE + 30 + BYSTANDERS_PATIENCE, True, TimeOut()),
        (ME, Stage.SUMS, CHALLENGE + 30 + BYSTANDERS_PATIENCE, False, Dismiss()),
    ],
)
def test_players_move_in_turn_and_end_what_is_over(
    who: Any, stage: Stage, now: int, live: bool, action: DisputeAction | None
) -> None:
    there = case(1, validation(LIAR, 1, 48), stage=stage)
    assert dispute_action(there, who, Seconds(now), live=live) == action


def test_a_stage_that_comes_again_is_another_thing_in_play_and_a_later_clock_is_not() -> None:
    sums = case(1, validation(LIAR, 1, 48)).dispute
    assert in_play(sums) == in_play(replace(sums, deadline=Seconds(9)))
    others = [{"high": 24}, {"value": 3}, {"stage": Stage.PARTS}, {"posted": b"p" * 32}, {"base": 32}, {"from_": 1}]
    assert len({in_play(replace(sums, **change)) for change in others} | {in_play(sums)}) == len(others) + 1  # type: ignore[arg-type]


# Asking for data


def asked(number: int, target: Target, status: RequestStatus = RequestStatus.ANSWERED, who: Any = ME) -> Asked:
    return Asked(number, Request(who, Seconds(CHALLENGE + 30), status, Wei(2), target))


HEADER = Target(OrderId(1), Item.HEADER, 1)
GONE = Absence(1, tries=3, final=False)


def ask(absence: Absence, *known: Asked, budget: int = 4) -> Target | None:
    return next_target(view(CHALLENGE), absence, known, ME, samples=48, budget=budget)


def test_a_missing_model_is_asked_for_leaf_by_leaf_within_the_budget() -> None:
    assert ask(GONE) == HEADER
    assert ask(GONE, asked(1, HEADER, RequestStatus.OPEN, OTHER)) is None, "somebody's clock is running"
    assert ask(GONE, asked(1, HEADER, RequestStatus.EXPIRED, OTHER)) is None, "it is void"
    assert ask(GONE, asked(1, HEADER)) == Target(OrderId(1), Item.NODE, 1)
    ladder = [HEADER, *(Target(OrderId(1), item, 1) for item in (Item.NODE, Item.UNIT, Item.WEIGHTS))]
    assert ask(GONE, *(asked(number, target) for number, target in enumerate(ladder)), budget=9) is None
    assert ask(GONE, asked(1, HEADER), budget=1) is None
    assert ask(GONE, asked(1, Target(OrderId(1), Item.HEADER, 0)), budget=2) == HEADER


def test_the_leaf_at_fault_is_asked_for_first() -> None:
    malformed = Absence(1, tries=1, final=True, fault=Fault("unit", 3, 7, "bias", "too large"))
    assert ask(malformed) == Target(OrderId(1), Item.UNIT, 1, 3, 7)
    assert ask(malformed, asked(1, HEADER, who=OTHER)) == Target(OrderId(1), Item.UNIT, 1, 3, 7)


def test_samples_are_drawn_by_the_asker_and_both_ends_of_one_are_asked_for() -> None:
    large = replace(view(CHALLENGE), order=replace(ORDER, terms=replace(ORDER.terms, input_size=5000)))
    absence = Absence(None, tries=3, final=False)
    known: list[Asked] = []
    found: list[Target] = []
    for number in range(4):
        target = next_target(large, absence, known, ME, samples=1000, budget=4)
        assert target is not None
        found.append(target)
        known.append(asked(number, target))
    assert [target.item for target in found] == [Item.SAMPLE] * 4
    assert (found[0].unit, found[0].chunk, found[1].chunk) == (found[1].unit, 4, 0)
    assert len({target.unit for target in found}) == 3
    assert next_target(large, absence, (), OTHER, samples=1000, budget=4) != found[0]


def test_nothing_is_asked_for_before_it_is_clear_that_it_is_needed() -> None:
    assert is_time_to_ask(view(CHALLENGE), GONE, scored=True)
    assert not is_time_to_ask(view(CHALLENGE), GONE, scored=False)
    assert not is_time_to_ask(view(CHALLENGE), replace(GONE, tries=2), scored=True)
    assert is_time_to_ask(view(CHALLENGE), replace(GONE, tries=1, final=True), scored=True)
    assert not is_time_to_ask(view(COMMIT), GONE, scored=True)
    assert not is_time_to_ask(view(CHALLENGE), GONE, scored=True, thin=True)
    assert is_time_to_ask(view(1205), GONE, scored=True, thin=True), "in the second half of the window"
    malformed = replace(GONE, fault=Fault("node", 0, 0, "shape", "no"))
    assert is_time_to_ask(view(CHALLENGE), malformed, scored=True, thin=True), "there is nothing to lose"
    test_set = Absence(None, tries=3, final=False)
    assert is_time_to_ask(view(COMMIT), test_set, scored=False), "providers would work for nothing"
    assert not is_time_to_ask(view(1151), test_set, scored=False)


def test_requests_are_ended_by_the_asker_and_by_others_later() -> None:
    mine, theirs = asked(1, HEADER, RequestStatus.OPEN), asked(1, HEADER, RequestStatus.OPEN, OTHER)
    assert not may_end(mine, ME, CHALLENGE + 29)
    assert may_end(mine, ME, CHALLENGE + 30)
    assert not may_end(theirs, ME, CHALLENGE + 30)
    assert may_end(theirs, ME, CHALLENGE + 30 + 120)
    expired = asked(1, HEADER, RequestStatus.EXPIRED)
    assert voided_by([expired, asked(2, replace(HEADER, model_index=2), RequestStatus.EXPIRED, OTHER)], ME) == {1}
