"""From a trained float model to the integer network that is claimed, judged by its own integer score on the hold-out.

First post-training quantisation with several calibrations; when rounding costs accuracy, fine-tuning under simulated
quantisation with the straight-through estimator (Jacob et al. 2018, section 3; Bengio et al. 2013), kept only if the
integer network that comes of it scores better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from offchain.data.dataset import Dataset
from offchain.errors import Bug
from offchain.model.assembly import LIMIT, OutputUnits, assemble, column_scales
from offchain.model.calibration import Method, calibrate
from offchain.model.evaluator import evaluate
from offchain.model.float_graph import MOVING
from offchain.model.float_model import FloatModel, Scaling
from offchain.model.folding import FoldedNetwork, fold
from offchain.model.graph import IntegerNetwork, Op
from offchain.model.objective import Judgement, best_temperature, judge, tempered
from offchain.model.score_tables import STEPS
from offchain.model.threads import torch_threads, training_threads
from offchain.model.training import (
    Batches,
    DeviceData,
    Settings,
    ShouldStop,
    TrainingData,
    annealed,
    pick_device,
)
from offchain.protocol.scores import ScoreFunction

_CALIBRATION_SAMPLES = 512
_NEGLIGIBLE = 0.005
_METHODS: tuple[Method, ...] = ("mse", "max", "percentile")


@dataclass(frozen=True, slots=True)
class Quantised:
    """An integer network, how it did on the hold-out, and how it was made."""

    network: IntegerNetwork
    judgement: Judgement
    method: str


def quantise(
    model: FloatModel,
    data: TrainingData,
    *,
    settings: Settings,
    target: float,
    fine_tune_epochs: int,
    seed: int,
    should_stop: ShouldStop,
    device: torch.device | None = None,
) -> Quantised:
    """The best integer network of a float model.

    target: the float model's own score on the hold-out; fine-tuning of at most `fine_tune_epochs` starts only below it,
    and not once `should_stop` says so.
    """
    with torch_threads(training_threads(model.spec, settings.batch_size)):
        return _quantise(model, data, settings, target, fine_tune_epochs, seed, should_stop, device or pick_device())


def _quantise(
    model: FloatModel,
    data: TrainingData,
    settings: Settings,
    target: float,
    fine_tune_epochs: int,
    seed: int,
    should_stop: ShouldStop,
    device: torch.device,
) -> Quantised:
    network = FoldedNetwork(fold(model)).to(device)
    sample = _sample(data.train, model.scaling.input_scale, device)
    best = _post_training(network, sample, model, data, "post-training")
    # A score that is no count is never quite the same; what is within half a percent is good enough.
    enough = target if data.function.is_top_k else target - _NEGLIGIBLE * abs(target)
    if best.judgement.score >= enough or fine_tune_epochs < 1 or should_stop():
        return best
    tuned = _fine_tune(network, sample, model, data, settings, fine_tune_epochs, seed, should_stop)
    if not tuned:
        return best
    again = _post_training(network, sample, model, data, "quantisation-aware")
    return again if again.judgement.better_than(best.judgement) else best


def _post_training(
    network: FoldedNetwork, sample: Tensor, model: FloatModel, data: TrainingData, name: str
) -> Quantised:
    best: Quantised | None = None
    for method in _METHODS:
        scales = calibrate(network, sample, input_scale=model.scaling.input_scale, method=method)
        made, judgement = _judged(network, scales, model, data)
        if best is None or judgement.better_than(best.judgement):
            best = Quantised(made, judgement, f"{name}, {method}")
    if best is None:
        raise Bug("no calibration was tried")
    return best


def _judged(
    network: FoldedNetwork, scales: tuple[float, ...], model: FloatModel, data: TrainingData
) -> tuple[IntegerNetwork, Judgement]:
    """The integer network and how its real outputs do; logits that are scored in bits at their best temperature."""
    nodes, shape, scaling = network.export_nodes(), model.spec.input_shape, model.scaling
    inputs, labels = data.holdout.inputs, data.holdout.labels
    made = assemble(nodes, scales, input_shape=shape, units=output_units(data.function, scaling))
    outputs = evaluate(made, inputs) * made.output_scale
    if data.function is ScoreFunction.CROSS_ENTROPY:
        scaling = tempered(scaling, best_temperature(outputs, labels))
        made = assemble(nodes, scales, input_shape=shape, units=output_units(data.function, scaling))
        outputs = evaluate(made, inputs) * made.output_scale
    return made, judge(data.function, outputs, labels, scaling)


def output_units(function: ScoreFunction, scaling: Scaling) -> OutputUnits | None:
    """What an output integer counts: label steps, or 1/256 bit; None where only the order of outputs matters."""
    if function.is_regression:
        return OutputUnits(scaling.output_scale, scaling.output_offset, 1.0)
    if function is ScoreFunction.CROSS_ENTROPY:
        return OutputUnits(scaling.output_scale * STEPS, scaling.output_offset * STEPS, 1 / STEPS)
    return None


def _fine_tune(
    network: FoldedNetwork,
    sample: Tensor,
    model: FloatModel,
    data: TrainingData,
    settings: Settings,
    epochs: int,
    seed: int,
    should_stop: ShouldStop,
) -> bool:
    """Trains the folded weights in place; False when not even one epoch was possible."""
    scales = calibrate(network, sample, input_scale=model.scaling.input_scale, method="mse")
    simulated = _Simulated(network, scales)
    device = sample.device
    batches = Batches(DeviceData.load(data, device), data.function, model.scaling, settings)
    random = np.random.default_rng(seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=_FINE_TUNE_RATE)
    steps, done = batches.count * epochs, 0
    for epoch in range(epochs):
        for indices in batches.shuffled(random):
            if should_stop():
                return epoch > 0
            optimiser.param_groups[0]["lr"] = _FINE_TUNE_RATE * annealed(done / steps)
            inputs, targets = batches.batch(indices, random)
            optimiser.zero_grad(set_to_none=True)
            batches.loss(simulated(inputs), targets).backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            done += 1
    return all(bool(torch.isfinite(p).all()) for p in network.parameters())


_FINE_TUNE_RATE = 3e-4


class _Simulated:
    """The folded network, every activation and weight rounded as in the integer one; gradients pass through."""

    def __init__(self, network: FoldedNetwork, scales: tuple[float, ...]) -> None:
        self._network = network
        self._scales = scales
        shape = network.nodes[0].input_shape
        device = next(network.parameters()).device
        columns = [column_scales(network.nodes, scales, node.inputs[0], shape) for node in network.nodes]
        self._columns = [torch.as_tensor(c, dtype=torch.float32, device=device) for c in columns]

    def __call__(self, inputs: Tensor) -> Tensor:
        return self._network.tensors(inputs, wrap=self._activation, wrap_weight=self._weight)[-1]

    def _activation(self, tensor: int, values: Tensor) -> Tensor:
        nodes = self._network.nodes
        if tensor == len(nodes) or nodes[tensor - 1].op in (Op.MAX_POOL2D, *MOVING):
            return values
        scale = self._scales[tensor]
        return _straight_through(torch.clamp(values / scale, -LIMIT, LIMIT)) * scale

    def _weight(self, tensor: int, weight: Tensor) -> Tensor:
        columns = self._columns[tensor - 1]
        scaled = weight * columns
        step = scaled.detach().abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / LIMIT
        return _straight_through(scaled / step) * step / columns


def _straight_through(values: Tensor) -> Tensor:
    return values + (torch.round(values) - values).detach()


def _sample(train: Dataset, input_scale: float, device: torch.device) -> Tensor:
    step = -(-len(train) // _CALIBRATION_SAMPLES)
    return torch.from_numpy(np.array(train.inputs[::step])).to(device).float() * input_scale
