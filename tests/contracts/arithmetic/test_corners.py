"""The largest reduction there is, in parts; and that the random steps reach the corners they are meant to."""

import numpy as np
import pytest

from offchain.model.blobs import CHUNK
from offchain.model.graph import IntegerNetwork, Op
from offchain.model.leaves import Operands
from offchain.model.oracle import trace
from offchain.model.roots import ModelTree, TraceTree
from tests.contracts.arithmetic.asking import Harness
from tests.contracts.arithmetic.drawing import Drawn, ask, draw
from tests.unit.model.networks import dense_node

FAN_IN = 2**20
SEGMENTS = 32


@pytest.mark.parametrize("value", [-128, 127])
def test_the_largest_sums(evm: Harness, value: int) -> None:
    """2^20 terms of the largest magnitude, and the largest bias: in 32 parts, and at once."""
    weight = np.full((1, FAN_IN), -128, dtype=np.int8)
    node = dense_node(weight, np.array([2**31 - 1]), multiplier=2**22 - 1, shift=34)
    network = IntegerNetwork((FAN_IN,), (node,), output_scale=1.0)
    sample = np.full((1, FAN_IN), value, dtype=np.int8)
    tensors = trace(network, sample)
    model, tree = ModelTree(network), TraceTree(network, [tensor[0] for tensor in tensors])
    expected = int(tensors[1][0, 0])
    assert evm.elements(ask(network, 0, sample[0], [0]).batch) == (expected,)

    question = (bytes(model.root), bytes(tree.root), 0, 0)
    row, blob, size = model.weights(0, 0), tree.blob(0), FAN_IN // SEGMENTS
    parts = []
    for first in range(0, FAN_IN, size):
        chunks = range(first // CHUNK, (first + size) // CHUNK)
        operands = Operands(
            model.open_node(0),
            model.open_unit(0, 0),
            tuple(row.open(chunk) for chunk in chunks),
            (tree.open(0),),
            tuple(blob.open(chunk) for chunk in chunks),
            (),
        )
        parts.append(evm.part(question, first, first + size, operands))
    assert parts == [size * -128 * value] * SEGMENTS
    assert evm.finish(question, model.open_node(0), model.open_unit(0, 0), parts) == expected


@pytest.mark.parametrize("op", list(Op), ids=lambda op: op.name)
def test_random_steps_reach_the_corners(op: Op) -> None:
    """Values at both clamps and between them; blobs of several chunks, the last one short."""
    rng = np.random.default_rng([8, op])
    drawn = [draw(op, rng, 20) for _ in range(500 if op is Op.CONCAT else 160)]
    assert any(_at(one, low=True) for one in drawn)
    assert any(_at(one, low=False) for one in drawn)
    assert sum(_between(one) for one in drawn) > 100
    assert any(len(one.batch.first) > 1 and len(one.batch.first[-1].data) < CHUNK for one in drawn)
    assert {one.batch.question[2] for one in drawn} >= {0, 1, 2}
    assert len({one.batch.node.header.nodes for one in drawn}) > 2


def test_random_scales_reach_their_ends() -> None:
    rng = np.random.default_rng(9)
    units = [unit.unit for _ in range(60) for unit in draw(Op.CONV2D, rng, 5).batch.units]
    assert {1, 47} <= {unit.shift for unit in units}
    assert {1, 2**22 - 1} <= {unit.multiplier for unit in units}
    assert {-(2**31) + 1, 2**31 - 1} <= {unit.bias for unit in units}


def test_random_windows_reach_over_every_border() -> None:
    rng = np.random.default_rng(10)
    nodes = [draw(Op.MAX_POOL2D, rng, 1).batch.node.node for _ in range(60)]
    for side in range(4):
        assert any(node.padding[side] for node in nodes)
    assert any(node.stride[0] > 1 for node in nodes)
    assert any(node.kernel[1] == node.input_shape[2] for node in nodes)
    assert {node.input_shape[3] for node in nodes} & {33, 64}


def test_random_tokens_have_no_row() -> None:
    rng = np.random.default_rng(11)
    drawn = [draw(Op.EMBEDDING, rng, 50) for _ in range(20)]
    tokens = [np.frombuffer(one.batch.first[0].data, dtype=np.int8).max() + 128 for one in drawn]
    assert any(token >= one.batch.node.node.units for token, one in zip(tokens, drawn, strict=True))


def _at(drawn: Drawn, *, low: bool) -> bool:
    node = drawn.batch.node.node
    return (node.low if low else node.high) in drawn.expected


def _between(drawn: Drawn) -> int:
    node = drawn.batch.node.node
    return sum(node.low < value < node.high for value in drawn.expected)
