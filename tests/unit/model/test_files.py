"""Model files: one network, one pair of files; whatever else arrives is rejected in one line."""

import json
import re
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Rejected
from offchain.model.evaluator import evaluate
from offchain.model.files import decode_network, decode_unvalidated, encode_graph, encode_weights
from offchain.model.graph import IntegerNetwork, Op, Requantisation
from offchain.model.limits import ModelLimits
from offchain.model.oracle import evaluate_slowly
from offchain.model.roots import ModelTree, compute_model_root
from offchain.model.validation import first_fault
from offchain.model.weights_file import TensorKind, read_tensors
from tests.unit.model.networks import LIMITS, random_inputs, random_network

OPS = st.lists(st.sampled_from(list(Op)), min_size=1, max_size=5)
SEEDS = st.integers(0, 2**32 - 1)
ALL = [Op.CONV2D, Op.DEPTHWISE_CONV2D, Op.ADD, Op.MAX_POOL2D, Op.AVERAGE_POOL2D, Op.MULTIPLY, Op.LOOKUP]
ALL += [Op.SLICE, Op.CONCAT, Op.EMBEDDING, Op.DENSE]


def example() -> IntegerNetwork:
    return replace(random_network(ALL, seed=5, input_shape=(8, 8, 3)), output_scale=0.0123)


@settings(max_examples=300, deadline=None, database=None)
@given(ops=OPS, seed=SEEDS)
def test_round_trip_gives_the_same_bytes_root_and_outputs(ops: list[Op], seed: int) -> None:
    network = random_network(ops, seed)
    graph, weights = encode_graph(network), encode_weights(network)
    again = decode_network(graph, weights, LIMITS)
    assert (encode_graph(again), encode_weights(again)) == (graph, weights)
    assert compute_model_root(again) == compute_model_root(network)
    inputs = random_inputs(seed, 2, network.input_shape)
    assert np.array_equal(evaluate(again, inputs, threads=1), evaluate(network, inputs, threads=1))


def test_the_safetensors_library_reads_what_we_write_and_we_what_it_writes() -> None:
    from safetensors.numpy import load

    network = example()
    tensors = load(encode_weights(network))
    assert np.array_equal(tensors["0.weight"], network.nodes[0].weight)
    assert {name.split(".")[1] for name in tensors} == {"weight", "bias", "multiplier", "shift"}


@settings(max_examples=1500, deadline=None, database=None)
@given(
    which=st.sampled_from(["graph", "weights"]),
    edits=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6), st.integers(0, 8)), min_size=1, max_size=4),
)
def test_mutated_files_are_rejected_or_valid_and_never_crash(which: str, edits: list[tuple[float, bytes, int]]) -> None:
    network = example()
    files = {"graph": encode_graph(network), "weights": encode_weights(network)}
    data = files[which]
    for place, inserted, removed in edits:
        # Half of the edits fall into the first 10 %, where the headers are.
        at = int(len(data) * (place if place < 0.5 else (place - 0.5) / 5))
        data = data[:at] + inserted + data[at + removed :]
    mutated = {**files, which: data}
    try:
        again = decode_network(mutated["graph"], mutated["weights"], LIMITS)
    except Rejected as error:
        complaint = str(error)
        named = re.match(r"graph\.json|weights\.safetensors|model", complaint)
        fair = named is not None and "\n" not in complaint and len(complaint) < 400
    else:
        fair = (encode_graph(again), encode_weights(again)) == (mutated["graph"], mutated["weights"])
    assert fair


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200))
def test_noise_is_rejected(data: bytes) -> None:
    network = example()
    with pytest.raises(Rejected):
        decode_network(data, encode_weights(network), LIMITS)
    with pytest.raises(Rejected):
        decode_network(encode_graph(network), data, LIMITS)


