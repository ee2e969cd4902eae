"""The networks that `assay bench dispute` plays for, with random weights: usual ones, and the largest there may be."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from offchain.bench.evaluation_networks import Builder, lenet, lstm, multilayer_perceptron, residual
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.model.limits import OUTPUT_BOUND

SIDE = 1024
"""Of an image of 1 MiB, the largest tensor."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A network and the largest test set that is worth the memory; `make` takes a seed."""

    make: Callable[[int], IntegerNetwork]
    most_samples: int = 1 << 21


def long_row(seed: int) -> IntegerNetwork:
    """Rows of 2^20 weights, 8.4 million in all: no transaction holds one."""
    builder = Builder((SIDE, SIDE, 1), seed)
    builder.dense(8)
    builder.dense(10, last=True)
    return builder.build()


def large_tensors(seed: int) -> IntegerNetwork:
    """A convolution whose output has 1 MiB, and a pool over all of it."""
    rng = np.random.default_rng(seed)
    image = (SIDE, SIDE, 1)
    kernel = rng.integers(-127, 128, (1, 9), dtype=np.int8)
    bound = OUTPUT_BOUND - 1
    convolution = Node(
        Op.CONV2D,
        (0,),
        image,
        -128,
        127,
        kernel=(3, 3),
        padding=(1, 1, 1, 1),
        weight=kernel,
        bias=np.zeros(1, dtype=np.int32),
        requantisation=Requantisation(np.array([1 << 12], dtype=np.int32), np.array([20], dtype=np.uint8)),
    )
    # The mean, 64-fold so that it is not 0.
    mean = Requantisation(np.array([1 << 16], dtype=np.int32), np.array([30], dtype=np.uint8))
    pool = Node(Op.AVERAGE_POOL2D, (1,), (1, 1, 1), -128, 127, (SIDE, SIDE), (SIDE, SIDE), requantisation=mean)
    weight = rng.integers(-127, 128, (10, 1), dtype=np.int8)
    scale = Requantisation(np.full(10, 1 << 12, dtype=np.int32), np.full(10, 12, dtype=np.uint8))
    logits = Node(
        Op.DENSE,
        (2,),
        (10,),
        -bound,
        bound,
        weight=weight,
        bias=np.zeros(10, dtype=np.int32),
        requantisation=scale,
    )
    return IntegerNetwork(image, (convolution, pool, logits), output_scale=1.0)


NETWORKS = {
    "MLP 784-512-10": Contender(lambda seed: multilayer_perceptron([784, 512, 10], seed)),
    "LeNet-5": Contender(lenet),
    "residual CNN 32x32x3": Contender(residual),
    "LSTM 28x28": Contender(lstm),
    "512 nodes": Contender(lambda seed: multilayer_perceptron([64] * 512 + [10], seed), 10_000),
    "rows of 2^20 weights": Contender(long_row, 32),
    "tensors of 1 MiB": Contender(large_tensors, 32),
}
