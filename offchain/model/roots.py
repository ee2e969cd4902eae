"""What a model root and a test root commit to, leaf by leaf; `docs/integer-networks.md` has the encodings as Solidity.

Each leaf is keccak256(keccak256(abi.encode(...))) over 32-byte words only; byte strings enter as their keccak256. So a
contract rebuilds a leaf from a few words, and thousands of leaves are encoded at once here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug, Rejected
from offchain.model.graph import Int8Array, Int32Array, IntegerNetwork, Node, Op, Shape
from offchain.model.keccak import Bytes, keccak_rows
from offchain.model.merkle import MerkleTree, double_hash
from offchain.types import Root

KIND_HEADER = 1
KIND_NODE = 2
KIND_UNIT = 3
KIND_SAMPLE = 4


def compute_model_root(network: IntegerNetwork) -> Root:
    """The MID: the root over header, node descriptors and one leaf per output unit of a valid network."""
    return ModelTree(network).root


def compute_test_root(inputs: Int8Array, labels: Int32Array) -> Root:
    """The root over the samples of a test set: inputs int8 (n, *shape), labels int32 (n,), n at least 1."""
    return SampleTree(inputs, labels).root


@dataclass(frozen=True, slots=True)
class Proof:
    """A leaf, what it is the double hash of, and its siblings up to the root."""

    encoding: bytes
    leaf: bytes
    siblings: tuple[bytes, ...]


class ModelTree:
    """The tree of a model: the header, then each node's descriptor followed by its units."""

    def __init__(self, network: IntegerNetwork) -> None:
        self._encodings = [encode_header(network)]
        self._starts = []
        count = 1
        for index, node in enumerate(network.nodes):
            self._starts.append(count)
            self._encodings.append(encode_node(index, node))
            if node.weight is not None:
                self._encodings.append(encode_units(index, node))
            count += 1 + (0 if node.weight is None else len(node.weight))
        self._tree = MerkleTree(np.concatenate([double_hash(rows) for rows in self._encodings]))

    @property
    def root(self) -> Root:
        """The model root (MID)."""
        return self._tree.root

    def prove_header(self) -> Proof:
        """Proves input shape, number of nodes and output scale."""
        return self._prove(0)

    def prove_node(self, index: int) -> Proof:
        """Proves what node `index` does and reads."""
        return self._prove(self._starts[index])

    def prove_unit(self, index: int, unit: int) -> Proof:
        """Proves the weights, bias, multiplier and shift of one output unit of node `index`."""
        start = self._starts[index]
        stop = self._starts[index + 1] if index + 1 < len(self._starts) else sum(map(len, self._encodings))
        if not 0 <= unit < stop - start - 1:
            raise Bug(f"node {index} has no unit {unit}")
        return self._prove(start + 1 + unit)

    def _prove(self, position: int) -> Proof:
        row = position
        for rows in self._encodings:
            if row < len(rows):
                return Proof(rows[row].tobytes(), self._tree.leaf(position), self._tree.prove(position))
            row -= len(rows)
        raise Bug(f"leaf {position} of a model")


class SampleTree:
    """The tree of a test set: one leaf per sample, in order."""

    def __init__(self, inputs: Int8Array, labels: Int32Array) -> None:
        if len(inputs) == 0 or len(inputs) != len(labels):
            raise Rejected(f"test set: {len(inputs)} inputs and {len(labels)} labels; give as many of each, at least 1")
        self._encodings = encode_samples(inputs, labels)
        self._tree = MerkleTree(double_hash(self._encodings))

    @property
    def root(self) -> Root:
        """The test root."""
        return self._tree.root

    def prove(self, index: int) -> Proof:
        """Proves the input and label of sample `index`."""
        return Proof(self._encodings[index].tobytes(), self._tree.leaf(index), self._tree.prove(index))


def encode_header(network: IntegerNetwork) -> Bytes:
    """(1, rank, height, width, channels, nodes, output scale as IEEE 754 bits); (1, 1, features, 0, 0, …) if flat."""
    scale = int(np.float64(network.output_scale).view(np.uint64))
    return _words([[KIND_HEADER, *_shape_words(network.input_shape), len(network.nodes), scale]])


def encode_node(index: int, node: Node) -> Bytes:
    """The 23 words of a node descriptor: see the document. ADD and AVERAGE_POOL2D, without units, carry their scale."""
    second = node.inputs[1] if len(node.inputs) > 1 else 0
    scale = [0, 0, 0]
    if node.op in (Op.ADD, Op.AVERAGE_POOL2D) and node.requantisation is not None:
        multiplier = [int(m) for m in node.requantisation.multiplier]
        scale = [multiplier[0], multiplier[1] if len(multiplier) > 1 else 0, int(node.requantisation.shift[0])]
    return _words(
        [
            [
                KIND_NODE,
                index,
                int(node.op),
                node.inputs[0],
                second,
                *_shape_words(node.output_shape),
                node.low,
                node.high,
                *node.kernel,
                *node.stride,
                *node.padding,
                *scale,
            ]
        ]
    )


def encode_units(index: int, node: Node) -> Bytes:
    """(3, node, unit, keccak256(weights), bias, multiplier, shift) for each unit; uint8 (units, 7 * 32)."""
    if node.weight is None or node.bias is None or node.requantisation is None:
        raise Bug(f"node {index} has no units")
    units = len(node.weight)
    return _columns(
        units,
        [
            KIND_UNIT,
            index,
            np.arange(units),
            keccak_rows(np.ascontiguousarray(node.weight).view(np.uint8)),
            node.bias.astype(np.int64),
            node.requantisation.multiplier.astype(np.int64),
            node.requantisation.shift.astype(np.int64),
        ],
    )


def encode_samples(inputs: Int8Array, labels: Int32Array) -> Bytes:
    """(4, index, keccak256(input bytes, row-major), label) for each sample; uint8 (n, 4 * 32)."""
    count = len(inputs)
    rows = np.ascontiguousarray(inputs).reshape(count, -1).view(np.uint8)
    return _columns(count, [KIND_SAMPLE, np.arange(count), keccak_rows(rows), labels.astype(np.int64)])


def _shape_words(shape: Shape) -> list[int]:
    return [len(shape), *shape, *[0] * (3 - len(shape))]


def _words(rows: Sequence[Sequence[int]]) -> Bytes:
    """Small tables: each integer as a 32-byte big-endian word, negative ones in two's complement."""
    data = b"".join((value % (1 << 256)).to_bytes(32, "big") for row in rows for value in row)
    return np.frombuffer(data, dtype=np.uint8).reshape(len(rows), -1)


def _columns(count: int, columns: Sequence[int | npt.NDArray[np.int64] | Bytes]) -> Bytes:
    """Large tables: a column is one integer for all rows, int64 (n,), or ready words uint8 (n, 32)."""
    table = np.zeros((count, len(columns), 32), dtype=np.uint8)
    for place, column in enumerate(columns):
        if isinstance(column, np.ndarray) and column.ndim == 2:
            table[:, place] = column
            continue
        values = np.broadcast_to(np.asarray(column, dtype=np.int64), (count,))
        table[:, place, :24] = np.where(values < 0, 255, 0)[:, np.newaxis]
        table[:, place, 24:] = values.astype(">i8")[:, np.newaxis].view(np.uint8)
    return table.reshape(count, -1)