def edit_graph(change: Callable[[dict[str, Any]], Any]) -> bytes:
    value = json.loads(encode_graph(example()))
    change(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: g.update(version=1), "graph.json: version"),
        (lambda g: g.update(extra=1), "graph.json: extra"),
        (lambda g: g.update(output_scale=float("nan")), "graph.json: .*NaN"),
        (lambda g: g.update(output_scale=float("inf")), "graph.json: .*Infinity"),
        (lambda g: g.update(output_scale=0.0), "model: output_scale"),
        (lambda g: g.update(output_scale=-1.0), "model: output_scale"),
        (lambda g: g.update(output_scale=1), "graph.json: not in canonical form"),
        (lambda g: g.update(input_shape=[8, 8]), r"model: input shape \[8, 8\] is neither"),
        (lambda g: g.update(input_shape=[1, 1, 1, 1]), "graph.json: input_shape"),
        (lambda g: g.update(input_shape=[8, 8, 1 << 40]), "graph.json: input_shape.2"),
        (lambda g: g.update(nodes=[]), "graph.json: nodes"),
        (lambda g: g["nodes"][0].pop("low"), "graph.json: nodes.0.low"),
        (lambda g: g["nodes"][0].update(op="softmax"), "graph.json: nodes.0.op"),
        (lambda g: g["nodes"][0].update(low=True), "graph.json: nodes.0.low"),
        (lambda g: g["nodes"][0].update(low=1.5), "graph.json: nodes.0.low"),
        (lambda g: g["nodes"][0].update(inputs=[1]), r"model node 0 \(CONV2D\): reads tensor 1"),
        (lambda g: g["nodes"][0].update(inputs=[0, 0]), r"model node 0 \(CONV2D\): reads 2 tensors"),
        (lambda g: g["nodes"][0].update(stride=[7, 7]), r"model node 0 \(CONV2D\): declares output shape"),
        (lambda g: g["nodes"][0].update(high=128), r"model node 0 \(CONV2D\): clamps"),
        (lambda g: g["nodes"][0].update(padding=[9, 9, 9, 9]), r"model node 0 \(CONV2D\): padding"),
        (lambda g: g["nodes"].extend(g["nodes"] * 200), "weights.safetensors: tensor 11.weight must be there"),
    ],
)
def test_a_wrong_graph_is_named(change: Callable[[dict[str, Any]], Any], message: str) -> None:
    with pytest.raises(Rejected, match=message):
        decode_network(edit_graph(change), encode_weights(example()), LIMITS)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (b"", "graph.json: not valid JSON"),
        (b"[]", "graph.json: not a JSON object"),
        (b"[" * 100_000, "graph.json: JSON is nested deeper"),
        (b'{"version":1,"version":1}', "same key twice"),
        (b"\xff", "graph.json: not UTF-8"),
        (b'{"version":' + b"9" * 5000 + b"}", "graph.json: not valid JSON"),
        (b" " * ((1 << 20) + 1), "graph.json: 1048577 bytes"),
        (encode_graph(example()) + b"\n", "graph.json: not in canonical form"),
    ],
    ids=["empty", "list", "deep", "twice", "latin", "digits", "large", "newline"],
)
def test_what_is_no_graph_is_named(graph: bytes, message: str) -> None:
    with pytest.raises(Rejected, match=message):
        decode_network(graph, encode_weights(example()), LIMITS)


def header_of(data: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def edit_weights(change: Callable[[dict[str, Any]], Any]) -> bytes:
    header, body = header_of(encode_weights(example()))
    change(header)
    text = json.dumps(header, separators=(",", ":")).encode()
    return len(text).to_bytes(8, "little") + text + body


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h["0.weight"].update(dtype="F32"), r"tensor 0\.weight has dtype F32; it must be I8"),
        (lambda h: h["0.weight"].update(shape=[1 << 40, 1 << 40]), r"tensor 0\.weight has data_offsets"),
        (lambda h: h["0.weight"].update(shape="x"), r"tensor 0\.weight must be there, with two sides"),
        (lambda h: h["0.weight"].update(shape=[0, 27]), r"tensor 0\.weight must be there, with two sides"),
        (lambda h: h["0.bias"].update(shape=[27]), r"tensor 0\.bias has shape \[27\]; it must be"),
        (lambda h: h["0.weight"].update(data_offsets=[0, 1 << 60]), r"tensor 0\.weight has data_offsets"),
        (lambda h: h["0.weight"].update(data_offsets=[-1, 2]), r"tensor 0\.weight has data_offsets"),
        (lambda h: h["0.weight"].update(data_offsets=None), r"tensor 0\.weight has data_offsets"),
        (lambda h: h["0.shift"].update(data_offsets=h["1.shift"]["data_offsets"]), "data_offsets|starts at"),
        (lambda h: h["0.bias"].update(extra=1), r"tensor 0\.bias needs dtype"),
        (lambda h: h.update({"0.bias": 7}), r"tensor 0\.bias needs dtype"),
        (lambda h: h.pop("0.bias"), r"tensor 0\.bias is missing"),
        (lambda h: h.update({"9.bias": h["0.bias"]}), r"tensor '9\.bias' is none"),
        (lambda h: h.update({"__metadata__": {"a": "b"}}), "__metadata__"),
    ],
)
def test_a_lying_header_is_named(change: Callable[[dict[str, Any]], Any], message: str) -> None:
    with pytest.raises(Rejected, match=f"^weights.safetensors: .*({message})"):
        decode_network(encode_graph(example()), edit_weights(change), LIMITS)


