"""What a circuit belongs to: a network's graph without its parameters, a number of samples, and widths of numbers.

Two networks of one shape share a circuit, its proving key and its verifier. The description is canonical JSON, and its
hash names the circuit everywhere (docs/proofs.md, Circuits).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from math import prod
from typing import Annotated, Literal

import numpy as np
from eth_utils.crypto import keccak
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offchain.errors import Bug, Rejected
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation, Shape
from offchain.model.limits import MAX_NODES, MAX_OUTPUT_ELEMENTS, MAX_SHIFT, MULTIPLIER_BOUND, OUTPUT_BOUND
from offchain.model.windows import PAIRED, SCALED, WEIGHTED, WINDOWED, fan_in_of, window_shape
from offchain.proofs.bounds import product_bound
from offchain.protocol.strict_json import check_json

MAX_DESCRIPTION_BYTES = 1 << 18
MAX_SAMPLES = 65_535
MULTIPLIER_BITS = 22
"""A scaled multiplier has at most this many bits more than the circuit's shift."""
BIAS_BITS = 31

SUPPORTED = frozenset({Op.DENSE, Op.CONV2D, Op.DEPTHWISE_CONV2D, Op.MAX_POOL2D, Op.AVERAGE_POOL2D, Op.ADD})

_MAX_ELEMENTS = 1 << 20
_MAX_VALUES = _MAX_TERMS = 1 << 22
"""Of a whole circuit: elements of all tensors and samples, and terms that one sample's outputs have together. Circuits
come from strangers too, and beyond this nobody could prove anything in one."""
_MAX_DEPTH = 4
_BIAS_SHARE = 4
"""Biases have at most so many bits less than sums of products may have: most networks' then say nothing of theirs."""


@dataclass(frozen=True, slots=True)
class CircuitNode:
    """A node without what its units own; fields as in `graph.Node`.

    units: of a weighted operation, else 0.
    multipliers, shift: of ADD (2) and AVERAGE_POOL2D (1), else none and 0.
    multiplier_bits, bias_bits: of a weighted operation, M < 2^multiplier_bits and |bias| < 2^bias_bits; else 0.
    """

    op: Op
    inputs: tuple[int, ...]
    output_shape: Shape
    low: int
    high: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    units: int
    multipliers: tuple[int, ...]
    shift: int
    multiplier_bits: int
    bias_bits: int


@dataclass(frozen=True, slots=True)
class Circuit:
    """A shape of network, the samples in a chunk, and the one shift of all units (1 .. 47)."""

    input_shape: Shape
    nodes: tuple[CircuitNode, ...]
    samples: int
    shift: int

    @classmethod
    def of(
        cls,
        network: IntegerNetwork,
        samples: int,
        shift: int | None = None,
        multiplier_bits: int | None = None,
        bias_bits: int | None = None,
    ) -> Circuit:
        """The circuit of a network that is valid (docs/integer-networks.md).

        samples: in a chunk, 1 .. 65,535. shift: at least the network's largest, at most 47; None for the largest.
        multiplier_bits, bias_bits: of every weighted node, at most shift + 22 and 31; None for what each needs.
        Raises Rejected when the network has an operation that cannot be proven, or does not fit what is given.
        """
        shift = _largest_shift(network) if shift is None else shift
        nodes = tuple(_shape_only(node) for node in network.nodes)
        bare = cls(network.input_shape, nodes, samples, shift)
        _check(bare)
        widths = [_widths(bare, network, index, multiplier_bits, bias_bits) for index in range(len(nodes))]
        wide = tuple(replace(n, multiplier_bits=m, bias_bits=b) for n, (m, b) in zip(nodes, widths, strict=True))
        circuit = replace(bare, nodes=wide)
        _check(circuit)
        check_fits(circuit, network)
        return circuit

    @property
    def output_count(self) -> int:
        """Classes: elements of the last node's output."""
        return prod(self.nodes[-1].output_shape)

    def shape_of(self, tensor: int) -> Shape:
        """The shape of a tensor id: 0 is the input, i + 1 the output of node i."""
        return self.input_shape if tensor == 0 else self.nodes[tensor - 1].output_shape

    def bounds_of(self, tensor: int) -> tuple[int, int]:
        """The least and the largest value of a tensor id's elements."""
        return (-128, 127) if tensor == 0 else (self.nodes[tensor - 1].low, self.nodes[tensor - 1].high)

    def fan_in(self, index: int) -> int:
        """Terms of one output element of node `index`: the length of a weighted node's rows."""
        return fan_in_of(as_node(self.nodes[index]), self.shape_of(self.nodes[index].inputs[0]))

    def description(self) -> bytes:
        """Canonical JSON: ASCII, keys sorted, no spaces. `parse_circuit` reads it."""
        fields = {
            "input_shape": self.input_shape,
            "nodes": [_described(node) for node in self.nodes],
            "samples": self.samples,
            "score": "accuracy",
            "shift": self.shift,
            "version": 1,
        }
        return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    @property
    def circuit_hash(self) -> bytes:
        """keccak256 of the description, 32 bytes."""
        return keccak(self.description())


