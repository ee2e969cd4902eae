"""The fast evaluator against the oracle, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offchain.model.evaluator import Evaluator, evaluate, trace_sample
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.model.oracle import evaluate_slowly, trace
from offchain.model.validation import validate
from tests.unit.model.networks import LIMITS, OPS, SEEDS, random_inputs, random_network, recurrent_network

MANY = settings(
    max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=False, database=None
)


@pytest.mark.parametrize("int8", [None, False])
@pytest.mark.parametrize("threads", [1, 2])
@MANY
@given(ops=OPS, seed=SEEDS, count=st.integers(1, 7), batch_size=st.sampled_from([None, 1, 2, 3, 5]))
def test_equals_the_oracle_on_random_networks(
    ops: list[Op], seed: int, count: int, batch_size: int | None, threads: int, int8: bool | None
) -> None:
    check(ops, seed, count, batch_size, threads, int8)


@pytest.mark.long
@settings(MANY, max_examples=20_000)
@given(
    ops=OPS,
    seed=SEEDS,
    count=st.integers(1, 7),
    batch_size=st.sampled_from([None, 1, 2, 3, 5]),
    threads=st.sampled_from([1, 2]),
    int8=st.sampled_from([None, False]),
)
def test_equals_the_oracle_at_length(
    ops: list[Op], seed: int, count: int, batch_size: int | None, threads: int, int8: bool | None
) -> None:
    check(ops, seed, count, batch_size, threads, int8)


def check(ops: list[Op], seed: int, count: int, batch_size: int | None, threads: int, int8: bool | None) -> None:
    network = random_network(ops, seed)
    validate(network, LIMITS)
    inputs = random_inputs(seed, count, network.input_shape)
    fast = evaluate(network, inputs, batch_size=batch_size, threads=threads, int8=int8)
    assert np.array_equal(fast, evaluate_slowly(network, inputs))


@settings(max_examples=400, deadline=None, database=None)
@given(ops=OPS, seed=SEEDS)
def test_every_tensor_of_a_trace_equals_the_oracles(ops: list[Op], seed: int) -> None:
    network = random_network(ops, seed)
    inputs = random_inputs(seed, 2, network.input_shape)
    slow = trace(network, inputs)
    evaluator = Evaluator(network, threads=1)
    for index, sample in enumerate(inputs):
        fast = evaluator.trace(sample)
        assert [tensor.dtype for tensor in fast] == [np.dtype(np.int8)] * len(network.nodes) + [np.dtype(np.int32)]
        assert all(np.array_equal(a, b[index]) for a, b in zip(fast, slow, strict=True))


@pytest.mark.parametrize("int8", [None, False])
@pytest.mark.parametrize(("steps", "width", "units"), [(1, 1, 1), (2, 5, 3), (7, 3, 20), (28, 28, 64)])
def test_an_unrolled_lstm_equals_the_oracle(steps: int, width: int, units: int, int8: bool | None) -> None:
    network = recurrent_network(steps, width, units, 10, seed=steps)
    validate(network, LIMITS)
    inputs = random_inputs(units, 300, network.input_shape)
    slow = evaluate_slowly(network, inputs)
    assert np.array_equal(evaluate(network, inputs, threads=2, batch_size=70, int8=int8), slow)
    assert np.array_equal(trace_sample(network, inputs[7])[-1], slow[7])


def weighted(
    op: Op, shape: tuple[int, ...], fan_in: int, bias: int, multiplier: int, shift: int, **fields: object
) -> Node:
    units = shape[-1]
    weight = np.full((units, fan_in), -128, dtype=np.int8)
    weight[units // 2 :] = 127
    scale = Requantisation(np.full(units, multiplier, dtype=np.int32), np.full(units, shift, dtype=np.uint8))
    made = Node(op, (0,), shape, -(2**23) + 1, 2**23 - 1, weight=weight, bias=np.full(units, bias, dtype=np.int32))
    return replace(made, requantisation=scale, **fields)  # type: ignore[arg-type]


WIDE = [
    (weighted(Op.DENSE, (4,), 1 << 20, 2**31 - 1, 2**22 - 1, 34), (1 << 20,)),
    (weighted(Op.DENSE, (4,), 1 << 20, 1 - 2**31, 1, 12), (1 << 20,)),
    (weighted(Op.DENSE, (3,), 131_073, 0, 2**22 - 1, 47), (131_073,)),
    (weighted(Op.DENSE, (2,), 7, 2**31 - 1, 2**22 - 1, 30), (7,)),
    (weighted(Op.CONV2D, (1, 2, 4), 999 * 9 * 16, -(2**31) + 1, 2**22 - 1, 40, kernel=(999, 9)), (999, 10, 16)),
    (
        weighted(Op.DEPTHWISE_CONV2D, (2, 1, 4), 511 * 512, 2**31 - 1, 3, 4, kernel=(511, 512)),
        (512, 512, 4),
    ),
    (weighted(Op.DEPTHWISE_CONV2D, (2, 2, 4), 1, 2**31 - 1, 2**22 - 1, 31), (2, 2, 4)),
]


@pytest.mark.parametrize("int8", [None, False])
@pytest.mark.parametrize("case", range(len(WIDE)))
def test_sums_beyond_int32_are_exact(case: int, int8: bool | None) -> None:
    node, shape = WIDE[case]
    network = IntegerNetwork(shape, (node,), 1.0)
    validate(network, replace(LIMITS, max_tensor_bytes=1 << 24, max_model_bytes=1 << 25))
    inputs = np.stack([np.full(shape, value, dtype=np.int8) for value in (-128, 127)])
    inputs = np.concatenate([inputs, np.random.default_rng(case).integers(-128, 128, (1, *shape), dtype=np.int8)])
    exact = _exactly(node, inputs)
    assert np.array_equal(evaluate(network, inputs, threads=1, int8=int8).reshape(exact.shape), exact)
    assert np.array_equal(evaluate_slowly(network, inputs).reshape(exact.shape), exact)


def _exactly(node: Node, inputs: np.ndarray) -> np.ndarray:
    """In Python's integers; every window of the cases sees constant weights, so a sum of its inputs is enough."""
    assert node.weight is not None
    assert node.bias is not None
    assert node.requantisation is not None
    found = []
    for sample in inputs.astype(object if inputs.size < 1000 else np.int64):
        for place in np.ndindex(*node.output_shape):
            unit, part = place[-1], sample
            if node.op is not Op.DENSE:
                part = sample[place[0] : place[0] + node.kernel[0], place[1] : place[1] + node.kernel[1]]
            if node.op is Op.DEPTHWISE_CONV2D:
                part = part[:, :, unit]
            total = int(part.sum()) * int(node.weight[unit, 0]) + int(node.bias[unit])
            shift = int(node.requantisation.shift[unit])
            value = (total * int(node.requantisation.multiplier[unit]) + (1 << (shift - 1))) >> shift
            found.append(min(max(value, node.low), node.high))
    return np.array(found).reshape(len(inputs), *node.output_shape)


