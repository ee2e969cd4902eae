"""Integer networks as files: `graph.json`, canonical and without weights, and `weights.safetensors`.

The graph says which tensors the weights file must hold, of which dtype and shape, so nothing is allocated on the word
of a header. One network has one pair of files, byte for byte; anything else is rejected.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from offchain.errors import Rejected
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.model.graph_file import MAX_GRAPH_BYTES, parse_graph
from offchain.model.limits import ModelLimits
from offchain.model.validation import check_structure, validate
from offchain.model.weights_file import TensorKind, read_tensors, write_tensors
from offchain.model.windows import WEIGHTED, fan_in_of, units_of

GRAPH_FILE = "graph.json"
WEIGHTS_FILE = "weights.safetensors"

Tensors = Mapping[str, npt.NDArray[Any]]


def encode_graph(network: IntegerNetwork) -> bytes:
    """The canonical JSON of everything but the parameters: ASCII, keys sorted, no spaces."""
    value = {
        "version": 1,
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
    total = len(graph) + len(weights)
    if total > limits.max_model_bytes:
        raise Rejected(f"model: {total} bytes in its files; at most {limits.max_model_bytes} are allowed")
    if len(graph) > MAX_GRAPH_BYTES:
        raise Rejected(f"{GRAPH_FILE}: {len(graph)} bytes; at most {MAX_GRAPH_BYTES} are allowed")
    with_shapes = parse_graph(graph, GRAPH_FILE, limits.max_nodes)
    check_structure(with_shapes, limits)
    if encode_graph(with_shapes) != graph:
        raise Rejected(f"{GRAPH_FILE}: not in canonical form; write it with encode_graph")
    tensors = read_tensors(weights, _expected(with_shapes), WEIGHTS_FILE)
    nodes = tuple(_with_parameters(index, node, tensors) for index, node in enumerate(with_shapes.nodes))
    network = IntegerNetwork(with_shapes.input_shape, nodes, with_shapes.output_scale)
    if encode_weights(network) != weights:
        raise Rejected(f"{WEIGHTS_FILE}: not in canonical form; write it with encode_weights")
    validate(network, limits)
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
    }


def _parameters(index: int, node: Node) -> list[tuple[str, npt.NDArray[Any]]]:
    found: list[tuple[str, npt.NDArray[Any] | None]] = [("weight", node.weight), ("bias", node.bias)]
    if node.requantisation is not None:
        found += [("multiplier", node.requantisation.multiplier), ("shift", node.requantisation.shift)]
    return [(f"{index}.{name}", array) for name, array in found if array is not None]


def _expected(network: IntegerNetwork) -> dict[str, TensorKind]:
    """The tensors that the graph calls for."""
    kinds: dict[str, TensorKind] = {}
    for index, node in enumerate(network.nodes):
        if node.op is Op.MAX_POOL2D:
            continue
        units = 1
        if node.op in WEIGHTED:
            units = units_of(node)
            fan_in = fan_in_of(node, network.shape_of(node.inputs[0]))
            kinds[f"{index}.weight"] = TensorKind("I8", (units, fan_in))
            kinds[f"{index}.bias"] = TensorKind("I32", (units,))
        kinds[f"{index}.multiplier"] = TensorKind("I32", (2 if node.op is Op.ADD else units,))
        kinds[f"{index}.shift"] = TensorKind("U8", (units,))
    return kinds


def _with_parameters(index: int, node: Node, tensors: Tensors) -> Node:
    if node.op is Op.MAX_POOL2D:
        return node
    return Node(
        op=node.op,
        inputs=node.inputs,
        output_shape=node.output_shape,
        low=node.low,
        high=node.high,
        kernel=node.kernel,
        stride=node.stride,
        padding=node.padding,
        weight=tensors.get(f"{index}.weight"),
        bias=tensors.get(f"{index}.bias"),
        requantisation=Requantisation(
            np.asarray(tensors[f"{index}.multiplier"]), np.asarray(tensors[f"{index}.shift"])
        ),
    )
