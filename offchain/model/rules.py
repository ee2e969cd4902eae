"""Which leaves of a model are valid: the twin of `ModelRules.sol` and `OperationRules.sol`, rule by rule.

Each rule looks at one leaf and at leaves it refers to, so that one answer in the availability game shows that it is
obeyed. Shapes are words (rank, sides…, zeros). `docs/integer-networks.md`, section "What is valid", says it in prose.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from offchain.model.graph import Op
from offchain.model.leaves import ZERO, Descriptor, Header, Totals, Unit, Words4
from offchain.model.limits import (
    BIAS_BOUND,
    MAX_ELEMENTS,
    MAX_MULTIPLY_ACCUMULATES,
    MAX_OUTPUT_ELEMENTS,
    MAX_PADDED_ELEMENTS,
    MAX_SHIFT,
    MAX_SIDE,
    MAX_TOTAL_ELEMENTS,
    MAX_UNITS,
    MULTIPLIER_BOUND,
    OUTPUT_BOUND,
    TABLE_ELEMENTS,
    UNIT_BYTES,
    ModelLimits,
)
from offchain.model.windows import PAIRED, SCALED, TABLES, WEIGHTED, WINDOWED

NONE: Words4 = (0, 0, 0, 0)
_INFINITE_BITS = 0x7FF0000000000000


class Malformed(Exception):  # noqa: N818 - the twin of a revert, an outcome and not a mishap
    """A leaf that breaks a rule; `rule` is the word that the contract names it by."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(text)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a node stands: how many nodes there are, what ran up before it, and the shapes of its inputs."""

    nodes: int
    before: Totals
    first: Words4
    second: Words4 = NONE


@dataclass(frozen=True, slots=True)
class _Demand:
    """What an operation needs: units of row_bytes int8 parameters each, and terms for each output element."""

    units: int = 0
    row_bytes: int = 0
    terms: int = 1


def check_header(header: Header, limits: ModelLimits) -> None:
    """Raises Malformed unless the header is valid."""
    elements = elements_of("input", header.input_shape)
    expected = limits.input_size or elements
    _require("input", elements == expected, f"its input has {elements} elements, but a sample {expected}")
    allowed = 1 <= header.nodes <= limits.max_nodes
    _require("nodes", allowed, f"{header.nodes} nodes; there must be 1 to {limits.max_nodes}")
    finite = 0 < header.output_scale < _INFINITE_BITS
    _require("scale", finite, "output_scale is not a finite positive number")


def check_inputs(node: Descriptor, index: int) -> None:
    """Raises Malformed unless the node reads what is before it. Comes before `check_node`."""
    first, second = node.inputs
    for tensor in node.inputs if node.op in PAIRED else (first,):
        _require("inputs", 0 <= tensor <= index, f"reads tensor {tensor}; it may read 0 to {index}")
    _require("inputs", node.op in PAIRED or second == 0, f"reads tensor {second} besides; it must read one tensor")


def check_node(node: Descriptor, at: Surroundings, index: int, limits: ModelLimits) -> None:
    """Raises Malformed unless node `index` is valid where it stands."""
    _require("index", node.index == index, f"says that it is node {node.index}")
    _require("source", node.input_shape == at.first, f"says that it reads {_text(node.input_shape)}")
    elements = elements_of("output", node.shape)
    demand = _demand_of(node, at.second)
    last = index + 1 == at.nodes
    _check_clamp(node, last=last)
    if last:
        _check_output(elements, limits)
    _check_units(node, demand, limits.max_tensor_bytes)
    _check_totals(node.totals, at.before, elements, demand)
    _check_cost(node.totals, limits)


def check_unit(node: Descriptor, unit: Unit) -> None:
    """Raises Malformed unless the unit is valid for its node."""
    if node.op in TABLES:
        plain = unit.bias == unit.multiplier == unit.shift == 0
        _require("unit", plain, "has a bias, multiplier or shift, which are none of a table's")
        return
    _require("operation", node.op in WEIGHTED, "is of an operation without units")
    _require("bias", -BIAS_BOUND < unit.bias < BIAS_BOUND, f"bias {unit.bias} is not smaller than {BIAS_BOUND}")
    _check_scale("requantisation", unit.multiplier, unit.shift)


