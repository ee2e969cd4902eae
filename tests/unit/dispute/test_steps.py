"""One step at a time against the oracle: every operation, whole, in parts, and with operands that are not its own."""

import dataclasses
from collections import Counter
from math import prod

import numpy as np
import pytest

from offchain.dispute import steps
from offchain.dispute.evidence import Evidence
from offchain.dispute.moves import Compute, ComputePart
from offchain.dispute.operands import MOST_CALLDATA, Plan, calldata_size, gather, plan_element, plan_part, words
from offchain.dispute.proofs import Refused
from offchain.dispute.reduction import real_terms
from offchain.dispute.segments import segments
from offchain.dispute.steps import DIVISIBLE, Question
from offchain.model.graph import Op
from offchain.model.leaves import ChunkOpening, Operands
from offchain.model.oracle import trace
from offchain.protocol.scores import ScoreFunction
from tests.simulation.dispute_arena import arguments_of
from tests.simulation.dispute_games import calldata_size as encoded_size
from tests.simulation.dispute_worlds import World, random_world, wide_world


def worlds(count: int) -> list[World]:
    return [random_world(np.random.default_rng(seed), ScoreFunction.CROSS_ENTROPY, 2) for seed in range(count)]


def question(world: World, evidence: Evidence, node: int, element: int) -> Question:
    return Question(world.work.model.root, evidence.trace(0).root, node, element)


def plan_for(evidence: Evidence, node: int, element: int) -> Plan:
    found = evidence.node(node)
    return plan_element(found, element, evidence.trace(0).data(found.inputs[0]))


def operands_for(evidence: Evidence, node: int, element: int) -> Operands:
    return gather(evidence, 0, node, plan_for(evidence, node, element), evidence.trace(0).roots)


def test_every_operation_computes_as_the_oracle_does() -> None:
    seen: Counter[Op] = Counter()
    for world in worlds(120):
        rng = np.random.default_rng(0)
        tensors = trace(world.work.network, world.work.inputs[:1])
        evidence = world.truth()
        for node, found in enumerate(world.work.network.nodes):
            expected = tensors[node + 1][0].reshape(-1)
            for element in rng.integers(0, len(expected), 3):
                asked = question(world, evidence, node, int(element))
                assert steps.element(asked, operands_for(evidence, node, int(element))) == expected[element]
                seen[found.op] += 1
    assert set(seen) == set(Op)
    assert min(seen.values()) >= 20


def test_parts_make_the_whole() -> None:
    seen: Counter[Op] = Counter()
    for world in worlds(120):
        evidence, rng = world.truth(), np.random.default_rng(1)
        tensors = trace(world.work.network, world.work.inputs[:1])
        for node, found in enumerate(world.work.network.nodes):
            descriptor = evidence.node(node)
            terms = steps.terms_of(descriptor)
            if terms < 2:
                continue
            element = int(rng.integers(prod(found.output_shape)))
            asked = question(world, evidence, node, element)
            bounds = segments(0, terms)
            parts = evidence.parts(0, node, element, bounds)
            for (first, last), part in list(zip(bounds, parts, strict=True))[:4]:
                operands = gather(
                    evidence, 0, node, plan_part(descriptor, element, first, last), evidence.trace(0).roots
                )
                assert steps.part(asked, first, last, operands) == part
            made = steps.finish(asked, evidence.open_node(node), evidence.open_unit(node, element), parts)
            assert made == tensors[node + 1][0].reshape(-1)[element]
            seen[found.op] += 1
    assert set(seen) == set(DIVISIBLE)


def test_planned_sizes_are_those_of_the_abi() -> None:
    for world in [*worlds(40), wide_world(np.random.default_rng(0), ScoreFunction.ACCURACY, "output")]:
        evidence, nodes = world.truth(), len(world.work.network.nodes)
        for node, found in enumerate(world.work.network.nodes):
            element = prod(found.output_shape) - 1
            plan = plan_for(evidence, node, element)
            chunk = bytes(min(1024, prod(found.output_shape)))
            move = Compute(element, chunk, operands_for(evidence, node, element))
            assert calldata_size(evidence.node(node), nodes, plan, words(len(chunk))) == encoded_size(move)
            parts = ComputePart((1, 2, 3), 0, move.operands)
            assert calldata_size(evidence.node(node), nodes, plan, 3) == encoded_size(parts)
            assert len(arguments_of(parts, 1)) == 4


