"""What is no valid network is rejected in one line that names the node."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Rejected
from offchain.model import rules
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.model.leaves import Descriptor, Totals, Unit, shape_words
from offchain.model.limits import MAX_UNITS, ModelLimits
from offchain.model.liveness import last_uses
from offchain.model.roots import ModelTree
from offchain.model.validation import Fault, first_fault, validate
from tests.unit.model.networks import LIMITS, dense_node, random_network


def dense(**changes: Any) -> IntegerNetwork:
    node = dense_node(np.ones((2, 4)), np.zeros(2), 1 << 10, 12)
    return IntegerNetwork((4,), (replace(node, **changes),), 1.0)


def scale(multipliers: list[int], shifts: list[int]) -> Requantisation:
    return Requantisation(np.array(multipliers, dtype=np.int32), np.array(shifts, dtype=np.uint8))


def window(op: Op = Op.MAX_POOL2D, **changes: Any) -> IntegerNetwork:
    node = Node(op, (0,), (2, 2, 1), -128, 127, kernel=(2, 2), stride=(2, 2))
    return IntegerNetwork((4, 4, 1), (replace(node, **changes),), 1.0)


def table(rows: int, features: int, op: Op = Op.EMBEDDING, **changes: Any) -> IntegerNetwork:
    node = Node(op, (0,), (4, 1, features), -128, 127, weight=np.ones((rows, features), dtype=np.int8))
    return IntegerNetwork((4,), (replace(node, **changes),), 1.0)


def moving(op: Op, shape: tuple[int, ...], **changes: Any) -> IntegerNetwork:
    node = Node(op, (0, 0) if op is not Op.SLICE else (0,), shape, -128, 127)
    return IntegerNetwork((4,), (replace(node, **changes),), 1.0)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda: dense(inputs=(1,)), r"model node 0 \(DENSE\): reads tensor 1; it may read 0 to 0"),
        (lambda: dense(inputs=(-1,)), r"reads tensor -1"),
        (lambda: dense(inputs=()), r"reads 0 tensors; it must read 1"),
        (lambda: moving(Op.CONCAT, (8,), inputs=(0,)), r"model node 0 \(CONCAT\): reads 1 tensors; it must read 2"),
        (lambda: moving(Op.CONCAT, (8,), inputs=(0, 1)), r"reads tensor 1; it may read 0 to 0"),
        (lambda: moving(Op.CONCAT, (7,)), r"declares output shape \[7\]; it follows that it is \[8\]"),
        (lambda: moving(Op.CONCAT, (8,), offset=1), r"has offset 1; only SLICE has any"),
        (lambda: moving(Op.CONCAT, (8,), requantisation=scale([1], [1])), r"must have no requantisation"),
        (lambda: moving(Op.SLICE, (3,), offset=2), r"takes elements 2 to 5; its input has 4"),
        (lambda: moving(Op.SLICE, (1, 1, 1), offset=4), r"takes elements 4 to 5; its input has 4"),
        (lambda: moving(Op.SLICE, (2, 2)), r"output shape \[2, 2\] is neither"),
        (lambda: moving(Op.MULTIPLY, (4,)), r"must have a requantisation"),
        (lambda: moving(Op.MULTIPLY, (3,), requantisation=scale([1], [1])), r"it follows that it is \[4\]"),
        (lambda: moving(Op.MULTIPLY, (4,), requantisation=scale([1, 1], [1])), r"multiplier is int32 \[2\]"),
        (lambda: moving(Op.MULTIPLY, (4,), requantisation=scale([0], [1])), r"multiplier is not between"),
        (lambda: moving(Op.ADD, (4,), requantisation=scale([1, 0], [1])), r"multiplier is not between"),
        (lambda: moving(Op.ADD, (4,), requantisation=scale([1, 1], [48])), r"shift is not between"),
        (lambda: table(257, 2), r"has 257 rows; there must be 1 to 256"),
        (lambda: table(5, 2, output_shape=(4, 1, 3)), r"has weights of shape \[5, 2\]; they must be \[5, 3\]"),
        (lambda: table(5, 2, output_shape=(3, 1, 2)), r"it follows that it is \[4, 1, 2\]"),
        (lambda: table(5, 2, output_shape=(8,)), r"it follows that it is \[4, 1, 0\]"),
        (lambda: table(5, 2, bias=np.zeros(5, dtype=np.int32)), r"must have weight and no bias"),
        (lambda: table(5, 2, requantisation=scale([1] * 5, [1] * 5)), r"must have no requantisation"),
        (lambda: replace(table(5, 2), input_shape=(2, 2, 1)), r"needs an input of \(tokens\)"),
        (lambda: table(2, 256, Op.LOOKUP, output_shape=(4,)), r"shape \[2, 256\]; they must be \[1, 256\]"),
        (lambda: table(1, 255, Op.LOOKUP, output_shape=(4,)), r"shape \[1, 255\]; they must be \[1, 256\]"),
        (lambda: table(1, 256, Op.LOOKUP, output_shape=(5,)), r"it follows that it is \[4\]"),
        (lambda: dense(output_shape=(2, 2)), r"output shape \[2, 2\] is neither"),
        (lambda: dense(output_shape=(1, 1, 2)), r"declares output shape \[1, 1, 2\]; a dense layer's is \(features\)"),
        (lambda: dense(output_shape=(0,)), r"of 1 to 1048576 each"),
        (lambda: dense(output_shape=(1, 2, 3, 4)), r"must have 1 to 3 sides"),
        (lambda: dense(kernel=(2, 1)), r"has no window"),
        (lambda: dense(low=1, high=0), r"clamps to 1 to 0"),
        (lambda: dense(low=-(1 << 23)), r"clamps to -8388608"),
        (lambda: dense(high=1 << 23), r"clamps to .* to 8388608"),
        (lambda: dense(weight=None), r"must have weight and bias"),
        (lambda: dense(bias=None), r"must have weight and bias"),
        (lambda: dense(requantisation=None), r"must have a requantisation"),
        (lambda: dense(weight=np.ones((2, 5), dtype=np.int8)), r"weights of shape \[2, 5\]; they must be \[2, 4\]"),
        (lambda: dense(weight=np.ones((2, 4), dtype=np.int16)), r"weight is int16"),
        (lambda: dense(bias=np.ones(2, dtype=np.int64)), r"bias is int64"),
        (lambda: dense(requantisation=scale([1], [12])), r"multiplier is int32 \[1\]; it must be int32 \[2\]"),
        (lambda: dense(requantisation=scale([1, 0], [12, 12])), r"unit 1: a multiplier is not between"),
        (lambda: dense(requantisation=scale([1, 1 << 22], [12, 12])), r"multiplier is not between"),
        (lambda: dense(requantisation=scale([1, 1], [0, 12])), r"shift is not between 1 and 47"),
        (lambda: dense(requantisation=scale([1, 1], [48, 12])), r"shift is not between 1 and 47"),
        (
            lambda: dense(bias=np.array([0, -(2**31)], dtype=np.int32)),
            r"unit 1: bias -2147483648 is not smaller than 2147483648",
        ),
        (lambda: dense(output_shape=(5000,), **wide_parameters(5000)), r"has 5000 outputs; at most 1024"),
        (lambda: window(kernel=(0, 2)), r"must be 1 to 1048576 each"),
        (lambda: window(stride=(2, 0)), r"must be 1 to 1048576 each"),
        (lambda: window(padding=(2, 0, 0, 0)), r"padding \[2, 0, 0, 0\] must be at least 0 and smaller"),
        (lambda: window(padding=(-1, 0, 0, 0)), r"padding"),
        (lambda: window(kernel=(5, 2)), r"kernel \[5, 2\] is larger than its padded input"),
        (lambda: window(output_shape=(2, 2, 3)), r"it follows that it is \[2, 2, 1\]"),
        (lambda: window(requantisation=scale([1], [1])), r"must have no requantisation"),
        (lambda: window(Op.AVERAGE_POOL2D), r"must have a requantisation"),
        (lambda: replace(window(), input_shape=(16,)), r"needs an input of \(height, width, channels\)"),
        (lambda: replace(dense(), output_scale=float("nan")), r"model: output_scale is not"),
        (lambda: replace(dense(), output_scale=0.0), r"model: output_scale is not"),
        (lambda: replace(dense(), nodes=()), r"model: 0 nodes"),
        (lambda: replace(dense(), output_scale=-1.0), r"model: output_scale is not"),
        (lambda: replace(dense(), input_shape=(1 << 23,)), r"of 1 to 1048576 each"),
        (lambda: replace(dense(), input_shape=(1 << 10, 1 << 10, 2)), r"more than 1048576 elements"),
        (
            lambda: window(kernel=(3000, 3000), padding=(2999, 2999, 2999, 2999), stride=(3000, 3000)),
            r"padded input has 36024004 elements",
        ),
    ],
)
def test_what_is_wrong_is_named(network: Callable[[], IntegerNetwork], message: str) -> None:
    with pytest.raises(Rejected, match=message):
        validate(network(), LIMITS)


def test_only_the_last_node_may_be_wide() -> None:
    node = dense_node(np.ones((4, 4)), np.zeros(4), 1, 1)
    with pytest.raises(Rejected, match=r"model node 0 \(DENSE\): clamps to -8388607"):
        validate(IntegerNetwork((4,), (node, replace(node, inputs=(1,))), 1.0), LIMITS)
    validate(IntegerNetwork((4,), (replace(node, low=-128, high=127), replace(node, inputs=(1,))), 1.0), LIMITS)


def test_add_needs_equal_shapes() -> None:
    first = replace(dense_node(np.ones((3, 4)), np.zeros(3), 1, 1), low=0, high=127)
    both = Node(Op.ADD, (0, 1), (4,), 0, 127, requantisation=scale([1, 1], [1]))
    with pytest.raises(Rejected, match=r"model node 1 \(ADD\): combines \[4\] with \[3\]; they must be equal"):
        validate(IntegerNetwork((4,), (first, both), 1.0), LIMITS)


def test_work_and_memory_of_one_sample_are_limited() -> None:
    limits = ModelLimits(1 << 30, 1 << 30)
    big = IntegerNetwork((1024, 1024, 1), (), 1.0)
    average = Node(Op.AVERAGE_POOL2D, (0,), (512, 513, 1), 0, 127, (513, 512), (1, 1), requantisation=scale([1], [40]))
    with pytest.raises(Rejected, match="multiply-accumulates a sample"):
        validate(replace(big, nodes=(average, Node(Op.SLICE, (1,), (10,), -128, 127))), limits)
    whole = Node(Op.ADD, (0, 0), (1024, 1024, 1), -128, 127, requantisation=scale([1, 1], [1]))
    few = Node(Op.SLICE, (0,), (10,), -128, 127)
    validate(replace(big, nodes=(*[whole] * 62, few)), limits)
    with pytest.raises(Rejected, match=r"model node 63 \(SLICE\): the network has 67108874 elements a sample so far"):
        validate(replace(big, nodes=(*[whole] * 63, few)), limits)


def test_what_parameters_cost_is_limited() -> None:
    network = dense()
    validate(network, ModelLimits(8 + 18, 8))
    with pytest.raises(Rejected, match="26 bytes of parameters so far; at most 25"):
        validate(network, ModelLimits(25, 8))
    with pytest.raises(Rejected, match="a tensor of 8 bytes; at most 7"):
        validate(network, ModelLimits(26, 7))
    with pytest.raises(Rejected, match="8 weights so far; at most 7"):
        validate(network, ModelLimits(26, 8, max_weights=7))
    units = MAX_UNITS // 4
    chain = [
        replace(dense_node(np.ones((1, 1)), np.zeros(1), 1, 1, wide=False), output_shape=(units,)) for _ in range(5)
    ]
    last = Node(Op.SLICE, (1,), (1,), -128, 127)
    wide = IntegerNetwork((1,), (*(replace(node, **wide_parameters(units, 1)) for node in chain), last), 1.0)
    with pytest.raises(Rejected, match=r"model node 4 .* 1310720 units with weights so far"):
        validate(wide, ModelLimits(1 << 30, 1 << 30))


def test_an_order_says_how_large_samples_and_outputs_are() -> None:
    validate(dense(), ModelLimits(1000, 1000, input_size=4, output_size=2))
    with pytest.raises(Rejected, match="model: its input has 4 elements, but a sample 5"):
        validate(dense(), ModelLimits(1000, 1000, input_size=5, output_size=2))
    with pytest.raises(Rejected, match="has 2 outputs; the order calls for 1"):
        validate(dense(), ModelLimits(1000, 1000, input_size=4, output_size=1))


def wide_parameters(units: int, fan_in: int = 4) -> dict[str, Any]:
    return {
        "weight": np.ones((units, fan_in), dtype=np.int8),
        "bias": np.zeros(units, dtype=np.int32),
        "requantisation": scale([1] * units, [1] * units),
    }


def test_the_sums_of_weights_are_not_limited() -> None:
    weight, bias = np.full((2, 784), -128, dtype=np.int8), np.array([2**31 - 1, 1 - 2**31])
    node = dense_node(weight, bias, (1 << 22) - 1, 47)
    validate(IntegerNetwork((784,), (node,), 1.0), LIMITS)


def test_the_leaf_at_fault_is_named() -> None:
    assert first_fault(dense(), LIMITS) is None
    nodes = (Node(Op.SLICE, (0,), (4,), -128, 127), replace(dense().nodes[0], inputs=(1,)))
    network = IntegerNetwork((4,), nodes, 1.0)
    assert first_fault(network, LIMITS) is None
    assert _leaf(first_fault(replace(network, output_scale=0.0), LIMITS)) == ("header", 0, 0, "scale")
    narrow = replace(network, nodes=(nodes[0], replace(nodes[1], high=1 << 23)))
    assert _leaf(first_fault(narrow, LIMITS)) == ("node", 1, 0, "clamp")
    later = replace(network, nodes=(nodes[0], replace(nodes[1], inputs=(2,))))
    assert _leaf(first_fault(later, LIMITS)) == ("node", 1, 0, "inputs")
    shifted = replace(network, nodes=(nodes[0], replace(nodes[1], requantisation=scale([1, 1], [1, 0]))))
    assert _leaf(first_fault(shifted, LIMITS)) == ("unit", 1, 1, "requantisation")


def _leaf(fault: Fault | None) -> tuple[str, int, int, str]:
    assert fault is not None
    return fault.leaf, fault.node, fault.unit, fault.rule


def test_the_words_of_a_valid_network_obey_the_rules_and_others_do_not() -> None:
    """Descriptors that no graph file can express: each changed word breaks a rule of its own leaf."""
    network = random_network([Op.CONV2D, Op.ADD, Op.MAX_POOL2D, Op.DENSE], 3, (6, 6, 2))
    tree = ModelTree(network)
    shapes = [shape_words(network.shape_of(tensor)) for tensor in range(len(network.nodes) + 1)]
    before = Totals(elements=72)
    for index, node in enumerate(tree.descriptors):
        second = shapes[node.inputs[1]] if node.op == Op.ADD else rules.NONE
        at = rules.Surroundings(len(network.nodes), before, shapes[node.inputs[0]], second)
        check(node, at, index)
        for change in CHANGES:
            with pytest.raises(rules.Malformed):
                check(change(node), at, index)
        before = node.totals


def check(node: Descriptor, at: rules.Surroundings, index: int) -> None:
    rules.check_inputs(node, index)
    rules.check_node(node, at, index, LIMITS)


CHANGES: tuple[Callable[[Descriptor], Descriptor], ...] = (
    lambda node: replace(node, index=node.index + 1),
    lambda node: replace(node, op=12),
    lambda node: replace(node, inputs=(node.index + 1, 0)),
    lambda node: replace(node, inputs=(node.inputs[0], node.index + 1)),
    lambda node: replace(node, input_shape=(3, 7, 6, 2)),
    lambda node: replace(node, shape=(1, *node.shape[1:3], 1)),
    lambda node: replace(node, offset=1),
    lambda node: replace(node, row_bytes=node.row_bytes + 1),
    lambda node: replace(node, units=node.units + 1),
    lambda node: replace(node, units_root=b"\1" * 32 if not node.units else node.units_root, kernel=(0, 1)),
    lambda node: replace(node, multipliers=(node.multipliers[0], 1 - min(1, node.multipliers[1]))),
    lambda node: replace(node, shift=48),
    lambda node: replace(node, totals=replace(node.totals, elements=node.totals.elements - 1)),
    lambda node: replace(node, totals=replace(node.totals, units=node.totals.units + 1)),
    lambda node: replace(node, totals=replace(node.totals, weights=node.totals.weights + 1)),
    lambda node: replace(node, totals=replace(node.totals, work=node.totals.work - 1)),
    lambda node: replace(node, low=node.high + 1),
)


def test_a_table_has_no_scale() -> None:
    (descriptor,) = ModelTree(table(5, 2)).descriptors
    rules.check_unit(descriptor, Unit())
    for unit in (Unit(bias=1), Unit(multiplier=1), Unit(shift=1)):
        with pytest.raises(rules.Malformed):
            rules.check_unit(descriptor, unit)


def test_tensors_are_alive_until_they_are_read_last() -> None:
    def layer(source: int, units: int) -> Node:
        return replace(dense_node(np.ones((units, 1)), np.zeros(units), 1, 1), inputs=(source,))

    chain = IntegerNetwork((30,), (layer(0, 10), layer(1, 20), layer(2, 5)), 1.0)
    assert last_uses(chain) == (0, 1, 2, 2)
    # The first output is still needed when the last is made; nothing reads the third.
    skip = IntegerNetwork((30,), (layer(0, 10), layer(1, 20), layer(2, 15), layer(1, 5)), 1.0)
    assert last_uses(skip) == (0, 3, 2, 2, 3)


@settings(max_examples=300, deadline=None, database=None)
@given(
    ops=st.lists(st.sampled_from(list(Op)), min_size=1, max_size=4),
    seed=st.integers(0, 2**32 - 1),
    field=st.sampled_from(["kernel", "stride", "padding", "output_shape", "inputs", "low", "high", "offset"]),
    value=st.integers(-3, 300),
    place=st.integers(0, 3),
)
def test_what_passes_after_a_change_still_has_one_result(
    ops: list[Op], seed: int, field: str, value: int, place: int
) -> None:
    """Validation and evaluation agree on what is valid: whatever passes is computed alike by both evaluators."""
    from offchain.model.evaluator import evaluate
    from offchain.model.oracle import evaluate_slowly

    network = random_network(ops, seed)
    node = network.nodes[place % len(ops)]
    old = getattr(node, field)
    new = value if isinstance(old, int) else tuple(value if i == place % len(old) else v for i, v in enumerate(old))
    nodes = tuple(replace(n, **{field: new}) if n is node else n for n in network.nodes)
    changed = replace(network, nodes=nodes)
    try:
        validate(changed, LIMITS)
    except Rejected:
        return
    inputs = np.random.default_rng(seed).integers(-128, 128, (2, *network.input_shape), dtype=np.int8)
    assert np.array_equal(evaluate(changed, inputs, threads=1), evaluate_slowly(changed, inputs))
