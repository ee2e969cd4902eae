"""The models whose accuracy `assay bench proofs` proves: trained here on scikit-learn's digits, in the project's way.

784 inputs are the same digits with each pixel repeated: 28 x 28 as MNIST has them, which cannot be had offline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from offchain.data.dataset import Dataset
from offchain.data.preprocessing import fit_preprocessing
from offchain.data.raw import RawData
from offchain.data.sklearn_sets import load_sklearn
from offchain.data.split import split
from offchain.errors import Bug, Rejected
from offchain.model.graph import IntegerNetwork
from offchain.model.layers import Conv2D, Dense, Layer, MaxPool2D
from offchain.model.search import SearchSettings, search
from offchain.model.spec import ModelSpec
from offchain.proofs.friendly import prover_friendly
from offchain.protocol.scores import ScoreFunction

TEST_FRACTION = 1 / 3
SIDE = 28
BOTH = ("ultrahonk", "groth16")
ULTRAHONK = ("ultrahonk",)
"""For the largest: the CNN's 1.2 million constraints take Groth16's set-up minutes, and these have more."""

SETTINGS = SearchSettings(configurations=1, first_cycle=8, max_epochs=24, patience=1)


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table, for each of `systems`.

    large: only with `--large`; enlarged: 28 x 28 inputs instead of 8 x 8.
    """

    name: str
    layers: tuple[Layer, ...]
    samples: int
    enlarged: bool = False
    large: bool = False
    systems: tuple[str, ...] = BOTH


@dataclass(frozen=True, slots=True)
class Trained:
    """A model and the test samples that it has not seen. `parameters`: weights and biases."""

    network: IntegerNetwork
    test: Dataset
    parameters: int


def _mlp(hidden: int) -> tuple[Layer, ...]:
    return (Dense(name="hidden", units=hidden, activation="relu"), Dense(name="logits", units=10))


CNN: tuple[Layer, ...] = (
    Conv2D(name="conv", filters=8, padding="valid", activation="relu"),
    MaxPool2D(name="pool"),
    Dense(name="logits", units=10),
)

CASES = (
    Case("MLP 64-32-10", _mlp(32), 64),
    Case("CNN 3x3x8, pool, 72-10", CNN, 64),
    Case("MLP 64-128-10", _mlp(128), 64, large=True),
    Case("MLP 64-32-10", _mlp(32), 256, large=True, systems=ULTRAHONK),
    Case("MLP 784-32-10", _mlp(32), 64, enlarged=True, large=True),
    Case("MLP 784-128-10", _mlp(128), 16, enlarged=True, large=True, systems=ULTRAHONK),
    Case("MLP 784-128-10", _mlp(128), 64, enlarged=True, large=True, systems=ULTRAHONK),
)


def chosen_cases(large: bool, names: str | None) -> tuple[Case, ...]:
    """The cases to measure: the small ones, with `large` all, or those whose name holds one of `names` (commas)."""
    if names is None:
        return tuple(case for case in CASES if large or not case.large)
    found = tuple(case for case in CASES if any(name.strip() in case.name for name in names.split(",")))
    if not found:
        raise Rejected(f"--cases {names}: there are {', '.join(dict.fromkeys(case.name for case in CASES))}")
    return found


def trained(case: Case, seed: int) -> Trained:
    """The case's model, trained for a few seconds, with short multipliers; the same for the same seed."""
    raw = load_sklearn("digits")
    raw = _enlarged(raw) if case.enlarged else raw
    train_raw, test_raw = split(raw, fraction=TEST_FRACTION, seed=seed, stratify=True)
    quantiser = fit_preprocessing(train_raw)
    spec = ModelSpec(input_shape=raw.shape, layers=case.layers)
    network = _last(
        candidate.network
        for candidate in search(
            spec,
            quantiser.apply(train_raw),
            ScoreFunction.ACCURACY,
            seed=seed,
            should_stop=lambda: False,
            settings=SETTINGS,
        )
    )
    return Trained(prover_friendly(network), quantiser.apply(test_raw), spec.weight_count)


def _enlarged(raw: RawData) -> RawData:
    """Images (n, 8, 8, 1) to (n, 28, 28, 1): the nearest pixel."""
    nearest = np.arange(SIDE) * raw.inputs.shape[1] // SIDE
    return replace(raw, inputs=np.ascontiguousarray(raw.inputs[:, nearest][:, :, nearest]))


def _last(networks: Iterator[IntegerNetwork]) -> IntegerNetwork:
    best = None
    for best in networks:  # noqa: B007 - each is better than those before it
        pass
    if best is None:
        raise Bug("training has given no model")
    return best
