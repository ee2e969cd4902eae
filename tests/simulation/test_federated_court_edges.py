"""What a court of aggregates stands: clocks to the second, several games at once, postings replaced in mid-game."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest

from offchain.dispute.proofs import Refused
from offchain.federated.game import leader
from offchain.federated.game.challenger import objection
from offchain.federated.game.material import Material, judge
from offchain.federated.game.moves import (
    Challenge,
    ChallengeCoordinate,
    ChallengeMeasure,
    Descend,
    Falsify,
    Name,
    OpenLeaf,
    Pick,
)
from offchain.federated.game.state import Stage, Subject, Verdict
from offchain.federated.game.words import line_of
from offchain.federated.terms import AggregationRule
from offchain.federated.vector_tree import Opening
from tests.simulation.evm import Reverted
from tests.simulation.federated_court import ANYBODY, FRIEND, STAKE, TASK, ChainCourt, facts_of, fresh_chain
from tests.simulation.federated_players import LyingLeader, Player, Silent, play
from tests.simulation.federated_worlds import (
    CHALLENGE_SECONDS,
    CHALLENGER,
    LEADER,
    MOVE_SECONDS,
    START,
    Lie,
    World,
    lying_column,
    random_world,
)


@cache
def _told() -> tuple[World, Lie, Material]:
    """A round of 600 coordinates, a lie about it, and what is right."""
    rng = np.random.default_rng(11)
    world = random_world(rng, AggregationRule.MEDIAN, dimension=600)
    while True:
        told = lying_column(world, rng)
        assert told is not None
        own = judge(told.posting, world.material.columns, world.material.weights, world.material.previous)
        if told.posting.result_root != own.result.root:
            return world, told, own


def test_windows_and_clocks_end_to_the_second() -> None:
    world, lie, _ = _told()
    facts = facts_of(world, lie.posting)
    end = START + CHALLENGE_SECONDS
    with pytest.raises(Refused, match="WindowClosed"):
        ChainCourt(facts, Challenge(Subject.RESULT), end)
    court = ChainCourt(facts, Challenge(Subject.RESULT), end - 1)
    move = leader.next_move(court.game, lie.posting, lie.material)
    assert move is not None
    with pytest.raises(Refused, match="TooLate"):
        court.send(LEADER, move, end - 1 + MOVE_SECONDS)
    court.send(LEADER, move, end - 2 + MOVE_SECONDS)
    assert court.game.deadline == end - 2 + 2 * MOVE_SECONDS
    with pytest.raises(Refused, match="NotLate"):
        court.time_out(court.game.deadline - 1)
    court.time_out(court.game.deadline)
    assert court.game.verdict is Verdict.LEADER_RIGHT
    court.check_money()
    with pytest.raises(Refused, match="AlreadyClosed"):
        court.time_out(court.game.deadline + 1)


def test_nobody_plays_for_another_or_out_of_turn() -> None:
    world, lie, _ = _told()
    court = ChainCourt(facts_of(world, lie.posting), Challenge(Subject.RESULT))
    shown = leader.next_move(court.game, lie.posting, lie.material)
    assert isinstance(shown, Descend)
    for player in (CHALLENGER, FRIEND, ANYBODY):
        with pytest.raises(Refused, match="NotYourTurn"):
            court.send(player, shown, START)
    for early in (Pick.of(shown.nodes, 0), Name(b"", 0), OpenLeaf(Opening(b"", ())), Falsify(b"", 0, Opening(b"", ()))):
        with pytest.raises(Refused, match="WrongStage"):
            court.send(LEADER, early, START)
    court.send(LEADER, shown, START)
    with pytest.raises(Refused, match="WrongStage"):
        court.send(LEADER, shown, START)
    chain = court.chain
    for unknown in (0, court.id + 1):
        with pytest.raises(Reverted, match="UnknownGame"):
            chain["FederatedCourt"].send(LEADER, "descend", unknown, shown.nodes)
    with pytest.raises(Refused, match="OwnPosting"):
        ChainCourt(facts_of(world, lie.posting), Challenge(Subject.RESULT), challenger=LEADER)
    with pytest.raises(Reverted, match="NotAVerifier"):
        chain["FederatedCourt"].send(ANYBODY, "challenge", TASK, Subject.RESULT)


def test_a_friends_lost_game_shields_nobody() -> None:
    """A friend of the leader opens games and loses them; the honest game beside them is won, the rest is moot."""
    world, lie, own = _told()
    facts = facts_of(world, lie.posting)
    friends = ChainCourt(facts, Challenge(Subject.RESULT), challenger=FRIEND)
    chain = friends.chain
    with pytest.raises(Reverted, match="AlreadyOpen"):
        chain["FederatedCourt"].send(FRIEND, "challenge", TASK, Subject.RESULT)
    later = ChainCourt(facts, ChallengeCoordinate(5), challenger=FRIEND, chain=chain)
    honest = ChainCourt(facts, Challenge(Subject.RESULT), chain=chain)
    answer = leader.next_move(later.game, lie.posting, lie.material)
    assert answer is not None
    later.send(LEADER, answer, START)
    later.time_out(later.game.deadline)  # lost on purpose
    assert later.game.verdict is Verdict.LEADER_RIGHT
    chain["FederatedCourt"].send(FRIEND, "challengeCoordinate", TASK, 5)  # and once more: it pays each time
    rng = np.random.default_rng(1)
    assert (
        play(honest, LyingLeader(lie.posting, lie.material, rng=rng), Player(lie.posting, own)) is Verdict.LEADER_WRONG
    )
    assert chain["FederationHarness"].read("winner") == CHALLENGER
    move = leader.next_move(friends.game, lie.posting, lie.material)
    assert move is not None
    with pytest.raises(Refused, match="NotLive"):
        friends.send(LEADER, move, START)
    friends.close(START)
    assert friends.game.verdict is Verdict.MOOT
    assert chain.bond(FRIEND)[1] == STAKE  # of the one that is still open
    chain.evm.now = START
    chain["FederatedCourt"].send(ANYBODY, "close", later.id + 2)
    assert chain.bond(FRIEND)[1] == 0
    assert chain.bond(CHALLENGER)[1] == 0


def test_a_posting_replaced_in_mid_game_is_another() -> None:
    """The next leader's posting has another number: the old game is moot, and the new one begins from nothing."""
    world, lie, own = _told()
    court = ChainCourt(facts_of(world, lie.posting), ChallengeCoordinate(5))
    with pytest.raises(Refused, match="StillLive"):
        court.close(START)
    answer = leader.next_move(court.game, lie.posting, lie.material)
    assert answer is not None
    second = dataclasses.replace(lie.posting, posting=2)
    court.chain.put(facts_of(world, second))
    with pytest.raises(Refused, match="NotLive"):
        court.send(LEADER, answer, START)
    again = ChainCourt(facts_of(world, second), ChallengeCoordinate(5), chain=court.chain)
    assert again.id == court.id + 1
    court.time_out(court.game.deadline)  # late, but about nothing: nobody loses
    assert court.game.verdict is Verdict.MOOT
    assert play(again, Silent(second, lie.material), Player(second, own)) is Verdict.LEADER_WRONG
    court.chain["FederationHarness"].send(ANYBODY, "withdraw")
    with pytest.raises(Reverted, match="NothingPosted"):
        court.chain["FederatedCourt"].send(CHALLENGER, "challenge", TASK, Subject.RESULT)


