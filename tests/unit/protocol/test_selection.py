"""Which orders providers and validators choose."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.protocol.selection import (
    ScoringMeans,
    ScoringOffer,
    TrainingMeans,
    TrainingOffer,
    choose_scoring,
    choose_training,
    fetch_orders,
)
from offchain.types import OrderId, Seconds, Wei

NOW = Seconds(1000)
OFFER = TrainingOffer(
    oid=OrderId(1),
    reward=Wei(100),
    train_seconds=Seconds(10),
    train_until=Seconds(1010),
    claim_bond=Wei(10),
    max_model_bytes=50,
    claims=0,
    max_claims=3,
    claimed_by_me=False,
)
MEANS = TrainingMeans(
    slots=5, free_bond=Wei(100), least_seconds=Seconds(5), least_reward_per_second=Wei(0), max_model_bytes=100
)
SCORING = ScoringOffer(
    oid=OrderId(1),
    reward=Wei(1000),
    validator_share_ppm=100_000,
    models=2,
    minimum_vstake=Wei(10),
    commit_until=Seconds(1010),
    max_model_bytes=50,
    validators=1,
    max_validators=3,
    lowest_vstake=Wei(0),
    scored=False,
)
SCORER = ScoringMeans(slots=5, free_bond=Wei(100), wanted_vstake=Wei(0), max_model_bytes=100)


def offers(*changes: dict[str, object]) -> list[TrainingOffer]:
    return [replace(OFFER, oid=OrderId(place + 1), **change) for place, change in enumerate(changes)]  # type: ignore[arg-type]


def test_orders_come_by_reward_per_second() -> None:
    found = offers(
        {"reward": Wei(100), "train_seconds": Seconds(10)},
        {"reward": Wei(1000), "train_seconds": Seconds(1000)},
        {"reward": Wei(30), "train_seconds": Seconds(2)},
    )
    assert [offer.oid for offer in fetch_orders(found, 9)] == [3, 1, 2]
    assert [offer.oid for offer in fetch_orders(found, 1)] == [3]


def test_ties_go_to_the_order_that_ends_first_then_to_the_older() -> None:
    found = offers({"train_until": Seconds(1020)}, {"train_until": Seconds(1010)}, {"train_until": Seconds(1020)})
    assert [offer.oid for offer in fetch_orders(found, 9)] == [2, 1, 3]


rates = st.tuples(st.integers(1, 10**30), st.integers(1, 10**9))


@given(st.lists(rates, max_size=8))
def test_the_ranking_is_exact(pairs: list[tuple[int, int]]) -> None:
    found = offers(*({"reward": Wei(reward), "train_seconds": Seconds(seconds)} for reward, seconds in pairs))
    ranked = [Fraction(offer.reward, offer.train_seconds) for offer in fetch_orders(found, len(found))]
    assert ranked == sorted(ranked, reverse=True)


@pytest.mark.parametrize(
    "change",
    [
        {"train_until": Seconds(1004)},
        {"claims": 3},
        {"max_model_bytes": 101},
        {"claim_bond": Wei(101)},
    ],
)
def test_what_a_provider_cannot_do_it_leaves(change: dict[str, object]) -> None:
    assert choose_training(offers({}), MEANS, NOW) == (1,)
    assert choose_training(offers(change), MEANS, NOW) == ()


def test_an_order_already_claimed_needs_neither_place_nor_bond() -> None:
    poor = replace(MEANS, free_bond=Wei(0))
    assert choose_training(offers({}), poor, NOW) == ()
    assert choose_training(offers({"claimed_by_me": True, "claims": 3}), poor, NOW) == (1,)


def test_slots_and_bond_go_to_the_best() -> None:
    found = offers({"reward": Wei(1)}, {"reward": Wei(3)}, {"reward": Wei(2)})
    assert choose_training(found, replace(MEANS, slots=2), NOW) == (2, 3)
    assert choose_training(found, replace(MEANS, free_bond=Wei(25)), NOW) == (2, 3)
    assert choose_training(found, replace(MEANS, slots=0), NOW) == ()
    assert choose_training(found, replace(MEANS, least_reward_per_second=Wei(1)), NOW) == ()


def test_a_validator_stakes_what_it_wants_or_what_it_must() -> None:
    def vstake(offer: ScoringOffer, means: ScoringMeans) -> list[int]:
        return [scoring.vstake for scoring in choose_scoring([offer], means, NOW)]

    assert vstake(SCORING, SCORER) == [10]
    assert vstake(SCORING, replace(SCORER, wanted_vstake=Wei(30))) == [30]
    assert vstake(SCORING, replace(SCORER, wanted_vstake=Wei(99))) == [50]
    assert vstake(SCORING, replace(SCORER, free_bond=Wei(19))) == []
    full = replace(SCORING, validators=3, lowest_vstake=Wei(20))
    assert vstake(full, SCORER) == [21]
    assert vstake(full, replace(SCORER, free_bond=Wei(41))) == []
    assert vstake(replace(SCORING, models=0), SCORER) == []


def test_validators_prefer_the_larger_pool_per_model() -> None:
    found = [replace(SCORING, oid=OrderId(1), models=4), replace(SCORING, oid=OrderId(2), models=1)]
    assert [scoring.oid for scoring in choose_scoring(found, SCORER, NOW)] == [2, 1]
    assert [scoring.oid for scoring in choose_scoring(found, replace(SCORER, free_bond=Wei(45)), NOW)] == [2]
    assert [scoring.oid for scoring in choose_scoring(found, replace(SCORER, slots=1), NOW)] == [2]


def test_what_is_scored_needs_no_slot_and_no_time() -> None:
    late = replace(SCORING, commit_until=NOW)
    assert choose_scoring([late], SCORER, NOW) == ()
    assert len(choose_scoring([replace(late, scored=True)], replace(SCORER, slots=0), NOW)) == 1
