"""Where a simulation takes place: a real data set spread over participants, and a model to train on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from offchain.data.dataset import Dataset
from offchain.data.preprocessing import fit_preprocessing
from offchain.data.sklearn_sets import load_sklearn
from offchain.data.split import split
from offchain.federated.fixed_point import Model, dequantise
from offchain.federated.local_training import LocalSettings, to_tensors, train_sgd
from offchain.federated.parameters import load_vector
from offchain.federated.partition import partition
from offchain.model.module import SpecNetwork
from offchain.model.shorthand import spec_from_shorthand
from offchain.model.spec import ModelSpec

TEST_FRACTION = 0.2


@dataclass(frozen=True, slots=True)
class World:
    """A spec, what each participant holds, and the test set that nobody trains on."""

    spec: ModelSpec
    shares: tuple[Dataset, ...]
    test: Dataset
    classes: int

    def __len__(self) -> int:
        return len(self.shares)

    def whole(self) -> Dataset:
        """All participants' data in one place, as centralised training has it."""
        inputs = np.concatenate([share.inputs for share in self.shares])
        return Dataset(inputs, np.concatenate([share.labels for share in self.shares]))


def build_world(*, data: str, model: str, form: str, participants: int, seed: int) -> World:
    """A scikit-learn set by name, split and spread by the seed; `model` and `form` as in their shorthands.

    Raises Rejected for unknown names and for data that is no classification or too small.
    """
    raw = load_sklearn(data)
    train, test = split(raw, fraction=TEST_FRACTION, seed=seed, stratify=raw.task == "classification")
    quantiser = fit_preprocessing(train)
    spec = spec_from_shorthand(model, input_shape=raw.shape, outputs=raw.outputs)
    whole = quantiser.apply(train)
    parts = partition(form, whole.labels, participants, np.random.default_rng(seed))
    return World(spec, tuple(whole.take(part) for part in parts), quantiser.apply(test), raw.outputs)


class Judge:
    """Tells how a model does on samples."""

    def __init__(self, spec: ModelSpec, settings: LocalSettings, scale_bits: int) -> None:
        self._spec = spec
        self._settings = settings
        self._scale_bits = scale_bits
        self._network = SpecNetwork(spec, seed=0).eval()

    @torch.no_grad()
    def accuracy(self, model: Model, data: Dataset) -> float:
        """Share of samples that the model int32 (d,) labels as the data set does."""
        load_vector(self._spec, self._network, dequantise(model, self._scale_bits))
        inputs, labels = to_tensors(data, self._settings)
        return float((self._network(inputs).argmax(dim=1) == labels).float().mean())


def centralised_accuracy(world: World, settings: LocalSettings, *, epochs: int, seed: int) -> float:
    """What one trainer with all the data reaches: the same model, in float, for so many epochs of SGD."""
    network = SpecNetwork(world.spec, seed=seed)
    inputs, labels = to_tensors(world.whole(), settings)
    train_sgd(network, inputs, labels, replace(settings, epochs=epochs), seed)
    network.eval()
    test_inputs, test_labels = to_tensors(world.test, settings)
    with torch.no_grad():
        return float((network(test_inputs).argmax(dim=1) == test_labels).float().mean())
