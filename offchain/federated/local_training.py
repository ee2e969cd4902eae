"""One participant's round: train the round's model on data that stays here, give the difference in fixed point.

The update is what training moved the weights by, quantised (McMahan et al. 2017, algorithm 1, ClientUpdate; the
difference rather than the weights, so that zero means "nothing learned"). With `memory` it is an average over rounds
(Karimireddy et al. 2021, "Learning from History for Byzantine Robust Optimization", algorithm 2): honest updates then
scatter less between rounds, which leaves liars less room to hide in. What is remembered is the participant's previous
update, which is public, so nothing private has to survive a restart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import numpy.typing as npt

from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.federated.fixed_point import Model, Update, dequantise, quantise_update
from offchain.federated.parameters import load_vector, module_vector
from offchain.model.float_model import Scaling
from offchain.model.spec import ModelSpec
from offchain.protocol.scores import ScoreFunction

if TYPE_CHECKING:
    from torch import Tensor, nn

INPUT_SCALE: Final = 1 / 64
"""What int8 inputs are multiplied by: quantised data fill -127 to 127, so a network reads about -2 to 2. Participants
can't fit a scale together without telling each other about their data."""


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """How everybody trains: `epochs` passes in shuffled batches of `batch_size`, by SGD with heavy-ball `momentum`.

    `weight_decay` pulls towards zero. `proximal` pulls towards the round's model (Li et al. 2020, FedProx, eq. 2).
    `memory` is the share of the previous update in this one, 0 for none. `function` decides the loss.
    """

    epochs: int = 2
    batch_size: int = 16
    learning_rate: float = 0.1
    momentum: float = 0.0
    weight_decay: float = 0.0
    proximal: float = 0.0
    memory: float = 0.0
    function: ScoreFunction = ScoreFunction.ACCURACY
    scaling: Scaling = field(default_factory=lambda: Scaling(input_scale=INPUT_SCALE))

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1 or not self.learning_rate > 0:
            raise Rejected("local training: epochs and batch size are at least 1, the learning rate is above 0")
        if not (0 <= self.momentum < 1 and 0 <= self.memory < 1 and self.weight_decay >= 0 and self.proximal >= 0):
            raise Rejected("local training: momentum and memory are in [0, 1), weight decay and proximal not negative")


@dataclass(frozen=True, slots=True)
class LocalUpdate:
    """What a participant brings: int16 (d,), how many samples stand behind it, how many values were clamped."""

    values: Update
    samples: int
    saturated: int


class LocalTrainer(Protocol):
    """Trains a network in place; where DP-SGD takes the place of `train_sgd`.

    `inputs` float32 (n, *shape) and `labels` int32 (n,) lie on the network's device.
    """

    def __call__(self, network: nn.Module, inputs: Tensor, labels: Tensor, settings: LocalSettings, seed: int) -> None:
        """Trains `network`."""


def local_update(
    spec: ModelSpec,
    model: Model,
    scale_bits: int,
    data: Dataset,
    settings: LocalSettings,
    seed: int,
    *,
    previous: Update | None = None,
    trainer: LocalTrainer | None = None,
) -> LocalUpdate:
    """Trains the round's model int32 (d,) on `data` and gives what it moved by, in fixed point.

    The GPU if there is one, else the CPU with few threads; on one CPU the same for the same seed. `previous` is the
    participant's update of the last round, None in the first; it counts only with `settings.memory`.

    Raises Rejected when data, model and spec don't fit each other, or when training diverged.
    """
    from offchain.model.module import SpecNetwork
    from offchain.model.threads import torch_threads, training_threads
    from offchain.model.training import pick_device

    if len(data) == 0:
        raise Rejected("local data: no samples; join with data, or leave the task")
    if data.shape != spec.input_shape:
        raise Rejected(
            f"local data: samples of shape {list(data.shape)}; the task's spec says {list(spec.input_shape)}"
        )
    _require_labels(data, spec, settings)
    start = dequantise(model, scale_bits)
    device = pick_device()
    network = SpecNetwork(spec, seed=0)
    load_vector(spec, network, start)
    network.to(device)
    inputs, labels = to_tensors(data, settings, device)
    with torch_threads(training_threads(spec, settings.batch_size)):
        (trainer or train_sgd)(network, inputs, labels, settings, seed)
    moved = module_vector(spec, network).astype(np.float64) - start
    quantised = quantise_update(remembered(moved, previous, scale_bits, settings.memory), scale_bits)
    return LocalUpdate(quantised.values, len(data), quantised.saturated)


def train_sgd(network: nn.Module, inputs: Tensor, labels: Tensor, settings: LocalSettings, seed: int) -> None:
    """Plain mini-batch SGD, in place."""
    import torch

    from offchain.model.objective import training_loss

    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )
    anchors = [value.detach().clone() for value in network.parameters()]
    network.train()
    for batch in batches(len(inputs), settings, np.random.default_rng(seed)):
        indices = torch.from_numpy(batch).to(inputs.device)
        optimiser.zero_grad(set_to_none=True)
        outputs = network(inputs[indices])
        training_loss(settings.function, outputs, labels[indices], settings.scaling, label_smoothing=0.0).backward()  # type: ignore[no-untyped-call]
        if settings.proximal:
            for value, anchor in zip(network.parameters(), anchors, strict=True):
                if value.grad is not None:
                    value.grad.add_(value.detach() - anchor, alpha=settings.proximal)
        optimiser.step()


def batches(samples: int, settings: LocalSettings, generator: np.random.Generator) -> Iterator[npt.NDArray[np.intp]]:
    """Indices of every mini-batch of a round in order; each epoch is shuffled anew, its last batch may be short.

    One at a time: a stranger's manifest says how many epochs there are, and how small a batch.
    """
    size = min(settings.batch_size, samples)
    for _ in range(settings.epochs):
        order = generator.permutation(samples)
        for at in range(0, samples, size):
            yield order[at : at + size]


def remembered(
    moved: npt.NDArray[np.float64], previous: Update | None, scale_bits: int, memory: float
) -> npt.NDArray[np.float64]:
    """memory * previous + (1 - memory) * moved, or `moved` (d,) itself in the first round."""
    if previous is None or memory == 0:
        return moved
    if previous.shape != moved.shape:
        raise Rejected(f"previous update of {len(previous)} values for a model of {len(moved)}")
    return memory * dequantise(previous, scale_bits).astype(np.float64) + (1 - memory) * moved


def to_tensors(data: Dataset, settings: LocalSettings, device: object = "cpu") -> tuple[Tensor, Tensor]:
    """Float32 inputs (n, *shape), scaled, and int32 labels (n,) on a torch device."""
    import torch

    where = torch.device(str(device))
    inputs = torch.from_numpy(np.array(data.inputs)).to(where).float() * settings.scaling.input_scale
    return inputs, torch.from_numpy(np.array(data.labels)).to(where)


def _require_labels(data: Dataset, spec: ModelSpec, settings: LocalSettings) -> None:
    if settings.function.is_regression:
        return
    if int(data.labels.min()) < 0 or int(data.labels.max()) >= spec.outputs:
        raise Rejected(f"local data: a label is not one of the {spec.outputs} classes of the task's spec")
