"""The simulator: its crowd trains as production does, and its federation withstands what it should."""

from dataclasses import replace

import numpy as np
import pytest

from offchain.bench.federated import CLIP_NORM, EXCLUSION, Baseline, Options, Row, run
from offchain.bench.federated_tables import best_on_chain
from offchain.errors import Rejected
from offchain.federated.aggregation.rule import Rule, RuleId
from offchain.federated.attacks.sign_flip import SignFlip
from offchain.federated.fixed_point import dequantise, quantise_update
from offchain.federated.local_training import LocalSettings, local_update
from offchain.federated.parameters import initial_model
from offchain.federated.simulation.crowd import Crowd, CrowdTrainer
from offchain.federated.simulation.federation import Federation, Plan
from offchain.federated.simulation.world import World, build_world


@pytest.fixture(scope="module")
def world() -> World:
    """Twenty participants with digits of few labels each."""
    return build_world(data="digits", model="mlp:16", form="dirichlet:0.5", participants=20, seed=3)


def test_the_crowd_trains_as_each_alone(world: World) -> None:
    settings = LocalSettings(epochs=2, batch_size=8, momentum=0.5, weight_decay=0.01, proximal=0.1)
    model = initial_model(world.spec, seed=1, scale_bits=14)
    moves = CrowdTrainer(world.spec, Crowd.of(world.shares, settings), settings).moves(
        dequantise(model, 14), list(range(20))
    )
    for who in (0, 7, 19):
        alone = local_update(world.spec, model, 14, world.shares[who], settings, who).values
        together = quantise_update(moves[who], 14).values
        assert np.abs(alone.astype(np.int32) - together).max() <= 1
        assert np.abs(alone).max() > 100


def test_hostile_participants_are_found_and_left_out(world: World) -> None:
    rule = Rule(RuleId.CLIPPED_MEAN, CLIP_NORM)
    plan = Plan(rule, SignFlip(), hostile=6, rounds=12, seed=1, exclude=True)
    first, again = Federation(world, plan), Federation(world, plan)
    for turn in range(plan.rounds):
        last = first.play()
        if turn < 3:
            assert (again.play().aggregate == last.aggregate).all()
    assert set(last.detected) == set(first.hostile.tolist())
    assert set(last.participants) == set(first.honest.tolist())
    assert all(last.rewards[who] == 0 for who in first.hostile)
    assert last.accuracy > 0.5
    helpless = Federation(world, replace(plan, rule=Rule(RuleId.MEAN), exclude=False))
    assert max(helpless.play().accuracy for _ in range(plan.rounds)) < last.accuracy - 0.2


def test_the_matrix_has_a_row_for_every_cell() -> None:
    options = Options(
        attacks=("alie", "backdoor"),
        rules=("mean", "krum", "clipped-mean" + EXCLUSION),
        hostile=(30,),
        seeds=(0,),
        participants=20,
        rounds=2,
        model="mlp:8",
    )
    told: list[Row] = []
    rows = run(options, Baseline(90.0, 80.0), told.append)
    assert told == rows
    assert len(rows) == 9
    assert all(row.drop == pytest.approx(80 - row.accuracy) for row in rows)
    assert {row.attack for row in rows if row.backdoor is not None} == {"backdoor"}
    assert best_on_chain(rows)["alie", 30].accuracy == max(row.accuracy for row in rows if row.attack == "alie")
    with pytest.raises(Rejected, match="with or without"):
        replace(options, rules=("average",))
