"""What is no valid network is rejected in one line that names the node."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Rejected
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.model.limits import ModelLimits
from offchain.model.liveness import peak_live_elements
from offchain.model.validation import validate
from tests.unit.model.networks import LIMITS, dense_node, random_network


def dense(**changes: Any) -> IntegerNetwork:
    node = dense_node(np.ones((2, 4)), np.zeros(2), 1 << 10, 12)
    return IntegerNetwork((4,), (replace(node, **changes),), 1.0)


def scale(multipliers: list[int], shifts: list[int]) -> Requantisation:
    return Requantisation(np.array(multipliers, dtype=np.int32), np.array(shifts, dtype=np.uint8))


def window(op: Op = Op.MAX_POOL2D, **changes: Any) -> IntegerNetwork:
    node = Node(op, (0,), (2, 2, 1), -128, 127, kernel=(2, 2), stride=(2, 2))
    return IntegerNetwork((4, 4, 1), (replace(node, **changes),), 1.0)


WIDE = np.full((2, 4), -128, dtype=np.int8)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda: dense(inputs=(1,)), r"model node 0 \(DENSE\): reads tensor 1; it may read 0 to 0"),
        (lambda: dense(inputs=(-1,)), r"reads tensor -1"),
        (lambda: dense(inputs=()), r"reads 0 tensors; it must read 1"),
        (lambda: dense(output_shape=(2, 2)), r"output shape \[2, 2\] is neither"),
        (lambda: dense(output_shape=(1, 1, 2)), r"declares output shape \[1, 1, 2\]; it follows that it is \[2\]"),
        (lambda: dense(output_shape=(0,)), r"all positive"),
        (lambda: dense(kernel=(2, 1)), r"has no window"),
        (lambda: dense(low=1, high=0), r"clamps to 1 to 0"),
        (lambda: dense(low=-(1 << 23)), r"clamps to -8388608"),
        (lambda: dense(high=1 << 23), r"clamps to .* to 8388608"),
        (lambda: dense(weight=None), r"must have weight and bias"),
        (lambda: dense(bias=None), r"must have weight and bias"),
        (lambda: dense(requantisation=None), r"must have a requantisation"),
        (lambda: dense(weight=np.ones((2, 5), dtype=np.int8)), r"weight is int8 \[2, 5\]; it must be int8 \[2, 4\]"),
        (lambda: dense(weight=np.ones((2, 4), dtype=np.int16)), r"weight is int16"),
        (lambda: dense(bias=np.ones(2, dtype=np.int64)), r"bias is int64"),
        (lambda: dense(requantisation=scale([1], [12])), r"multiplier is int32 \[1\]; it must be int32 \[2\]"),
        (lambda: dense(requantisation=scale([1, 0], [12, 12])), r"multiplier is not between"),
        (lambda: dense(requantisation=scale([1, 1 << 22], [12, 12])), r"multiplier is not between"),
        (lambda: dense(requantisation=scale([1, 1], [0, 12])), r"shift is not between 1 and 47"),
        (lambda: dense(requantisation=scale([1, 1], [48, 12])), r"shift is not between 1 and 47"),
        (
            lambda: dense(weight=WIDE, bias=np.array([0, 2**31 - 4 * 128 * 128], dtype=np.int32)),
            r"unit 1 can reach an accumulator of 2147483648; it must stay below 2147483648",
        ),
        (lambda: dense(bias=np.array([-(2**31), 0], dtype=np.int32)), r"unit 0 can reach an accumulator of 2147484160"),
        (
            lambda: dense(
                bias=np.array([2**31 - 1000, 0], dtype=np.int32), requantisation=scale([2**22 - 1] * 2, [47, 47])
            ),
            r"unit 0: accumulator times multiplier reaches",
        ),
        (lambda: window(kernel=(0, 2)), r"must be at least 1"),
        (lambda: window(stride=(2, 0)), r"must be at least 1"),
        (lambda: window(padding=(2, 0, 0, 0)), r"padding \[2, 0, 0, 0\] must be at least 0 and smaller"),
        (lambda: window(padding=(-1, 0, 0, 0)), r"padding"),
        (lambda: window(kernel=(5, 2)), r"kernel \[5, 2\] is larger than its padded input"),
        (lambda: window(output_shape=(2, 2, 3)), r"it follows that it is \[2, 2, 1\]"),
        (lambda: window(requantisation=scale([1], [1])), r"a max-pool none"),
        (lambda: window(Op.AVERAGE_POOL2D), r"must have a requantisation"),
        (lambda: replace(window(), input_shape=(16,)), r"needs an input of \(height, width, channels\)"),
        (lambda: replace(dense(), output_scale=float("nan")), r"model: output_scale nan"),
        (lambda: replace(dense(), output_scale=0.0), r"model: output_scale 0.0"),
        (lambda: replace(dense(), nodes=()), r"model: 0 nodes"),
        (lambda: replace(dense(), input_shape=(1 << 23,)), r"more than 4194304 elements"),
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
    with pytest.raises(Rejected, match=r"model node 1 \(ADD\): adds shape \[4\] to \[3\]; they must be equal"):
        validate(IntegerNetwork((4,), (first, both), 1.0), LIMITS)


def test_work_and_memory_of_one_sample_are_limited() -> None:
    limits = ModelLimits(1 << 30, 1 << 30)
    big = IntegerNetwork((2048, 2048, 1), (), 1.0)
    average = Node(
        Op.AVERAGE_POOL2D, (0,), (1024, 1025, 1), 0, 127, (1025, 1024), (1, 1), requantisation=scale([1], [40])
    )
    with pytest.raises(Rejected, match="multiply-accumulates a sample"):
        validate(replace(big, nodes=(average,)), limits)
    doubles = [Node(Op.ADD, (0, 0), (2048, 2048, 1), -128, 127, requantisation=scale([1, 1], [1])) for _ in range(16)]
    joins = [
        Node(Op.ADD, (index + 1, index + 16), (2048, 2048, 1), -128, 127, requantisation=scale([1, 1], [1]))
        for index in range(16)
    ]
    with pytest.raises(Rejected, match="elements live at once"):
        validate(replace(big, nodes=(*doubles, *joins)), limits)


def test_peak_counts_what_is_alive_at_the_same_time() -> None:
    def layer(source: int, units: int) -> Node:
        return replace(dense_node(np.ones((units, 1)), np.zeros(units), 1, 1), inputs=(source,))

    chain = IntegerNetwork((30,), (layer(0, 10), layer(1, 20), layer(2, 5)), 1.0)
    assert peak_live_elements(chain) == 30 + 10
    # The first output is still needed when the third is made.
    skip = IntegerNetwork((30,), (layer(0, 10), layer(1, 20), layer(2, 15), layer(1, 5)), 1.0)
    assert peak_live_elements(skip) == 10 + 20 + 15


@settings(max_examples=300, deadline=None, database=None)
@given(
    ops=st.lists(st.sampled_from(list(Op)), min_size=1, max_size=4),
    seed=st.integers(0, 2**32 - 1),
    field=st.sampled_from(["kernel", "stride", "padding", "output_shape", "inputs", "low", "high"]),
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