def test_a_wide_row_does_not_fit_and_a_part_of_it_does() -> None:
    world = wide_world(np.random.default_rng(1), ScoreFunction.ACCURACY, "dense")
    evidence = world.truth()
    node, nodes = evidence.node(0), len(world.work.network.nodes)
    whole = plan_element(node, 0, b"")
    assert calldata_size(node, nodes, whole, 1) > MOST_CALLDATA
    part = plan_part(node, 0, *segments(0, steps.terms_of(node))[5])
    assert calldata_size(node, nodes, part, 32) <= MOST_CALLDATA


def test_padding_is_no_term() -> None:
    world = next(
        world
        for world in worlds(200)
        if world.work.network.nodes[0].op is Op.CONV2D and any(world.work.network.nodes[0].padding)
    )
    node = world.truth().node(0)
    for element in range(min(40, steps.elements_of(node.shape))):
        places = [steps.term_places(node, element, index) for index in range(steps.terms_of(node))]
        found = real_terms(node, element, 0, steps.terms_of(node))
        real = [(row, place) for row, place in places if place is not None]
        assert real == list(zip(found.index.tolist(), found.place.tolist(), strict=True))


def spoilt(operands: Operands) -> list[tuple[str, Operands]]:
    """Operands of a DENSE node, each with one thing wrong, and the error that it must give."""
    first, weights, tensor = operands.first[0], operands.weights[0], operands.tensors[0]
    other = bytes([first.data[0] ^ 1]) + first.data[1:]
    header = dataclasses.replace(operands.node.header, output_scale=1)
    node = dataclasses.replace(operands.node.node, high=operands.node.node.high + 1)
    unit = dataclasses.replace(operands.unit.unit, bias=operands.unit.unit.bias + 1)

    def change(**fields: object) -> Operands:
        return dataclasses.replace(operands, **fields)

    return [
        ("WrongOpening", change(first=(dataclasses.replace(first, data=other), *operands.first[1:]))),
        ("WrongLength", change(first=(dataclasses.replace(first, data=first.data + b"\0"), *operands.first[1:]))),
        ("IndexOutOfRange", change(first=(ChunkOpening(10**6, first.data, first.proof),))),
        ("ChunkMissing", change(first=operands.first[1:])),
        ("ChunkMissing", change(weights=())),
        ("ChunkMissing", change(tensors=())),
        (
            "WrongOpening",
            change(weights=(dataclasses.replace(weights, data=weights.data[::-1]), *operands.weights[1:])),
        ),
        ("WrongOpening", change(tensors=(dataclasses.replace(tensor, root=bytes(32)),))),
        ("WrongUnit", change(unit=dataclasses.replace(operands.unit, index=operands.unit.index + 1))),
        ("WrongOpening", change(unit=dataclasses.replace(operands.unit, unit=unit))),
        ("WrongOpening", change(node=dataclasses.replace(operands.node, header=header))),
        ("WrongOpening", change(node=dataclasses.replace(operands.node, node=node))),
    ]


def test_operands_of_something_else_are_refused() -> None:
    world = wide_world(np.random.default_rng(3), ScoreFunction.ACCURACY, "dense")
    evidence = world.truth()
    asked = question(world, evidence, 0, 1)
    for name, operands in spoilt(operands_for(evidence, 0, 1)):
        with pytest.raises(Refused, match=name):
            steps.element(asked, operands)


def test_questions_out_of_range_are_refused() -> None:
    world = wide_world(np.random.default_rng(3), ScoreFunction.ACCURACY, "dense")
    evidence = world.truth()
    operands = operands_for(evidence, 0, 1)
    asked = question(world, evidence, 0, 1)
    terms = steps.terms_of(evidence.node(0))
    with pytest.raises(Refused, match="WrongNode"):
        steps.element(dataclasses.replace(asked, node=1), operands)
    with pytest.raises(Refused, match="WrongElement"):
        steps.element(dataclasses.replace(asked, element=2), operands)
    for first, last in ((0, 0), (5, 5), (0, terms + 1)):
        with pytest.raises(Refused, match="WrongRange"):
            steps.part(asked, first, last, operands)


def test_what_has_no_terms_has_no_parts() -> None:
    world = wide_world(np.random.default_rng(3), ScoreFunction.ACCURACY, "output")
    evidence = world.truth()
    asked = question(world, evidence, 0, 1)
    assert steps.terms(asked.model_root, 0, evidence.open_node(0)) == 0
    with pytest.raises(Refused, match="NotDivisible"):
        steps.part(asked, 0, 1, operands_for(evidence, 0, 1))
    with pytest.raises(Refused, match="NotDivisible"):
        steps.finish(asked, evidence.open_node(0), evidence.open_unit(0, 1), (1, 2))