def check_fits(circuit: Circuit, network: IntegerNetwork) -> None:
    """Raises Rejected, saying what to do, unless every input of the network can be proven in the circuit."""
    if len(network.nodes) != len(circuit.nodes) or network.input_shape != circuit.input_shape:
        raise Rejected("the network is of another shape than the circuit; make the circuit of this network")
    for index, (node, expected) in enumerate(zip(network.nodes, circuit.nodes, strict=True)):
        if _shape_only(node) != replace(expected, multiplier_bits=0, bias_bits=0):
            raise Rejected(f"node {index} is another than the circuit's; make the circuit of this network")
        if node.op not in WEIGHTED:
            continue
        shift = int(_scale(node).shift.max())
        if shift > circuit.shift:
            raise Rejected(f"node {index} has shift {shift}, the circuit {circuit.shift}; make it with shift {shift}")
        needed = needed_bits(node, circuit.shift)
        if needed[0] > expected.multiplier_bits or needed[1] > expected.bias_bits:
            raise Rejected(
                f"node {index} needs {needed[0]} bits of multiplier and {needed[1]} of bias, the circuit has "
                f"{expected.multiplier_bits} and {expected.bias_bits}; make the circuit of this network"
            )


def scaled_multipliers(node: Node, shift: int) -> list[int]:
    """M = m * 2^(shift - s) of each unit of a weighted node; `shift` is at least every s."""
    made = _scale(node)
    return [int(m) << (shift - int(s)) for m, s in zip(made.multiplier, made.shift, strict=True)]


def needed_bits(node: Node, shift: int) -> tuple[int, int]:
    """Bits of a weighted node's largest scaled multiplier and of its largest bias, each at least 1."""
    if node.bias is None:
        raise Bug(f"{node.op.name} without bias")
    largest = int(np.abs(node.bias.astype(np.int64)).max())
    return max(scaled_multipliers(node, shift)).bit_length(), max(largest.bit_length(), 1)


