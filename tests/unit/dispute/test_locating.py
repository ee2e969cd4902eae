"""A leaf that is hidden behind almost the right files is found in about as many questions as its trees are deep."""

import dataclasses
from random import Random

import numpy as np
import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.dispute.answers import answer_from_model
from offchain.dispute.locating import Shown, next_leaves
from offchain.dispute.requests import Item, Target
from offchain.model.graph import IntegerNetwork, Node, Op
from offchain.model.leaves import DESCRIPTOR_ABI, HEADER_ABI, UNIT_ABI
from offchain.model.roots import ModelTree
from offchain.types import OrderId
from tests.unit.model.networks import dense_node, random_network

OID = OrderId(3)


def shown(target: Target, tree: ModelTree) -> Shown:
    """What the court emits when the holder of `tree` answers; see `IAvailabilityCourt.Answered`."""
    arguments = answer_from_model(target, tree).arguments
    match target.item:
        case Item.HEADER:
            payload = encode([HEADER_ABI], [arguments[0]])
        case Item.NODE:
            opening = arguments[0][0]
            payload = encode([DESCRIPTOR_ABI, "bytes32[]"], [opening[1], opening[2]])
        case Item.UNIT:
            payload = encode([UNIT_ABI, "bytes32[]"], [arguments[1][1], arguments[1][2]])
        case _:
            payload = encode(["bytes", "bytes32[]"], [arguments[2][1], arguments[2][2]])
    return Shown(target, payload)


def questions(true: ModelTree, files: ModelTree, hidden: Target) -> int:
    """How many leaves are asked for until the hidden one is; all others are shown."""
    seen: list[Shown] = []
    for count in range(1, 200):
        asked = {one.target for one in seen}
        target = next(target for target in next_leaves(OID, 0, files, seen) if target not in asked)
        if target == hidden:
            return count
        seen.append(shown(target, true))
    raise AssertionError("not found")


def wide(units: int, fan_in: int) -> IntegerNetwork:
    rng = np.random.default_rng(units)
    first = dense_node(rng.integers(-128, 128, (units, fan_in), dtype=np.int8), np.full(units, 3), 5, 9, wide=False)
    return IntegerNetwork((fan_in,), (first, Node(Op.SLICE, (1,), (2,), -128, 127)), 1.0)


def spoiled_unit(network: IntegerNetwork, index: int, unit: int) -> IntegerNetwork:
    node = network.nodes[index]
    assert node.bias is not None
    bias = node.bias.copy()
    bias[unit] = -(2**31)
    nodes = (*network.nodes[:index], dataclasses.replace(node, bias=bias), *network.nodes[index + 1 :])
    return dataclasses.replace(network, nodes=nodes)


@pytest.mark.parametrize("unit", [0, 1, 511, 700, 999])
def test_a_malformed_unit_among_a_thousand(unit: int) -> None:
    network = wide(1000, 4)
    hidden = Target(OID, Item.UNIT, 0, 0, unit)
    assert questions(ModelTree(spoiled_unit(network, 0, unit)), ModelTree(network), hidden) <= 2 + 11


@pytest.mark.parametrize("place", [0, 255, 300, 511])
def test_a_malformed_node_among_512(place: int) -> None:
    nodes = tuple(Node(Op.SLICE, (0,), (3,), -128, 127) for _ in range(512))
    network = IntegerNetwork((3,), nodes, 1.0)
    bad = dataclasses.replace(nodes[place], low=-200)
    true = dataclasses.replace(network, nodes=(*nodes[:place], bad, *nodes[place + 1 :]))
    assert questions(ModelTree(true), ModelTree(network), Target(OID, Item.NODE, 0, place)) <= 1 + 10


@pytest.mark.parametrize("chunk", [0, 5, 8])
def test_a_chunk_that_nobody_has(chunk: int) -> None:
    network = wide(3, 9000)
    node = network.nodes[0]
    assert node.weight is not None
    weight = node.weight.copy()
    weight[1, chunk * 1024] ^= 1
    true = dataclasses.replace(network, nodes=(dataclasses.replace(node, weight=weight), network.nodes[1]))
    hidden = Target(OID, Item.WEIGHTS, 0, 0, 1, chunk)
    assert questions(ModelTree(true), ModelTree(network), hidden) <= 1 + 1 + 2 + 5


def test_nothing_is_left_when_all_that_differs_is_shown() -> None:
    """Sound leaves differ too; once they are all shown there is nothing more to ask for."""
    network = wide(4, 3)
    node = network.nodes[0]
    assert node.bias is not None
    other = dataclasses.replace(node, bias=node.bias + np.int32(1))
    true = ModelTree(dataclasses.replace(network, nodes=(other, network.nodes[1])))
    files, seen = ModelTree(network), []
    while True:
        asked = {one.target for one in seen}
        target = next((item for item in next_leaves(OID, 0, files, seen) if item not in asked), None)
        if target is None:
            break
        seen.append(shown(target, true))
    assert {one.target.unit for one in seen if one.target.item is Item.UNIT} == {0, 1, 2, 3}
    assert not [one for one in seen if one.target.item is Item.WEIGHTS], "the weights are those of the files"


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_files_of_another_model_altogether(seed: int) -> None:
    """Every leaf differs, or counts do: it asks for leaves that exist, one after the other, and for each of them."""
    random = Random(seed)
    true, files = (
        ModelTree(random_network([random.choice(list(Op)) for _ in range(random.randrange(1, 5))], seed + which))
        for which in (0, 1)
    )
    if true.root == files.root:
        return
    seen: list[Shown] = []
    for _ in range(60):
        asked = {one.target for one in seen}
        target = next((item for item in next_leaves(OID, 0, files, seen) if item not in asked), None)
        if target is None:
            break
        assert target.node < len(true.descriptors)
        assert target.item in (Item.HEADER, Item.NODE) or target.unit < true.descriptors[target.node].units
        seen.append(shown(target, true))
    assert len(seen) == len({one.target for one in seen})
    same = {index for index, node in enumerate(files.descriptors) if true.descriptors[index : index + 1] == (node,)}
    nodes = {one.target.node for one in seen if one.target.item is Item.NODE}
    assert target is not None or nodes >= set(range(len(true.descriptors))) - same


def test_absent_leaves_tell_nothing() -> None:
    network = wide(4, 3)
    tree = ModelTree(network)
    header = shown(Target(OID, Item.HEADER), tree)
    absent = Shown(Target(OID, Item.NODE, 0, 700), header.payload)
    true = ModelTree(spoiled_unit(network, 0, 2))
    real = [shown(Target(OID, Item.HEADER), true), absent, shown(Target(OID, Item.NODE), true)]
    real.append(Shown(Target(OID, Item.UNIT, 0, 0, 99), b""))
    assert next(next_leaves(OID, 0, tree, real)) == Target(OID, Item.UNIT, 0, 0, 0)
