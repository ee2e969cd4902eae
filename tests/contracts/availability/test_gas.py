"""What answers cost for the largest models and test sets that the protocol admits: below a million gas each."""

from math import prod

import numpy as np
import pytest

from offchain.chain.views import encode
from offchain.dispute.requests import Item, Target
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.model.limits import ModelLimits
from offchain.model.roots import ModelTree
from tests.contracts.availability.hall import HOLDER, MOVE_SECONDS, OID, Samples, open_hall, some_samples
from tests.simulation.evm import Evm
from tests.unit.model.networks import dense_node

ROOMY = ModelLimits(max_model_bytes=2**30, max_tensor_bytes=2**30)
MOST = 1_000_000


def dense(units: int, fan_in: int) -> Node:
    rng = np.random.default_rng(1)
    return dense_node(rng.integers(-128, 128, (units, fan_in), dtype=np.int8), np.full(units, -7), 2**21 + 1, 47)


def deep() -> IntegerNetwork:
    """512 nodes; the last one but one adds two that are far away."""
    table = np.random.default_rng(2).integers(-128, 128, (1, 256), dtype=np.int8)
    nodes = [Node(Op.LOOKUP, (tensor,), (8,), -128, 127, weight=table) for tensor in range(510)]
    scale = Requantisation(np.array([2**21, 2**22 - 1], dtype=np.int32), np.array([47], dtype=np.uint8))
    nodes.append(Node(Op.ADD, (170, 341), (8,), -128, 127, requantisation=scale))
    nodes.append(Node(Op.SLICE, (511,), (8,), -128, 127))
    return IntegerNetwork((8,), tuple(nodes), 1.0)


def gas_of(network: IntegerNetwork, *targets: Target) -> dict[str, int]:
    tree = ModelTree(network)
    samples = some_samples(prod(network.input_shape))
    hall = open_hall([tree.root], samples, ROOMY, prod(network.output_shape), machine=Evm)
    numbers = [hall.ask(target) for target in targets]
    return {
        f"{target.item.name.lower()} {target.node}": hall.answer(number, hall.answer_with(target, tree))
        for number, target in zip(numbers, targets, strict=True)
    }


@pytest.mark.parametrize(
    ("network", "targets"),
    [
        (
            deep,
            [
                Target(OID, Item.HEADER),
                *(Target(OID, Item.NODE, node=node) for node in (0, 1, 255, 510, 511)),
                Target(OID, Item.UNIT, node=509),
                Target(OID, Item.WEIGHTS, node=509),
            ],
        ),
        (
            lambda: IntegerNetwork(
                (2**20,), (dense(4, 2**20), *(Node(Op.SLICE, (1,), (4,), -128, 127) for _ in range(2))), 1.0
            ),
            [Target(OID, Item.UNIT, unit=2), Target(OID, Item.WEIGHTS, unit=2, chunk=777)],
        ),
        (
            lambda: IntegerNetwork(
                (4,), (dense(2**17 + 1, 4), Node(Op.SLICE, (1,), (2,), -128, 127, offset=2**17 - 1)), 1.0
            ),
            [Target(OID, Item.UNIT, unit=12_345), Target(OID, Item.WEIGHTS, unit=54_321)],
        ),
    ],
    ids=["512 nodes", "rows of 1 MiB", "131,073 units"],
)
def test_leaves_of_models(network: object, targets: list[Target]) -> None:
    found = gas_of(network(), *targets)  # type: ignore[operator]
    print(found)
    assert max(found.values()) < MOST, found


def test_samples() -> None:
    small = IntegerNetwork((1500,), (dense(2, 1500),), 1.0)
    rng = np.random.default_rng(3)
    samples = Samples(rng.integers(-128, 128, (20_000, 1500), dtype=np.int8), np.zeros(20_000, dtype=np.int32))
    hall = open_hall([ModelTree(small).root], samples, ROOMY, 2, machine=Evm)
    target = Target(OID, Item.SAMPLE, unit=12_345)
    gas = hall.answer(hall.ask(target), hall.answer_with(target, None))
    print({"sample": gas})
    assert gas < MOST


def test_asking_and_what_follows() -> None:
    network = IntegerNetwork((4,), (dense(2, 4),), 1.0)
    hall = open_hall([ModelTree(network).root], some_samples(4), ROOMY, 2, machine=Evm)
    targets = [Target(OID, Item.HEADER), Target(OID, Item.NODE), Target(OID, Item.SAMPLE)]
    found = {}
    for target in targets:
        hall.ask(target)
        found["request"] = hall.gas_of("request", encode(target))
    hall.let_pass(MOVE_SECONDS)
    for number, function in ((1, "expire"), (2, "dismiss"), (3, "expire")):
        hall.court.send(HOLDER, function, number)
        found[f"{function} {number}"] = hall.gas_of(function, number)
    print(found)
    assert max(found.values()) < MOST, found
