"""DP-SGD: what it clips, how much noise it adds, whom it refuses."""

import copy
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.federated.local_training import LocalSettings, local_update
from offchain.federated.parameters import load_vector, module_vector
from offchain.federated.privacy import dp_sgd
from offchain.federated.privacy.dp_sgd import DpSgd, train
from offchain.federated.privacy.random_bytes import seeded_bytes
from offchain.model.layers import Conv2D, Dense, MaxPool2D
from offchain.model.module import SpecNetwork
from offchain.model.shorthand import spec_from_shorthand
from offchain.model.spec import ModelSpec


def _cnn(outputs: int) -> ModelSpec:
    conv = Conv2D(name="conv", filters=4, kernel=3, activation="relu")
    layers = (conv, MaxPool2D(name="pool"), Dense(name="out", units=outputs))
    return ModelSpec(input_shape=(8, 8, 1), layers=layers)


CNN = _cnn(10)
MLP = spec_from_shorthand("mlp:16", input_shape=(8, 8, 1), outputs=3)
SETTINGS = LocalSettings(learning_rate=1.0)
ALL = DpSgd(sample_rate=1.0, noise_multiplier=1e-9, clip_norm=0.5, steps=1)


def _data(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 8, 8, 1, generator=generator), torch.arange(count, dtype=torch.int32) % 10


def _moved(network: nn.Module, before: nn.Module) -> torch.Tensor:
    pairs = zip(network.parameters(), before.parameters(), strict=True)
    return torch.cat([(new - old).detach().flatten() for new, old in pairs]).double()


def _step(privacy: DpSgd, count: int, seed: int = 1, **settings: float) -> torch.Tensor:
    network = SpecNetwork(CNN, seed=3)
    before = copy.deepcopy(network)
    inputs, labels = _data(count)
    train(network, inputs, labels, LocalSettings(learning_rate=1.0, **settings), privacy, seeded_bytes(seed))  # type: ignore[arg-type]
    return _moved(network, before)


def test_a_step_is_the_mean_of_gradients_each_clipped_on_its_own() -> None:
    network = SpecNetwork(CNN, seed=3)
    inputs, labels = _data(12)
    expected = torch.zeros(sum(value.numel() for value in network.parameters()), dtype=torch.float64)
    for k in range(12):
        network.zero_grad()
        nn.functional.cross_entropy(network(inputs[k : k + 1]), labels[k : k + 1].long()).backward()
        gradient = torch.cat([value.grad.flatten().double() for value in network.parameters()])  # type: ignore[union-attr]
        assert gradient.norm() > 0.5
        expected -= gradient * 0.5 / gradient.norm() / 12
    assert torch.allclose(_step(ALL, 12), expected, atol=1e-5)


def test_one_example_moves_the_weights_by_at_most_the_clip_norm() -> None:
    privacy = DpSgd(sample_rate=1.0, noise_multiplier=1e-9, clip_norm=0.05, steps=1)
    assert 0.04 / 1 < float(_step(privacy, 1).norm()) <= 0.05 * (1 + 1e-6)


def test_noise_has_the_announced_deviation_even_without_an_example() -> None:
    """A batch without examples must not be told from others: it is noise like any."""
    privacy = DpSgd(sample_rate=1e-9, noise_multiplier=3.0, clip_norm=0.5, steps=4)
    moved = _step(privacy, 10)
    assert float(moved.std()) == pytest.approx(2 * 3.0 * 0.5, rel=0.1)
    assert abs(float(moved.mean())) < 5 * 3.0 / len(moved) ** 0.5


def test_batches_are_poisson_and_divided_by_their_expected_size() -> None:
    """With clipped gradients of one direction, the step tells how many examples were drawn."""
    network = nn.Linear(1, 1, bias=False)
    drawn = []
    for seed in range(120):
        nn.init.zeros_(network.weight)
        privacy = DpSgd(sample_rate=0.25, noise_multiplier=1e-9, clip_norm=1e-3, steps=1)
        settings = LocalSettings(learning_rate=1.0)
        two = nn.Sequential(network, _TwoClasses())
        train(two, torch.ones(40, 1), torch.zeros(40, dtype=torch.int32), settings, privacy, seeded_bytes(seed))
        drawn.append(float(network.weight.detach()) * 10 / 1e-3)
    assert np.mean(drawn) == pytest.approx(10, abs=1)
    assert np.var(drawn) == pytest.approx(7.5, rel=0.4)


