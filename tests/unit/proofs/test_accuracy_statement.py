"""Circuits' descriptions, what a statement is made of, chunks of a test set, and networks that are cheap to prove."""

import json
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from offchain.errors import Rejected
from offchain.model.evaluator import evaluate
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.model.limits import ModelLimits
from offchain.model.merkle import root_from
from offchain.model.oracle import trace
from offchain.model.validation import validate
from offchain.proofs.bounds import headroom, scaled_range
from offchain.proofs.chunks import ChunkTree, chunk_leaf, shuffled, split
from offchain.proofs.circuit import Circuit, check_fits, parse_circuit
from offchain.proofs.field import ORDER, Element
from offchain.proofs.friendly import prover_friendly
from offchain.proofs.noir.inputs import inputs
from offchain.proofs.statement import Chunk, chunk_hash, model_elements, model_hash, prover_binding, statement_of
from offchain.proofs.unpacking import unpack_model

RNG = np.random.default_rng(5)


def dense(source: int, fan_in: int, units: int, low: int, high: int, shift: int = 30) -> Node:
    scale = Requantisation(
        RNG.integers(1 << 20, 1 << 21, units).astype(np.int32),
        RNG.integers(shift - 2, shift + 1, units).astype(np.uint8),
    )
    return Node(
        Op.DENSE, (source,), (units,), low, high, weight=RNG.integers(-128, 128, (units, fan_in)).astype(np.int8),
        bias=RNG.integers(-5_000, 5_000, units).astype(np.int32), requantisation=scale,
    )  # fmt: skip


NETWORK = IntegerNetwork((40,), (dense(0, 40, 8, 0, 127), dense(1, 8, 4, -(2**23) + 1, 2**23 - 1, 18)), 0.5)
CIRCUIT = Circuit.of(NETWORK, 3)
CHUNK = Chunk(RNG.integers(-128, 128, (3, 40)).astype(np.int8), np.array([0, 3, 65_535], np.int32))


def test_a_description_is_read_back_and_names_the_circuit() -> None:
    assert parse_circuit(CIRCUIT.description()) == CIRCUIT
    assert CIRCUIT.circuit_hash != Circuit.of(NETWORK, 4).circuit_hash
    assert CIRCUIT.circuit_hash != Circuit.of(NETWORK, 3, shift=31).circuit_hash


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("samples",), 0, "samples"),
        (("shift",), 48, "shift"),
        (("nodes", 0, "op"), "lookup", "op"),
        (("nodes", 0, "units"), 9, "output shape"),
        (("nodes", 0, "high"), 128, "int8"),
        (("nodes", 0, "multiplier_bits"), 53, "multipliers"),
        (("nodes", 1, "inputs"), [2], "before it"),
        (("nodes", 1, "kernel"), [1, 2], "window"),
        (("nodes", 1, "multipliers"), [3], "multipliers"),
        (("input_shape",), [2**20 + 1], "input_shape"),
        (("score",), "top3", "score"),
    ],
)
def test_a_description_of_no_circuit_is_refused(path: tuple[Any, ...], value: object, says: str) -> None:
    fields = json.loads(CIRCUIT.description())
    *way, last = path
    place = fields
    for step in way:
        place = place[step]
    place[last] = value
    text = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(Rejected, match=says):
        parse_circuit(text)
    with pytest.raises(Rejected, match="canonical"):
        parse_circuit(CIRCUIT.description().replace(b":", b": ", 1))


@pytest.mark.parametrize(("side", "samples", "says"), [(1, 65_535, "values"), (64, 1, "terms")])
def test_a_strangers_circuit_that_nobody_could_prove_in_is_refused(side: int, samples: int, says: str) -> None:
    pool = Node(Op.MAX_POOL2D, (0,), (65 - side, 65 - side, 1), -128, 127, kernel=(side, side))
    wide = Node(Op.MAX_POOL2D, (0,), (64, 64, 1), -128, 127, kernel=(64, 64), padding=(32, 32, 31, 31))
    circuit = replace(CIRCUIT, input_shape=(64, 64, 1), samples=samples)
    nodes = [pool if samples > 1 else wide, replace(pool, inputs=(1,), output_shape=(1, 1, 1), kernel=(64, 64))]
    template = replace(CIRCUIT.nodes[0], op=Op.MAX_POOL2D, units=0, multiplier_bits=0, bias_bits=0)
    copied = [
        replace(template, inputs=n.inputs, output_shape=n.output_shape, kernel=n.kernel, padding=n.padding)
        for n in nodes
    ]
    with pytest.raises(Rejected, match=f"more than 2.22 {says}"):
        parse_circuit(replace(circuit, nodes=tuple(copied)).description())


