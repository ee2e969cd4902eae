"""What leaves a participant of a task that promises privacy."""

from dataclasses import replace

import numpy as np
import pytest

from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.federated.manifest import (
    ExamplePrivacy,
    FederatedManifest,
    GradientPrivacy,
    LocalTerms,
    Privacy,
    SumPrivacy,
)
from offchain.federated.terms import Mode
from offchain.model.shorthand import spec_from_shorthand
from offchain.protocol.manifest import Preprocessing
from offchain.roles.federated_training import train_update
from tests.unit.federated.views import TERMS

SPEC = spec_from_shorthand("mlp:400", input_shape=(6,), outputs=2).model_dump(mode="json", exclude_none=True)
SIZE = 6 * 400 + 400 + 400 * 2 + 2
SECURE = replace(TERMS, mode=Mode.SECURE, group_size=5, minimum_participants=5, dimension=SIZE, scale_bits=10)
BUDGET = {"epsilon": 8.0, "delta": 1e-5}
SUM = SumPrivacy(**BUDGET, clip_norm=300, variance=90_000, contributors=4)
GRADIENT = GradientPrivacy(**BUDGET, clip_norm=1.0, rate=0.01, variance=90_000, contributors=4)
EXAMPLE = ExamplePrivacy(**BUDGET, sample_rate=0.5, noise_multiplier=2.0, clip_norm=1.0, steps=2)


def _update(privacy: Privacy | None, seed: bytes) -> np.ndarray:
    task = FederatedManifest(
        title="t",
        spec=SPEC,
        classes=("a", "b"),
        preprocessing=Preprocessing(offset=(0.5,), scale=(2.0,)),
        local=LocalTerms(learning_rate=1.0),
        privacy=privacy,
    )
    generator = np.random.default_rng(0)
    data = Dataset(generator.integers(-127, 128, (30, 6)).astype(np.int8), np.arange(30, dtype=np.int32) % 2)
    model = generator.integers(-300, 300, SIZE).astype(np.int32)
    return train_update(task, SECURE, model, data, seed, None).values.astype(np.float64)


@pytest.mark.parametrize(
    ("privacy", "deviation"),
    [(SUM, 300), (GRADIENT, 300), (EXAMPLE, 1024 * 2 * 2**0.5 / 15)],
    ids=["sum", "gradient", "example"],
)
def test_it_carries_the_noise_that_the_manifest_names(privacy: Privacy, deviation: float) -> None:
    """Two updates from the same data differ by their noise alone, and twice the same seed is the same."""
    first, other = _update(privacy, b"1" * 32), _update(privacy, b"2" * 32)
    assert np.std(first - other) / 2**0.5 == pytest.approx(deviation, rel=0.1)
    assert np.array_equal(first, _update(privacy, b"1" * 32))


def test_below_the_noise_an_update_is_as_short_as_the_clip_norm() -> None:
    plain = np.linalg.norm(_update(None, b"1" * 32))
    assert plain > 2 * 300
    noises = [_update(SUM, bytes([k]) * 32) for k in range(40)]
    # The mean of 40 updates has the noise of 300 / sqrt(40) units a coordinate around what was clipped.
    excess = np.linalg.norm(np.mean(noises, axis=0)) ** 2 - SIZE * 90_000 / 40
    assert excess < (1.5 * 300) ** 2 + 5 * 90_000 / 40 * (2 * SIZE) ** 0.5


def test_a_budget_of_shares_in_plain_mode_is_refused() -> None:
    with pytest.raises(Rejected, match="updates are seen alone"):
        GRADIENT.release(TERMS)
