"""The exact sampler, and central noise in shares."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.stats import chisquare

from offchain.errors import Rejected
from offchain.federated.privacy.accountant import GaussianMechanism, epsilon_of
from offchain.federated.privacy.budget import check_honest, releases_allowed, terms_for
from offchain.federated.privacy.discrete_gaussian import MAX_VARIANCE, discrete_gaussian
from offchain.federated.privacy.distributed_noise import DistributedGaussian, add_noise, clip_l2, share_variance
from offchain.federated.privacy.random_bytes import normals, seeded_bytes, uniform_below
from tests.unit.federated.privacy.oracle import noise_of_sum, shifted_rdp


@pytest.mark.parametrize("variance", [1, 7, 1000])
def test_every_value_is_as_frequent_as_the_law_says(variance: int) -> None:
    count = 250_000
    drawn = discrete_gaussian(seeded_bytes(11), variance, count)
    reach = 40 * (math.isqrt(variance) + 1)
    law = noise_of_sum(variance, 1, reach) * count
    seen = np.bincount(drawn + reach, minlength=2 * reach + 1)
    often = law > 20
    observed, expected = np.append(seen[often], seen[~often].sum()), np.append(law[often], law[~often].sum())
    assert chisquare(observed, expected).pvalue > 1e-4


@pytest.mark.parametrize("variance", [1 << 16, MAX_VARIANCE])
def test_moments_of_wide_noise(variance: int) -> None:
    count = 200_000
    scaled = discrete_gaussian(seeded_bytes(5), variance, count) / math.sqrt(variance)
    assert abs(scaled.mean()) < 5 / math.sqrt(count)
    assert abs(np.square(scaled).mean() - 1) < 5 * math.sqrt(2 / count)
    assert abs((scaled**4).mean() - 3) < 5 * math.sqrt(96 / count)


def test_same_bytes_give_same_noise_and_other_bytes_other_noise() -> None:
    first, again, other = (discrete_gaussian(seeded_bytes(seed), 900, 1000) for seed in (b"a", b"a", b"b"))
    assert np.array_equal(first, again)
    assert np.mean(first == other) < 0.1


def test_vector_of_the_noise_of_a_seed() -> None:
    """Seeded experiments must not change when the sampler is touched; the law is tested above."""
    assert discrete_gaussian(seeded_bytes(0), 10_000, 6).tolist() == [-49, 194, 59, -143, -141, 59]


@pytest.mark.parametrize("bound", [2, 3, 255, 257, 65537, (1 << 33) + 1])
def test_uniform_integers_stay_below_their_bound_and_fill_it(bound: int) -> None:
    drawn = uniform_below(seeded_bytes(bound), bound, 20_000)
    assert drawn.min() >= 0
    assert drawn.max() < bound
    cells = min(bound, 3)
    counts = np.bincount(drawn // -(-bound // cells), minlength=cells)
    expected = np.diff(np.minimum(np.arange(cells + 1) * -(-bound // cells), bound)) / bound * 20_000
    assert chisquare(counts, expected).pvalue > 1e-4


def test_normals_are_normal() -> None:
    drawn = np.sort(normals(seeded_bytes(3), 100_001))
    law = np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in drawn])
    assert np.abs(law - np.arange(len(drawn)) / len(drawn)).max() < 2 / math.sqrt(len(drawn))


@pytest.mark.parametrize(("variance", "contributors"), [(1, 1), (1, 2), (1, 7), (2, 3), (4, 20), (50, 5)])
@pytest.mark.parametrize("shift", [1, 3])
def test_bound_for_sums_of_discrete_gaussians_holds_exactly(variance: int, contributors: int, shift: int) -> None:
    """Against the Rényi divergence of the true law of the sum, by convolution."""
    mechanism = DistributedGaussian(shift, variance, contributors, dimension=1)
    law = noise_of_sum(variance, contributors, 40 * (math.isqrt(variance * contributors) + 2))
    for order in (1.5, 2.0, 8.0):
        exact = shifted_rdp(law, shift, order)
        assert exact <= mechanism.rdp(order) * (1 + 1e-9)
        if variance > 1:
            assert mechanism.rdp(order) <= 1.01 * exact


def test_shares_add_up_to_the_central_level() -> None:
    variance = share_variance(noise_multiplier=2.0, sensitivity=3000, contributors=62)
    mechanism = DistributedGaussian(3000, variance, contributors=62, dimension=100_000)
    assert mechanism.noise_multiplier == pytest.approx(2.0, rel=1e-3)
    central = epsilon_of(GaussianMechanism(2.0), 3, 1e-5)[0]
    assert epsilon_of(mechanism, 3, 1e-5)[0] == pytest.approx(central, rel=1e-3)
    noise = sum(discrete_gaussian(seeded_bytes(seed), variance, 2000) for seed in range(62))
    assert np.std(noise) == pytest.approx(6000, rel=0.1)
    terms = terms_for(3.2, 1e-5, mechanism)
    check_honest(terms, mechanism)
    one_curator = GaussianMechanism(mechanism.noise_multiplier)
    assert releases_allowed(terms) == releases_allowed(terms_for(3.2, 1e-5, one_curator))
    with pytest.raises(Rejected, match="do not join"):
        check_honest(terms, DistributedGaussian(3000, variance, contributors=61, dimension=100_000))


@settings(max_examples=100, deadline=None)
@given(npst.arrays(np.int16, st.integers(1, 40)), st.integers(1, 2**15 - 1))
def test_clipped_updates_are_never_too_long_and_short_ones_untouched(update: np.ndarray, norm: int) -> None:
    clipped = clip_l2(update, norm)
    wide, original = clipped.astype(object), update.astype(object)
    assert sum(wide * wide) <= norm**2
    assert ((wide * original >= 0) & (abs(wide) <= abs(original))).all()
    if sum(original * original) <= norm**2:
        assert np.array_equal(clipped, update)
    else:
        # Cut towards zero by less than one unit a coordinate.
        assert math.sqrt(sum(wide * wide)) > norm * (1 - 1 / norm) - math.sqrt(len(update)) - 1


def test_noise_that_may_leave_int16_is_refused() -> None:
    with pytest.raises(Rejected, match="fewer scale bits"):
        add_noise(np.array([30000, 0], dtype=np.int16), 90_000, seeded_bytes(0))
    with pytest.raises(Rejected):
        share_variance(1e4, 30000, 10)
    noisy = add_noise(np.full(500, 3000, dtype=np.int16), 90_000, seeded_bytes(0))
    assert noisy.dtype == np.int16
    assert abs(float(noisy.mean()) - 3000) < 5 * 300 / math.sqrt(500)
