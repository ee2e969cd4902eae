"""From a budget to noise, and what one example can move."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.federated.local_training import LocalSettings, local_update
from offchain.federated.privacy.budget import releases_allowed, terms_for
from offchain.federated.privacy.dp_sgd import ClippedGradient
from offchain.federated.privacy.plan import plan_examples, plan_shares
from offchain.model.layers import Dense
from offchain.model.spec import ModelSpec

SPEC = ModelSpec(input_shape=(6,), layers=(Dense(name="out", units=3),))


@settings(max_examples=60, deadline=None)
@given(st.floats(0.35, 8), st.integers(1, 60), st.integers(1, 80))
def test_planned_shares_last_for_all_rounds_and_no_longer(epsilon: float, rounds: int, contributors: int) -> None:
    mechanism = plan_shares(epsilon, 1e-5, rounds, sensitivity=30, contributors=contributors, dimension=5000)
    assert releases_allowed(terms_for(epsilon, 1e-5, mechanism)) == rounds


def test_planned_steps_last_for_all_rounds_and_no_longer() -> None:
    mechanism = plan_examples(3.2, 1e-5, rounds=12, sample_rate=0.1, steps=20)
    assert releases_allowed(terms_for(3.2, 1e-5, mechanism)) == 12


def test_noise_that_int16_cannot_hold_is_refused_with_advice() -> None:
    with pytest.raises(Rejected, match="use fewer scale bits"):
        plan_shares(0.5, 1e-5, 50, sensitivity=2000, contributors=3, dimension=10)


@pytest.mark.parametrize("scale_bits", [6, 12])
def test_no_example_moves_the_clipped_gradient_by_more_than_its_sensitivity(scale_bits: int) -> None:
    """Each of ten examples is left out in turn; the rate stays, as it is public."""
    trainer = ClippedGradient(clip_norm=0.4, rate=0.5)
    local = LocalSettings(batch_size=100)
    generator = np.random.default_rng(2)
    inputs = generator.integers(-127, 128, (10, 6)).astype(np.int8)
    labels = generator.integers(0, 3, 10).astype(np.int32)
    model = generator.integers(-200, 200, 21).astype(np.int32)
    limit = trainer.sensitivity(scale_bits, 21)

    def update(kept: np.ndarray) -> np.ndarray:
        data = Dataset(inputs[kept], labels[kept])
        return local_update(SPEC, model, scale_bits, data, local, 0, trainer=trainer).values.astype(np.float64)

    everybody = update(np.arange(10))
    moved = [float(np.linalg.norm(everybody - update(np.delete(np.arange(10), k)))) for k in range(10)]
    assert max(moved) <= limit
    assert max(moved) > 0.9 * 0.5 * 0.4 * 2**scale_bits - 21**0.5
    assert limit < 0.5 * 0.4 * 2**scale_bits + 21**0.5 + 1


def test_what_cannot_be_clipped_is_refused() -> None:
    for clip_norm, rate in ((0.0, 10.0), (1.0, 0.0)):
        with pytest.raises(Rejected):
            ClippedGradient(clip_norm, rate)
