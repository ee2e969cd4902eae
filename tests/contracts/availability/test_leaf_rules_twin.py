"""The rules of what is valid, in Solidity and in Python: the same word for every leaf, whatever stands in it."""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from eth_abi.abi import encode

from offchain.model import rules
from offchain.model.graph import IntegerNetwork, Op
from offchain.model.leaves import Descriptor, Header, Totals, Unit, shape_words
from offchain.model.limits import ModelLimits
from offchain.model.roots import ModelTree
from offchain.model.rules import Malformed, Surroundings
from tests.contracts.support.solidity import compile_harness
from tests.simulation.evm import Abi, Contract, account
from tests.simulation.revm import FastEvm
from tests.unit.model.networks import random_network

MOST = 2**256 - 1
EDGES = tuple(
    {
        edge + step
        for edge in (
            0,
            1,
            3,
            11,
            47,
            128,
            255,
            512,
            4096,
            2**20,
            2**22,
            2**23,
            2**24,
            2**26,
            2**31,
            2**32,
            2**64,
            10**7,
        )
        for step in (-1, 0, 1)
    }
)
SIGNED = frozenset({"low", "high", "bias"})
SEEN: Counter[str] = Counter()
"""How often each word was given: says whether every rule was broken."""

WORDS = frozenset(
    [
        "",
        "input",
        "nodes",
        "bias",
        "requantisation",
        "unit",
        "inputs",
        "index",
        "source",
        "shape",
        "offset",
        "scale",
        "window",
        "padding",
        "operation",
        "units",
        "clamp",
        "output",
        "tensor",
        "totals",
        "cost",
    ]
)


@pytest.fixture(scope="module")
def harness() -> Contract:
    compiled = compile_harness("ModelRulesHarness")
    return FastEvm.empty(now=1).create(account(0), compiled.creation, Abi(compiled.abi))


def plain(value: Any) -> Any:
    return dataclasses.astuple(value)


def limits_of(tree: ModelTree, random: Random) -> ModelLimits:
    """Limits that the network just meets, or often not quite."""
    totals = tree.descriptors[-1].totals
    size = totals.weights + 9 * totals.units
    largest = max(max(node.units * node.row_bytes, 4 * node.units) for node in tree.descriptors)
    slack = random.choice([0, 0, 0, 0, 1000, -1])
    return ModelLimits(
        max_model_bytes=max(1, size + slack),
        max_tensor_bytes=max(1, largest + random.choice([0, 0, 0, 7, -1])),
        input_size=elements(tree.header.input_shape),
        output_size=elements(tree.descriptors[-1].shape) + random.choice([0, 0, 0, 1]),
    )


def stage(random: Random) -> tuple[IntegerNetwork, ModelTree, ModelLimits, tuple[int | None, ...]]:
    """A random network, its tree, and limits as Python and as the contract take them."""
    ops = [random.choice(list(Op)) for _ in range(random.randrange(1, 5))]
    network = random_network(ops, random.getrandbits(32))
    tree = ModelTree(network)
    limits = limits_of(tree, random)
    return (
        network,
        tree,
        limits,
        (limits.input_size, limits.output_size, limits.max_model_bytes, limits.max_tensor_bytes),
    )


def elements(shape: tuple[int, ...]) -> int:
    return shape[1] if shape[0] == 1 else shape[1] * shape[2] * shape[3]


def surroundings(network: IntegerNetwork, tree: ModelTree, index: int) -> Surroundings:
    before = tree.descriptors[index - 1].totals if index else Totals(elements=elements(tree.header.input_shape))
    shapes = [shape_words(network.shape_of(tensor)) for tensor in network.nodes[index].inputs]
    return Surroundings(len(network.nodes), before, shapes[0], shapes[1] if len(shapes) > 1 else rules.NONE)


def mutants(struct: Any, random: Random, count: int) -> Iterator[Any]:
    """`count` structs with one word changed, some with two."""
    for _ in range(count):
        mutant = struct
        for _ in range(random.choice([1, 1, 1, 2])):
            mutant = mutated(mutant, random)
        yield mutant


def mutated(struct: Any, random: Random) -> Any:
    field = random.choice(dataclasses.fields(struct))
    value = getattr(struct, field.name)
    if dataclasses.is_dataclass(value):
        return dataclasses.replace(struct, **{field.name: mutated(value, random)})
    if isinstance(value, tuple):
        place = random.randrange(len(value))
        changed = other_number(value[place], random, signed=False)
        return dataclasses.replace(struct, **{field.name: (*value[:place], changed, *value[place + 1 :])})
    if isinstance(value, bytes):
        return dataclasses.replace(struct, **{field.name: random.choice([bytes(32), bytes([1] * 32)])})
    return dataclasses.replace(struct, **{field.name: other_number(value, random, signed=field.name in SIGNED)})


