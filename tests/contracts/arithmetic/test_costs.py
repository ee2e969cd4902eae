"""The bound by which a challenger decides whether to compute or to contest holds on chain, whatever the node."""

from dataclasses import dataclass

import numpy as np
import pytest

from offchain.dispute.operands import MOST_GAS, Plan, fits, gas_bound, plan_element, plan_part
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation, Shape
from offchain.model.leaves import Operands, UnitOpening
from offchain.model.oracle import trace
from offchain.model.roots import ModelTree, TraceTree
from tests.contracts.arithmetic.asking import Harness
from tests.contracts.arithmetic.drawing import draw_network
from tests.unit.model.networks import random_inputs

OF_THE_COURT = 200_000
"""Gas that the bound must leave for the transaction and for what the court itself does."""


@dataclass(frozen=True, slots=True)
class Known:
    """A network with its trees, and one sample's."""

    network: IntegerNetwork
    model: ModelTree
    tree: TraceTree

    def operands(self, index: int, plan: Plan) -> Operands:
        """What the plan names."""
        node = self.network.nodes[index]
        row = None if plan.unit is None else self.model.weights(index, plan.unit)
        opened = [
            tuple(self.tree.blob(tensor).open(chunk) for chunk in chunks)
            for tensor, chunks in zip(node.inputs, plan.inputs, strict=True)
        ]
        return Operands(
            self.model.open_node(index),
            UnitOpening() if plan.unit is None else self.model.open_unit(index, plan.unit),
            () if row is None else tuple(row.open(chunk) for chunk in plan.weights),
            tuple(self.tree.open(tensor) for tensor in node.inputs),
            opened[0],
            opened[1] if len(opened) > 1 else (),
        )


def know(network: IntegerNetwork, seed: int) -> Known:
    """The trees of a network and of a random sample."""
    tensors = trace(network, random_inputs(seed, 1, network.input_shape))
    return Known(network, ModelTree(network), TraceTree(network, [tensor[0] for tensor in tensors]))


@pytest.mark.parametrize("op", list(Op), ids=lambda op: op.name)
def test_random_steps_cost_no_more(evm: Harness, op: Op) -> None:
    rng = np.random.default_rng([12, op])
    for seed in range(12):
        network, index = draw_network(op, rng)
        known = know(network, seed)
        node = known.model.descriptors[index]
        element = int(rng.integers(np.prod(network.nodes[index].output_shape)))
        plan = plan_element(node, element, known.tree.data(node.inputs[0]))
        check(evm, known, index, element, plan)


@pytest.mark.parametrize("op", [Op.DEPTHWISE_CONV2D, Op.MAX_POOL2D, Op.AVERAGE_POOL2D, Op.CONV2D])
@pytest.mark.parametrize(
    ("shape", "kernel"),
    [
        ((300, 2, 1), (300, 1)),
        ((300, 1, 1), (200, 1)),
        ((40, 40, 3), (40, 40)),
        ((30, 30, 3), (30, 29)),
        ((9, 9, 40), (8, 8)),
        ((60, 3, 17), (60, 2)),
        ((1, 2048, 2), (1, 2047)),
    ],
)
def test_awkward_windows_cost_no_more(evm: Harness, op: Op, shape: Shape, kernel: tuple[int, int]) -> None:
    known = know(window_network(op, shape, kernel), 1)
    node = known.model.descriptors[0]
    check(evm, known, 0, 0, plan_element(node, 0, b""))
    terms = node.row_bytes or kernel[0] * kernel[1]
    part = plan_part(node, 0, terms // 3, terms // 2)
    check(evm, known, 0, 0, part, (terms // 3, terms // 2))


@pytest.mark.parametrize("op", [Op.DENSE, Op.DEPTHWISE_CONV2D, Op.MAX_POOL2D])
def test_what_fits_is_large_and_one_term_always_fits(op: Op) -> None:
    shape: Shape = (2**20,) if op is Op.DENSE else (2**19, 2, 1)
    network = window_network(op, shape, (1, 1) if op is Op.DENSE else (2**19, 1))
    node = ModelTree(network).descriptors[0]
    sizes = [2**power for power in range(19)]
    fitting = [size for size in sizes if fits(node, 1, plan_part(node, 0, 7, 7 + size), 32)]
    assert fitting[0] == 1
    assert fitting == sizes[: len(fitting)]
    assert fitting[-1] == (8192 if op is Op.DENSE else 128)


def check(evm: Harness, known: Known, index: int, element: int, plan: Plan, bounds: tuple[int, int] = (0, 0)) -> None:
    """The step's gas, and what the court needs, are within the bound less the calldata."""
    node = known.model.descriptors[index]
    question = (bytes(known.model.root), bytes(known.tree.root), index, element)
    spent = evm.spent(question, *bounds, known.operands(index, plan))
    bound = gas_bound(node, plan, 0)
    assert spent + OF_THE_COURT <= bound, (spent, bound, plan.rows, plan.terms)


def window_network(op: Op, shape: Shape, kernel: tuple[int, int]) -> IntegerNetwork:
    """One node over the whole of its input, or as much as the kernel covers."""
    one = Requantisation(np.ones(1, dtype=np.int32), np.ones(1, dtype=np.uint8))
    channels = shape[2] if len(shape) == 3 else 1
    units = channels if op is Op.DEPTHWISE_CONV2D else 1
    fan_in = {Op.DENSE: int(np.prod(shape)), Op.CONV2D: kernel[0] * kernel[1] * channels}.get(op, kernel[0] * kernel[1])
    output: Shape = (1,)
    if op is not Op.DENSE:
        output = (shape[0] - kernel[0] + 1, shape[1] - kernel[1] + 1, 1 if op is Op.CONV2D else channels)
    weight, bias, scale = None, None, None if op is Op.MAX_POOL2D else one
    if op in (Op.DENSE, Op.CONV2D, Op.DEPTHWISE_CONV2D):
        weight, bias = np.full((units, fan_in), 3, dtype=np.int8), np.zeros(units, dtype=np.int32)
        scale = Requantisation(np.ones(units, dtype=np.int32), np.ones(units, dtype=np.uint8))
    node = Node(op, (0,), output, -128, 127, kernel=kernel, weight=weight, bias=bias, requantisation=scale)
    return IntegerNetwork(shape, (node,), output_scale=1.0)


def test_the_bound_is_of_use() -> None:
    """A dense layer's element over 784 inputs costs 93,000 gas; the bound is not ten times that."""
    node = ModelTree(window_network(Op.DENSE, (784,), (1, 1))).descriptors[0]
    assert gas_bound(node, plan_element(node, 0, b""), 4580) < MOST_GAS // 2
