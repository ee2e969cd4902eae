"""Named adversaries: what each sends is what its paper says."""

from statistics import NormalDist

import numpy as np
import pytest

from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.federated.aggregation.rule import Rule, RuleId, aggregate
from offchain.federated.attacks.alie import Alie, largest_hidden_deviation
from offchain.federated.attacks.backdoor import Backdoor, backdoor_cases, triggered
from offchain.federated.attacks.base import View
from offchain.federated.attacks.free_rider import Copied, Replayed
from offchain.federated.attacks.halves import OpposedHalves
from offchain.federated.attacks.inner_product import InnerProduct
from offchain.federated.attacks.label_flip import LabelFlip
from offchain.federated.attacks.lazy import Lazy
from offchain.federated.attacks.registry import ATTACKS, attack_named
from offchain.federated.attacks.sign_flip import SignFlip

HOSTILE = np.array([1, 4, 5])


def view(seed: int = 0, rounds: int = 2) -> View:
    """Ten participants, three of them hostile, eight weights."""
    generator = np.random.default_rng(seed)
    past = [generator.normal(size=(10, 8)) for _ in range(rounds)]
    return View(10, HOSTILE, generator.normal(size=(3, 8)), past, generator.normal(size=(7, 8)))


def images(count: int = 30) -> Dataset:
    """Dark images of ten labels."""
    return Dataset(np.full((count, 8, 8, 1), -127, np.int8), np.arange(count, dtype=np.int32) % 10)


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_plays_the_first_and_later_rounds(name: str) -> None:
    attack = attack_named(name)
    poisoned = attack.poison(images(), np.random.default_rng(0))
    assert len(poisoned) >= 1
    for rounds in (0, 2):
        seen = view(rounds=rounds)
        crafted = [attack.craft(seen, np.random.default_rng(5)) for _ in range(2)]
        assert crafted[0].shape == (3, 8)
        assert np.isfinite(crafted[0]).all()
        assert (crafted[0] == crafted[1]).all()
    with pytest.raises(Rejected, match="choose one of label-flip"):
        attack_named("none")


def test_attacks_on_data() -> None:
    data, generator = images(), np.random.default_rng(0)
    assert (LabelFlip().poison(data, generator).labels == 9 - data.labels).all()
    assert len(Lazy().poison(data, generator)) == 2
    poisoned = Backdoor(target=3).poison(data, generator)
    assert (poisoned.inputs[:30] == data.inputs).all()
    assert (poisoned.labels[30:] == 3).all()
    assert (poisoned.inputs[30:, -2:, -2:] == 127).all()
    assert (triggered(data.inputs)[:, :-2] == -127).all()
    cases = backdoor_cases(data, 3)
    assert len(cases) == 27
    assert set(cases.labels.tolist()) == {3}


def test_a_boosted_model_replaces_the_mean() -> None:
    # Bagdasaryan et al., eq. 3: when the others have nothing left to learn the mean is the attacker's own update.
    generator = np.random.default_rng(1)
    wanted = generator.integers(-300, 300, size=8)
    alone = View(10, np.array([4]), wanted[None].astype(np.float64), ())
    boosted = Backdoor().craft(alone, generator)[0].astype(np.int16)
    updates = [boosted if who == 4 else np.zeros(8, np.int16) for who in range(10)]
    assert (aggregate(Rule(RuleId.MEAN), updates, [1] * 10).aggregate == wanted).all()


def test_alie_hides_where_a_majority_stands_beside_it() -> None:
    # Baruch et al., section 4: 50 workers, 24 corrupted, so 2 supporters of 26 lie beyond z.
    assert NormalDist().cdf(largest_hidden_deviation(50, 24)) == pytest.approx(24 / 26)
    seen = view()
    crafted = Alie(z=1.5).craft(seen, np.random.default_rng(0))
    assert np.allclose(crafted, seen.own.mean(axis=0) - 1.5 * seen.own.std(axis=0))
    scattered = Alie(z=1.5, scattered=True).craft(seen, np.random.default_rng(0))
    assert np.allclose(scattered - seen.own, crafted - seen.own.mean(axis=0))


def test_manipulations_of_direction() -> None:
    seen = view()
    assert seen.honest is not None
    assert (InnerProduct().craft(seen, np.random.default_rng(0)) @ seen.honest.mean(axis=0) < 0).all()
    assert (SignFlip().craft(seen, np.random.default_rng(0)) == -4 * seen.own).all()
    pushed = OpposedHalves().craft(seen, np.random.default_rng(0))
    assert np.allclose(pushed[0], -pushed[1])


def test_free_riders_use_what_is_public() -> None:
    seen, honest = view(), np.setdiff1d(np.arange(10), HOSTILE)
    for copied in Copied().craft(seen, np.random.default_rng(3)):
        assert any((copied == seen.past[-1][who]).all() for who in honest)
    assert (Replayed().craft(seen, np.random.default_rng(3)) == seen.past[0][HOSTILE]).all()
