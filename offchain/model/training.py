"""Trains one network in float: mini-batches, cosine cycles with warm restarts, a hold-out, a deadline.

A cycle anneals the learning rate to zero (Loshchilov & Hutter 2017, SGDR, eq. 5), so that every cycle ends in a usable
model and training can stop at any of them. No clock here: `should_stop` is asked before every mini-batch.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from offchain.data.dataset import Dataset
from offchain.model.float_model import FloatModel, Scaling
from offchain.model.module import SpecNetwork
from offchain.model.objective import BITS_PER_NAT, Judgement, best_temperature, judge, tempered, training_loss
from offchain.model.spec import ModelSpec
from offchain.model.threads import torch_threads, training_threads
from offchain.protocol.scores import ScoreFunction

ShouldStop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Settings:
    """What one training run is made of.

    `shift` moves each training image by up to that many pixels in both directions at random; `label_smoothing` applies
    to classification.
    """

    optimiser: Literal["adam", "sgd"]
    learning_rate: float
    batch_size: int = 32
    weight_decay: float = 1e-4
    label_smoothing: float = 0.05
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """One finished epoch, counted from 1, and its mean training loss."""

    settings: Settings
    epoch: int
    loss: float


@dataclass(frozen=True, slots=True)
class Judged:
    """How the network stood on the hold-out after `epoch` epochs: its mean score per sample, higher is better.

    `integer`: the integer network that was made of the best so far, not the float one as it was.
    """

    settings: Settings
    epoch: int
    score: float
    integer: bool


Watch = Callable[[Progress | Judged], None]
"""Told of what happens while a network is trained."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A float model and how it did on the hold-out."""

    model: FloatModel
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a provider trains on, what it keeps back to judge itself, and what it is scored by."""

    train: Dataset
    holdout: Dataset
    function: ScoreFunction


class Trainer:
    """One network on its way through the epochs; `run` continues where the last call ended.

    Deterministic for a seed on one machine (weights, order of samples and shifts come from it alone).
    """

    def __init__(
        self, spec: ModelSpec, data: TrainingData, settings: Settings, *, seed: int, on_device: DeviceData | None = None
    ) -> None:
        self.spec = spec
        self.data = data
        self.settings = settings
        tensors = on_device or DeviceData.load(data, pick_device())
        self.device = tensors.inputs.device
        self.scaling = fit_scaling(data, tokens=spec.reads_tokens)
        self.network = SpecNetwork(spec, seed=seed).to(self.device)
        self.best: Snapshot | None = None
        self.epochs = 0
        self._optimiser = _optimiser(self.network, settings)
        self._random = np.random.default_rng(seed)
        self._batches = Batches(tensors, data.function, self.scaling, settings)

    def run(self, epochs: int, *, should_stop: ShouldStop, progress: Watch | None = None) -> Snapshot | None:
        """Trains one cycle of `epochs`, or less when `should_stop` says so; the best snapshot so far.

        A snapshot is taken where the cycle ends, or where it is cut short. None if weights were never finite there.
        """
        with torch_threads(training_threads(self.spec, self._batches.size)):
            return self._run(epochs, should_stop, progress)

    def _run(self, epochs: int, should_stop: ShouldStop, progress: Watch | None) -> Snapshot | None:
        steps = self._batches.count * epochs
        done = 0
        for _ in range(epochs):
            total = 0.0
            for indices in self._batches.shuffled(self._random):
                if should_stop():
                    return self._keep_better(self._snapshot(), progress)
                _set_rate(self._optimiser, self.settings.learning_rate * annealed(done / steps))
                total += self._step(indices) * len(indices)
                done += 1
            self.epochs += 1
            if progress is not None:
                progress(Progress(self.settings, self.epochs, total / (self._batches.count * self._batches.size)))
        return self._keep_better(self._snapshot(), progress)

    def _keep_better(self, snapshot: Snapshot | None, progress: Watch | None) -> Snapshot | None:
        if snapshot is not None and progress is not None:
            progress(Judged(self.settings, self.epochs, snapshot.judgement.score, integer=False))
        if snapshot is not None and (self.best is None or snapshot.judgement.better_than(self.best.judgement)):
            self.best = snapshot
        return self.best

    def _step(self, indices: npt.NDArray[np.intp]) -> float:
        self.network.train()
        inputs, targets = self._batches.batch(indices, self._random)
        self._optimiser.zero_grad(set_to_none=True)
        loss = self._batches.loss(self.network(inputs), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self._optimiser.step()
        return float(loss.detach())

    def _snapshot(self) -> Snapshot | None:
        state = self.network.state_dict()
        if not all(bool(torch.isfinite(value).all()) for value in state.values()):
            return None
        arrays = {
            key: copy.deepcopy(value.detach().cpu().numpy())
            for key, value in state.items()
            if not key.endswith("num_batches_tracked")
        }
        holdout, function, scaling = self.data.holdout, self.data.function, self.scaling
        outputs = predict(self.network, holdout, scaling, self.device)
        if function is ScoreFunction.CROSS_ENTROPY:
            temperature = best_temperature(outputs, holdout.labels)
            scaling, outputs = tempered(scaling, temperature), outputs / temperature
        return Snapshot(FloatModel(self.spec, arrays, scaling), judge(function, outputs, holdout.labels, scaling))


@dataclass(frozen=True, slots=True)
class DeviceData:
    """The training set where it is trained on: int8 inputs (n, *shape), int32 labels (n,); shared between trainers."""

    inputs: Tensor
    labels: Tensor

    @classmethod
    def load(cls, data: TrainingData, device: torch.device) -> DeviceData:
        """Copies the training samples to the device."""
        inputs, labels = (
            torch.from_numpy(np.array(part)).to(device) for part in (data.train.inputs, data.train.labels)
        )
        return cls(inputs, labels)


class Batches:
    """The training set, served in shuffled mini-batches with random shifts."""

    def __init__(self, tensors: DeviceData, function: ScoreFunction, scaling: Scaling, settings: Settings) -> None:
        self._inputs = tensors.inputs
        self._labels = tensors.labels
        self.size = min(settings.batch_size, len(self._inputs))
        # Batch normalisation cannot work on a single sample, so the last, short batch is left to the next shuffle.
        self.count = len(self._inputs) // self.size
        self._function = function
        self._scaling = scaling
        self._settings = settings

    def shuffled(self, random: np.random.Generator) -> list[npt.NDArray[np.intp]]:
        """Indices of one epoch's batches."""
        order = random.permutation(len(self._inputs))
        return [order[i * self.size : (i + 1) * self.size] for i in range(self.count)]

    def batch(self, indices: npt.NDArray[np.intp], random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Float inputs (batch, *shape) and their labels."""
        place = torch.from_numpy(indices).to(self._inputs.device)
        inputs = self._inputs[place]
        if self._settings.shift and inputs.ndim == 4:
            inputs = _shifted(inputs, self._settings.shift, random)
        return inputs.float() * self._scaling.input_scale, self._labels[place]

    def loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """The loss to descend, for outputs as the module gives them."""
        smoothing = self._settings.label_smoothing
        return training_loss(self._function, outputs, labels, self._scaling, label_smoothing=smoothing)


def pick_device() -> torch.device:
    """The GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fit_scaling(data: TrainingData, *, tokens: bool = False) -> Scaling:
    """Unit variance for what the float network reads, unless it is `tokens`, and in regression for what it predicts.

    For CROSS_ENTROPY the output scale makes bits of the network's natural logits.
    """
    root_mean_square = float(np.sqrt(np.mean(np.square(data.train.inputs, dtype=np.float64))))
    input_scale = 1.0 if tokens else 1.0 / max(root_mean_square, 1.0)
    if data.function is ScoreFunction.CROSS_ENTROPY:
        return Scaling(input_scale=input_scale, output_scale=BITS_PER_NAT)
    if not data.function.is_regression:
        return Scaling(input_scale=input_scale)
    labels = data.train.labels.astype(np.float64)
    return Scaling(
        input_scale=input_scale, output_scale=max(float(labels.std()), 1.0), output_offset=float(labels.mean())
    )


def load_network(model: FloatModel, device: torch.device | None = None) -> SpecNetwork:
    """The torch module of a float model, in evaluation mode."""
    network = SpecNetwork(model.spec, seed=0)
    state = {key: torch.from_numpy(np.array(value)) for key, value in model.state.items()}
    network.load_state_dict(state, strict=False)
    return network.to(device or torch.device("cpu")).eval()


@torch.no_grad()
def predict(
    network: torch.nn.Module, data: Dataset, scaling: Scaling, device: torch.device, *, batch_size: int = 1024
) -> npt.NDArray[np.float64]:
    """Outputs (n, units): logits (in bits if they are scored by cross-entropy), or for regression label units."""
    network.eval()
    parts = []
    for start in range(0, len(data), batch_size):
        inputs = torch.from_numpy(np.array(data.inputs[start : start + batch_size])).to(device)
        parts.append(network(inputs.float() * scaling.input_scale).double().cpu().numpy())
    outputs: npt.NDArray[np.float64] = np.concatenate(parts) * scaling.output_scale + scaling.output_offset
    return outputs


def annealed(fraction: float) -> float:
    """Share of the full learning rate: a short linear warm-up, then half a cosine down to zero."""
    warm = 0.1
    if fraction < warm:
        return 0.1 + 0.9 * fraction / warm
    return 0.5 * (1 + math.cos(math.pi * (fraction - warm) / (1 - warm)))


def _optimiser(network: SpecNetwork, settings: Settings) -> torch.optim.Optimizer:
    if settings.optimiser == "adam":
        return torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    return torch.optim.SGD(
        network.parameters(),
        lr=settings.learning_rate,
        momentum=0.9,
        nesterov=True,
        weight_decay=settings.weight_decay,
    )


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate


def _shifted(images: Tensor, reach: int, random: np.random.Generator) -> Tensor:
    """Moves each image (n, height, width, channels) by its own offset; edges are repeated."""
    count, height, width, _ = images.shape
    offsets = torch.from_numpy(random.integers(-reach, reach + 1, size=(2, count, 1))).to(images.device)
    rows = (torch.arange(height, device=images.device) + offsets[0]).clamp(0, height - 1)
    columns = (torch.arange(width, device=images.device) + offsets[1]).clamp(0, width - 1)
    samples = torch.arange(count, device=images.device)[:, None, None]
    return images[samples, rows[:, :, None], columns[:, None, :]]
