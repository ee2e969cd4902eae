"""The worst cases of the product: saturating operands, large fan-ins, every engine."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from offchain.model import matmul
from offchain.model.evaluator import Evaluator, evaluate
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.model.oracle import evaluate_slowly
from offchain.model.validation import validate
from tests.unit.model.networks import LIMITS, dense_node, random_inputs, random_network

EXTREMES = (-128, -127, 127)


@pytest.mark.parametrize("int8", [None, False])
@pytest.mark.parametrize("fan_in", [1, 2, 3, 63, 64, 65, 784, 4096])
def test_constant_extremes_do_not_saturate(fan_in: int, int8: bool | None) -> None:
    weight = np.repeat(np.array([[w] for w in EXTREMES], dtype=np.int8), fan_in, axis=1)
    inputs = np.repeat(np.array([[x] for x in EXTREMES], dtype=np.int8), fan_in, axis=1)
    shift = max(1, (fan_in * 128 * 128 >> 22).bit_length() + 1)
    network = IntegerNetwork((fan_in,), (dense_node(weight, np.zeros(3), 1, shift),), 1.0)
    validate(network, LIMITS)
    found = evaluate(network, inputs, threads=1, int8=int8)
    expected = [[(w * x * fan_in + (1 << (shift - 1))) >> shift for w in EXTREMES] for x in EXTREMES]
    assert found.tolist() == expected


@pytest.mark.parametrize("int8", [None, False])
@pytest.mark.parametrize(("fan_in", "units"), [(784, 512), (784, 10), (4096, 33), (4096, 1)])
@pytest.mark.parametrize("rows", [1, 5, 300])
def test_random_extremes_of_large_fan_in(fan_in: int, units: int, rows: int, int8: bool | None) -> None:
    rng = np.random.default_rng(fan_in + units + rows)
    weight = rng.choice(np.array([-128, 127], dtype=np.int8), (units, fan_in))
    weight[0] = 127
    bias = rng.choice([-(2**30), 2**30], units)
    network = IntegerNetwork((fan_in,), (dense_node(weight, bias, (1 << 21) + 12345, 31),), 1.0)
    validate(network, LIMITS)
    inputs = rng.choice(np.array([-128, 127], dtype=np.int8), (rows, fan_in))
    inputs[0] = -128
    assert np.array_equal(evaluate(network, inputs, threads=1, int8=int8), evaluate_slowly(network, inputs))


def test_the_accumulator_may_come_within_one_of_its_bound() -> None:
    weight = np.full((2, 784), -128, dtype=np.int8)
    room = 2**31 - 1 - 784 * 128 * 128
    network = IntegerNetwork((784,), (dense_node(weight, np.array([room, -room]), 1 << 21, 31),), 1.0)
    validate(network, LIMITS)
    inputs = np.full((2, 784), -128, dtype=np.int8)
    inputs[1] = 127
    for int8 in (None, False):
        assert np.array_equal(evaluate(network, inputs, threads=1, int8=int8), evaluate_slowly(network, inputs))


@pytest.mark.parametrize(("fan_in", "engine"), [(1000, "FLOAT32"), (1100, "FLOAT64")])
def test_the_fallback_takes_float32_only_within_its_exact_range(fan_in: int, engine: str) -> None:
    bound = fan_in * 127 * 128
    assert (bound <= matmul.FLOAT32_BOUND) == (engine == "FLOAT32")
    prepared = matmul.prepare(np.full((3, fan_in), 127, dtype=np.int8), bound, int8=False)
    assert prepared.engine.name == engine


def test_float32_set_to_fewer_bits_is_not_trusted() -> None:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        assert matmul.prepare(np.ones((1, 2), dtype=np.int8), 256, int8=False).engine is matmul.Engine.FLOAT64
    finally:
        torch.set_float32_matmul_precision(before)


TRY = """
import numpy as np, torch
from offchain.model import matmul
from offchain.model.evaluator import evaluate
from offchain.model.oracle import evaluate_slowly
from tests.unit.model.networks import random_network, random_inputs
from offchain.model.graph import Op
network = random_network([Op.CONV2D, Op.DENSE], 3, (8, 8, 3))
inputs = random_inputs(3, 5, (8, 8, 3))
assert np.array_equal(evaluate(network, inputs), evaluate_slowly(network, inputs))
print(matmul.int8_is_exact())
"""


@pytest.mark.parametrize(("isa", "exact"), [("AVX2", "False"), ("AVX512_CORE", "False")])
def test_a_cpu_whose_products_saturate_is_found_out(isa: str, exact: str) -> None:
    """oneDNN can be told to work as on an older CPU; then its int8 products are wrong, and we must not use them."""
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": isa, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", TRY], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == exact


def test_memory_is_bounded_and_does_not_change_the_result() -> None:
    network = random_network([Op.CONV2D, Op.CONV2D, Op.ADD, Op.DENSE], seed=11, input_shape=(16, 16, 8))
    inputs = random_inputs(1, 50, (16, 16, 8))
    expected = evaluate_slowly(network, inputs)
    for memory in (1, 1 << 14, 1 << 20, 1 << 28):
        assert np.array_equal(evaluate(network, inputs, threads=2, memory_bytes=memory), expected)


def test_read_only_and_strided_inputs_are_fine() -> None:
    network = random_network([Op.CONV2D, Op.DENSE], seed=4, input_shape=(6, 6, 2))
    wide = random_inputs(2, 9, (6, 6, 4))
    strided = wide[::2, :, :, ::2]
    frozen = np.frombuffer(strided.tobytes(), dtype=np.int8).reshape(strided.shape)
    expected = evaluate_slowly(network, strided)
    evaluator = Evaluator(network, threads=1)
    assert np.array_equal(evaluator(strided), expected)
    assert np.array_equal(evaluator(frozen), expected)
    assert evaluator(strided[:0]).shape == (0, *network.output_shape)


def test_the_threads_of_torch_are_left_as_they_were() -> None:
    before = torch.get_num_threads()
    network = random_network([Op.DENSE], seed=1, input_shape=(20,))
    evaluate(network, random_inputs(1, 8, (20,)), threads=2, batch_size=1)
    assert torch.get_num_threads() == before


def test_requantisation_rounds_half_up_and_floors() -> None:
    weight = np.ones((1, 1), dtype=np.int8)
    network = IntegerNetwork((1,), (dense_node(weight, np.zeros(1), 1, 2),), 1.0)
    inputs = np.arange(-8, 9, dtype=np.int8).reshape(-1, 1)
    # x / 4 rounded to nearest, halves up: -2.0 -1.75 -1.5 -1.25 -1.0 ...
    expected = [-2, -2, -1, -1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2]
    assert evaluate_slowly(network, inputs).ravel().tolist() == expected
    assert evaluate(network, inputs, threads=1).ravel().tolist() == expected


def test_pools_and_add_on_small_examples_worked_by_hand() -> None:
    one = Requantisation(np.array([1 << 10], dtype=np.int32), np.array([12], dtype=np.uint8))
    both = Requantisation(np.array([2, 1], dtype=np.int32), np.array([1], dtype=np.uint8))
    image = np.array([[1, -2], [-3, 9]], dtype=np.int8).reshape(1, 2, 2, 1)
    window = {"kernel": (2, 2), "stride": (1, 1), "padding": (1, 1, 0, 0)}
    largest = IntegerNetwork((2, 2, 1), (Node(Op.MAX_POOL2D, (0,), (2, 2, 1), -128, 127, **window),), 1.0)
    mean = Node(Op.AVERAGE_POOL2D, (0,), (2, 2, 1), -128, 127, **window, requantisation=one)
    average = IntegerNetwork((2, 2, 1), (mean,), 1.0)
    double = IntegerNetwork((2, 2, 1), (Node(Op.ADD, (0, 0), (2, 2, 1), -4, 127, requantisation=both),), 1.0)
    for network, expected in (
        (largest, [1, 1, 1, 9]),  # padding is no zero: max(-3, 1) and so on
        (average, [0, 0, 0, 1]),  # sums 1, -1, -2, 5 over 4, halves up
        (double, [2, -3, -4, 14]),  # (3x + 1) >> 1, clamped at -4
    ):
        validate(network, LIMITS)
        assert evaluate_slowly(network, image).ravel().tolist() == expected
        assert evaluate(network, image, threads=1).ravel().tolist() == expected


def test_a_last_pool_may_clamp_beyond_int8() -> None:
    image = random_inputs(3, 2, (4, 4, 2))
    node = Node(Op.MAX_POOL2D, (0,), (2, 2, 2), 1000, 2000, kernel=(2, 2), stride=(2, 2))
    network = IntegerNetwork((4, 4, 2), (node,), 1.0)
    validate(network, LIMITS)
    assert evaluate(network, image, threads=1).ravel().tolist() == [1000] * 16
    assert evaluate_slowly(network, image).ravel().tolist() == [1000] * 16
