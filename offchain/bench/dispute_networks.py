"""The networks that `assay bench dispute` plays for, with random weights."""

from collections.abc import Callable

from offchain.bench.evaluation_networks import lenet, multilayer_perceptron, residual
from offchain.model.graph import IntegerNetwork

NETWORKS: dict[str, Callable[[int], IntegerNetwork]] = {
    "MLP 784-512-10": lambda seed: multilayer_perceptron([784, 512, 10], seed),
    "LeNet-5": lenet,
    "residual CNN 32x32x3": residual,
}
