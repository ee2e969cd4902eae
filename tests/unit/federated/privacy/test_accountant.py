"""The accountant against published values and against other ways to compute the same."""

import math
import subprocess
import sys

import pytest

from offchain.errors import Rejected
from offchain.federated.privacy.accountant import ORDERS, GaussianMechanism, SampledGaussian, epsilon_of, noise_for
from offchain.federated.privacy.budget import Mechanism
from offchain.federated.privacy.conversion import epsilon_at, rdp_limit
from tests.unit.federated.privacy.oracle import gaussian_delta, sampled_rdp

MNIST = 256 / 60000


@pytest.mark.parametrize(
    ("rate", "noise", "steps", "published"),
    [
        # Abadi et al. 2016, figure 2 after 100 epochs: 1.26 by the moments accountant, 9.34 by strong composition.
        pytest.param(0.01, 4.0, 10000, 1.26, id="abadi"),
        # TensorFlow Privacy, tutorials/README.md: the table of the MNIST tutorial (15, 60 and 45 epochs).
        pytest.param(MNIST, 1.3, 15 * 60000 // 256, 1.19, id="tf-15"),
        pytest.param(MNIST, 1.1, 60 * 60000 // 256, 3.01, id="tf-60"),
        pytest.param(MNIST, 0.7, 45 * 60000 // 256, 7.10, id="tf-45"),
    ],
)
def test_published_epsilons_at_delta_1e_5(rate: float, noise: float, steps: int, published: float) -> None:
    """They were converted as in Mironov 2017, proposition 3; the newer conversion proves a smaller epsilon."""
    mechanism = SampledGaussian(rate, noise, steps)
    older = min(mechanism.rdp(order) + math.log(1e5) / (order - 1) for order in ORDERS)
    assert older == pytest.approx(published, abs=0.005)
    assert 0.75 * older < epsilon_of(mechanism, 1, 1e-5)[0] < older


def test_published_rdp() -> None:
    """TensorFlow Privacy, rdp_accountant_test.py: 10 steps at rate 0.1, noise 2, order 5."""
    assert SampledGaussian(0.1, 2, 10).rdp(5) == pytest.approx(0.07737, abs=5e-6)


@pytest.mark.parametrize("order", [1.5, 2.0, 4.25, 9.0, 32.0])
@pytest.mark.parametrize(("rate", "noise"), [(0.01, 1.0), (0.2, 1.5), (0.7, 4.0)])
def test_sampled_gaussian_is_its_integral(rate: float, noise: float, order: float) -> None:
    assert SampledGaussian(rate, noise, 3).rdp(order) == pytest.approx(3 * sampled_rdp(rate, noise, order), rel=1e-6)


@pytest.mark.parametrize("noise", [0.6, 1.0, 3.0, 20.0])
@pytest.mark.parametrize("delta", [1e-3, 1e-5, 1e-9])
def test_epsilon_of_gaussians_is_above_the_exact_curve_and_near_it(noise: float, delta: float) -> None:
    """Balle and Wang 2018 know the least delta; RDP may not claim less, and loses some tens of per cent at most."""
    mechanism = GaussianMechanism(noise)
    epsilon, _ = epsilon_of(mechanism, 4, delta)
    assert gaussian_delta(noise / 2, epsilon) <= delta
    assert gaussian_delta(noise / 2, 0.75 * epsilon) > delta


def test_full_batches_are_the_plain_mechanism() -> None:
    assert SampledGaussian(1, 2.5, 7).rdp(3.5) == pytest.approx(GaussianMechanism(2.5, 7).rdp(3.5), rel=1e-12)


def test_limit_and_epsilon_are_inverses() -> None:
    for order in (1.2, 2.0, 17.0):
        assert epsilon_at(rdp_limit(2.5, order, 1e-6), order, 1e-6) == pytest.approx(2.5, rel=1e-12)


@pytest.mark.parametrize(
    "mechanism", [GaussianMechanism(2.0, 3), SampledGaussian(0.1, 0.6, 40), SampledGaussian(1e-3, 9.0, 1)]
)
def test_the_best_of_all_orders_is_found(mechanism: Mechanism) -> None:
    best = min(max(mechanism.rdp(order) - rdp_limit(0, order, 1e-5), 0.0) for order in ORDERS)
    assert epsilon_of(mechanism, 1, 1e-5)[0] == pytest.approx(best, abs=1e-12)


def test_noise_for_is_enough_and_not_much_more() -> None:
    def make(noise: float) -> SampledGaussian:
        return SampledGaussian(0.2, noise, 5)

    noise = noise_for(3.2, 1e-5, 10, make)
    assert epsilon_of(make(noise), 10, 1e-5)[0] <= 3.2 < epsilon_of(make(0.99 * noise), 10, 1e-5)[0]


@pytest.mark.parametrize(
    "make", [lambda: SampledGaussian(0, 1, 1), lambda: GaussianMechanism(0), lambda: GaussianMechanism(1, 0)]
)
def test_what_gives_no_privacy_is_refused(make: object) -> None:
    with pytest.raises(Rejected):
        make()  # type: ignore[operator]


def test_importing_the_room_loads_neither_opacus_nor_torch() -> None:
    program = (
        "import sys, offchain.federated.privacy.accountant, offchain.federated.privacy.dp_sgd, "
        "offchain.federated.privacy.distributed_noise; print({'opacus', 'torch', 'scipy'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip() == "set()"
