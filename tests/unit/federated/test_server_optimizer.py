"""FedAvg, FedAvgM and FedAdam in integers: the fast step beside the scalar one, and beside the papers in floats."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Rejected
from offchain.federated.server_optimizer import (
    MAX_LR,
    MAX_TAU,
    ONE,
    OptimizerId,
    ServerOptimizer,
    initial_state,
    step,
    step_one,
)

HIGH = 2**31 - 1
WORD = st.integers(-(2**31), HIGH) | st.sampled_from([-(2**31), -1, 0, 1, HIGH])
UPDATE = st.integers(-(2**15), 2**15 - 1) | st.sampled_from([-(2**15), -1, 0, 1, 2**15 - 1])
BETA = st.integers(0, ONE - 1) | st.sampled_from([0, 1, ONE - 1])
RATE = st.integers(1, MAX_LR) | st.sampled_from([1, ONE, MAX_LR])
TERMS = st.one_of(
    st.builds(ServerOptimizer, st.just(OptimizerId.FEDAVG), RATE),
    st.builds(ServerOptimizer, st.just(OptimizerId.FEDAVGM), RATE, BETA),
    st.builds(ServerOptimizer, st.just(OptimizerId.FEDADAM), RATE, BETA, BETA, st.integers(1, MAX_TAU)),
)
COORDINATE = st.tuples(WORD, WORD, st.integers(0, HIGH) | st.just(HIGH), UPDATE)


@settings(max_examples=100, deadline=None)
@given(terms=TERMS, coordinates=st.lists(COORDINATE, min_size=1, max_size=12))
def test_the_fast_step_is_the_scalar_one(terms: ServerOptimizer, coordinates: list[tuple[int, int, int, int]]) -> None:
    state = np.array([words[: terms.words] for words in coordinates], np.int32).T
    aggregate = np.array([a for *_, a in coordinates], np.int16)
    expected = [step_one(terms, words[: terms.words], words[3]) for words in coordinates]
    assert step(terms, state, aggregate).T.tolist() == [list(words) for words in expected]


def test_exact_vectors() -> None:
    """By hand; the contract's tests have the same."""
    half = ServerOptimizer(OptimizerId.FEDAVG, lr=ONE // 2)
    assert step_one(half, (10,), 3) == (12,)
    assert step_one(half, (10,), -3) == (9,), "a tie goes up"
    momentum = ServerOptimizer(OptimizerId.FEDAVGM, lr=ONE, beta1=58982)
    assert step_one(momentum, (0, 2560), 1) == (10, 2560)
    adam = ServerOptimizer(OptimizerId.FEDADAM, lr=ONE * 100, beta1=ONE // 2, beta2=ONE * 3 // 4, tau=1)
    assert step_one(adam, (0, 0, 0), 40) == (95, 5120, 400)
    assert step_one(ServerOptimizer(), (HIGH,), 5) == (HIGH,)


def test_many_blocks_are_one_vector() -> None:
    rng = np.random.default_rng(3)
    terms = ServerOptimizer(OptimizerId.FEDADAM, ONE * 30, 58982, 64881, 4)
    aggregate = rng.integers(-(2**15), 2**15, 100_003).astype(np.int16)
    state = initial_state(terms, rng.integers(-1000, 1000, aggregate.size).astype(np.int32))
    after = step(terms, step(terms, state, aggregate), aggregate[::-1])
    for at in (0, 32_767, 32_768, 65_536, 100_002):
        words = tuple(int(word) for word in state[:, at])
        words = step_one(terms, step_one(terms, words, int(aggregate[at])), int(aggregate[::-1][at]))
        assert tuple(after[:, at]) == words


def test_fedadam_follows_the_paper_in_floats() -> None:
    """Twenty rounds of Reddi et al.'s algorithm 2 in float64: never further than the roundings' sum."""
    rng = np.random.default_rng(5)
    terms = ServerOptimizer(OptimizerId.FEDADAM, lr=ONE * 64, beta1=58982, beta2=64881, tau=16)
    state = initial_state(terms, np.zeros(500, np.int32))
    w, m, v = np.zeros(500), np.zeros(500), np.zeros(500)
    beta1, beta2 = terms.beta1 / ONE, terms.beta2 / ONE
    for _ in range(20):
        a = rng.normal(100, 600, 500).astype(np.int16)
        state = step(terms, state, a)
        m = beta1 * m + (1 - beta1) * a
        v = beta2 * v + (1 - beta2) * a.astype(float) ** 2
        w += 64 * m / (np.sqrt(v) + 16)
    assert np.abs(state[0] - w).max() < 20
    assert np.abs(w).max() > 200


@pytest.mark.parametrize(
    "terms",
    [
        ServerOptimizer(lr=0),
        ServerOptimizer(lr=MAX_LR + 1),
        ServerOptimizer(beta1=1),
        ServerOptimizer(OptimizerId.FEDAVGM, beta1=ONE),
        ServerOptimizer(OptimizerId.FEDAVGM, tau=1),
        ServerOptimizer(OptimizerId.FEDADAM, beta1=1, beta2=1, tau=0),
    ],
)
def test_terms_out_of_range_are_rejected(terms: ServerOptimizer) -> None:
    with pytest.raises(Rejected, match="give one in"):
        terms.check()


def test_a_state_of_another_optimiser_is_rejected() -> None:
    with pytest.raises(Rejected, match="FEDAVGM has shape"):
        step(ServerOptimizer(OptimizerId.FEDAVGM), np.zeros((1, 4), np.int32), np.zeros(4, np.int16))
