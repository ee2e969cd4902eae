"""Local training of all participants at once: their models are one tensor, a step of all is one batched product.

The same mini-batches and the same steps as `local_training.train_sgd` takes one by one; only the order in which a
product is summed differs, so an update may differ from production's in the last unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap

from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.federated.local_training import LocalSettings, batches, to_tensors
from offchain.federated.parameters import FloatVector, layout
from offchain.model.layers import Gru, Lstm
from offchain.model.module import SpecNetwork
from offchain.model.objective import training_loss
from offchain.model.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everybody's samples: float32 (total, *shape), labels (total,), and where each participant's begin and end."""

    inputs: Tensor
    labels: Tensor
    bounds: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, data: Sequence[Dataset], settings: LocalSettings) -> Crowd:
        """Lays the participants' data end to end."""
        parts = [to_tensors(part, settings) for part in data]
        ends = np.cumsum([len(part) for part in data]).tolist()
        bounds = tuple(zip([0, *ends[:-1]], ends, strict=True))
        return cls(torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts]), bounds)

    def __len__(self) -> int:
        return len(self.bounds)


class CrowdTrainer:
    """Trains every participant of a crowd from one model."""

    def __init__(self, spec: ModelSpec, crowd: Crowd, settings: LocalSettings) -> None:
        if any(isinstance(layer, Lstm | Gru) for layer in spec.layers):
            raise Rejected(
                "the simulator trains all participants at once, which recurrent layers can't; use another spec"
            )
        self._slots = layout(spec)
        self._crowd = crowd
        self._settings = settings
        self._network = SpecNetwork(spec, seed=0)
        self._gradients = vmap(grad(self._loss))

    def moves(self, start: FloatVector, seeds: Sequence[int]) -> npt.NDArray[np.float64]:
        """What one round of training moves each participant's weights by, (n, d), from `start` (d,)."""
        settings = self._settings
        origin = torch.from_numpy(np.array(start))
        weights = origin.repeat(len(self._crowd), 1)
        velocity = torch.zeros_like(weights)
        for rows, places, mask, follows in self._steps(seeds):
            there = weights[rows]
            step = self._gradients(there, self._crowd.inputs[places], self._crowd.labels[places], mask)
            if settings.weight_decay:
                step += settings.weight_decay * there
            if settings.proximal:
                step += settings.proximal * (there - origin)
            if settings.momentum:
                step = settings.momentum * velocity[rows] + step if follows else step
                velocity[rows] = step
            weights[rows] = there - settings.learning_rate * step
        moved: npt.NDArray[np.float64] = weights.numpy().astype(np.float64) - start
        return moved

    def _steps(self, seeds: Sequence[int]) -> list[tuple[Tensor, Tensor, Tensor, bool]]:
        """Per step: who takes it, (k,); samples and their weights, (k, batch); whether it follows another."""
        plans = []
        for (begin, end), seed in zip(self._crowd.bounds, seeds, strict=True):
            order = batches(end - begin, self._settings, np.random.default_rng(seed))
            plans.append([batch + begin for batch in order])
        steps = []
        for turn in range(max(len(plan) for plan in plans)):
            rows = [who for who, plan in enumerate(plans) if turn < len(plan)]
            width = max(len(plans[who][turn]) for who in rows)
            places = np.zeros((len(rows), width), dtype=np.int64)
            mask = np.zeros((len(rows), width), dtype=np.float32)
            for place, who in enumerate(rows):
                batch = plans[who][turn]
                places[place, : len(batch)] = batch
                mask[place, : len(batch)] = 1 / len(batch)
            steps.append((torch.tensor(rows), torch.from_numpy(places), torch.from_numpy(mask), turn > 0))
        return steps

    def _loss(self, vector: Tensor, inputs: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        state = {s.name: vector[s.offset : s.offset + s.size].reshape(s.shape) for s in self._slots}
        outputs = functional_call(self._network, state, (inputs,))
        settings = self._settings

        def one(output: Tensor, label: Tensor) -> Tensor:
            return training_loss(settings.function, output[None], label[None], settings.scaling, label_smoothing=0.0)

        losses = vmap(one)(outputs, labels)
        return (losses * mask).sum()
