"""Which real value each int8 step of an activation stands for, chosen on a sample of the training data."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from offchain.model.float_graph import FloatNode
from offchain.model.folding import FoldedNetwork
from offchain.model.graph import Op

Method = Literal["mse", "max", "percentile"]

LIMIT = 127
_FRACTIONS = 32
_PERCENTILE = 0.9995
_MAX_VALUES = 1 << 18

MIXED = 0.0
"""The scale of a tensor whose elements have several: two tensors of different scales, joined."""


@torch.no_grad()
def calibrate(network: FoldedNetwork, inputs: Tensor, *, input_scale: float, method: Method) -> tuple[float, ...]:
    """One scale per tensor id: real value = integer * scale.

    inputs: float32 (n, *input_shape). Tensor 0 has `input_scale`; max pooling and slices keep their input's scale; what
    joins two scales is MIXED; where the reach is known it decides. The last tensor's scale is not used by the integer
    network. `max` covers the largest magnitude seen, `percentile` 99.95 % of them, and `mse` the range with the least
    squared rounding and clipping error.
    """
    values = network.tensors(inputs)
    scales = [input_scale]
    for node, tensor in zip(network.nodes, values[1:], strict=True):
        scales.append(_scale(node, [scales[i] for i in node.inputs], tensor, method))
    return tuple(scales)


def _scale(node: FloatNode, inputs: list[float], values: Tensor, method: Method) -> float:
    if node.op in (Op.MAX_POOL2D, Op.SLICE):
        return inputs[0]
    if node.op == Op.CONCAT:
        return inputs[0] if inputs[0] == inputs[1] else MIXED
    if node.reach is not None:
        return node.reach / LIMIT
    reach = _reach(values if node.cap is None else values.clamp(-node.cap, node.cap), method)
    return reach / LIMIT


def _reach(values: Tensor, method: Method) -> float:
    magnitudes = values.abs().flatten()
    highest = float(magnitudes.max())
    if highest == 0:
        return 1.0
    if method == "max":
        return highest
    stride = -(-magnitudes.numel() // _MAX_VALUES)
    sample = magnitudes[::stride]
    if method == "percentile":
        return float(torch.quantile(sample, _PERCENTILE)) or highest
    candidates = [highest * (step + 1) / _FRACTIONS for step in range(_FRACTIONS // 4, _FRACTIONS)]
    return min(candidates, key=lambda reach: _squared_error(sample, reach))


def _squared_error(magnitudes: Tensor, reach: float) -> float:
    scale = reach / LIMIT
    rounded = torch.clamp(torch.round(magnitudes / scale), max=LIMIT) * scale
    return float(torch.mean((magnitudes - rounded) ** 2))
