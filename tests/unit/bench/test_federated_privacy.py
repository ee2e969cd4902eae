"""The privacy experiment: what it may look at, and that it stops with its budget."""

import numpy as np
import pytest

from offchain.bench.federated_privacy import BAR, run
from offchain.bench.federated_privacy_recipes import recipe
from offchain.bench.federated_privacy_sets import NAMES, gradient_histograms, prepare


@pytest.mark.parametrize("name", NAMES)
def test_sets_are_dealt_out_whole_and_the_same_for_a_seed(name: str) -> None:
    first, again = prepare(name, 12, 3), prepare(name, 12, 3)
    assert all(np.array_equal(a.inputs, b.inputs) for a, b in zip(first.parts, again.parts, strict=True))
    assert sum(map(len, first.parts)) == len(first.train)
    assert 0.68 < len(first.train) / (len(first.train) + len(first.test)) < 0.79
    norms = np.linalg.norm(first.train.inputs.astype(float) / 127, axis=1)
    assert 0.8 < norms.mean() < 1.2
    assert first.spec.input_shape == first.test.shape


def test_an_image_turned_by_a_right_angle_has_its_histograms_turned() -> None:
    image = np.random.default_rng(0).random((1, 8, 8))
    straight, turned = (gradient_histograms(each).reshape(3, 3, 8) for each in (image, np.rot90(image, axes=(1, 2))))
    # Rows count downwards, so against the clock is two directions back.
    assert np.allclose(np.roll(np.rot90(straight), -2, axis=2), turned)


@pytest.mark.long
def test_training_ends_when_the_ledger_refuses() -> None:
    asked = {"names": ["iris"], "participants": [12], "modes": ["shares/participant"], "seeds": 1}
    (row,) = run(**asked)
    assert row.rounds == recipe("iris", "shares/participant", 12).rounds
    assert 3.1 < row.epsilon <= 3.2
    assert row.reached == (row.kept >= BAR)


@pytest.mark.long
def test_the_bar_is_reached_on_breast_cancer_in_every_mode() -> None:
    rows = run(names=["breast_cancer"], participants=[12], seeds=3, first_seed=50)
    assert [row.mode for row in rows if row.reached] == ["local", "shares/example", "shares/participant"]