def test_overlapping_tensors_are_rejected() -> None:
    kinds = {"a": TensorKind("I8", (4,)), "b": TensorKind("I8", (4,))}
    header = json.dumps({n: {"dtype": "I8", "shape": [4], "data_offsets": [0, 4]} for n in kinds}).encode()
    data = len(header).to_bytes(8, "little") + header + bytes(4)
    with pytest.raises(Rejected, match="file: tensor b starts at 0, not at 4"):
        read_tensors(data, kinds, "file")


@pytest.mark.parametrize("cut", [0, 7, 8, 100, -1])
def test_truncated_weights_are_rejected(cut: int) -> None:
    with pytest.raises(Rejected, match=r"^weights\.safetensors: "):
        decode_network(encode_graph(example()), encode_weights(example())[:cut], LIMITS)


def test_trailing_bytes_and_a_reordered_header_are_rejected() -> None:
    with pytest.raises(Rejected, match="its header accounts for"):
        decode_network(encode_graph(example()), encode_weights(example()) + b"\0", LIMITS)
    with pytest.raises(Rejected, match="not in canonical form"):
        decode_network(
            encode_graph(example()),
            edit_weights(lambda header: header.update({"0.bias": header.pop("0.bias")})),
            LIMITS,
        )


def test_a_header_that_claims_everything_is_not_believed() -> None:
    data = (1 << 62).to_bytes(8, "little") + b"{}"
    with pytest.raises(Rejected, match="claims 4611686018427387904 bytes"):
        decode_network(encode_graph(example()), data, LIMITS)


def test_the_orders_limits_hold() -> None:
    graph, weights = encode_graph(example()), encode_weights(example())
    cost = ModelTree(example()).descriptors[-1].totals
    size = cost.weights + 9 * cost.units
    decode_network(graph, weights, ModelLimits(size, 1 << 20))
    with pytest.raises(Rejected, match=f"{size} bytes of parameters so far; at most {size - 1}"):
        decode_network(graph, weights, ModelLimits(size - 1, 1 << 20))
    with pytest.raises(Rejected, match="a tensor of"):
        decode_network(graph, weights, ModelLimits(size, 8))
    with pytest.raises(Rejected, match="11 nodes; there must be 1 to 5"):
        decode_network(graph, weights, ModelLimits(size, 1 << 20, max_nodes=5))
    with pytest.raises(Rejected, match="weights so far; at most 10"):
        decode_network(graph, weights, ModelLimits(size, 1 << 20, max_weights=10))
    with pytest.raises(Rejected, match="bytes in its files; at most 2097162"):
        decode_network(graph, weights + bytes(1 << 22), ModelLimits(10, 1 << 20))


def malformed() -> list[tuple[IntegerNetwork, tuple[str, int, str]]]:
    """Networks that a provider may claim and publish, with the leaf at fault."""
    network = example()

    def changed(index: int, **fields: Any) -> IntegerNetwork:
        nodes = [replace(n, **fields) if i == index else n for i, n in enumerate(network.nodes)]
        return replace(network, nodes=tuple(nodes))

    weight, scale = network.nodes[0].weight, network.nodes[0].requantisation
    assert weight is not None
    assert scale is not None
    late = Requantisation(scale.multiplier, scale.shift + np.uint8(60))
    pools = (network.nodes[3],) * 600
    return [
        (replace(network, output_scale=-2.0), ("header", 0, "scale")),
        (replace(network, input_shape=(8, 8)), ("header", 0, "input shape")),
        (replace(network, nodes=(*network.nodes[:3], *pools)), ("header", 0, "nodes")),
        (changed(0, inputs=(700,)), ("node", 0, "inputs")),
        (changed(2, low=-129), ("node", 2, "clamp")),
        (changed(0, output_shape=(4294967295, 9, 9)), ("node", 0, "shape")),
        (changed(0, weight=np.ascontiguousarray(weight[:, 1:])), ("node", 0, "units")),
        (changed(3, padding=(4294967295, 0, 0, 0)), ("node", 3, "padding")),
        (changed(1, kernel=(0, 1)), ("node", 1, "window")),
        (changed(4, offset=7), ("node", 4, "offset")),
        (changed(0, requantisation=late), ("unit", 0, "requantisation")),
    ]


