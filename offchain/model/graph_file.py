"""Reads `graph.json` from anyone: bounded, strictly typed, one line about what is wrong.

The bounds of the fields are those of their types and no more: a graph that breaks a rule must be readable, so that the
node at fault can be named and asked for.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offchain.errors import Rejected
from offchain.model.graph import IntegerNetwork, Node, Op
from offchain.model.limits import MAX_GRAPH_BYTES
from offchain.protocol.strict_json import check_json

_MAX_DEPTH = 4

_Word = Annotated[int, Field(ge=0, lt=1 << 32)]
_Shape = Annotated[tuple[_Word, ...], Field(min_length=1, max_length=3)]
_Bound = Annotated[int, Field(ge=-(1 << 31), lt=1 << 31)]
_OpName = Literal[
    "dense",
    "conv2d",
    "depthwise_conv2d",
    "max_pool2d",
    "average_pool2d",
    "add",
    "multiply",
    "lookup",
    "embedding",
    "slice",
    "concat",
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _NodeFields(_Strict):
    op: _OpName
    inputs: Annotated[tuple[_Word, ...], Field(min_length=1, max_length=2)]
    output_shape: _Shape
    low: _Bound
    high: _Bound
    kernel: tuple[_Word, _Word]
    stride: tuple[_Word, _Word]
    padding: tuple[_Word, _Word, _Word, _Word]
    offset: _Word


class _GraphFields(_Strict):
    version: Literal[2]
    input_shape: _Shape
    output_scale: Annotated[float, Field(allow_inf_nan=False)]
    nodes: Annotated[tuple[_NodeFields, ...], Field(min_length=1)]


def parse_graph(data: bytes, name: str) -> IntegerNetwork:
    """The graph without parameters. Raises Rejected, beginning with `name`, when it is not one."""
    try:
        check_json(data, max_bytes=MAX_GRAPH_BYTES, max_depth=_MAX_DEPTH)
    except Rejected as error:
        raise Rejected(f"{name}: {error}") from None
    try:
        fields = _GraphFields.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "top level"
        raise Rejected(f"{name}: {place[:80]}: {first['msg'][:160]}") from None
    return IntegerNetwork(fields.input_shape, tuple(_node(node) for node in fields.nodes), fields.output_scale)


def _node(fields: _NodeFields) -> Node:
    return Node(
        op=Op[fields.op.upper()],
        inputs=fields.inputs,
        output_shape=fields.output_shape,
        low=fields.low,
        high=fields.high,
        kernel=fields.kernel,
        stride=fields.stride,
        padding=fields.padding,
        offset=fields.offset,
    )
