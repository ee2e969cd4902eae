"""Which integer networks are valid. Every network that passes has one defined result for every input.

`rules.py` says what is valid, a leaf at a time; here a whole network is held against it, and what is wrong is named by
the leaf that a verifier would ask for.
"""

from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug, Rejected
from offchain.model import rules
from offchain.model.descriptors import describe, make_header, unit_columns
from offchain.model.graph import IntegerNetwork, Node, Op, Shape
from offchain.model.leaves import ZERO, Descriptor, Totals, Unit, shape_words
from offchain.model.limits import BIAS_BOUND, MAX_SHIFT, MULTIPLIER_BOUND, ModelLimits
from offchain.model.windows import PAIRED, PARAMETRIC, SCALED, WEIGHTED

_SOME_ROOT = bytes([1]) * 32


@dataclass(frozen=True, slots=True)
class Fault:
    """The first leaf that breaks a rule, and the contract's word for the rule.

    node: of a node or unit; unit: of a unit; else 0. text: one line.
    """

    leaf: Literal["header", "node", "unit"]
    node: int
    unit: int
    rule: str
    text: str


def validate(network: IntegerNetwork, limits: ModelLimits) -> None:
    """Raises Rejected, naming the node, unless the network is within the limits and has one defined result.

    Every reduction fits int64 whatever the parameters are, so what they add up to is not looked at.
    """
    check_form(network)
    fault = first_fault(network, limits)
    if fault is not None:
        raise Rejected(fault.text)


def first_fault(network: IntegerNetwork, limits: ModelLimits) -> Fault | None:
    """The first leaf of the network that breaks a rule; None if it is valid. The network must pass `check_form`."""
    roots = [ZERO if node.weight is None else _SOME_ROOT for node in network.nodes]
    try:
        rules.check_header(make_header(network, ZERO), limits)
    except rules.Malformed as error:
        return Fault("header", 0, 0, error.rule, f"model: {error}")
    before = Totals(elements=prod(network.input_shape))
    for index, descriptor in enumerate(describe(network, roots)):
        name = f"model node {index} ({network.nodes[index].op.name})"
        try:
            rules.check_inputs(descriptor, index)
            rules.check_node(descriptor, _surroundings(network, index, before), index, limits)
        except rules.Malformed as error:
            return Fault("node", index, 0, error.rule, f"{name}: {error}")
        unit = _first_bad_unit(network.nodes[index])
        if unit is not None:
            rule, text = _unit_rule(network.nodes[index], descriptor, unit)
            return Fault("unit", index, unit, rule, f"{name}: unit {unit}: {text}")
        before = descriptor.totals
    return None


def check_form(network: IntegerNetwork) -> None:
    """Raises Rejected, naming the node, unless the network can be written down as leaves, valid or not.

    Checked: known operations, how many tensors each reads, ranks of shapes, and that each operation has the parameters
    it uses, in their dtypes, as many as its weights have units.
    """
    _check_rank("model input", network.input_shape)
    if not network.nodes:
        raise Rejected("model: 0 nodes; there must be at least 1")
    for index, node in enumerate(network.nodes):
        try:
            _check_node_form(node)
        except Rejected as error:
            name = node.op.name if isinstance(node.op, Op) else str(node.op)
            raise Rejected(f"model node {index} ({name}): {error}") from None


def _surroundings(network: IntegerNetwork, index: int, before: Totals) -> rules.Surroundings:
    node = network.nodes[index]
    first, *second = (shape_words(network.shape_of(tensor)) for tensor in node.inputs)
    return rules.Surroundings(len(network.nodes), before, first, second[0] if second else rules.NONE)


def _first_bad_unit(node: Node) -> int | None:
    """The first unit whose bias, multiplier or shift is out of bounds."""
    if node.bias is None or node.requantisation is None:
        return None
    multiplier, shift = node.requantisation.multiplier, node.requantisation.shift
    bad = (multiplier <= 0) | (multiplier >= MULTIPLIER_BOUND) | (shift < 1) | (shift > MAX_SHIFT)
    bad |= np.abs(node.bias.astype(np.int64)) >= BIAS_BOUND
    return int(bad.argmax()) if bad.any() else None


def _unit_rule(node: Node, descriptor: Descriptor, unit: int) -> tuple[str, str]:
    """The rule's word and text, from the unit's own leaf."""
    bias, multiplier, shift = (int(column[unit]) for column in unit_columns(node))
    try:
        rules.check_unit(descriptor, Unit(ZERO, bias, multiplier, shift))
    except rules.Malformed as error:
        return error.rule, str(error)
    raise Bug(f"unit {unit} is fine")


def _check_node_form(node: Node) -> None:
    if not isinstance(node.op, Op):
        raise Rejected("unknown operation")
    expected = 2 if node.op in PAIRED else 1
    if len(node.inputs) != expected:
        raise Rejected(f"reads {len(node.inputs)} tensors; it must read {expected}")
    _check_rank("output", node.output_shape)
    if (node.op in PARAMETRIC) != (node.weight is not None) or (node.op in WEIGHTED) != (node.bias is not None):
        raise Rejected(
            f"must have {'weight' if node.op in PARAMETRIC else 'no weight'} and "
            f"{'bias' if node.op in WEIGHTED else 'no bias'}"
        )
    scaled = node.op in SCALED | WEIGHTED
    if scaled != (node.requantisation is not None):
        raise Rejected(f"must have {'a' if scaled else 'no'} requantisation")
    units = 1
    if node.weight is not None:
        units = _check_weight(node.weight)
    if node.bias is not None:
        _check_array("bias", node.bias, np.dtype(np.int32), (units,))
    if node.requantisation is not None:
        multipliers = 2 if node.op is Op.ADD else units
        _check_array("multiplier", node.requantisation.multiplier, np.dtype(np.int32), (multipliers,))
        _check_array("shift", node.requantisation.shift, np.dtype(np.uint8), (units,))


def _check_weight(weight: npt.NDArray[Any]) -> int:
    if weight.dtype != np.int8 or weight.ndim != 2 or weight.size == 0:
        raise Rejected(f"weight is {weight.dtype} {list(weight.shape)}; it must be int8 of units and their rows")
    return len(weight)


def _check_rank(what: str, shape: Shape) -> None:
    if not 1 <= len(shape) <= 3:
        raise Rejected(f"{what} shape {list(shape)} must have 1 to 3 sides")


def _check_array(name: str, array: npt.NDArray[np.generic], dtype: np.dtype[np.generic], shape: Shape) -> None:
    if array.dtype != dtype or array.shape != shape:
        raise Rejected(f"{name} is {array.dtype} {list(array.shape)}; it must be {dtype} {list(shape)}")