def whole_limbs(bits: int) -> int:
    """Bits as they are, but 14 for 10 to 13 of a last limb: a table of its own would cost more gates than it saves."""
    return -(-bits // 14) * 14 if bits % 14 >= 10 else bits


def parse_circuit(data: bytes) -> Circuit:
    """The circuit of a description from anyone; raises Rejected, naming the field, for what is not one."""
    try:
        check_json(data, max_bytes=MAX_DESCRIPTION_BYTES, max_depth=_MAX_DEPTH)
        fields = _CircuitFields.model_validate_json(data)
    except Rejected as error:
        raise Rejected(f"circuit: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "top level"
        raise Rejected(f"circuit: {place[:80]}: {first['msg'][:160]}") from None
    nodes = tuple(CircuitNode(**{**dict(node), "op": Op[node.op.upper()]}) for node in fields.nodes)
    circuit = Circuit(fields.input_shape, nodes, fields.samples, fields.shift)
    _check(circuit)
    if circuit.description() != data:
        raise Rejected("circuit: not canonical JSON; take the description as it was published")
    return circuit


def as_node(node: CircuitNode) -> Node:
    """The graph's node without parameters, for what is asked of operation and window only."""
    return Node(node.op, node.inputs, node.output_shape, node.low, node.high, node.kernel, node.stride, node.padding)


def _largest_shift(network: IntegerNetwork) -> int:
    return max((int(_scale(node).shift.max()) for node in network.nodes if node.op in WEIGHTED), default=1)


def _widths(
    bare: Circuit, network: IntegerNetwork, index: int, multiplier_bits: int | None, bias_bits: int | None
) -> tuple[int, int]:
    """What is given, else what the node needs. Biases get at least an eighth of what the weights can sum up to."""
    node = network.nodes[index]
    if node.op not in WEIGHTED:
        return 0, 0
    multiplier, bias = needed_bits(node, max(bare.shift, _largest_shift(network)))
    bias = max(bias, min(product_bound(bare, index).bit_length() - _BIAS_SHARE, BIAS_BITS))
    bias = whole_limbs(bias + 1) - 1
    return multiplier if multiplier_bits is None else multiplier_bits, bias if bias_bits is None else bias_bits


def _shape_only(node: Node) -> CircuitNode:
    if node.op not in SUPPORTED:
        raise Rejected(f"{node.op.name} cannot be proven; use a dense or convolutional network")
    scale = node.requantisation if node.op in SCALED else None
    return CircuitNode(
        op=node.op,
        inputs=node.inputs,
        output_shape=node.output_shape,
        low=node.low,
        high=node.high,
        kernel=node.kernel,
        stride=node.stride,
        padding=node.padding,
        units=len(node.weight) if node.weight is not None else 0,
        multipliers=tuple(int(m) for m in scale.multiplier) if scale else (),
        shift=int(scale.shift[0]) if scale else 0,
        multiplier_bits=0,
        bias_bits=0,
    )


def _scale(node: Node) -> Requantisation:
    if node.requantisation is None:
        raise Bug(f"{node.op.name} without requantisation")
    return node.requantisation


def _described(node: CircuitNode) -> dict[str, object]:
    return {
        "bias_bits": node.bias_bits,
        "high": node.high,
        "inputs": node.inputs,
        "kernel": node.kernel,
        "low": node.low,
        "multiplier_bits": node.multiplier_bits,
        "multipliers": node.multipliers,
        "op": node.op.name.lower(),
        "output_shape": node.output_shape,
        "padding": node.padding,
        "shift": node.shift,
        "stride": node.stride,
        "units": node.units,
    }


_Side = Annotated[int, Field(ge=1, le=_MAX_ELEMENTS)]
_Pad = Annotated[int, Field(ge=0, le=_MAX_ELEMENTS)]
_Bound = Annotated[int, Field(gt=-OUTPUT_BOUND, lt=OUTPUT_BOUND)]
_Shape = Annotated[tuple[_Side, ...], Field(min_length=1, max_length=3)]
_Multiplier = Annotated[int, Field(gt=0, lt=MULTIPLIER_BOUND)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _NodeFields(_Strict):
    op: Literal["dense", "conv2d", "depthwise_conv2d", "max_pool2d", "average_pool2d", "add"]
    inputs: Annotated[tuple[Annotated[int, Field(ge=0, lt=MAX_NODES)], ...], Field(min_length=1, max_length=2)]
    output_shape: _Shape
    low: _Bound
    high: _Bound
    kernel: tuple[_Side, _Side]
    stride: tuple[_Side, _Side]
    padding: tuple[_Pad, _Pad, _Pad, _Pad]
    units: Annotated[int, Field(ge=0, le=_MAX_ELEMENTS)]
    multipliers: Annotated[tuple[_Multiplier, ...], Field(max_length=2)]
    shift: Annotated[int, Field(ge=0, le=MAX_SHIFT)]
    multiplier_bits: Annotated[int, Field(ge=0, le=MULTIPLIER_BITS + MAX_SHIFT)]
    bias_bits: Annotated[int, Field(ge=0, le=BIAS_BITS)]


class _CircuitFields(_Strict):
    input_shape: _Shape
    nodes: Annotated[tuple[_NodeFields, ...], Field(min_length=1, max_length=MAX_NODES)]
    samples: Annotated[int, Field(ge=1, le=MAX_SAMPLES)]
    score: Literal["accuracy"]
    shift: Annotated[int, Field(ge=1, le=MAX_SHIFT)]
    version: Literal[1]


def _check(circuit: Circuit) -> None:
    """The rules of docs/integer-networks.md that a shape without parameters can break."""
    if not 1 <= circuit.samples <= MAX_SAMPLES:
        raise Rejected(f"circuit: {circuit.samples} samples in a chunk; give 1 to {MAX_SAMPLES}")
    if not 1 <= circuit.shift <= MAX_SHIFT:
        raise Rejected(f"circuit: shift {circuit.shift}; give 1 to {MAX_SHIFT}")
    if prod(circuit.input_shape) > _MAX_ELEMENTS or circuit.output_count > MAX_OUTPUT_ELEMENTS:
        raise Rejected(f"circuit: give an input of at most 2^20 elements and at most {MAX_OUTPUT_ELEMENTS} classes")
    for index in range(len(circuit.nodes)):
        fault = _fault(circuit, index)
        if fault:
            raise Rejected(f"circuit: node {index}: {fault}")
    shapes = [circuit.shape_of(tensor) for tensor in range(len(circuit.nodes) + 1)]
    if circuit.samples * sum(map(prod, shapes)) > _MAX_VALUES:
        raise Rejected("circuit: more than 2^22 values; take fewer samples to a chunk, or a smaller network")
    if sum(prod(node.output_shape) * circuit.fan_in(i) for i, node in enumerate(circuit.nodes)) > _MAX_TERMS:
        raise Rejected("circuit: more than 2^22 terms in a sample's sums; take a smaller network")


def _fault(circuit: Circuit, index: int) -> str | None:
    """What is wrong with node `index`; None if nothing is."""
    node = circuit.nodes[index]
    if len(node.inputs) != (2 if node.op in PAIRED else 1) or any(tensor > index for tensor in node.inputs):
        return "it must read tensors before it, ADD two and others one"
    shape = circuit.shape_of(node.inputs[0])
    if node.op in WINDOWED:
        fault = _window_fault(node, shape)
    elif (node.kernel, node.stride, node.padding) != ((1, 1), (1, 1), (0, 0, 0, 0)):
        fault = "it has no window"
    else:
        fault = None
    return fault or _output_fault(circuit, node, shape) or _number_fault(circuit, node, index)


def _window_fault(node: CircuitNode, shape: Shape) -> str | None:
    if len(shape) != 3 or any(node.padding[side] >= node.kernel[side % 2] for side in range(4)):
        return "a window must slide over (height, width, channels), its padding smaller than the kernel"
    return "the window is larger than its input" if min(window_shape(as_node(node), shape)) < 1 else None


def _output_fault(circuit: Circuit, node: CircuitNode, shape: Shape) -> str | None:
    expected = shape
    if node.op in WINDOWED:
        expected = (*window_shape(as_node(node), shape), node.units if node.op is Op.CONV2D else shape[2])
    elif node.op is Op.DENSE:
        expected = (node.units,)
    elif circuit.shape_of(node.inputs[1]) != shape:
        return "the two summands must have one shape"
    if node.output_shape != expected or prod(expected) > _MAX_ELEMENTS:
        return f"output shape {list(node.output_shape)}; it must be {list(expected)}, at most 2^20 elements"
    return None


def _number_fault(circuit: Circuit, node: CircuitNode, index: int) -> str | None:
    units = node.output_shape[-1] if node.op in WEIGHTED else 0
    multipliers = {Op.ADD: 2, Op.AVERAGE_POOL2D: 1}.get(node.op, 0)
    if node.units != units or len(node.multipliers) != multipliers or (node.shift > 0) != (multipliers > 0):
        return "units, multipliers and shift must be those of its operation"
    if node.multiplier_bits > MULTIPLIER_BITS + circuit.shift or (
        not units and (node.multiplier_bits or node.bias_bits)
    ):
        return f"multipliers have at most {MULTIPLIER_BITS + circuit.shift} bits, and only those of units are private"
    if node.low > node.high or (index < len(circuit.nodes) - 1 and not -128 <= node.low <= node.high <= 127):
        return "bounds must be ordered, and only the last node may leave int8"
    return None
