"""Contested steps for the page: operands as calldata shows them, and what the referee computes from them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from offchain.dispute import steps
from offchain.dispute.evidence import Evidence
from offchain.dispute.operands import gather, plan_element, plan_part
from offchain.dispute.steps import WEIGHTED, Question, terms_of
from offchain.model.leaves import ChunkOpening, Descriptor, Operands
from offchain.protocol.scores import ScoreFunction
from tests.simulation.dispute_worlds import World, random_world

WORLDS = 16
ELEMENTS = 2


def make_steps(seed: int) -> Iterator[dict[str, Any]]:
    """Whole elements and parts of them, of all weighted nodes of random networks."""
    for number in range(WORLDS):
        rng = np.random.default_rng((seed, number))
        world = random_world(rng, ScoreFunction.CROSS_ENTROPY, 2)
        evidence = world.truth()
        for node, found in enumerate(world.work.network.nodes):
            if found.op not in WEIGHTED:
                continue
            described = evidence.node(node)
            for element in rng.integers(0, steps.elements_of(described.shape), ELEMENTS):
                yield from _steps(world, evidence, described, int(element))


def _steps(world: World, evidence: Evidence, node: Descriptor, element: int) -> Iterator[dict[str, Any]]:
    trace = evidence.trace(0)
    question = Question(world.work.model.root, trace.root, node.index, element)
    whole = plan_element(node, element, trace.data(node.inputs[0]))
    operands = gather(evidence, 0, node.index, whole, trace.roots)
    yield _vector(node, element, (0, 0), operands, steps.element(question, operands))
    half = terms_of(node) // 2
    if half > 0:
        operands = gather(evidence, 0, node.index, plan_part(node, element, half, terms_of(node)), trace.roots)
        computed = steps.part(question, half, terms_of(node), operands)
        yield _vector(node, element, (half, terms_of(node)), operands, computed)


def _vector(
    node: Descriptor, element: int, terms: tuple[int, int], operands: Operands, computed: int
) -> dict[str, Any]:
    unit = operands.unit.unit
    described = {
        "op": str(node.op),
        "inputShape": _words(node.input_shape),
        "shape": _words(node.shape),
        "kernel": _words(node.kernel),
        "stride": _words(node.stride),
        "padding": _words(node.padding),
        "low": str(node.low),
        "high": str(node.high),
    }
    shown = {
        "node": {"node": described},
        "unit": {"unit": {"bias": str(unit.bias), "multiplier": str(unit.multiplier), "shift": str(unit.shift)}},
        "weights": _chunks(operands.weights),
        "first": _chunks(operands.first),
    }
    return {
        "element": element,
        "from": terms[0],
        "to": terms[1],
        "step": {"operands": shown},
        "computed": str(computed),
    }


def _words(numbers: tuple[int, ...]) -> list[str]:
    return [str(number) for number in numbers]


def _chunks(openings: tuple[ChunkOpening, ...]) -> list[dict[str, str]]:
    return [{"index": str(opening.index), "data": "0x" + opening.data.hex()} for opening in openings]
