"""How a request for data is answered by who holds the model or the test set. Pure: trees in, the call's arguments out.

The answer is what the contract wants whether or not the leaf is valid; whether it is, the contract says
(`contracts/libraries/ModelRules.sol`), and `model/validation.py` beforehand.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from offchain.dispute.requests import Item, Target
from offchain.errors import Bug
from offchain.model.blobs import chunk_count
from offchain.model.leaves import (
    ZERO,
    ChunkOpening,
    Descriptor,
    NodeOpening,
    Proof,
    Sample,
    Totals,
    UnitOpening,
)
from offchain.model.roots import ModelTree, SampleTree

NO_NODE = Descriptor(
    index=0,
    op=0,
    inputs=(0, 0),
    input_shape=(0, 0, 0, 0),
    shape=(0, 0, 0, 0),
    low=0,
    high=0,
    kernel=(0, 0),
    stride=(0, 0),
    padding=(0, 0, 0, 0),
    offset=0,
    multipliers=(0, 0),
    shift=0,
    row_bytes=0,
    units=0,
    units_root=ZERO,
    totals=Totals(),
)
"""Stands where no node is needed."""

NO_UNIT = UnitOpening()
NO_CHUNK = ChunkOpening(0, b"", ())
NO_SAMPLE = Sample(ZERO, 0)


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """A node with everything that its rules need, in the order of the contract's struct.

    previous: the node before it, unless it is the first. sources: the nodes whose outputs it reads, empty where that is
    the network's input or `previous`.
    """

    opening: NodeOpening
    previous: Descriptor = NO_NODE
    previous_proof: Proof = ()
    sources: tuple[Descriptor, Descriptor] = (NO_NODE, NO_NODE)
    source_proofs: tuple[Proof, Proof] = ((), ())


@dataclass(frozen=True, slots=True)
class Answer:
    """A call that answers a request: the contract's function and its arguments after the request's id, as tuples."""

    function: str
    arguments: tuple[Any, ...]


def answer_from_model(target: Target, tree: ModelTree) -> Answer:
    """Shows the leaf of a model that `target` names, or that the model has none there. `tree`: of that model."""
    match target.item:
        case Item.HEADER:
            return _answer("answerHeader", tree.header)
        case Item.NODE:
            return _answer("answerNode", node_answer(tree, target.node))
        case Item.UNIT:
            return _answer("answerUnit", _node(tree, target), _unit(tree, target))
        case Item.WEIGHTS:
            return _answer("answerWeights", _node(tree, target), _unit(tree, target), _weights(tree, target))
        case _:
            raise Bug(f"{target.item.name} is no leaf of a model")


def answer_from_test(target: Target, tree: SampleTree, *, samples: int, input_size: int) -> Answer:
    """Shows the sample that `target` names with a chunk of its input, or nothing when there is no such sample or chunk.

    tree: of the order's test set, with `samples` samples of `input_size` int8 elements each.
    """
    if target.item is not Item.SAMPLE:
        raise Bug(f"{target.item.name} is no leaf of a test set")
    if target.unit >= samples or target.chunk >= chunk_count(input_size):
        return _answer("answerSample", NO_SAMPLE, (), NO_CHUNK)
    index, chunk = target.unit, target.chunk
    return _answer("answerSample", tree.sample(index), tree.prove(index), tree.open_input(index, chunk))


def node_answer(tree: ModelTree, index: int) -> NodeAnswer:
    """A node with those that its rules look at; just the header when there is no such node."""
    if not _has_node(tree, index):
        return NodeAnswer(_header_only(tree))
    opening = tree.open_node(index)
    before = tree.open_node(index - 1) if index else NodeOpening(tree.header, NO_NODE, ())
    sources = [_source(tree, index, tensor) for tensor in opening.node.inputs]
    return NodeAnswer(
        opening,
        before.node,
        before.proof,
        (sources[0].node, sources[1].node),
        (sources[0].proof, sources[1].proof),
    )


def _source(tree: ModelTree, index: int, tensor: int) -> NodeOpening:
    """The node whose output is `tensor`; empty for the network's input, `previous`, and what may not be read anyway."""
    if tensor in (0, index) or not _has_node(tree, tensor - 1):
        return NodeOpening(tree.header, NO_NODE, ())
    return tree.open_node(tensor - 1)


def _node(tree: ModelTree, target: Target) -> NodeOpening:
    return tree.open_node(target.node) if _has_node(tree, target.node) else _header_only(tree)


def _unit(tree: ModelTree, target: Target) -> UnitOpening:
    return tree.open_unit(target.node, target.unit) if _has_unit(tree, target) else NO_UNIT


def _weights(tree: ModelTree, target: Target) -> ChunkOpening:
    if not _has_unit(tree, target) or target.chunk >= chunk_count(tree.descriptors[target.node].row_bytes):
        return NO_CHUNK
    return tree.open_weights(target.node, target.unit, target.chunk)


def _has_node(tree: ModelTree, index: int) -> bool:
    return 0 <= index < len(tree.descriptors)


def _has_unit(tree: ModelTree, target: Target) -> bool:
    return _has_node(tree, target.node) and target.unit < tree.descriptors[target.node].units


def _header_only(tree: ModelTree) -> NodeOpening:
    return NodeOpening(tree.header, NO_NODE, ())


def _answer(function: str, *structs: object) -> Answer:
    return Answer(function, tuple(_plain(struct) for struct in structs))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return tuple(_plain(getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    return value
