"""The transition table by example; `tests/contracts/test_lifecycle_twin.py` holds it against Solidity everywhere."""

from dataclasses import replace

import pytest

from offchain.protocol.lifecycle import ENDED, Facts, Phase, Windows, phase_at

W = Windows(start=1000, train=100, reveal=50, validate=41, challenge=30)
FULL = Facts(test_released=True, claims=2, reveals=2, score_commits=2, score_reveals=2)


def test_windows_follow_each_other() -> None:
    assert (W.train_end, W.reveal_end, W.score_commit_end) == (1100, 1150, 1170)
    assert (W.score_reveal_end, W.challenge_end) == (1191, 1221)


@pytest.mark.parametrize(
    ("now", "phase"),
    [
        (1000, Phase.TRAINING),
        (1099, Phase.TRAINING),
        (1100, Phase.REVEAL),
        (1149, Phase.REVEAL),
        (1150, Phase.SCORE_COMMIT),
        (1170, Phase.SCORE_REVEAL),
        (1191, Phase.CHALLENGE),
        (1220, Phase.CHALLENGE),
        (1221, Phase.SEALABLE),
    ],
)
def test_a_full_order_passes_through_every_phase(now: int, phase: Phase) -> None:
    assert phase_at(W, FULL, now) == phase


@pytest.mark.parametrize(
    ("facts", "now"),
    [
        (Facts(), 1100),
        (Facts(claims=1), 1150),
        (Facts(claims=1, reveals=1), 1150),
        (Facts(claims=1, test_released=True), 1150),
        (Facts(claims=1, reveals=1, test_released=True), 1170),
        (Facts(claims=1, reveals=1, test_released=True, score_commits=1), 1191),
    ],
)
def test_shortcuts_to_the_end(facts: Facts, now: int) -> None:
    assert phase_at(W, facts, now) == Phase.SEALABLE
    assert phase_at(W, facts, now - 1) < Phase.SEALABLE


def test_a_dispute_stretches_the_challenge() -> None:
    assert phase_at(W, replace(FULL, open_disputes=1), 10**9) == Phase.CHALLENGE
    stretched = replace(FULL, challenge_until=1300)
    assert phase_at(W, stretched, 1299) == Phase.CHALLENGE
    assert phase_at(W, stretched, 1300) == Phase.SEALABLE


@pytest.mark.parametrize(
    ("facts", "now"),
    [
        (Facts(claims=1, reveals=1), 1150),
        (Facts(claims=1, reveals=1, test_released=True), 1170),
        (Facts(claims=1, reveals=1, test_released=True, score_commits=1), 1191),
    ],
)
def test_what_is_open_is_waited_for_where_nothing_else_can_follow(facts: Facts, now: int) -> None:
    held = replace(facts, open_disputes=1, challenge_until=10**6)
    assert phase_at(W, held, now) == Phase.CHALLENGE
    assert phase_at(W, held, 10**9) == Phase.CHALLENGE
    assert phase_at(W, replace(held, open_disputes=0), now) == Phase.SEALABLE, "and stretches nothing"


@pytest.mark.parametrize("facts", [Facts(open_disputes=1), Facts(claims=1, open_disputes=1)])
def test_nothing_is_open_before_there_are_models(facts: Facts) -> None:
    assert phase_at(W, facts, 1150) == Phase.SEALABLE


def test_what_has_ended_stays_so() -> None:
    assert phase_at(W, Facts(cancelled=True), 1000) == Phase.CANCELLED
    assert phase_at(W, Facts(is_sealed=True, open_disputes=1), 1000) == Phase.SEALED
    assert {Phase.CANCELLED, Phase.SEALED} == ENDED
    assert phase_at(Windows(0, 1, 1, 1, 1), FULL, 5) == Phase.NONE
    assert Phase.SCORE_COMMIT.label == "score commit"