def elements_of(what: str, shape: Words4) -> int:
    """The elements of a shape, which must be (features) or (height, width, channels), none of them 0."""
    rank, sides = shape[0], shape[1:]
    used = sides[: rank if rank in (1, 3) else 0]
    proper = bool(used) and not any(sides[rank:]) and all(1 <= side <= MAX_SIDE for side in used)
    text = f"{what} shape {_text(shape)} is neither (features) nor (height, width, channels), of 1 to {MAX_SIDE} each"
    _require("shape", proper, text)
    elements = prod(used)
    _require("shape", elements <= MAX_ELEMENTS, f"{what} shape {_text(shape)} has more than {MAX_ELEMENTS} elements")
    return elements


def _demand_of(node: Descriptor, second: Words4) -> _Demand:
    """What follows from operation and inputs; raises Malformed where the node says otherwise."""
    elements = elements_of("input", node.input_shape)
    _check_shared_scale(node)
    _require("offset", node.op == Op.SLICE or node.offset == 0, f"has offset {node.offset}; only SLICE has any")
    if node.op in WINDOWED:
        return _windowed(node)
    none = (node.kernel, node.stride, node.padding) == ((1, 1), (1, 1), (0, 0, 0, 0))
    _require("window", none, "has no window, so kernel and stride must be [1, 1] and padding [0, 0, 0, 0]")
    match node.op:
        case Op.DENSE:
            flat = node.shape[0] == 1
            _require("shape", flat, f"declares output shape {_text(node.shape)}; a dense layer's is (features)")
            return _Demand(node.shape[1], elements, elements)
        case Op.ADD | Op.MULTIPLY:
            same = second == node.input_shape
            _require("shape", same, f"combines {_text(node.input_shape)} with {_text(second)}; they must be equal")
            _follows(node, node.input_shape)
            return _Demand()
        case Op.LOOKUP:
            _follows(node, node.input_shape)
            return _Demand(1, TABLE_ELEMENTS)
        case Op.EMBEDDING:
            return _embedding(node)
        case Op.SLICE:
            _slice(node, elements)
            return _Demand()
        case Op.CONCAT:
            _follows(node, (1, elements + elements_of("second input", second), 0, 0))
            return _Demand()
        case _:
            raise Malformed("operation", f"operation {node.op} is unknown")


def _windowed(node: Descriptor) -> _Demand:
    is_image = node.input_shape[0] == 3
    _require("shape", is_image, f"needs an input of (height, width, channels); it reads {_text(node.input_shape)}")
    rows, columns = (_positions(node, axis) for axis in (0, 1))
    padded = prod(_padded(node, axis) for axis in (0, 1)) * node.input_shape[3]
    allowed = padded <= MAX_PADDED_ELEMENTS
    _require("padding", allowed, f"its padded input has {padded} elements; at most {MAX_PADDED_ELEMENTS} are allowed")
    area, channels = prod(node.kernel), node.input_shape[3]
    if node.op == Op.CONV2D:
        _follows(node, (3, rows, columns, node.shape[3]))
        return _Demand(node.shape[3], area * channels, area * channels)
    _follows(node, (3, rows, columns, channels))
    return _Demand(channels, area, area) if node.op == Op.DEPTHWISE_CONV2D else _Demand(terms=area)


def _positions(node: Descriptor, axis: int) -> int:
    """The output's side along an axis (0: height, 1: width)."""
    side, stride = node.kernel[axis], node.stride[axis]
    sane = 1 <= side <= MAX_SIDE and 1 <= stride <= MAX_SIDE
    text = f"kernel {list(node.kernel)} and stride {list(node.stride)} must be 1 to {MAX_SIDE} each"
    _require("window", sane, text)
    # Smaller than the kernel: so every window of a pool holds at least one real element.
    small = 0 <= node.padding[axis] < side and 0 <= node.padding[axis + 2] < side
    text = f"padding {list(node.padding)} must be at least 0 and smaller than the kernel {list(node.kernel)}"
    _require("padding", small, text)
    fits = _padded(node, axis) >= side
    _require(
        "window", fits, f"its kernel {list(node.kernel)} is larger than its padded input {_text(node.input_shape)}"
    )
    return (_padded(node, axis) - side) // stride + 1


def _padded(node: Descriptor, axis: int) -> int:
    return node.input_shape[axis + 1] + node.padding[axis] + node.padding[axis + 2]