def test_the_best_output_is_raised_as_the_outputs_are_where_a_pool_is_last() -> None:
    """Its bounds are wider than those of the convolution that is merged into it."""
    scale = Requantisation(np.full(3, 1 << 12, np.int32), np.full(3, 14, np.uint8))
    convolution = Node(
        Op.CONV2D, (0,), (2, 2, 3), 0, 127, weight=np.array([[3], [90], [-90]], np.int8),
        bias=np.zeros(3, np.int32), requantisation=scale,
    )  # fmt: skip
    pool = Node(Op.MAX_POOL2D, (1,), (1, 1, 3), -128, 127, kernel=(2, 2), stride=(2, 2))
    network = IntegerNetwork((2, 2, 1), (convolution, pool), 1.0)
    chunk = Chunk(RNG.integers(-128, 128, (5, 2, 2, 1)).astype(np.int8), np.zeros(5, np.int32))
    made = inputs(Circuit.of(network, 5), network, chunk, Element(7), Element(9), 0)
    assert made["best"] == [max(outputs) for outputs in made["out1"]]


def test_a_network_that_does_not_fit_a_circuit_is_refused_with_a_way_out() -> None:
    with pytest.raises(Rejected, match="shift 30"):
        Circuit.of(NETWORK, 3, shift=29)
    with pytest.raises(Rejected, match="of bias"):
        Circuit.of(NETWORK, 3, bias_bits=5)
    other = replace(NETWORK, nodes=(replace(NETWORK.nodes[0], high=126), NETWORK.nodes[1]))
    with pytest.raises(Rejected, match="node 0"):
        check_fits(CIRCUIT, other)
    moving = Node(Op.SLICE, (0,), (40,), -128, 127)
    with pytest.raises(Rejected, match="SLICE cannot be proven"):
        Circuit.of(replace(NETWORK, nodes=(moving, *NETWORK.nodes)), 3)


def test_bounds_hold_every_value_of_every_network_that_fits() -> None:
    extreme = np.where(NETWORK.nodes[0].weight[0] < 0, -128, 127)  # type: ignore[index]
    inputs = np.concatenate([CHUNK.inputs, [extreme, -1 - extreme]]).astype(np.int8)
    for index in range(2):
        least, most = (bound >> CIRCUIT.shift for bound in scaled_range(CIRCUIT, index))
        node = replace(NETWORK.nodes[index], low=-(2**62), high=2**62)
        free = trace(replace(NETWORK, nodes=(*NETWORK.nodes[:index], node)), inputs)[-1]
        assert least <= free.min()
        assert free.max() <= most
        assert max(-free.min(), free.max()) < 2 ** (headroom(CIRCUIT, index) + 24)


def test_the_hashes_bind_salt_prover_parameters_and_every_sample() -> None:
    base = model_hash(CIRCUIT, NETWORK, Element(7), Element(9))
    bias = NETWORK.nodes[1].bias
    assert bias is not None
    other = replace(NETWORK, nodes=(NETWORK.nodes[0], replace(NETWORK.nodes[1], bias=bias + np.int32(1))))
    hashes = {
        base,
        model_hash(CIRCUIT, NETWORK, Element(8), Element(9)),
        model_hash(CIRCUIT, NETWORK, Element(7), Element(10)),
        model_hash(CIRCUIT, other, Element(7), Element(9)),
    }
    assert len(hashes) == 4
    # 320 weights in 11 elements, 32 in 2; 8 and 4 biases in 2 and 1; the same of multipliers of 52 bits
    assert len(model_elements(CIRCUIT, NETWORK)) == 11 + 2 + 2 + 2 + 1 + 1
    inputs = CHUNK.inputs.copy()
    inputs[2, 39] ^= 1
    chunks = [CHUNK, replace(CHUNK, inputs=inputs), replace(CHUNK, labels=CHUNK.labels[::-1])]
    assert len({chunk_hash(CIRCUIT, chunk) for chunk in chunks}) == 3
    with pytest.raises(Rejected, match="label"):
        chunk_hash(CIRCUIT, replace(CHUNK, labels=CHUNK.labels + 1))
    with pytest.raises(Rejected, match="salt"):
        model_hash(CIRCUIT, NETWORK, Element(ORDER), Element(9))
    statement = statement_of(CIRCUIT, NETWORK, CHUNK, Element(9), Element(7))
    assert statement.elements() == (base, chunk_hash(CIRCUIT, CHUNK), statement.correct, 9)