def test_multiply_tables_slices_and_joins_on_small_examples_worked_by_hand() -> None:
    x = np.array([[-128, -1, 0, 127]], dtype=np.int8)
    one = Requantisation(np.array([3], dtype=np.int32), np.array([8], dtype=np.uint8))
    square = Node(Op.MULTIPLY, (0, 0), (4,), -100, 150, requantisation=one)
    curve = Node(Op.LOOKUP, (0,), (4,), -100, 100, weight=np.arange(127, -129, -1, dtype=np.int8).reshape(1, 256))
    rows = Node(Op.EMBEDDING, (0,), (4, 1, 2), -9, 9, weight=np.array([[1, 2], [30, -40]], dtype=np.int8))
    part = Node(Op.SLICE, (0,), (1, 2, 1), -1, 0, offset=1)
    both = Node(Op.CONCAT, (0, 0), (8,), -128, 100)
    # (16384 * 3 + 128) >> 8 = 192, (1 * 3 + 128) >> 8 = 0, (16129 * 3 + 128) >> 8 = 189
    expected = [
        (square, [150, 0, 0, 150]),
        (curve, [100, 0, -1, -100]),
        (rows, [1, 2, 9, -9, 9, -9, 9, -9]),
        (part, [-1, 0]),
        (both, [-128, -1, 0, 100, -128, -1, 0, 100]),
    ]
    for node, values in expected:
        network = IntegerNetwork((4,), (node,), 1.0)
        validate(network, LIMITS)
        assert evaluate_slowly(network, x).ravel().tolist() == values
        assert evaluate(network, x, threads=1).ravel().tolist() == values


def test_a_last_table_may_clamp_to_what_is_no_int8() -> None:
    node = Node(Op.LOOKUP, (0,), (2,), 1000, 2000, weight=np.zeros((1, 256), dtype=np.int8))
    network = IntegerNetwork((2,), (node,), 1.0)
    validate(network, LIMITS)
    x = np.zeros((3, 2), dtype=np.int8)
    assert evaluate(network, x).tolist() == evaluate_slowly(network, x).tolist() == [[1000, 1000]] * 3
