"""What an honest player does, and when it does nothing."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from offchain.dispute.moves import Compute, Contest, Move, PickSum, PickTensor, PostSums, PostTrace
from offchain.dispute.rules import winner_of
from offchain.dispute.solver import next_move
from offchain.dispute.state import Dispute, Posted, Side, Stage, Verdict
from offchain.protocol.scores import ScoreFunction
from tests.simulation.dispute_arena import CHALLENGER, DEFENDANT, Referee, after
from tests.simulation.dispute_games import START
from tests.simulation.dispute_lies import FalseEvidence, flip_output, is_false
from tests.simulation.dispute_worlds import World, random_world

ACCOUNTS = {Side.DEFENDANT: DEFENDANT, Side.CHALLENGER: CHALLENGER}


@pytest.fixture
def world() -> World:
    return random_world(np.random.default_rng(4), ScoreFunction.MEAN_ABSOLUTE_ERROR, 40)


@pytest.fixture
def lie(world: World) -> FalseEvidence:
    rng = np.random.default_rng(5)
    found = flip_output(rng, world)
    while found is None or not is_false(world, found):
        found = flip_output(rng, world)
    return found


def positions(world: World, claimed: int, defendant: FalseEvidence) -> list[tuple[Dispute, Posted]]:
    """Every position of the game of a liar against an honest challenger."""
    court = Referee(world, claimed, START)
    players = {Side.DEFENDANT: defendant, Side.CHALLENGER: world.truth()}
    found = []
    while (side := court.dispute.on_turn) is not None:
        found.append((court.dispute, court.posted))
        move = next_move(court.dispute, court.posted, players[side], side)
        assert move is not None
        court.send(ACCOUNTS[side], move, START)
    assert winner_of(court.dispute) is Side.CHALLENGER
    return found


def test_a_player_moves_on_its_turn_only(world: World, lie: FalseEvidence) -> None:
    for dispute, posted in positions(world, lie.total(0, 40), lie):
        side = dispute.on_turn
        assert side is not None
        evidence = lie if side is Side.DEFENDANT else world.truth()
        assert next_move(dispute, posted, evidence, side) is not None
        assert next_move(dispute, posted, evidence, side.other) is None
        closed = dataclasses.replace(dispute, stage=Stage.CLOSED, verdict=Verdict.MOOT)
        assert next_move(closed, posted, evidence, side) is None
        assert winner_of(closed) is None


def test_moves_follow_from_the_position_alone(world: World, lie: FalseEvidence) -> None:
    for dispute, posted in positions(world, lie.total(0, 40), lie):
        if dispute.on_turn is Side.CHALLENGER:
            once, again = (next_move(dispute, posted, world.truth(), Side.CHALLENGER) for _ in range(2))
            assert once == again


def test_an_honest_defendant_of_a_false_score_makes_no_move(world: World, lie: FalseEvidence) -> None:
    for dispute, posted in positions(world, lie.total(0, 40), lie):
        if dispute.on_turn is Side.DEFENDANT:
            assert next_move(dispute, posted, world.truth(), Side.DEFENDANT) is None


def test_a_challenger_who_finds_nothing_false_makes_no_move(world: World, lie: FalseEvidence) -> None:
    stages = set()
    for dispute, posted in positions(world, lie.total(0, 40), lie):
        if dispute.on_turn is Side.CHALLENGER:
            stages.add(dispute.stage)
            assert next_move(dispute, posted, lie, Side.CHALLENGER) is None
    assert stages >= {Stage.PICK_SUM, Stage.PICK_TENSOR, Stage.PICK_ELEMENT}


def test_the_game_narrows_to_the_lie(world: World, lie: FalseEvidence) -> None:
    moves: list[Move] = []
    for dispute, posted in positions(world, lie.total(0, 40), lie):
        side = dispute.on_turn
        assert side is not None
        move = next_move(dispute, posted, lie if side is Side.DEFENDANT else world.truth(), side)
        assert move is not None
        moves.append(move)
    kinds = [type(move) for move in moves]
    # 40 samples: segments of two, then of one.
    assert kinds[:6] == [PostSums, PickSum, PostSums, PickSum, PostTrace, PickTensor]
    assert kinds[-1] is Compute
    picked = next(move for move in moves if isinstance(move, PickTensor))
    assert picked.opening.node.index == len(world.work.network.nodes) - 1


def test_tensors_that_are_not_its_own_cannot_be_shown(world: World, lie: FalseEvidence) -> None:
    """A challenger that took over from one who picked the wrong tensor."""
    for dispute, posted in positions(world, lie.total(0, 40), lie):
        if dispute.stage is Stage.PICK_ELEMENT:
            roots = (bytes(32), *(bytes([1]) * 32 for _ in posted.roots[1:]))
            assert next_move(dispute, dataclasses.replace(posted, roots=roots), world.truth(), Side.CHALLENGER) is None


def event(name: str, **arguments: object) -> Callable[[Posted], Posted]:
    return lambda posted: posted.after(name, arguments)


def test_what_was_posted_is_read_from_events() -> None:
    root, chunk = bytes([3]) * 32, b"chunk"
    posted = Posted()
    for apply in (
        event("SumsPosted", id=1, low=0, high=4, sums=[1, 2]),
        event("SumPicked", id=1, low=0, high=1, value=1),
        event("TracePosted", id=1, sample=0, traceRoot=root, inputRoot=root, roots=[root, root], output=b"\0\0\0\1"),
        event("HashesPosted", id=1, base=0, hashes=[root]),
        event("ChunkPosted", id=1, index=0, chunk=chunk),
        event("PartsPosted", id=1, **{"from": 0, "to": 5}, parts=[3, 4]),
        event("Moved", id=1, next=3, deadline=5),
    ):
        posted = apply(posted)
    assert posted == Posted((1, 2), (root, root, root), b"\0\0\0\1", (root,), chunk, (3, 4))


def test_what_was_posted_is_read_from_moves(world: World, lie: FalseEvidence) -> None:
    dispute, posted = positions(world, lie.total(0, 40), lie)[0]
    move = next_move(dispute, posted, lie, Side.DEFENDANT)
    assert isinstance(move, PostSums)
    assert after(posted, move).sums == move.sums
    assert not isinstance(move, Contest)


def test_traces_of_several_samples_are_kept(world: World) -> None:
    evidence = world.truth()
    kept = [evidence.trace(sample) for sample in range(10)]
    assert all(evidence.trace(sample) is trace for sample, trace in enumerate(kept))
    for sample in range(40):
        evidence.trace(sample)
    assert evidence.trace(39).roots == world.truth().trace(39).roots


def test_memory_for_traces_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offchain.dispute.evidence._KEPT_BYTES", 1)
    evidence = world.truth()
    first = evidence.trace(0)
    assert evidence.trace(0) is first
    evidence.trace(1)
    assert evidence.trace(0) is not first
    assert evidence.trace(0).roots == first.roots