def test_a_model_with_the_least_bias_that_can_be_proven_is_opened_as_one_that_can_be_loaded() -> None:
    circuit = Circuit.of(NETWORK, 3, bias_bits=31)
    elements = [*model_elements(circuit, NETWORK), 7, 9]
    elements[11] &= (1 << 6 * 32) - 1  # after 11 of weights; its first bias is -2^31
    opened = unpack_model(circuit, elements)
    validate(opened, ModelLimits(1 << 10, 1 << 10))
    assert opened.nodes[0].bias is not None
    assert opened.nodes[0].bias[0] == 1 - 2**31
    assert model_elements(circuit, opened)[12:] == elements[12:-2]


def test_open_labels_of_a_small_chunk_are_guessed_from_its_hash() -> None:
    """Who has the samples tries all labels: a chunk's hash has no salt."""
    secret = replace(CHUNK, labels=np.array([2, 0, 3], np.int32))
    published = chunk_hash(CIRCUIT, secret)
    guesses = (replace(CHUNK, labels=np.array(labels, np.int32)) for labels in product(range(4), repeat=3))
    found = [guess.labels.tolist() for guess in guesses if chunk_hash(CIRCUIT, guess) == published]
    assert found == [[2, 0, 3]]


def test_a_binding_is_of_chain_contract_round_and_account() -> None:
    one, two = "0x" + "11" * 20, "0x" + "22" * 20
    bindings = {
        prover_binding(chain, contract, round_id, account)
        for chain in (1, 31337)
        for contract in (one, two)
        for round_id in (bytes(32), b"\x01" * 32)
        for account in (one, two)
    }
    assert len(bindings) == 16
    assert max(bindings) < 2**248


def test_a_test_set_is_cut_once_shuffled_and_its_chunks_are_under_the_root() -> None:
    inputs = np.arange(100, dtype=np.int8).reshape(100, 1)
    made = split(inputs, np.arange(100), 15, b"b" * 32)
    assert (len(made.chunks), made.left_over) == (6, 10)
    seen = np.concatenate([chunk.labels for chunk in made.chunks])
    assert len(set(seen)) == 90
    assert all((chunk.inputs[:, 0] == chunk.labels).all() for chunk in made.chunks)
    assert list(seen) == list(shuffled(100, b"b" * 32)[:90])
    assert list(seen) != list(shuffled(100, b"c" * 32)[:90])
    tree = ChunkTree([5, 6, 7])
    assert root_from(chunk_leaf(7), 2, 3, tree.prove(2)) == tree.root
    with pytest.raises(Rejected, match="no chunk"):
        split(inputs, np.arange(100), 101, b"b" * 32)


def test_a_friendly_network_has_short_shifts_and_says_nearly_the_same() -> None:
    friendly = prover_friendly(NETWORK)
    circuit = Circuit.of(friendly, 3)
    assert circuit.shift == 14
    assert headroom(circuit, 1) == 0
    inputs = RNG.integers(-128, 128, (500, 40)).astype(np.int8)
    before, after = (evaluate(n, inputs) * n.output_scale for n in (NETWORK, friendly))
    assert (before.argmax(axis=1) == after.argmax(axis=1)).mean() > 0.95
    assert prover_friendly(friendly).nodes[0].requantisation is not None
    assert evaluate(prover_friendly(friendly), inputs).tolist() == evaluate(friendly, inputs).tolist()
