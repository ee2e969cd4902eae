"""The on-chain ledger's arithmetic."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Rejected
from offchain.federated.privacy.accountant import GaussianMechanism, SampledGaussian, epsilon_of
from offchain.federated.privacy.budget import (
    ATTO,
    NANO,
    PrivacyTerms,
    admits,
    check_honest,
    epsilon_after,
    releases_allowed,
    terms_for,
)
from tests.unit.federated.privacy.oracle import gaussian_delta

budgets = st.tuples(st.floats(0.05, 20), st.floats(1e-12, 0.01))


@settings(max_examples=80, deadline=None)
@given(budgets, st.floats(0.3, 200), st.integers(1, 50))
def test_what_is_admitted_keeps_epsilon_and_delta_exactly(
    budget: tuple[float, float], noise: float, steps: int
) -> None:
    """Against the exact curve of Balle and Wang 2018, which knows nothing of RDP."""
    epsilon, delta = budget
    mechanism = GaussianMechanism(noise, steps)
    try:
        terms = terms_for(epsilon, delta, mechanism)
    except Rejected:
        assert epsilon_of(mechanism, 1, delta)[0] > epsilon * 0.999
        return
    check_honest(terms, mechanism)
    allowed = releases_allowed(terms)
    assert allowed >= 1
    assert admits(terms, allowed - 1)
    assert not admits(terms, allowed)
    assert gaussian_delta(noise / (allowed * steps) ** 0.5, epsilon) <= delta
    assert epsilon_after(terms, allowed, delta) <= epsilon


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 2**64 - 1), st.integers(0, 2**64 - 1)), min_size=1, max_size=8),
    st.integers(0, 2**32),
)
def test_admission_is_monotone_and_counts_what_is_allowed(pairs: list[tuple[int, int]], count: int) -> None:
    orders = tuple(2000 + k for k in range(len(pairs)))
    terms = PrivacyTerms(NANO, ATTO // 10**5, orders, tuple(c for c, _ in pairs), tuple(limit for _, limit in pairs))
    assert admits(terms, count) == (count < releases_allowed(terms))


def test_chosen_orders_lose_little_against_all_orders() -> None:
    mechanism = SampledGaussian(0.05, 1.5, 20)
    terms = terms_for(3.2, 1e-5, mechanism)
    allowed = releases_allowed(terms)
    assert epsilon_of(mechanism, allowed, 1e-5)[0] <= 3.2 < epsilon_of(mechanism, allowed + 1, 1e-5)[0]
    for count in {1, 2, allowed // 2, allowed}:
        assert epsilon_after(terms, count, 1e-5) <= 1.02 * epsilon_of(mechanism, count, 1e-5)[0]
    assert epsilon_after(terms, 0, 1e-5) == 0


@pytest.mark.parametrize("place", [0, -1])
def test_a_participant_refuses_understated_costs_and_overstated_limits(place: int) -> None:
    mechanism = SampledGaussian(0.1, 1.1, 10)
    terms = terms_for(3.2, 1e-5, mechanism)
    check_honest(terms, mechanism)
    with pytest.raises(Rejected, match="do not join"):
        check_honest(terms, replace(mechanism, noise_multiplier=1.099))
    with pytest.raises(Rejected, match="a release costs"):
        check_honest(replace(terms, costs=_bent(terms.costs, place, 0.999)), mechanism)
    with pytest.raises(Rejected, match="epsilon is reached"):
        check_honest(replace(terms, limits=_bent(terms.limits, place, 1.001)), mechanism)
    with pytest.raises(Rejected, match="epsilon is reached"):
        check_honest(replace(terms, delta=terms.delta // 2), mechanism)


@pytest.mark.parametrize(
    "change",
    [
        {"orders": (1000,)},
        {"orders": (3000, 2000), "costs": (1, 1), "limits": (1, 1)},
        {"orders": tuple(range(2000, 2009)), "costs": (1,) * 9, "limits": (1,) * 9},
        {"orders": (), "costs": (), "limits": ()},
        {"costs": (0,)},
        {"limits": (1 << 64,)},
        {"limits": (1, 1)},
        {"delta": ATTO},
        {"epsilon": 0},
    ],
)
def test_terms_that_the_contract_refuses_are_no_terms(change: dict[str, object]) -> None:
    with pytest.raises(Rejected):
        replace(PrivacyTerms(NANO, 1, (2000,), (1,), (1,)), **change)  # type: ignore[arg-type]


def test_a_release_that_exceeds_the_budget_is_refused_with_advice() -> None:
    with pytest.raises(Rejected, match="raise the noise multiplier"):
        terms_for(0.5, 1e-5, SampledGaussian(1, 0.5, 10))


def _bent(values: tuple[int, ...], place: int, factor: float) -> tuple[int, ...]:
    bent = list(values)
    bent[place] = int(bent[place] * factor)
    return tuple(bent)
