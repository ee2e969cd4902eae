"""The sum is the plain sum, whoever drops out when."""

from dataclasses import replace

import numpy as np
import pytest

from offchain.errors import Rejected
from offchain.federated.secure.terms import MAX_TOTAL_WEIGHT, Session, Stage, threshold_for
from offchain.federated.secure.unmask import recover, unmask
from offchain.federated.secure.verdict import verify
from tests.unit.federated.secure.play import Play, random_updates, session_of

KEYS, SHARES, MASKED, UNMASK = Stage


def check(play: Play, survivors: range) -> None:
    total = unmask(play.transcript)
    assert total.dtype == np.int32
    assert np.array_equal(total, play.plain_sum(survivors))
    verdict = verify(play.transcript, total)
    assert verdict.is_clean
    assert (verdict.faults, verdict.disagreeing, verdict.leader) == ((), (), None)


def test_fifty_members_lose_38_percent_after_their_shares() -> None:
    session = session_of(50, 40)
    play = Play(session, random_updates(session))
    play.all_stages({MASKED: range(31), UNMASK: range(31)})
    check(play, range(31))


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.long
def test_a_hundred_members_lose_38_at_any_stage(stage: Stage) -> None:
    session = session_of(100, 3000, weights=(655,) * 100)
    play = Play(session, random_updates(session))
    play.all_stages({later: range(38, 100) for later in Stage if later >= stage})
    check(play, range(100) if stage is UNMASK else range(38, 100))


@pytest.mark.parametrize("losses", [(0, 0, 0, 5), (0, 0, 5, 0), (0, 5, 0, 0), (5, 0, 0, 0), (1, 1, 1, 2), (0, 0, 0, 0)])
def test_dropouts_of_38_percent_at_each_stage_and_over_all(losses: tuple[int, ...]) -> None:
    session = session_of(13, 50, weights=tuple(range(1, 14)))
    assert session.threshold == 9
    play = Play(replace(session, threshold=8), random_updates(session, seed=sum(losses)))
    left = 13 - np.cumsum(losses)
    play.all_stages({stage: range(left[stage]) for stage in Stage})
    check(play, range(left[MASKED]))


def test_one_more_dropout_and_the_sum_is_lost_not_wrong() -> None:
    session = session_of(6, 5)
    for stage in (SHARES, MASKED, UNMASK):
        play = Play(session, random_updates(session))
        for earlier in range(stage):
            play.stage(Stage(earlier), range(3 if earlier == stage - 1 else 6))
        with pytest.raises(Rejected, match="only 3 members"):
            play.stage(stage, range(6))
    play = Play(session, random_updates(session))
    play.all_stages({UNMASK: range(3)})
    with pytest.raises(Rejected, match="3 members answered, 4 are needed"):
        unmask(play.transcript)
    assert verify(play.transcript).lost == "3 members answered, 4 are needed"


def test_the_largest_sum_fits() -> None:
    session = session_of(3, 4, weights=(1, 1, MAX_TOTAL_WEIGHT - 2))
    for value in (-(2**15), 2**15 - 1):
        play = Play(session, np.full((3, 4), value, dtype=np.int16))
        play.all_stages()
        check(play, range(3))
    with pytest.raises(Rejected, match="scale them down"):
        replace(session, weights=(1, 2, MAX_TOTAL_WEIGHT - 2))


def test_any_threshold_many_answers_give_the_same_seeds() -> None:
    session = session_of(7, 3)
    play = Play(session, random_updates(session))
    play.all_stages({MASKED: range(6)})
    transcript = play.transcript
    every = recover(transcript)
    assert every.pair_seeds.keys() == {(own, 6) for own in range(6)}
    for chosen in ((0, 1, 2, 3, 4), (1, 2, 3, 4, 5), (0, 2, 3, 4, 5)):
        some = recover(replace(transcript, unmask={place: transcript.unmask[place] for place in chosen}))
        assert (some.self_seeds, some.pair_seeds) == (every.self_seeds, every.pair_seeds)


@pytest.mark.parametrize(("size", "threshold"), [(100, 62), (10, 7), (13, 9), (3, 2), (2, 2), (128, 80)])
def test_the_threshold_leaves_room_for_38_percent(size: int, threshold: int) -> None:
    assert threshold_for(size) == threshold
    assert size - threshold <= 0.38 * size or size == 2


@pytest.mark.parametrize(
    "change",
    [
        {"members": ()},
        {"members": (bytes(20),) * 4},
        {"weights": (1, 1, 1)},
        {"weights": (1, 1, 1, 0)},
        {"threshold": 1},
        {"threshold": 5},
        {"dimension": 0},
        {"contract": b"short"},
    ],
)
def test_terms_that_cannot_work_are_refused(change: dict[str, object]) -> None:
    session: Session = session_of(4, 3)
    with pytest.raises(Rejected):
        replace(session, **change)
