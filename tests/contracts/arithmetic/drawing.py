"""Random steps: one node of a random network, some of its elements, and what the oracle says they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation, Shape
from offchain.model.leaves import (
    CHUNK_OPENING_ABI,
    NODE_OPENING_ABI,
    TENSOR_OPENING_ABI,
    UNIT_OPENING_ABI,
    ChunkOpening,
    NodeOpening,
    TensorOpening,
    UnitOpening,
)
from offchain.model.limits import MULTIPLIER_BOUND
from offchain.model.oracle import trace
from offchain.model.roots import ModelTree, TraceTree
from offchain.model.windows import WEIGHTED, WINDOWED
from tests.unit.model.networks import Generator, Growing, random_inputs

QUESTION_ABI = "(bytes32,bytes32,uint256,uint256)"
BATCH_ABI = (
    f"({QUESTION_ABI},{NODE_OPENING_ABI},{UNIT_OPENING_ABI}[],{CHUNK_OPENING_ABI}[][],{TENSOR_OPENING_ABI}[],"
    f"{CHUNK_OPENING_ABI}[],{CHUNK_OPENING_ABI}[],uint256[],uint256[])"
)
"""The struct Batch of StepsHarness.sol."""

_CHANNELS = (1, 1, 2, 3, 5, 8, 16, 31, 32, 33, 64)
_FEATURES = (1, 2, 5, 64, 1030)
_MOST_FEATURES = 2**17
_LARGEST_BIAS = 2**31 - 1
_ATTEMPTS = 1000


@dataclass(frozen=True, slots=True)
class Batch:
    """Elements of one node, as the harness takes them; the question's element is not used."""

    question: tuple[bytes, bytes, int, int]
    node: NodeOpening
    units: tuple[UnitOpening, ...]
    weights: tuple[tuple[ChunkOpening, ...], ...]
    tensors: tuple[TensorOpening, ...]
    first: tuple[ChunkOpening, ...]
    second: tuple[ChunkOpening, ...]
    elements: tuple[int, ...]
    unit_of: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A batch, and the oracle's values of its elements."""

    batch: Batch
    expected: tuple[int, ...]


def draw(op: Op, rng: Generator, most: int) -> Drawn:
    """Up to `most` elements of a random node with this operation."""
    network, index = draw_network(op, rng)
    sample = random_inputs(int(rng.integers(2**32)), 1, network.input_shape)
    count = int(np.prod(network.nodes[index].output_shape))
    elements = rng.permutation(count)[:most] if count > most else np.arange(count)
    return ask(network, index, sample[0], [int(element) for element in elements])


def draw_network(op: Op, rng: Generator) -> tuple[IntegerNetwork, int]:
    """A network and the index of a node in it with this operation, neither always the first nor always the last."""
    for _ in range(_ATTEMPTS):
        shape = _input_shape(op, rng)
        growing = Growing(rng, shape)
        for _ in range(int(rng.integers(3))):
            growing.append(Op.LOOKUP, (int(rng.integers(len(growing.tensors))),), shape)
        if op is Op.CONCAT and rng.integers(2):
            growing.slice(0, 0, int(rng.integers(1, np.prod(shape) + 1)))
        last = bool(rng.integers(2))
        if op is Op.EMBEDDING:
            features = int(rng.choice([some for some in _FEATURES if some * shape[0] <= _MOST_FEATURES]))
            index = growing.append(op, (0,), (shape[0], 1, features)) - 1
        else:
            index = growing.add(op, last=last) - 1
        if growing.nodes[index].op is not op:
            continue
        growing.nodes[index] = _sometimes_extreme(growing.nodes[index], rng)
        if not last:
            growing.slice(index + 1, 0, 1)
        return growing.network(), index
    raise AssertionError(f"no network with {op.name}")


def ask(network: IntegerNetwork, index: int, sample: np.ndarray, elements: Sequence[int]) -> Drawn:
    """These elements of node `index` for a sample, int8 (*input_shape), with openings by the trees of the package."""
    node, tensors = network.nodes[index], trace(network, sample[np.newaxis])
    model = ModelTree(network)
    tree = TraceTree(network, [tensor[0] for tensor in tensors])
    first = tensors[node.inputs[0]].reshape(-1)
    chosen = [_unit(node, element, first) for element in elements] if node.weight is not None else []
    units = sorted(set(chosen))
    blobs = [tree.blob(tensor) for tensor in node.inputs]
    opened = [tuple(blob.open(chunk) for chunk in range(blob.chunks)) for blob in blobs]
    rows = [model.weights(index, unit) for unit in units]
    batch = Batch(
        question=(model.root, tree.root, index, 0),
        node=model.open_node(index),
        units=tuple(model.open_unit(index, unit) for unit in units),
        weights=tuple(tuple(row.open(chunk) for chunk in range(row.chunks)) for row in rows),
        tensors=tuple(tree.open(tensor) for tensor in node.inputs),
        first=opened[0],
        second=opened[1] if len(opened) > 1 else (),
        elements=tuple(elements),
        unit_of=tuple(units.index(unit) for unit in chosen),
    )
    return Drawn(batch, tuple(int(tensors[index + 1].reshape(-1)[element]) for element in elements))


def _unit(node: Node, element: int, first: np.ndarray) -> int:
    """Which unit an element needs."""
    if node.op is Op.LOOKUP:
        return 0
    if node.op is Op.EMBEDDING and node.weight is not None:
        return min(int(first[element // node.output_shape[2]]) + 128, len(node.weight) - 1)
    return element % node.output_shape[-1]


def _input_shape(op: Op, rng: Generator) -> Shape:
    """Mostly less than a chunk, at times several."""
    if op is Op.EMBEDDING or (op not in WINDOWED and rng.integers(2)):
        return (int(rng.integers(1, 3000 if rng.integers(4) == 0 else 60)),)
    height, width = (int(side) for side in rng.integers(1, 13, 2))
    return (height, width, int(rng.choice(_CHANNELS)))


def _sometimes_extreme(node: Node, rng: Generator) -> Node:
    """The ends of what is valid, a third of the time: multipliers, shifts and biases."""
    if node.requantisation is None or rng.integers(3):
        return node
    most, units = MULTIPLIER_BOUND - 1, len(node.requantisation.shift)
    scale = Requantisation(
        rng.choice([1, 2, 3, most], len(node.requantisation.multiplier)).astype(np.int32),
        rng.choice([1, 2, 46, 47], units).astype(np.uint8),
    )
    if node.op not in WEIGHTED:
        return replace(node, requantisation=scale)
    bias = rng.choice([-_LARGEST_BIAS, -1, 0, 1, _LARGEST_BIAS], units).astype(np.int32)
    return replace(node, requantisation=scale, bias=bias)
