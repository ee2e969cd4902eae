"""Max pools of every stride, by lines or window by window, against the oracle; and what they cost."""

import time
from itertools import product

import numpy as np
import pytest

from offchain.model.evaluator import evaluate
from offchain.model.graph import IntegerNetwork, Node, Op, Shape
from offchain.model.oracle import evaluate_slowly


def pool(shape: Shape, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int, int, int]) -> Node:
    sides = [(shape[axis] + padding[axis] + padding[axis + 2] - kernel[axis]) // stride[axis] + 1 for axis in (0, 1)]
    made = (sides[0], sides[1], shape[2])
    return Node(Op.MAX_POOL2D, (0,), made, -100, 90, kernel=kernel, stride=stride, padding=padding)


@pytest.mark.parametrize(("channels", "across"), list(product((1, 2, 17), (1, 7, 8, 9, 20))))
def test_equals_the_oracle_whatever_the_stride(channels: int, across: int) -> None:
    rng = np.random.default_rng(across)
    shape = (5, 40, channels)
    inputs = rng.integers(-128, 128, (3, *shape)).astype(np.int8)
    for kernel, padding in [((1, 1), (0, 0, 0, 0)), ((3, 11), (2, 9, 1, 10)), ((2, 40), (0, 3, 1, 39))]:
        network = IntegerNetwork(shape, (pool(shape, kernel, (2, across), padding),), 1.0)
        np.testing.assert_array_equal(evaluate(network, inputs), evaluate_slowly(network, inputs))


def test_a_pool_of_few_wide_windows_takes_no_longer_than_its_terms_say() -> None:
    """It took the square of a line, 8 s, and a model may have hundreds of them that count as nothing."""
    side = 1 << 20
    shape = (1, side, 1)
    network = IntegerNetwork(shape, (pool(shape, (1, side // 2), (1, side // 2), (0, 0, 0, 0)),), 1.0)
    inputs = np.zeros((1, *shape), np.int8)
    inputs[0, 0, -1, 0] = 77
    evaluate(network, inputs)
    start = time.process_time()
    assert evaluate(network, inputs).ravel().tolist() == [0, 77]
    assert time.process_time() - start < 2
