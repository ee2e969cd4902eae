"""What a model root and a test root commit to, and the openings that show it (docs/dispute.md, Trees).

The units of a node, the nodes of a model and the samples of a test set each have a tree; the model root is the hash of
the header, which holds the root over the nodes. Unit and sample leaves are encoded thousands at a time.
"""

from collections.abc import Sequence
from functools import partial
from itertools import starmap
from typing import Any

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug, Rejected
from offchain.model.blobs import BlobTree, blob_roots, blob_roots_of
from offchain.model.descriptors import describe, make_header, unit_columns
from offchain.model.graph import Int8Array, Int32Array, IntegerNetwork, Node
from offchain.model.keccak import Bytes
from offchain.model.leaves import (
    KIND_SAMPLE,
    KIND_UNIT,
    ZERO,
    ChunkOpening,
    NodeOpening,
    Sample,
    TensorOpening,
    Unit,
    UnitOpening,
    header_leaf,
    node_leaf,
)
from offchain.model.merkle import MerkleTree, hash_rows, root_of_all, roots_of
from offchain.types import Root

Integers = npt.NDArray[Any]

_BLOCK = 1 << 16
"""Leaves that are encoded at once."""


def compute_model_root(network: IntegerNetwork) -> Root:
    """The MID of a network."""
    return ModelTree(network).root


def compute_test_root(inputs: Int8Array, labels: Int32Array) -> Root:
    """The root over the samples of a test set: inputs int8 (n, *shape), labels int32 (n,), n at least 1."""
    return SampleTree(inputs, labels).root


class ModelTree:
    """The trees of a model, valid or not. Trees of units are built when a unit is opened, and kept then."""

    def __init__(self, network: IntegerNetwork) -> None:
        self._network = network
        self._units: dict[int, MerkleTree] = {}
        roots = [
            ZERO if node.weight is None else roots_of(_unit_leaves(node)[np.newaxis])[0].tobytes()
            for node in network.nodes
        ]
        self.descriptors = describe(network, roots)
        leaves = b"".join(map(node_leaf, self.descriptors))
        self._nodes = MerkleTree(np.frombuffer(leaves, dtype=np.uint8).reshape(-1, 32))
        self.header = make_header(network, self._nodes.root)
        self.root = Root(header_leaf(self.header))

    @property
    def nodes(self) -> MerkleTree:
        """The tree of the nodes."""
        return self._nodes

    def units(self, index: int) -> MerkleTree:
        """The tree of the units of node `index`, which must have some."""
        if index not in self._units:
            self._units[index] = MerkleTree(_unit_leaves(self._network.nodes[index]))
        return self._units[index]

    def open_node(self, index: int) -> NodeOpening:
        """Shows what node `index` does and reads."""
        return NodeOpening(self.header, self.descriptors[index], self._nodes.prove(index))

    def open_unit(self, index: int, unit: int) -> UnitOpening:
        """Shows the parameters of one unit of node `index`."""
        row, node = self._row(index, unit), self._network.nodes[index]
        made = Unit(bytes(blob_roots_of([row])[0]), *(int(column[unit]) for column in unit_columns(node)))
        return UnitOpening(unit, made, self.units(index).prove(unit))

    def open_weights(self, index: int, unit: int, chunk: int) -> ChunkOpening:
        """Shows a chunk of the int8 parameters of one unit of node `index`."""
        return self.weights(index, unit).open(chunk)

    def weights(self, index: int, unit: int) -> BlobTree:
        """The int8 parameters of one unit of node `index`."""
        return BlobTree(self._row(index, unit))

    def _row(self, index: int, unit: int) -> bytes:
        weight = self._network.nodes[index].weight
        if weight is None or not 0 <= unit < len(weight):
            raise Bug(f"node {index} has no unit {unit}")
        return bytes(weight[unit].tobytes())


