"""Local training under DP-SGD (Abadi et al. 2016, arXiv 1607.00133, algorithm 1), through Opacus.

Each step takes every example into its batch with the same probability, clips each example's gradient to an L2 norm,
adds Gaussian noise to their sum and descends. What leaves the participant protects each of its examples on its own,
whoever sees it. Noise and batches come from ChaCha20 rather than from torch's generator, which can be predicted; they
are floating-point numbers all the same (Mironov 2012), see docs/privacy.md.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from offchain.errors import Rejected
from offchain.federated.privacy.accountant import SampledGaussian
from offchain.federated.privacy.random_bytes import RandomBytes, normals, seeded_bytes, uniform_floats

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from offchain.federated.local_training import LocalSettings

_GRADIENT_VALUES: Final = 1 << 26
"""Gradients of single examples that are held at once; batches with more are summed piece by piece."""


@dataclass(frozen=True, slots=True)
class DpSgd:
    """A `LocalTrainer` (offchain/federated/local_training.py): one round is `steps` noisy steps.

    `sample_rate` in (0, 1]: probability of each example in each step. `noise_multiplier`: deviation of the noise over
    `clip_norm`, the largest L2 norm of one example's gradient. Of the task's settings those count that say how a step
    is made: learning rate, momentum, weight decay, proximal pull, loss; epochs and batch size don't.
    Raises Rejected for what gives no privacy.
    """

    sample_rate: float
    noise_multiplier: float
    clip_norm: float
    steps: int

    def __post_init__(self) -> None:
        if not self.clip_norm > 0:
            raise Rejected(f"clip norm {self.clip_norm} of DP-SGD: give a number above 0")
        _ = self.mechanism

    @property
    def mechanism(self) -> SampledGaussian:
        """What one round releases, for the accountant and the ledger's terms."""
        return SampledGaussian(self.sample_rate, self.noise_multiplier, self.steps)

    def __call__(self, network: nn.Module, inputs: Tensor, labels: Tensor, settings: LocalSettings, seed: int) -> None:
        """Trains `network` in place. Outside of tests `seed` is 256 secret random bits: who knows it knows the noise.

        Raises Rejected for networks with layers that mix examples (batch normalisation).
        """
        train(network, inputs, labels, settings, self, seeded_bytes(seed))


@dataclass(frozen=True, slots=True)
class ClippedGradient:
    """A `LocalTrainer` of one full-batch step without noise; the shares of `distributed_noise` protect each example.

    The step is `rate` times the sum of the gradients, each clipped to an L2 norm of `clip_norm`; the settings' learning
    rate doesn't count. Nothing is divided by a participant's own number of examples: one of few would count more.
    Raises Rejected unless both are above 0.
    """

    clip_norm: float
    rate: float

    def __post_init__(self) -> None:
        if not (self.clip_norm > 0 and self.rate > 0):
            raise Rejected("clipped gradient: clip norm and rate are numbers above 0")

    def sensitivity(self, scale_bits: int, dimension: int) -> float:
        """Units that one example can move the quantised update by in L2: its gradient, and a unit of rounding each."""
        exact = self.rate * self.clip_norm * 2.0**scale_bits
        return exact * (1 + 1e-4) + math.sqrt(dimension) * (1 + 1e-2)

    def __call__(self, network: nn.Module, inputs: Tensor, labels: Tensor, settings: LocalSettings, seed: int) -> None:
        """Takes the step in place. Raises Rejected for networks with layers that mix examples."""
        steps = _Steps(sample_rate=1.0, noise_multiplier=0.0, clip_norm=self.clip_norm, count=1, divisor=1.0)
        _descend(network, inputs, labels, replace(settings, learning_rate=self.rate), steps, seeded_bytes(seed))


def train(
    network: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    settings: LocalSettings,
    privacy: DpSgd,
    random_bytes: RandomBytes,
) -> None:
    """DP-SGD in place on float32 inputs (n, *shape) and int32 labels (n,); the same for the same bytes on one CPU.

    Raises Rejected for networks with layers that mix examples.
    """
    # The batch's true size is private.
    expected = max(privacy.sample_rate * len(inputs), 1.0)
    steps = _Steps(privacy.sample_rate, privacy.noise_multiplier, privacy.clip_norm, privacy.steps, expected)
    _descend(network, inputs, labels, settings, steps, random_bytes)


