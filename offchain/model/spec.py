"""What a client asks for: the architecture of a model, as JSON.

    {"input_shape": [8, 8, 1],
     "layers": [{"kind": "conv2d", "name": "conv1", "filters": 8, "activation": "relu"},
                {"kind": "max_pool2d", "name": "pool1"},
                {"kind": "dense", "name": "logits", "units": 10}]}

The last layer gives one logit per class, or for regression the label itself. Names are the client's own and come back
in the state dictionary of the trained model.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from offchain.errors import Rejected
from offchain.model.footprint import Footprint, footprint, require_within_limits
from offchain.model.layers import Embedding, Layer
from offchain.model.shapes import MAX_LAYERS, Shape, Wired, wire

MAX_SPEC_BYTES = 256 * 1024


class ModelSpec(BaseModel):
    """An architecture: `input_shape` is (features,) or (height, width, channels); layers in the order of computation.

    Construction raises `Rejected` when the shapes don't fit, naming the layer, and pydantic's `ValidationError` when a
    field is unknown or has the wrong type; `parse_spec` turns the latter into `Rejected` too.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    input_shape: tuple[Annotated[int, Field(ge=1)], ...]
    layers: tuple[Layer, ...] = Field(min_length=1, max_length=MAX_LAYERS)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        require_within_limits(self.wired())
        return self

    def wired(self) -> tuple[Wired, ...]:
        """Every layer with the layers it reads and its shapes."""
        return wire(self.input_shape, self.layers)

    @property
    def outputs(self) -> int:
        """Units of the last layer."""
        return self.wired()[-1].output_shape[0]

    @property
    def weight_count(self) -> int:
        """Trainable numbers, biases included."""
        return sum(item.weights for item in self.wired())

    @property
    def reads_tokens(self) -> bool:
        """Whether samples are tokens (bytes), not quantised numbers."""
        return any(isinstance(layer, Embedding) for layer in self.layers)

    @property
    def footprint(self) -> Footprint:
        """Nodes, weights and bytes of the integer network."""
        return footprint(self.wired())

    def require(self, *, input_shape: Shape, outputs: int) -> None:
        """Raises Rejected unless the network reads samples of that shape and ends in that many units."""
        if self.input_shape != input_shape:
            raise Rejected(f"spec input_shape {list(self.input_shape)} does not match the data's {list(input_shape)}")
        if self.outputs != outputs:
            last = self.layers[-1].name
            raise Rejected(f"spec layer {len(self.layers)} {last!r} has {self.outputs} units; the data needs {outputs}")

    def to_json(self) -> str:
        """Compact JSON that `parse_spec` reads back to an equal spec."""
        return self.model_dump_json(exclude_none=True)


def parse_spec(text: str | bytes, *, source: str) -> ModelSpec:
    """Reads a spec from JSON; `source` (a file name or flag) is named in every error. Raises Rejected."""
    if len(text) > MAX_SPEC_BYTES:
        raise Rejected(f"{source}: spec is larger than {MAX_SPEC_BYTES} bytes")
    try:
        return ModelSpec.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "JSON"
        raise Rejected(f"{source}: {where}: {first['msg']}; docs/models-and-data.md has the format") from None
    except Rejected as error:
        raise Rejected(f"{source}: {error}") from None
