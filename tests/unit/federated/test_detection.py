"""Contributions and strikes: exact, and fair to participants whose data differ."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.federated.contribution import contributions, inner_products, rewards
from offchain.federated.detection import LEAST, Strike, Watch, choruses, strikes, walked
from offchain.types import Wei

Updates = list[np.ndarray[tuple[int], np.dtype[np.int16]]]


def honest(count: int, seed: int, d: int = 400) -> Updates:
    """A common direction and as much again of one's own, in lengths that differ tenfold."""
    generator = np.random.default_rng(seed)
    common = np.random.default_rng(99).normal(size=d)
    sizes = 10 ** generator.uniform(1.5, 2.5, size=count)
    return [(size * (common + generator.normal(size=d))).astype(np.int16) for size in sizes]


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(-(2**15), 2**15 - 1), min_size=3, max_size=3), min_size=1, max_size=6))
def test_contributions_are_clamped_inner_products(rows: list[list[int]]) -> None:
    updates = [np.array(row, dtype=np.int16) for row in rows]
    aggregate = updates[0]
    products = inner_products(updates, aggregate)
    expected = [sum(a * b for a, b in zip(row, rows[0], strict=True)) for row in [*rows, rows[0]]]
    assert products == expected
    measured = contributions(products)
    assert measured[0] == expected[-1]
    assert all(0 <= one <= expected[-1] for one in measured)
    shares = rewards(Wei(10**18), measured)
    assert sum(shares) <= 10**18
    assert sum(shares) > 10**18 - len(rows) or not any(measured)


def test_length_beyond_the_aggregate_earns_nothing() -> None:
    aggregate = np.array([100, -50], np.int16)
    measured = contributions(inner_products([aggregate, aggregate * 7, -aggregate, aggregate[::-1] * 0], aggregate))
    assert measured == [12_500, 12_500, 0, 0]
    assert rewards(Wei(11), measured) == [5, 5, 0, 0]
    assert rewards(Wei(11), [0, 0]) == [0, 0]


def test_honest_participants_have_no_strikes() -> None:
    rounds = [honest(20, seed) for seed in range(8)]
    assert not any(strikes(rounds[0], None))
    assert not any(strikes(rounds[1], rounds[0]))
    watch = Watch(20)
    assert not any(watch.observe(dict(enumerate(updates))) for updates in rounds)


def test_each_strike() -> None:
    before, now = honest(12, 1), honest(12, 2)
    generator = np.random.default_rng(7)
    now[0] = (now[1] // 2 * 2 + generator.integers(-1, 2, size=400)).astype(np.int16)
    now[2] = before[3].copy()
    now[4] = before[4].copy()
    now[5] = (300 * generator.normal(size=400)).astype(np.int16)
    now[6] = (-5 * honest(12, 3)[6].clip(-3000, 3000)).astype(np.int16)
    now[7] = np.zeros(400, np.int16)
    found = strikes(now, before)
    assert found[0] == found[1] == Strike.ECHO
    assert Strike.COPY in found[2]
    assert Strike.REPLAY in found[4]
    assert Strike.STRANGER in found[5]
    assert Strike.OPPOSED in found[6]
    assert not any(found[who] for who in (3, 7, 8, 9, 10, 11))


def test_a_copycat_does_not_take_its_victim_along() -> None:
    # The victim hardly changes between rounds, so the copy of its last update is its twin in this one.
    steady = honest(10, 1)
    drift = np.random.default_rng(5)
    previous = steady[0].copy()
    watch = Watch(11)
    caught: set[int] = set()
    for turn in range(8):
        others = honest(10, 20 + turn)
        steady[0] = (steady[0] + 0.1 * drift.normal(size=400) * np.abs(steady[0]).mean()).astype(np.int16)
        updates = dict(enumerate([steady[0], *others[1:], previous if turn else others[0]]))
        caught |= {verdict.participant for verdict in watch.observe(updates)}
        previous = steady[0].copy()
    assert caught == {10}


def test_detection_needs_rounds_and_forgets_none_that_were_missed() -> None:
    watch = Watch(12)
    for turn in range(LEAST + 2):
        updates = honest(12, 40 + turn)
        updates[3] = (-5 * updates[3].clip(-3000, 3000)).astype(np.int16)
        present = {who: update for who, update in enumerate(updates) if who != 5 or turn % 2}
        verdicts = watch.observe(present)
        assert [v.participant for v in verdicts] == ([3] if turn >= LEAST - 1 else [])
        assert all(Strike.OPPOSED in v.reasons for v in verdicts)


@pytest.mark.parametrize("seed", range(3))
def test_strikes_do_not_depend_on_the_order(seed: int) -> None:
    before, now = honest(9, seed), honest(9, seed + 50)
    now[2], now[3] = now[1].copy(), before[4].copy()
    order = np.random.default_rng(seed).permutation(9)
    shuffled = strikes([now[who] for who in order], [before[who] for who in order])
    found = strikes(now, before)
    assert shuffled == [found[who] for who in order]
    assert any(found)


def test_participants_with_the_same_data_are_not_colluders() -> None:
    generator = np.random.default_rng(3)
    common = 500 * generator.normal(size=400)
    watch = Watch(12)
    for _ in range(LEAST + 2):
        updates = {who: (common + 40 * generator.normal(size=400)).astype(np.int16) for who in range(12)}
        assert not watch.observe(updates)


def test_who_walks_together_is_heard_though_each_round_differs() -> None:
    generator = np.random.default_rng(4)
    shift = generator.choice([-1.0, 1.0], size=400)
    walks = [np.zeros(400, np.int16)] * 60
    for _ in range(16):
        for who in range(60):
            update = 100 * (generator.normal(size=400) + (0.8 * shift if who < 12 else 0))
            walks[who] = walked(walks[who], update.astype(np.int16))
    assert max(int(np.abs(walk).max()) for walk in walks) <= 264
    assert choruses(walks) == [True] * 12 + [False] * 48
    # A majority is no chorus: it is what there is to learn.
    assert not any(choruses(walks[:20]))
