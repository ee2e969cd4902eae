"""A model as one vector: which weight stands where, and back into a torch module.

The order is that of the spec: layer after layer, within a layer `weight` before `bias` (for recurrent layers
`weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`), each tensor row-major in torch's layout. It is
`offchain.model.float_model.state_shapes`, so it needs no torch to know.

Layers with running statistics are refused: means over batches are no weights that a gradient moves, and an average of
running variances over participants with different data is the variance of nobody (Li et al. 2021, FedBN, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug, Rejected
from offchain.federated.fixed_point import Model, dequantise, quantise_model
from offchain.model.float_model import FloatModel, Scaling, state_shapes
from offchain.model.layers import BatchNorm
from offchain.model.spec import ModelSpec

if TYPE_CHECKING:
    from torch import nn

FloatVector = npt.NDArray[np.float32]
"""(d,)"""

MAX_PARAMETERS = 1 << 24


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a tensor lies: `size` values from `offset` on, of `shape`, named as in the module's state dictionary."""

    name: str
    shape: tuple[int, ...]
    offset: int

    @property
    def size(self) -> int:
        """Values of the tensor."""
        return prod(self.shape)

    def of(self, vector: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The tensor as a view into a vector (…, d)."""
        return vector[..., self.offset : self.offset + self.size].reshape(*vector.shape[:-1], *self.shape)


def layout(spec: ModelSpec) -> tuple[Slot, ...]:
    """Every tensor of a spec in the order of the vector.

    Raises Rejected when the spec has batch normalisation, no weights at all, or more than 2**24 of them.
    """
    for layer in spec.layers:
        if isinstance(layer, BatchNorm):
            raise Rejected(
                f"spec layer {layer.name!r} keeps running statistics, which can't be aggregated; leave it out"
            )
    slots: list[Slot] = []
    offset = 0
    for name, shape in state_shapes(spec).items():
        slots.append(Slot(name, shape, offset))
        offset += prod(shape)
    if not 0 < offset <= MAX_PARAMETERS:
        raise Rejected(f"spec has {offset} weights; federated training takes 1 to {MAX_PARAMETERS}")
    return tuple(slots)


def parameter_count(spec: ModelSpec) -> int:
    """d, the length of the vector. Raises Rejected as `layout` does."""
    return sum(slot.size for slot in layout(spec))


def to_vector(spec: ModelSpec, state: dict[str, npt.NDArray[np.float32]]) -> FloatVector:
    """State by name (`FloatModel.state`, or `module_state`) to a new float32 vector (d,). Raises Rejected, Bug."""
    slots = layout(spec)
    if any(slot.name not in state or state[slot.name].shape != slot.shape for slot in slots) or len(state) != len(
        slots
    ):
        raise Bug(f"state of {sorted(state)} for a spec of {[slot.name for slot in slots]}")
    return np.concatenate([np.ravel(state[slot.name]) for slot in slots]).astype(np.float32)


def from_vector(spec: ModelSpec, vector: FloatVector) -> dict[str, npt.NDArray[np.float32]]:
    """Vector (d,) to state by name, copied. Raises Rejected when the vector has another length."""
    slots = layout(spec)
    expected = sum(slot.size for slot in slots)
    if vector.shape != (expected,):
        raise Rejected(f"vector of shape {list(vector.shape)}; the spec has {expected} weights")
    return {slot.name: slot.of(vector).astype(np.float32) for slot in slots}


def module_vector(spec: ModelSpec, module: nn.Module) -> FloatVector:
    """The weights of a module of that spec (or of a wrapper with the same names), float32 (d,). Raises Bug."""
    return to_vector(spec, {name: value.detach().cpu().numpy() for name, value in module.state_dict().items()})


def load_vector(spec: ModelSpec, module: nn.Module, vector: FloatVector) -> None:
    """Puts a vector (d,) into a module of that spec. Raises Rejected when the vector has another length."""
    import torch

    module.load_state_dict({name: torch.from_numpy(value) for name, value in from_vector(spec, vector).items()})


def initial_model(spec: ModelSpec, *, seed: int, scale_bits: int) -> Model:
    """The model that a task begins with: freshly drawn from the seed, int32 (d,).

    The same on one version of torch; a task publishes the vector, so nobody else needs to draw it. Raises Rejected.
    """
    from offchain.model.module import SpecNetwork

    layout(spec)
    return quantise_model(module_vector(spec, SpecNetwork(spec, seed=seed)), scale_bits)


def float_model(spec: ModelSpec, model: Model, scale_bits: int, scaling: Scaling) -> FloatModel:
    """The model of a round in the form that is delivered, exported and turned into an integer network."""
    return FloatModel(spec, from_vector(spec, dequantise(model, scale_bits)), scaling)