def other_number(value: int, random: Random, *, signed: bool) -> int:
    near, edge = value + random.choice([-1, 1]), random.choice(EDGES)
    if signed:
        chosen = random.choice([near, edge, -edge, MOST])
        return min(max(chosen, -(2**255)), 2**255 - 1)
    return min(max(random.choice([near, near, edge, edge, MOST]), 0), MOST)


def word_of(check: Any, *arguments: Any) -> str:
    try:
        check(*arguments)
    except Malformed as error:
        return error.rule
    return ""


def check_node(node: Descriptor, at: Surroundings, index: int, limits: ModelLimits) -> None:
    rules.check_inputs(node, index)
    rules.check_node(node, at, index, limits)


def asked(harness: Contract, calls: list[tuple[Any, ...]]) -> tuple[str, ...]:
    """The contract's words for many leaves at once."""
    known = harness.abi.functions
    encoded = [known[name].selector + encode(known[name].inputs, values) for name, *values in calls]
    return tuple(harness.read("ask", encoded))


def compare(expected: list[str], actual: tuple[str, ...], what: list[Any]) -> None:
    for mine, theirs, struct in zip(expected, actual, what, strict=True):
        SEEN[mine] += 1
        assert theirs == mine or (theirs == "panic" and mine), (
            f"Python says {mine!r}, the contract {theirs!r}: {struct}"
        )


def compare_nodes(harness: Contract, seed: int) -> None:
    random = Random(seed)
    network, tree, limits, order = stage(random)
    for index, node in enumerate(tree.descriptors):
        at = surroundings(network, tree, index)
        some = [node, *mutants(node, random, 25)]
        expected = [word_of(check_node, one, at, index, limits) for one in some]
        calls = [("checkNode", plain(one), plain(at), index, order) for one in some]
        compare(expected, asked(harness, calls), some)


def compare_surroundings(harness: Contract, seed: int) -> None:
    """A node that is fine stands somewhere else: other shapes before it, other totals, another place."""
    random = Random(seed)
    network, tree, limits, _ = stage(random)
    limits = dataclasses.replace(limits, max_model_bytes=2**40, max_tensor_bytes=2**40)
    order = (limits.input_size, limits.output_size, limits.max_model_bytes, limits.max_tensor_bytes)
    for index, node in enumerate(tree.descriptors):
        for at in mutants(surroundings(network, tree, index), random, 4):
            for place in {index, random.choice([0, index + 1, 511])}:
                expected = [word_of(check_node, node, at, place, limits)]
                compare(expected, asked(harness, [("checkNode", plain(node), plain(at), place, order)]), [at])


def compare_headers(harness: Contract, seed: int) -> None:
    random = Random(seed)
    header = ModelTree(random_network([random.choice(list(Op))], seed)).header
    size = elements(header.input_shape)
    some: list[Header] = [header, *mutants(header, random, 40)]
    limits = ModelLimits(2**40, 2**40, input_size=size)
    expected = [word_of(rules.check_header, one, limits) for one in some]
    compare(expected, asked(harness, [("checkHeader", plain(one), size) for one in some]), some)


def compare_units(harness: Contract, seed: int) -> None:
    random = Random(seed)
    node = ModelTree(random_network([Op.DENSE], seed)).descriptors[0]
    node = dataclasses.replace(node, op=seed % 13)
    fine = Unit(bytes(32), random.randrange(-(2**31) + 1, 2**31), random.randrange(1, 2**22), random.randrange(1, 48))
    some = [fine, Unit(), *mutants(fine, random, 30), *mutants(Unit(), random, 5)]
    expected = [word_of(rules.check_unit, node, one) for one in some]
    compare(expected, asked(harness, [("checkUnit", plain(node), plain(one)) for one in some]), some)


def compare_all(harness: Contract, seeds: range) -> None:
    SEEN.clear()
    for seed in seeds:
        compare_nodes(harness, seed)
        compare_surroundings(harness, seed)
        compare_headers(harness, seed)
        compare_units(harness, seed)
    missing = WORDS - SEEN.keys()
    assert not missing, f"never broken: {sorted(missing)}; seen: {SEEN}"


def test_the_same_word_for_every_leaf(harness: Contract) -> None:
    compare_all(harness, range(13))


@pytest.mark.long
def test_the_same_word_for_very_many_leaves(harness: Contract) -> None:
    compare_all(harness, range(1000, 1300))