@pytest.mark.parametrize("case", range(11))
def test_the_leaf_at_fault_of_published_nonsense_can_be_named(case: int) -> None:
    network, (leaf, node, _) = malformed()[case]
    graph, weights = encode_graph(network), encode_weights(network)
    again = decode_unvalidated(graph, weights, LIMITS)
    assert compute_model_root(again) == compute_model_root(network)
    fault = first_fault(again, LIMITS)
    assert fault is not None
    assert (fault.leaf, fault.node, fault.rule) == (leaf, node, malformed()[case][1][2].split()[-1])
    with pytest.raises(Rejected) as caught:
        decode_network(graph, weights, LIMITS)
    assert str(caught.value) == fault.text


NUMBERS = st.one_of(st.integers(0, 9), st.sampled_from([127, 128, 129, 255, 256, 1 << 20, 1 << 31, (1 << 32) - 1]))


@settings(max_examples=300, deadline=None, database=None)
@given(data=st.data())
def test_whatever_numbers_a_graph_holds_it_is_valid_or_its_leaf_is_named(data: st.DataObject) -> None:
    """Every network that can be read has a root and, if it breaks a rule, a leaf at fault; nothing crashes."""
    value = json.loads(encode_graph(example()))
    for _ in range(data.draw(st.integers(1, 3))):
        node = data.draw(st.sampled_from(value["nodes"]))
        field = data.draw(st.sampled_from(sorted(set(node) - {"op"})))
        if isinstance(node[field], int):
            node[field] = data.draw(NUMBERS) * data.draw(st.sampled_from([1, -1]))
        else:
            node[field][data.draw(st.integers(0, len(node[field]) - 1))] = data.draw(NUMBERS)
    graph = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    network, complaint = None, ""
    try:
        network = decode_unvalidated(graph, encode_weights(example()), LIMITS)
    except Rejected as error:
        complaint = str(error)
    if network is None:
        assert re.match(r"graph\.json: nodes\.\d+\.(low|high|offset)", complaint)
        return
    tree, fault = ModelTree(network), first_fault(network, LIMITS)
    assert len(tree.root) == 32
    if fault is None:
        inputs = random_inputs(0, 2, network.input_shape)
        assert np.array_equal(evaluate(network, inputs, threads=1), evaluate_slowly(network, inputs))
    else:
        assert fault.text.startswith("model node" if fault.leaf != "header" else "model: ")
        assert "\n" not in fault.text


def test_a_second_way_to_write_a_leaf_down_is_rejected_as_a_file() -> None:
    """One input given twice has the same descriptor as given once: the commitment is fine, so the file is not."""
    network = example()
    twice = replace(network.nodes[0], inputs=(0, 0))
    other = replace(network, nodes=(twice, *network.nodes[1:]))
    assert compute_model_root(other) == compute_model_root(network)
    with pytest.raises(Rejected, match=r"model node 0 \(CONV2D\): reads 2 tensors; it must read 1"):
        decode_unvalidated(encode_graph(other), encode_weights(other), LIMITS)


def test_a_graph_that_promises_the_moon_allocates_nothing() -> None:
    huge = {
        "version": 2,
        "input_shape": [4194304],
        "output_scale": 1.0,
        "nodes": [
            {
                "op": "dense",
                "inputs": [0],
                "output_shape": [4194304],
                "low": 0,
                "high": 1,
                "kernel": [1, 1],
                "stride": [1, 1],
                "padding": [0, 0, 0, 0],
                "offset": 0,
            }
        ],
    }
    graph = json.dumps(huge, sort_keys=True, separators=(",", ":")).encode()
    tracemalloc.start()
    for weights in (encode_weights(example()), _claiming([1 << 22, 1 << 22]), _claiming([1 << 62, 1])):
        with pytest.raises(Rejected, match=r"tensor '1[.]bias' is none|data_offsets|dtype"):
            decode_unvalidated(graph, weights, LIMITS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def _claiming(shape: list[int]) -> bytes:
    """A weights file whose header promises a matrix that is not there."""
    end = 7 * shape[0]
    claims = {"0.weight": ("I8", shape), "0.bias": ("I32", shape[:1]), "0.multiplier": ("I32", shape[:1])}
    claims["0.shift"] = ("U8", shape[:1])
    header = {name: {"dtype": d, "shape": s, "data_offsets": [0, end]} for name, (d, s) in claims.items()}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text
