"""Integer networks as files: `graph.json`, canonical and without weights, and `weights.safetensors`.

The graph says which tensors the weights file must hold, and the shape of each node's weights those of its other
tensors; nothing is allocated that the file does not hold. One network has one pair of files, byte for byte; anything
else is rejected.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy.typing as npt

from offchain.errors import Rejected
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.model.graph_file import parse_graph
from offchain.model.limits import MAX_GRAPH_BYTES, ModelLimits
from offchain.model.validation import check_form, validate
from offchain.model.weights_file import Header, TensorKind, matrix_shape, read_header, read_tensors, write_tensors
from offchain.model.windows import PARAMETRIC, SCALED, WEIGHTED

GRAPH_FILE = "graph.json"
WEIGHTS_FILE = "weights.safetensors"

Tensors = Mapping[str, npt.NDArray[Any]]


def encode_graph(network: IntegerNetwork) -> bytes:
    """The canonical JSON of everything but the parameters: ASCII, keys sorted, no spaces."""
    value = {
        "version": 2,
        "input_shape": list(network.input_shape),
        "output_scale": float(network.output_scale),
        "nodes": [_node_fields(node) for node in network.nodes],
    }
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def encode_weights(network: IntegerNetwork) -> bytes:
    """The safetensors file of the parameters; tensors are named `{node index}.{weight,bias,multiplier,shift}`."""
    return write_tensors({name: array for i, node in enumerate(network.nodes) for name, array in _parameters(i, node)})


def decode_network(graph: bytes, weights: bytes, limits: ModelLimits) -> IntegerNetwork:
    """Reads what `encode_graph` and `encode_weights` wrote, from anyone; the result is valid within the limits.

    Raises Rejected, naming the file and the tensor or node at fault, when a file is too large, malformed or not
    canonical, when the two don't agree, and when the network is not valid.
    """
    network = decode_unvalidated(graph, weights, limits)
    validate(network, limits)
    return network


def decode_unvalidated(graph: bytes, weights: bytes, limits: ModelLimits) -> IntegerNetwork:
    """Like `decode_network`, of a network that may break every rule but can be written down as leaves.

    So the leaf at fault of a malformed commitment can be named: `roots.ModelTree` gives its root, and
    `validation.first_fault` the leaf. Nothing but that may be done with it. Memory: a few times the files.
    """
    total = len(graph) + len(weights)
    if total > limits.max_file_bytes:
        raise Rejected(f"model: {total} bytes in its files; at most {limits.max_file_bytes} are allowed")
    if len(graph) > MAX_GRAPH_BYTES:
        raise Rejected(f"{GRAPH_FILE}: {len(graph)} bytes; at most {MAX_GRAPH_BYTES} are allowed")
    bare = parse_graph(graph, GRAPH_FILE)
    if encode_graph(bare) != graph:
        raise Rejected(f"{GRAPH_FILE}: not in canonical form; write it with encode_graph")
    tensors = read_tensors(weights, _expected(bare, read_header(weights, WEIGHTS_FILE)[0]), WEIGHTS_FILE)
    nodes = tuple(_with_parameters(index, node, tensors) for index, node in enumerate(bare.nodes))
    network = IntegerNetwork(bare.input_shape, nodes, bare.output_scale)
    if encode_weights(network) != weights:
        raise Rejected(f"{WEIGHTS_FILE}: not in canonical form; write it with encode_weights")
    check_form(network)
    return network


def _node_fields(node: Node) -> dict[str, Any]:
    return {
        "op": node.op.name.lower(),
        "inputs": list(node.inputs),
        "output_shape": list(node.output_shape),
        "low": int(node.low),
        "high": int(node.high),
        "kernel": list(node.kernel),
        "stride": list(node.stride),
        "padding": list(node.padding),
        "offset": int(node.offset),
    }


def _parameters(index: int, node: Node) -> list[tuple[str, npt.NDArray[Any]]]:
    found: list[tuple[str, npt.NDArray[Any] | None]] = [("weight", node.weight), ("bias", node.bias)]
    if node.requantisation is not None:
        found += [("multiplier", node.requantisation.multiplier), ("shift", node.requantisation.shift)]
    return [(f"{index}.{name}", array) for name, array in found if array is not None]


def _expected(network: IntegerNetwork, header: Header) -> dict[str, TensorKind]:
    """The tensors that the graph calls for, each node's as many as its weights have units."""
    kinds: dict[str, TensorKind] = {}
    for index, node in enumerate(network.nodes):
        units = 1
        if node.op in PARAMETRIC:
            kinds[f"{index}.weight"] = kind = TensorKind("I8", matrix_shape(header, f"{index}.weight", WEIGHTS_FILE))
            units = kind.shape[0]
        if node.op in WEIGHTED:
            kinds[f"{index}.bias"] = TensorKind("I32", (units,))
        if node.op in WEIGHTED | SCALED:
            kinds[f"{index}.multiplier"] = TensorKind("I32", (2 if node.op is Op.ADD else units,))
            kinds[f"{index}.shift"] = TensorKind("U8", (units,))
    return kinds


def _with_parameters(index: int, node: Node, tensors: Tensors) -> Node:
    multiplier, shift = tensors.get(f"{index}.multiplier"), tensors.get(f"{index}.shift")
    scale = None if multiplier is None or shift is None else Requantisation(multiplier, shift)
    return replace(node, weight=tensors.get(f"{index}.weight"), bias=tensors.get(f"{index}.bias"), requantisation=scale)
