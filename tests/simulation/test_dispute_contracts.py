"""The same games through the deployed contracts, move by move beside the referee: same disputes, errors and money."""

import numpy as np
import pytest

from offchain.dispute.moves import Move, call_of
from offchain.dispute.proofs import Refused
from offchain.dispute.solver import next_move
from offchain.dispute.state import Dispute, Side, Stage, Verdict
from offchain.protocol.scores import ScoreFunction
from tests.simulation.dispute_arena import DEFENDANT, MOVE_SECONDS, play
from tests.simulation.dispute_chain import ACCOMPLICE, ChainCourt
from tests.simulation.dispute_games import START, Tally, play_seed
from tests.simulation.dispute_lies import FalseEvidence, random_lie
from tests.simulation.dispute_players import Accuser, Habit, Honest, Liar
from tests.simulation.dispute_worlds import FUNCTIONS, WIDE, World, random_world
from tests.simulation.evm import Reverted
from tests.simulation.test_dispute_games import wide_lie

BLOCK = 45
"""Seeds of one long test, three games each at least; four of them are the battery of 500."""
QUICK = ("dense", "wide MAX_POOL2D")
"""Wide networks whose disputes are played in every run."""


def play_block(first: int, seeds: int) -> Tally:
    """Many seeds; says all that fail."""
    tally, failed = Tally(), []
    for seed in range(first, first + seeds):
        try:
            tally.merge(play_seed(seed, ChainCourt))
        except Exception as error:  # noqa: BLE001 - every failure is reported with its seed
            failed.append(f"seed {seed}: {error!r}")
    assert not failed, "\n".join(failed)
    print(tally)
    return tally


def test_the_honest_win_on_chain() -> None:
    tally = play_block(100_000, 7)
    assert tally.games >= 20
    assert len(tally.operations) >= 5


@pytest.mark.long
@pytest.mark.parametrize("block", range(4))
def test_the_honest_win_five_hundred_games_on_chain(block: int) -> None:
    tally = play_block(200_000 + block * BLOCK, BLOCK)
    assert len(tally.functions) == len(FUNCTIONS)
    assert tally.games >= 3 * BLOCK


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in WIDE]
)
def test_wide_networks_are_disputed_on_chain(name: str) -> None:
    world, lie = wide_lie(name)
    court = ChainCourt(world, lie.total(0, len(world.scores)), START)
    record = play(court, _liar(world, lie), _honest(world, Side.CHALLENGER), START)
    assert record.verdict is Verdict.FALSE
    assert record.computed == world.work.network.nodes[0].op
    court.check_money()


def test_an_accomplice_keeps_nobody_out() -> None:
    world, lie = _lied_about(3)
    first = ChainCourt(world, lie.total(0, len(world.scores)), START, challenger=ACCOMPLICE)
    court = ChainCourt(world, lie.total(0, len(world.scores)), START, chain=first.chain)
    assert play(court, _liar(world, lie), _honest(world, Side.CHALLENGER), START).verdict is Verdict.FALSE
    court.check_money()
    # The accomplice's own dispute is about nothing now: no move in it counts, and its stake is free again.
    move = next_move(first.dispute, first.posted, lie, Side.DEFENDANT)
    assert move is not None
    with pytest.raises(Refused, match="NotDisputable"):
        first.send(DEFENDANT, move, START + 1)
    first.dismiss(START + 1)
    assert first.dispute.verdict is Verdict.MOOT
    assert first.chain["StakeVault"].read("bondOf", ACCOMPLICE, 3)[1] == 0


def test_a_lost_challenge_makes_nothing_immune() -> None:
    world, lie = _lied_about(5)
    court = ChainCourt(world, lie.total(0, len(world.scores)), START, challenger=ACCOMPLICE)
    silent = Accuser(Side.CHALLENGER, np.random.default_rng(0), world, world.truth(), Habit.LATE, ())
    silent.attempts = lambda *_: iter(())  # type: ignore[method-assign]
    assert play(court, _liar(world, lie), silent, START).verdict is Verdict.STANDS
    court.check_money()
    further = court.again(court.dispute.deadline)
    record = play(further, _liar(world, lie), _honest(world, Side.CHALLENGER), further.start)
    assert record.verdict is Verdict.FALSE
    further.check_money()