class SampleTree:
    """The tree of a test set: one leaf per sample, in order."""

    def __init__(self, inputs: Int8Array, labels: Int32Array) -> None:
        count = len(inputs)
        if count == 0 or count != len(labels):
            raise Rejected(f"test set: {count} inputs and {len(labels)} labels; give as many of each, at least 1")
        self._inputs, self._labels = inputs, labels
        self._input_roots = blob_roots(np.ascontiguousarray(inputs).reshape(count, -1).view(np.uint8))
        self._tree = MerkleTree(_leaves(KIND_SAMPLE, [self._input_roots, labels.astype(np.int64)]))

    @property
    def root(self) -> Root:
        """The test root."""
        return self._tree.root

    def sample(self, index: int) -> Sample:
        """What the leaf of a sample commits to."""
        return Sample(self._input_roots[index].tobytes(), int(self._labels[index]))

    def prove(self, index: int) -> tuple[bytes, ...]:
        """Leads from the leaf of a sample to the root."""
        return self._tree.prove(index)

    def open_input(self, index: int, chunk: int) -> ChunkOpening:
        """Shows a chunk of a sample's int8 inputs."""
        return BlobTree(np.ascontiguousarray(self._inputs[index]).tobytes()).open(chunk)


class TraceTree:
    """The tensors of one sample: `tensors` by id, each with its elements in any shape and integer dtype."""

    def __init__(self, network: IntegerNetwork, tensors: Sequence[Integers]) -> None:
        self._blobs = [tensor_bytes(network, tensor, array) for tensor, array in enumerate(tensors)]
        self.roots = tuple(blob_roots_of(self._blobs))
        self._tree = MerkleTree(np.frombuffer(b"".join(self.roots), dtype=np.uint8).reshape(-1, 32))
        self.root = self._tree.root

    def open(self, tensor: int) -> TensorOpening:
        """Shows the root of one tensor."""
        return TensorOpening(self.roots[tensor], self._tree.prove(tensor))

    def data(self, tensor: int) -> bytes:
        """The bytes of one tensor."""
        return self._blobs[tensor]

    def blob(self, tensor: int) -> BlobTree:
        """The bytes of one tensor, chunk by chunk."""
        return BlobTree(self._blobs[tensor])


def tensor_bytes(network: IntegerNetwork, tensor: int, array: Integers) -> bytes:
    """One sample's tensor as it is hashed: row-major, int8, or int32 big-endian if it is the network's output."""
    return array.astype(">i4" if tensor == len(network.nodes) else np.int8).tobytes()


def trace_roots(network: IntegerNetwork, tensors: Sequence[Integers]) -> list[Root]:
    """The blob roots of one sample's tensors by id: the input, then each node's output."""
    return blob_roots_of(list(starmap(partial(tensor_bytes, network), enumerate(tensors))))


def trace_root(roots: Sequence[bytes]) -> Root:
    """The root over the roots of all tensors of a trace."""
    return root_of_all(roots)


def _unit_leaves(node: Node) -> Bytes:
    """The leaves of a node's units, uint8 (units, 32)."""
    columns = unit_columns(node)
    return _leaves(KIND_UNIT, [blob_roots(np.ascontiguousarray(node.weight).view(np.uint8)), *columns])


def _leaves(kind: int, columns: Sequence[npt.NDArray[np.int64] | Bytes]) -> Bytes:
    """keccak256 of rows of words, uint8 (n, 32): a column is int64 (n,), or ready words uint8 (n, 32)."""
    count = len(columns[0])
    leaves = np.empty((count, 32), dtype=np.uint8)
    table = np.zeros((min(count, _BLOCK), 1 + len(columns), 32), dtype=np.uint8)
    table[:, 0, 31] = kind
    for start in range(0, count, _BLOCK):
        rows = table[: min(_BLOCK, count - start)]
        for place, column in enumerate(columns, start=1):
            _fill(rows[:, place], column[start : start + _BLOCK])
        leaves[start : start + _BLOCK] = hash_rows(rows.reshape(len(rows), -1))
    return leaves


def _fill(words: Bytes, values: npt.NDArray[np.int64] | Bytes) -> None:
    if values.ndim == 2:
        words[:] = values
        return
    words[:, :24] = np.where(values < 0, 255, 0)[:, np.newaxis]
    words[:, 24:] = values.astype(">i8")[:, np.newaxis].view(np.uint8)
