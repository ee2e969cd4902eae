"""Data of the privacy experiment: scikit-learn's real sets, made int8 without looking at what is to be protected.

Pixels have a known range. Columns of tables are scaled by means and deviations of a tenth of the samples, which counts
as published and is neither trained on nor tested on: fitted to everybody's samples, the scale itself would leak.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from offchain.data.dataset import Dataset
from offchain.data.sklearn_sets import load_sklearn
from offchain.model.float_model import Scaling
from offchain.model.layers import Dense
from offchain.model.spec import ModelSpec

NAMES: Final = ("breast_cancer", "digits", "digits_gradients", "wine", "iris")

SCALING: Final = Scaling(input_scale=3 / 127)
"""Samples have norm 1 in int8 / 127, images each, rows of tables on average; three times that against the bias,
which gradient clipping counts too."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Setting:
    """A data set as the participants of one experiment have it."""

    name: str
    spec: ModelSpec
    parts: tuple[Dataset, ...]
    train: Dataset
    test: Dataset


def prepare(name: str, participants: int, seed: int) -> Setting:
    """A tenth published, a fifth held out, the rest dealt to the participants; the same for the same seed."""
    generator = np.random.default_rng(seed)
    raw = load_sklearn(name.removesuffix("_gradients"))
    order = generator.permutation(len(raw))
    tested, published = len(order) // 5, len(order) // 10
    test, reference, train = np.split(order, [tested, tested + published])
    inputs = raw.inputs.astype(np.float64)
    labels = raw.labels.astype(np.int32)
    if name == "digits":
        features = (inputs - 8).reshape(len(inputs), -1)
    elif name == "digits_gradients":
        features = gradient_histograms(inputs[..., 0] / 16)
    else:
        mean, deviation = inputs[reference].mean(axis=0), inputs[reference].std(axis=0) + 1e-9
        features = np.clip((inputs - mean) / deviation, -2, 2) / np.sqrt(inputs.shape[1])
    if name.startswith("digits"):
        features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
    samples = Dataset(np.rint(features * 127).astype(np.int8), labels)
    outputs = int(labels.max()) + 1
    spec = ModelSpec(input_shape=(features.shape[1],), layers=(Dense(name="out", units=outputs),))
    chosen = samples.take(train)
    parts = tuple(chosen.take(part) for part in np.array_split(generator.permutation(len(chosen)), participants))
    return Setting(name, spec, parts, chosen, samples.take(test))


def gradient_histograms(images: Floats) -> Floats:
    """Histograms of oriented gradients (Dalal and Triggs 2005) of images (n, 8, 8) in [0, 1]: (n, 72).

    Eight directions in nine overlapping windows of 4 x 4. Each sample's are its own, so nothing leaks between samples;
    better features are what private training gains most from (Tramèr and Boneh 2021, arXiv 2011.11660).
    """
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    across, down = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2], padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    strength = np.hypot(across, down)[..., np.newaxis]
    place = np.mod(np.arctan2(down, across), 2 * np.pi)[..., np.newaxis] * 8 / (2 * np.pi)
    distance = np.mod(place - np.arange(8), 8)
    # Each gradient is shared by its two neighbouring directions.
    votes = strength * np.maximum(1 - np.minimum(distance, 8 - distance), 0)
    windows = [votes[:, top : top + 4, left : left + 4].sum(axis=(1, 2)) for top in (0, 2, 4) for left in (0, 2, 4)]
    histograms: Floats = np.sqrt(np.concatenate(windows, axis=1))
    histograms -= histograms.mean(axis=1, keepdims=True)
    return histograms