def test_another_lie_in_its_place_is_challenged_in_turn() -> None:
    """An accomplice lets itself be handed the place; its score falls to the next honest challenger, and truth stays."""
    world, lie = _lied_about(9)
    rng = np.random.default_rng(11)
    other = random_lie(rng, world)
    while other.total(0, 40) == lie.total(0, 40):
        other = random_lie(rng, world)
    court = ChainCourt(world, lie.total(0, 40), START, challenger=ACCOMPLICE, counter=other.total(0, 40))
    honest_but_late = ChainCourt(world, lie.total(0, 40), START, chain=court.chain, counter=world.score)
    court.time_out(court.dispute.deadline)
    court.check_money()
    # The honest challenger's dispute was about the first lie.
    honest_but_late.dismiss(START + MOVE_SECONDS)
    assert honest_but_late.dispute.verdict is Verdict.MOOT
    again = ChainCourt(world, other.total(0, 40), START + MOVE_SECONDS, chain=court.chain, counter=world.score)
    assert again.dispute.defendant == ACCOMPLICE
    record = play(again, _liar(world, other), _honest(world, Side.CHALLENGER), again.start)
    assert record.verdict is Verdict.FALSE
    again.check_money()
    assert again.seat[:2] == (again.dispute.challenger, world.score)


def test_the_clock_is_exact_to_the_second() -> None:
    world, lie = _lied_about(7)
    court = ChainCourt(world, lie.total(0, len(world.scores)), START)
    move = next_move(court.dispute, court.posted, lie, Side.DEFENDANT)
    assert move is not None
    with pytest.raises(Refused, match="TooLate"):
        court.send(DEFENDANT, move, START + MOVE_SECONDS)
    with pytest.raises(Refused, match="NotLate"):
        court.time_out(START + MOVE_SECONDS - 1)
    court.send(DEFENDANT, move, START + MOVE_SECONDS - 1)
    court.time_out(court.dispute.deadline)
    assert court.dispute.verdict is Verdict.STANDS


@pytest.mark.parametrize("seed", range(3))
def test_calldata_that_is_none_changes_nothing(seed: int) -> None:
    """Every move of a game, cut short or filled with noise, before it is made."""
    rng = np.random.default_rng(seed)
    world, lie = _lied_about(seed)
    court = ChainCourt(world, lie.total(0, len(world.scores)), START)
    players = {Side.DEFENDANT: _liar(world, lie), Side.CHALLENGER: _honest(world, Side.CHALLENGER)}
    tried = 0
    while (side := court.dispute.on_turn) is not None:
        attempt = next(iter(players[side].attempts(court.dispute, court.posted)), None)
        if attempt is None:
            break
        tried += _try_noise(rng, court, side, attempt.move)
        court.send(court.dispute.player(side), attempt.move, START)
    assert tried >= 16


def _try_noise(rng: np.random.Generator, court: ChainCourt, side: Side, move: Move) -> int:
    contract = court.chain["DisputeCourt"]
    function, arguments = call_of(move)
    data = contract._encoded(function, (court.id, *arguments))
    broken = [data[: int(rng.integers(4, len(data)))] for _ in range(3)]
    broken.append(data[:36] + rng.bytes(len(data) - 36))
    before: Dispute = court.dispute
    for noise in broken:
        # Solidity's decoder refuses it without a name, or what it decodes to is refused by one.
        with pytest.raises((AssertionError, Reverted), match=r"reverted with|Wrong|NoSuchChoice|IndexOutOfRange"):
            contract.evm.transact(before.player(side), contract.raw, noise)
        court.compare()
    assert court.dispute.stage is not Stage.CLOSED
    return len(broken)


def _lied_about(seed: int) -> tuple[World, FalseEvidence]:
    rng = np.random.default_rng(seed)
    world = random_world(rng, ScoreFunction.MEAN_ABSOLUTE_ERROR, 40)
    return world, random_lie(rng, world)


def _liar(world: World, lie: FalseEvidence) -> Liar:
    return Liar(Side.DEFENDANT, np.random.default_rng(2), world, lie, Habit.PLAIN, ())


def _honest(world: World, side: Side) -> Honest:
    return Honest(side, np.random.default_rng(3), world.truth())