def _embedding(node: Descriptor) -> _Demand:
    """(tokens) to (tokens, 1, features); how many rows there are follows from nothing else."""
    flat = node.input_shape[0] == 1
    _require("shape", flat, f"needs an input of (tokens); it reads {_text(node.input_shape)}")
    _follows(node, (3, node.input_shape[1], 1, node.shape[3]))
    some = 1 <= node.units <= TABLE_ELEMENTS
    _require("units", some, f"has {node.units} rows; there must be 1 to {TABLE_ELEMENTS}")
    return _Demand(node.units, node.shape[3])


def _slice(node: Descriptor, elements: int) -> None:
    end = node.offset + elements_of("output", node.shape)
    inside = node.offset >= 0 and end <= elements
    _require("offset", inside, f"takes elements {node.offset} to {end}; its input has {elements}")


def _follows(node: Descriptor, shape: Words4) -> None:
    text = f"declares output shape {_text(node.shape)}; it follows that it is {_text(shape)}"
    _require("shape", node.shape == shape, text)


def _check_shared_scale(node: Descriptor) -> None:
    """Weighted operations have a scale for each unit; of the others only three have any."""
    first, second = node.multipliers
    if node.op in SCALED:
        _check_scale("scale", first, node.shift)
    if node.op == Op.ADD:
        _check_scale("scale", second, node.shift)
    unused = [
        0 if node.op in SCALED else first,
        0 if node.op == Op.ADD else second,
        0 if node.op in SCALED else node.shift,
    ]
    _require("scale", not any(unused), "has a multiplier or a shift that it does not use")


def _check_scale(rule: str, multiplier: int, shift: int) -> None:
    _require(rule, 0 < multiplier < MULTIPLIER_BOUND, f"a multiplier is not between 0 and {MULTIPLIER_BOUND}")
    _require(rule, 1 <= shift <= MAX_SHIFT, f"a shift is not between 1 and {MAX_SHIFT}")


def _check_clamp(node: Descriptor, *, last: bool) -> None:
    """Only the last node may be wider than int8; nobody reads it, for a node reads what is before it."""
    least, most = (1 - OUTPUT_BOUND, OUTPUT_BOUND - 1) if last else (-128, 127)
    ordered = least <= node.low <= node.high <= most
    text = f"clamps to {node.low} to {node.high}; the bounds must be ordered and within {least} to {most}"
    _require("clamp", ordered, text)


def _check_output(elements: int, limits: ModelLimits) -> None:
    expected = limits.output_size or elements
    _require("output", elements == expected, f"has {elements} outputs; the order calls for {expected}")
    most = MAX_OUTPUT_ELEMENTS
    _require("output", elements <= most, f"has {elements} outputs; at most {most} are allowed")


def _check_units(node: Descriptor, demand: _Demand, max_tensor_bytes: int) -> None:
    actual, expected = [node.units, node.row_bytes], [demand.units, demand.row_bytes]
    _require("units", actual == expected, f"has weights of shape {actual}; they must be {expected}")
    _require("units", demand.units != 0 or node.units_root == ZERO, "has a root of units, but no units")
    largest = max(demand.units * demand.row_bytes, 4 * demand.units)
    text = f"a tensor of {largest} bytes; at most {max_tensor_bytes} are allowed"
    _require("tensor", largest <= max_tensor_bytes, text)


def _check_totals(totals: Totals, before: Totals, elements: int, demand: _Demand) -> None:
    expected = Totals(
        before.elements + elements,
        before.units + demand.units,
        before.weights + demand.units * demand.row_bytes,
        before.work + elements * demand.terms,
    )
    _require("totals", totals == expected, f"says {totals}; it follows that it is {expected}")


def _check_cost(totals: Totals, limits: ModelLimits) -> None:
    size = totals.weights + UNIT_BYTES * totals.units
    costs: Sequence[tuple[int, int, str]] = (
        (totals.elements, MAX_TOTAL_ELEMENTS, "elements a sample"),
        (totals.units, MAX_UNITS, "units with weights"),
        (totals.weights, limits.max_weights, "weights"),
        (totals.work, MAX_MULTIPLY_ACCUMULATES, "multiply-accumulates a sample"),
        (size, limits.max_model_bytes, "bytes of parameters"),
    )
    for cost, most, what in costs:
        _require("cost", cost <= most, f"the network has {cost} {what} so far; at most {most} are allowed")


def _text(shape: Words4) -> str:
    return str(list(shape[1 : 1 + shape[0]])) if 0 <= shape[0] <= 3 else str(list(shape))


def _require(rule: str, obeyed: bool, text: str) -> None:
    if not obeyed:
        raise Malformed(rule, text)
