"""Whole networks, broken in every field: the first leaf that the contract does not take for an answer is the one that
`first_fault` names, for the same reason; and what is valid can be shown leaf by leaf."""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from math import prod
from random import Random
from typing import Any

import numpy as np
import pytest

from offchain.dispute.requests import Item, Target
from offchain.errors import Rejected
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.model.limits import ModelLimits
from offchain.model.roots import ModelTree
from offchain.model.validation import Fault, check_form, first_fault
from tests.contracts.availability.hall import OID, open_hall, some_samples
from tests.unit.model.networks import random_network

ROOMY = ModelLimits(max_model_bytes=10_000, max_tensor_bytes=1_000)
EDGES = (0, 1, 2, 3, 5, 127, 128, -128, -129, 2**20, 2**20 + 1, 2**23 - 1, 2**23, 1 - 2**23, -(2**23), 2**31 - 1)
SEEN: Counter[str] = Counter()


def leaves(tree: ModelTree, random: Random) -> Iterator[tuple[str, int, int, Target]]:
    """The leaves of a model in the order of `first_fault`; of many units, those at the ends and one between."""
    yield "header", 0, 0, Target(OID, Item.HEADER)
    for index, node in enumerate(tree.descriptors):
        yield "node", index, 0, Target(OID, Item.NODE, node=index)
        for unit in sorted({0, node.units - 1, random.randrange(max(1, node.units))}) if node.units else ():
            yield "unit", index, unit, Target(OID, Item.UNIT, node=index, unit=unit)


def number(value: int, random: Random, *, signed: bool = False) -> int:
    chosen = random.choice([value - 1, value + 1, random.choice(EDGES)])
    return chosen if signed else abs(chosen)


def broken(network: IntegerNetwork, random: Random) -> IntegerNetwork:
    """The network with one field of one node, or of the whole, changed."""
    index = random.randrange(len(network.nodes))
    node = network.nodes[index]
    field = random.choice([field.name for field in dataclasses.fields(Node)] + ["network"])
    if field == "network":
        return dataclasses.replace(network, output_scale=random.choice([0.0, -1.0, float("inf"), float("nan"), 2.5]))
    nodes = (*network.nodes[:index], _changed(node, field, random), *network.nodes[index + 1 :])
    return dataclasses.replace(network, nodes=nodes)


def _changed(node: Node, field: str, random: Random) -> Node:
    value: Any = getattr(node, field)
    match value:
        case Op():
            changed: Any = random.choice(list(Op))
        case bool() | int():
            changed = number(value, random, signed=field in ("low", "high"))
        case tuple():
            place = random.randrange(len(value))
            changed = (*value[:place], number(value[place], random), *value[place + 1 :])
        case Requantisation():
            changed = _scaled(value, random)
        case np.ndarray() if field == "bias":
            changed = _with(value, random, [2**31 - 1, -(2**31), 1 - 2**31])
        case np.ndarray():
            changed = random.choice([value[:-1], value[:, :-1], np.concatenate([value, value]), value])
        case _:
            changed = value
    return dataclasses.replace(node, **{field: changed})


def _scaled(scale: Requantisation, random: Random) -> Requantisation:
    if random.randrange(2):
        return Requantisation(_with(scale.multiplier, random, [0, -1, 1, 2**22 - 1, 2**22]), scale.shift)
    return Requantisation(scale.multiplier, _with(scale.shift, random, [0, 1, 47, 48]))


def _with(column: Any, random: Random, values: list[int]) -> Any:
    changed = column.copy()
    changed[random.choice([0, len(column) - 1])] = random.choice(values)
    return changed


def is_writable(network: IntegerNetwork) -> bool:
    """Whether it has leaves at all: negative numbers have no place in most of them."""
    try:
        check_form(network)
    except Rejected:
        return False
    scales = [node.requantisation for node in network.nodes if node.requantisation is not None]
    return all(int(scale.multiplier.min()) >= 0 for scale in scales) and all(
        0 <= tensor <= index for index, node in enumerate(network.nodes) for tensor in node.inputs
    )


def expected_refusal(fault: Fault | None) -> tuple[str, int, int, str] | None:
    return None if fault is None else (fault.leaf, fault.node, fault.unit, fault.rule)


def compare(seed: int) -> None:
    random = Random(seed)
    sound = random_network([random.choice(list(Op)) for _ in range(random.randrange(1, 4))], seed)
    network = sound if seed % 8 == 0 else broken(sound, random)
    while not is_writable(network):
        network = broken(sound, random)
    output = prod(sound.output_shape)
    limits = dataclasses.replace(ROOMY, input_size=prod(sound.input_shape), output_size=output)
    fault = first_fault(network, limits)
    tree = ModelTree(network)
    hall = open_hall([tree.root], some_samples(prod(sound.input_shape)), limits, output)
    found = None
    for leaf, node, unit, target in leaves(tree, random):
        word = hall.refusal(target, tree)
        if word is not None:
            found = (leaf, node, unit, word)
            break
    assert found == expected_refusal(fault), f"seed {seed}"
    SEEN["valid" if fault is None else f"{fault.leaf} {fault.rule}"] += 1


def test_the_first_fault_is_the_first_leaf_that_is_no_answer() -> None:
    SEEN.clear()
    for seed in range(40):
        compare(seed)
    assert SEEN["valid"] >= 5
    assert len(SEEN) >= 8, SEEN


@pytest.mark.long
def test_very_many_networks() -> None:
    for seed in range(10_000, 10_600):
        compare(seed)
