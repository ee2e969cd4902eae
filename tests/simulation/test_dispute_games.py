"""Random networks, lies and opponents in the pure game: the honest never lose, false scores are always found out."""

import numpy as np
import pytest

from offchain.dispute.state import Side, Verdict
from offchain.protocol.scores import ScoreFunction
from tests.simulation.dispute_arena import Referee, play
from tests.simulation.dispute_games import START, Tally, calldata_size, play_seed
from tests.simulation.dispute_lies import FalseEvidence, flip_tensor, is_false, random_lie
from tests.simulation.dispute_players import Habit, Honest, Liar
from tests.simulation.dispute_worlds import WIDE, World, wide_world

BLOCK = 350
"""Seeds of one long test, three games each at least; ten of them are the battery of 10,000."""


def play_block(first: int, seeds: int) -> Tally:
    """Many seeds; says all that fail."""
    tally, failed = Tally(), []
    for seed in range(first, first + seeds):
        try:
            tally.merge(play_seed(seed))
        except Exception as error:  # noqa: BLE001 - every failure is reported with its seed
            failed.append(f"seed {seed}: {error!r}")
    assert not failed, "\n".join(failed)
    print(tally)
    return tally


def test_the_honest_win() -> None:
    tally = play_block(0, 100)
    tally.check_coverage()
    assert tally.games >= 300


@pytest.mark.long
@pytest.mark.parametrize("block", range(10))
def test_the_honest_win_ten_thousand_games(block: int) -> None:
    tally = play_block(10_000 + block * BLOCK, BLOCK)
    tally.check_coverage()
    assert tally.games >= 3 * BLOCK


def test_a_score_that_no_trace_changes_can_be_lied_about() -> None:
    """The top five of three outputs: nothing but the sum can be false. Found as seed 10255 by the battery of 10,000."""
    rng = np.random.default_rng(0)
    world = wide_world(rng, ScoreFunction.TOP5_ACCURACY, "output")
    assert is_false(world, random_lie(rng, world))


@pytest.mark.parametrize("name", [name for name in WIDE if name != "output"])
def test_operands_that_fit_no_move_are_contested(name: str) -> None:
    world, lie = wide_lie(name)
    liar = Liar(Side.DEFENDANT, np.random.default_rng(2), world, lie, Habit.PLAIN, ())
    honest = Honest(Side.CHALLENGER, np.random.default_rng(3), world.truth())
    court = Referee(world, lie.total(0, len(world.scores)), START)
    record = play(court, liar, honest, START, calldata_size)
    assert record.verdict is Verdict.FALSE
    assert record.computed == world.work.network.nodes[0].op
    assert record.part
    assert record.depth == (2 if name.startswith("nested") else 1)


def test_a_tensor_of_more_than_32_chunks_is_narrowed_twice() -> None:
    world, lie = wide_lie("output")
    liar = Liar(Side.DEFENDANT, np.random.default_rng(2), world, lie, Habit.PLAIN, ())
    court = Referee(world, lie.total(0, len(world.scores)), START)
    record = play(court, liar, Honest(Side.CHALLENGER, np.random.default_rng(3), world.truth()), START)
    assert record.verdict is Verdict.FALSE
    assert [move.function for move in record.moves].count("postHashes") == 2


def wide_lie(name: str) -> tuple[World, FalseEvidence]:
    """A wide network, and a lie about its first node that the liar can keep up to the last part."""
    for seed in range(100):
        rng = np.random.default_rng(seed)
        world = wide_world(rng, ScoreFunction.MEAN_ABSOLUTE_ERROR, name)
        lie = flip_tensor(rng, world, 1)
        if lie is not None and is_false(world, lie) and _goes_to_the_end(world, lie):
            return world, lie
    raise AssertionError(f"no lie about {name}")


def _goes_to_the_end(world: World, lie: FalseEvidence) -> bool:
    """Whether the liar finds answers to everything; clamps and coarse scales leave none to some."""
    liar = Liar(Side.DEFENDANT, np.random.default_rng(2), world, lie, Habit.PLAIN, ())
    court = Referee(world, lie.total(0, len(world.scores)), START)
    record = play(court, liar, Honest(Side.CHALLENGER, np.random.default_rng(3), world.truth()), START)
    return not record.timed_out
