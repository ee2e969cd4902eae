"""Whoever is honest wins: against every named liar, under every rule, in plain and secure mode, with and without files.

The default run plays some 300 games before the referee and some on the contract beside it; the long battery far more.
"""

from __future__ import annotations

import numpy as np
import pytest

from offchain.dispute.proofs import Refused
from offchain.federated.game.challenger import objection
from offchain.federated.game.material import Material, judge
from offchain.federated.game.moves import Begin, Challenge, ChallengeCoordinate, ChallengeMeasure, ProveSelection
from offchain.federated.game.referee import Facts, check_selection
from offchain.federated.game.state import Subject, Verdict
from offchain.federated.results import Result
from offchain.federated.terms import AggregationRule, Mode
from tests.contracts.federated.drawing import RULES
from tests.simulation.federated_court import ChainCourt, Court, RefereeCourt, facts_of, fresh_chain, prove_selection
from tests.simulation.federated_players import LyingLeader, Player, Silent, Troll, play
from tests.simulation.federated_worlds import (
    LIES,
    Generator,
    Lie,
    World,
    is_lie,
    lying_column,
    random_world,
    wrong_evidence,
    wrong_norm,
    wrong_product,
    wrong_selection,
    wrong_weight,
)

SEEDS = 3
LONG_SEEDS = 150
CHAIN_LONG_SEEDS = 12


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_liars_lose(rule: AggregationRule) -> None:
    for seed in range(SEEDS):
        play_liars(seed, rule, on_chain=False)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_an_honest_leader_wins(rule: AggregationRule) -> None:
    for seed in range(SEEDS):
        play_trolls(seed, rule, on_chain=False)


def test_the_contract_agrees() -> None:
    """A liar for each way to the end, and trolls under two rules, in the EVM."""
    for index, lie in enumerate(
        (lying_column, wrong_weight, wrong_norm, wrong_product, wrong_evidence, wrong_selection)
    ):
        for seed in range(100):
            rng = np.random.default_rng([seed, index])
            world = random_world(rng, RULES[(index + seed) % len(RULES)], secure=index % 3 == 2, dimension=300)
            told = lie(world, rng)
            if told is not None and is_lie(world, told):
                defeat(world, told, rng, on_chain=True, files=index % 2 == 0)
                break
    for index, rule in enumerate((AggregationRule.CLIPPED_MEAN, AggregationRule.KRUM)):
        play_trolls(100 + index, rule, on_chain=True, most=1)


@pytest.mark.long
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_many_games(rule: AggregationRule) -> None:
    for seed in range(1_000, 1_000 + LONG_SEEDS):
        play_liars(seed, rule, on_chain=False)
        play_trolls(seed, rule, on_chain=False)


@pytest.mark.long
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_many_games_on_the_contract(rule: AggregationRule) -> None:
    for seed in range(2_000, 2_000 + CHAIN_LONG_SEEDS):
        play_liars(seed, rule, on_chain=True)
        play_trolls(seed, rule, on_chain=True)


def play_liars(seed: int, rule: AggregationRule, *, on_chain: bool) -> None:
    """All liars in one world."""
    rng = np.random.default_rng([seed, rule])
    world = random_world(rng, rule, secure=seed % 4 == 3)
    for lie in LIES:
        told = lie(world, rng)
        if told is not None and is_lie(world, told):
            defeat(world, told, rng, on_chain=on_chain, files=bool(rng.integers(0, 2)))


def defeat(world: World, lie: Lie, rng: Generator, *, on_chain: bool, files: bool) -> None:
    """The honest challenger finds out what is wrong with a posting, and wins."""
    facts = facts_of(world, lie.posting)
    own = truth(world, lie)
    result = Result(lie.material.result.shape, lie.material.result.file)
    measures = lie.material.measures if files or world.posting.mode is Mode.SECURE else None
    move = objection(lie.posting, own, result if files else None, measures)
    assert move is not None
    if isinstance(move, ProveSelection):
        return _prove(facts, move, on_chain=on_chain)
    court: Court = ChainCourt(facts, move) if on_chain else RefereeCourt(facts, move)
    leads = Silent(lie.posting, lie.material) if rng.random() < 0.1 else _liar(lie, rng)
    assert play(court, leads, Player(lie.posting, own)) is Verdict.LEADER_WRONG
    if isinstance(court, ChainCourt):
        court.check_money()
    return None


def truth(world: World, lie: Lie) -> Material:
    """What the posting ought to be, as a verifier computes it from what participants committed to."""
    return judge(lie.posting, world.material.columns, world.material.weights, world.material.previous)


def play_trolls(seed: int, rule: AggregationRule, *, on_chain: bool, most: int = 6) -> None:
    """Challenges of a right posting: from anywhere, by such as go anywhere and by such as believe something else."""
    rng = np.random.default_rng([seed, rule, 1])
    world = random_world(rng, rule, secure=seed % 4 == 1)
    facts, posting = facts_of(world), world.posting
    assert (
        objection(posting, judge(posting, world.material.columns, world.material.weights, world.material.previous))
        is None
    )
    believers = [
        told.material for lie in LIES[:8] if (told := lie(world, rng)) is not None and lie.__name__ != "long_leaf"
    ]
    for begin in _beginnings(world, rng)[:most]:
        for player in (
            Troll(posting, world.material, rng=rng),
            Player(posting, believers[seed % len(believers)], False),
        ):
            court: Court = ChainCourt(facts, begin) if on_chain else RefereeCourt(facts, begin)
            assert play(court, Player(posting, world.material), player) is Verdict.LEADER_RIGHT
            if isinstance(court, ChainCourt):
                court.check_money()


def _beginnings(world: World, rng: Generator) -> list[Begin]:
    posting = world.posting
    rows = len(world.material.measures.rows) - (posting.mode is Mode.SECURE)
    found: list[Begin] = [
        Challenge(Subject.RESULT),
        Challenge(Subject.MEASURES),
        ChallengeCoordinate(int(rng.integers(0, posting.dimension))),
        ChallengeMeasure(int(rng.integers(0, rows)), int(rng.integers(0, posting.columns))),
        ChallengeMeasure(0, posting.columns),
    ]
    return [found[index] for index in rng.permutation(len(found))]


def _liar(lie: Lie, rng: Generator) -> LyingLeader:
    return LyingLeader(lie.posting, lie.material, rng=rng)


def _prove(facts: Facts, move: ProveSelection, *, on_chain: bool) -> None:
    swapped = ProveSelection(move.left_out, move.selected, move.left_out_row, move.selected_row)
    if not on_chain:
        check_selection(facts, move)
        with pytest.raises(Refused):
            check_selection(facts, swapped)
        return
    chain = fresh_chain()
    chain.put(facts)
    with pytest.raises(Refused):
        prove_selection(chain, facts, swapped)
    prove_selection(chain, facts, move)