class _TwoClasses(nn.Module):
    def forward(self, value: torch.Tensor) -> torch.Tensor:
        return torch.cat([value, -value], dim=1)


def test_same_seed_same_update_and_nothing_is_left_on_the_network() -> None:
    privacy = DpSgd(sample_rate=0.5, noise_multiplier=1.0, clip_norm=1.0, steps=3)
    assert torch.equal(_step(privacy, 20), _step(privacy, 20))
    assert not torch.equal(_step(privacy, 20), _step(privacy, 20, seed=2))
    network = SpecNetwork(CNN, seed=3)
    train(network, *_data(8), SETTINGS, privacy, seeded_bytes(0))
    assert all(value.grad is None and getattr(value, "grad_sample", None) is None for value in network.parameters())
    nn.functional.cross_entropy(network(_data(4)[0]), torch.zeros(4, dtype=torch.long)).backward()
    train(network, *_data(8), SETTINGS, privacy, seeded_bytes(0))


@pytest.mark.parametrize("room", [1, 2, 7, 12, 13])
def test_batches_that_do_not_fit_memory_are_summed_piece_by_piece(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    privacy = DpSgd(sample_rate=0.7, noise_multiplier=0.5, clip_norm=0.5, steps=3)
    whole = _step(privacy, 12)
    monkeypatch.setattr(dp_sgd, "_GRADIENT_VALUES", room * len(whole))
    assert torch.allclose(_step(privacy, 12), whole, atol=1e-6)


def test_proximal_pull_goes_to_where_the_round_began() -> None:
    privacy = DpSgd(sample_rate=1e-9, noise_multiplier=1.0, clip_norm=1.0, steps=2)
    free, pulled = _step(privacy, 10, proximal=0.0), _step(privacy, 10, proximal=1.0)
    first = _step(DpSgd(1e-9, 1.0, 1.0, 1), 10)
    # With rate 1 and pull 1 the second step forgets the first.
    assert torch.allclose(pulled, free - first, atol=1e-4)


def test_networks_that_mix_examples_are_refused() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.BatchNorm1d(10))
    with pytest.raises(Rejected, match="DP-SGD cannot train"):
        train(network, *_data(8), SETTINGS, ALL, seeded_bytes(0))


@pytest.mark.parametrize("spec", [_cnn(3), MLP], ids=["cnn", "mlp"])
def test_it_trains_where_plain_training_does(spec: ModelSpec) -> None:
    """As the trainer of `local_update`, without a word of Opacus on standard error."""
    generator = np.random.default_rng(0)
    labels = np.arange(90, dtype=np.int32) % 3
    images = generator.normal(0, 20, (90, 8, 8, 1))
    images[np.arange(90), labels * 2] += 100
    data = Dataset(np.clip(images, -127, 127).astype(np.int8), labels)
    trainer = DpSgd(sample_rate=0.5, noise_multiplier=0.5, clip_norm=1.0, steps=40)
    network = SpecNetwork(spec, seed=1)
    start = (module_vector(spec, network) * 2**12).round().astype(np.int32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        update = local_update(spec, start, 12, data, LocalSettings(learning_rate=0.5), 7, trainer=trainer)
    load_vector(spec, network, ((start + update.values) / 2**12).astype(np.float32))
    predicted = network(torch.from_numpy(data.inputs).float() / 64).argmax(1).numpy()
    assert np.mean(predicted == labels) > 0.9


def test_training_without_a_clip_norm_is_refused() -> None:
    with pytest.raises(Rejected, match="clip norm"):
        DpSgd(0.5, 1.0, 0.0, 1)