def test_places_that_do_not_exist_are_refused() -> None:
    world, _, _ = _told()
    facts, count = facts_of(world), world.posting.columns
    for begin in (
        ChallengeCoordinate(600),
        ChallengeMeasure(1, 0),
        ChallengeMeasure(0, count + 1),
        Challenge(Subject.NONE),
    ):
        with pytest.raises(Refused, match=r"NoSuchPlace|SubjectRequired"):
            ChainCourt(facts, begin)
    chain = fresh_chain()
    chain.put(facts)
    with pytest.raises(Reverted, match="WrongRule"):
        chain["FederatedCourt"].send(CHALLENGER, "proveSelection", TASK, 0, 1, (b"", ()), (b"", ()))


def test_a_last_chunks_bytes_beyond_the_vector_are_not_in_play() -> None:
    """d = 600: the third chunk has 88 coordinates; no place beyond them can be named."""
    world, lie, _ = _told()
    last = lie.posting.dimension // 256
    material = lie.material
    court = ChainCourt(facts_of(world, lie.posting), Challenge(Subject.RESULT))
    shown = leader.next_move(court.game, lie.posting, material)
    assert isinstance(shown, Descend)
    court.send(LEADER, shown, START)
    court.send(CHALLENGER, Pick.of(shown.nodes, last), START)
    opened = leader.next_move(court.game, lie.posting, material)
    assert isinstance(opened, OpenLeaf)
    court.send(LEADER, opened, START)
    for place in (600, 767, last * 256 - 1):
        with pytest.raises(Refused, match="NoSuchPlace"):
            court.send(CHALLENGER, Name(b"", place), START)
    court.send(CHALLENGER, Name(b"", 599), START)
    assert court.game.stage is Stage.COLUMN


def test_a_game_reads_as_a_story() -> None:
    computed = {"index": 18, "place": 4711, "claimed": (17, 5), "computed": (21, 5)}
    line = line_of("Computed", computed, Subject.RESULT)
    assert line is not None
    assert line.text == "coordinate 4711: leader says 17, contract computed 21"
    same = {**computed, "computed": (17, 5)}
    assert line_of("Computed", same, Subject.RESULT) is None
    _, lie, own = _told()
    move = objection(lie.posting, own, lie.material.result)
    assert isinstance(move, ChallengeCoordinate)
    begun = {"subject": 1, "index": move.coordinate // 256, "place": move.coordinate}
    line = line_of("Challenged", begun, Subject.RESULT)
    assert line is not None
    assert line.text == f"the challenger challenges the result, coordinate {move.coordinate}"