@dataclass(frozen=True, slots=True)
class _Steps:
    """`count` steps; each divides the noisy sum of its batch's clipped gradients by `divisor`."""

    sample_rate: float
    noise_multiplier: float
    clip_norm: float
    count: int
    divisor: float


def _descend(
    network: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    settings: LocalSettings,
    steps: _Steps,
    random_bytes: RandomBytes,
) -> None:
    _require_separable(network)
    anchors = [value.detach().clone() for value in network.parameters()]
    room = max(1, _GRADIENT_VALUES // sum(anchor.numel() for anchor in anchors))
    with _per_example_gradients(network) as wrapped:
        optimiser = _noisy_optimiser(network, settings, steps, random_bytes)
        wrapped.train()
        for _ in range(steps.count):
            drawn = np.flatnonzero(uniform_floats(random_bytes, len(inputs)) < steps.sample_rate)
            for start in range(0, max(len(drawn), 1), room):
                # Opacus sums clipped gradients until a step that is not skipped, which adds the noise.
                optimiser.signal_skip_step(do_skip=start + room < len(drawn))
                optimiser.zero_grad(set_to_none=True)
                _gradients(network, wrapped, inputs, labels, drawn[start : start + room], settings)
                optimiser.pre_step()
            if settings.proximal:
                for value, anchor in zip(network.parameters(), anchors, strict=True):
                    value.grad.add_(value.detach() - anchor, alpha=settings.proximal)  # type: ignore[union-attr]
            optimiser.original_optimizer.step()


def _gradients(
    network: nn.Module,
    wrapped: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    drawn: npt.NDArray[np.intp],
    settings: LocalSettings,
) -> None:
    """Leaves the gradient of each drawn example in the parameters' `grad_sample`."""
    import torch

    from offchain.model.objective import training_loss

    if not len(drawn):
        for value in network.parameters():
            value.grad_sample = value.new_zeros((0, *value.shape))  # type: ignore[attr-defined]
        return
    indices = torch.from_numpy(drawn).to(inputs.device)
    outputs = wrapped(inputs[indices])
    loss = training_loss(settings.function, outputs, labels[indices], settings.scaling, label_smoothing=0.0)
    loss.backward()  # type: ignore[no-untyped-call]


def _noisy_optimiser(network: nn.Module, settings: LocalSettings, steps: _Steps, random_bytes: RandomBytes) -> Any:
    import torch
    from opacus.optimizers import DPOptimizer

    class NoisyOptimiser(DPOptimizer):  # type: ignore[misc]
        """Opacus' optimiser with noise from the injected bytes."""

        def add_noise(self) -> None:
            deviation = steps.noise_multiplier * steps.clip_norm
            for value in self.params:
                noise = torch.from_numpy(normals(random_bytes, value.numel()) * deviation).to(value)
                value.grad = (value.summed_grad + noise.view_as(value)).view_as(value)

    plain: Optimizer = torch.optim.SGD(
        network.parameters(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )
    return NoisyOptimiser(
        plain,
        noise_multiplier=steps.noise_multiplier,
        max_grad_norm=steps.clip_norm,
        expected_batch_size=steps.divisor,
    )


@contextmanager
def _per_example_gradients(network: nn.Module) -> Iterator[nn.Module]:
    """Opacus' wrapper, and the network as it was afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from opacus import GradSampleModule

        wrapped = GradSampleModule(network, strict=True)
        try:
            yield wrapped
        finally:
            wrapped.remove_hooks()
            wrapped.del_grad_sample()
            for value in network.parameters():
                value.grad = None


def _require_separable(network: nn.Module) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from opacus.validators import ModuleValidator

        errors = ModuleValidator.validate(network.train(), strict=False)
    if errors:
        reason = str(errors[0]).splitlines()[0].split(". ")[0]
        raise Rejected(f"DP-SGD cannot train this network, leave out such layers: {reason}")
