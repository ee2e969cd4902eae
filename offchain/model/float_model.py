"""The trained float network as a file: what is delivered beside the integer network that was scored.

A safetensors file whose tensors are the module's state dictionary and whose metadata says which spec they fill. Reading
it needs neither torch nor trust.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offchain.errors import Rejected
from offchain.model.layers import BatchNorm, Conv2D, Dense, DepthwiseConv2D, Embedding, Gru, Lstm
from offchain.model.shapes import Wired, sequence_shape
from offchain.model.spec import ModelSpec

BATCH_NORM_EPSILON = 1e-5
_METADATA_KEY = "assay"


class Scaling(BaseModel):
    """Around the float network: it reads int8 * input_scale; a label is its output * output_scale + output_offset."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    input_scale: float = Field(gt=0, allow_inf_nan=False)
    output_scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    output_offset: float = Field(default=0.0, allow_inf_nan=False)


class _Metadata(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    version: Literal[1] = 1
    spec: ModelSpec
    scaling: Scaling


@dataclass(frozen=True, slots=True)
class FloatModel:
    """A spec, its float32 state by `layers.<key>.<parameter>` (torch's layouts), and the scaling around it."""

    spec: ModelSpec
    state: dict[str, npt.NDArray[np.float32]]
    scaling: Scaling

    def to_bytes(self) -> bytes:
        """The safetensors file."""
        from safetensors.numpy import save

        metadata = _Metadata(spec=self.spec, scaling=self.scaling).model_dump_json(exclude_none=True)
        tensors: dict[str, npt.NDArray[Any]] = {k: np.ascontiguousarray(v) for k, v in self.state.items()}
        return bytes(save(tensors, metadata={_METADATA_KEY: metadata}))

    @classmethod
    def from_bytes(cls, data: bytes, *, max_bytes: int, name: str = "float weights") -> FloatModel:
        """Reads what `to_bytes` wrote, from anyone.

        Raises Rejected, beginning with `name`, when it is larger than `max_bytes`, no safetensors file, when its spec
        is none, when it reads scaled tokens, or when a tensor is missing, superfluous, not float32, not finite, or of
        another shape than the spec's.
        """
        if len(data) > max_bytes:
            raise Rejected(f"{name}: {len(data)} bytes, at most {max_bytes} are allowed")
        tensors, metadata = _deserialise(data, name)
        if metadata.spec.reads_tokens and metadata.scaling.input_scale != 1:
            raise Rejected(f"{name}: it reads tokens, scaled by {metadata.scaling.input_scale}; tokens have no scale")
        expected = state_shapes(metadata.spec)
        if set(tensors) != set(expected):
            odd = sorted(set(tensors) ^ set(expected))[0]
            raise Rejected(f"{name}: tensor {odd!r} is missing or superfluous for its spec")
        state: dict[str, npt.NDArray[np.float32]] = {}
        for key, shape in expected.items():
            found = tensors[key]
            if found["dtype"] != "F32" or tuple(found["shape"]) != shape:
                raise Rejected(
                    f"{name}: tensor {key!r} is {found['dtype']} {found['shape']}; expected F32 {list(shape)}"
                )
            state[key] = np.frombuffer(found["data"], dtype="<f4").reshape(shape)
            if not np.isfinite(state[key]).all() or (key.endswith("running_var") and (state[key] < 0).any()):
                raise Rejected(f"{name}: tensor {key!r} holds a value that is not finite or a negative variance")
        return cls(metadata.spec, state, metadata.scaling)


def state_shapes(spec: ModelSpec) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the state that fills a spec."""
    return {f"layers.{item.key}.{key}": shape for item in spec.wired() for key, shape in _layer_state(item).items()}


def _layer_state(item: Wired) -> dict[str, tuple[int, ...]]:
    channels = item.input_shape[-1]
    match item.layer:
        case Dense(units=units):
            return {"weight": (units, math.prod(item.input_shape)), "bias": (units,)}
        case Conv2D(filters=filters) if item.window is not None:
            return {"weight": (filters, channels, *item.window.kernel), "bias": (filters,)}
        case DepthwiseConv2D() if item.window is not None:
            return {"weight": (channels, 1, *item.window.kernel), "bias": (channels,)}
        case Embedding(features=features, vocabulary=rows):
            return {"weight": (rows, features)}
        case Lstm(units=units) | Gru(units=units):
            rows = units * (4 if isinstance(item.layer, Lstm) else 3)
            features = sequence_shape(item.input_shape)[1]
            matrices = {"weight_ih_l0": (rows, features), "weight_hh_l0": (rows, units)}
            return matrices | dict.fromkeys(("bias_ih_l0", "bias_hh_l0"), (rows,))
        case BatchNorm():
            return dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (channels,))
        case _:
            return {}


def _deserialise(data: bytes, name: str) -> tuple[dict[str, Any], _Metadata]:
    from safetensors import SafetensorError, deserialize

    try:
        tensors = dict(deserialize(data))  # type: ignore[no-untyped-call]
        # The library has just proven that the header lies within the file and is JSON.
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        return tensors, _Metadata.model_validate_json(header["__metadata__"][_METADATA_KEY])
    except (SafetensorError, ValidationError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise Rejected(f"{name}: not a sound file of float weights ({reason}); fetch it again") from None
    except Rejected as error:
        raise Rejected(f"{name}: {error}") from None
