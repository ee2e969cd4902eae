"""The constraints say what the integer evaluator says, for random networks of every operation."""

from dataclasses import replace
from math import prod

import numpy as np
import pytest

from offchain.errors import Rejected
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.model.oracle import evaluate_slowly
from offchain.proofs.circuit import SUPPORTED, Circuit
from offchain.proofs.field import Element
from offchain.proofs.groth16 import vectors
from offchain.proofs.groth16.r1cs import Builder
from offchain.proofs.groth16.sponge import hash_wires
from offchain.proofs.groth16.synthesis import synthesise
from offchain.proofs.groth16.witness import make_witness
from offchain.proofs.poseidon2 import hash_elements
from offchain.proofs.statement import Chunk, Statement, statement_of
from tests.unit.model.networks import random_inputs, random_network

SALT, PROVER = Element(0x5A17), Element(0x9407E4)
OPERATIONS = sorted(SUPPORTED)


def small_case(seed: int, samples: int, most: int) -> tuple[IntegerNetwork, Chunk]:
    """A network with about `most` operations, and samples whose labels are right about half of the time."""
    rng = np.random.default_rng(seed)
    operations = [Op(int(op)) for op in rng.choice(OPERATIONS, int(rng.integers(1, most + 1)))]
    shape = (*(int(side) for side in rng.integers(1, 5, 2)), int(rng.integers(1, 3)))
    network = random_network(operations, seed, shape)
    inputs = random_inputs(seed, samples, shape).astype(np.int8)
    outputs = evaluate_slowly(network, inputs).reshape(samples, -1)
    guesses = rng.integers(0, prod(network.output_shape) + 1, samples)
    labels = np.where(rng.random(samples) < 0.5, outputs.argmax(axis=1), guesses).astype(np.int32)
    return network, Chunk(inputs, labels)


def check_count(seed: int, samples: int, most: int) -> int:
    """Proves the evaluator's count, refuses one more; the count."""
    network, chunk = small_case(seed, samples, most)
    circuit = Circuit.of(network, samples)
    system, layout = synthesise(circuit)
    said = statement_of(circuit, network, chunk, PROVER, SALT)
    solved = make_witness(circuit, system, layout, network, chunk, said, SALT)
    assert sum(vectors.to_integers(solved.wires[layout.winner.right])) == said.correct
    return said.correct


def test_the_count_is_the_evaluators_for_random_networks() -> None:
    counts = [check_count(seed, 1 + seed % 2, 3) for seed in range(200)]
    assert 80 < sum(counts) < 300


def test_a_pool_whose_bounds_lie_beside_its_inputs_is_proven_too() -> None:
    scale = Requantisation(np.array([1 << 12], np.int32), np.array([14], np.uint8))
    convolution = Node(
        Op.CONV2D, (0,), (1, 2, 1), 0, 1, weight=np.array([[9]], np.int8), bias=np.zeros(1, np.int32),
        requantisation=scale,
    )  # fmt: skip
    pool = Node(Op.MAX_POOL2D, (1,), (1, 1, 1), 100, 120, kernel=(1, 2))
    network = IntegerNetwork((1, 2, 1), (convolution, pool), 1.0)
    chunk = Chunk(np.array([[[[5], [-9]]], [[[0], [-3]]]], np.int8), np.zeros(2, np.int32))
    circuit = Circuit.of(network, 2)
    system, layout = synthesise(circuit)
    said = statement_of(circuit, network, chunk, PROVER, SALT)
    solved = make_witness(circuit, system, layout, network, chunk, said, SALT)
    assert sum(vectors.to_integers(solved.wires[layout.winner.right])) == said.correct == 2


@pytest.mark.parametrize(("kernel", "says"), [((8, 8), "too large"), ((20, 20), "windows")])
def test_a_circuit_that_is_too_large_is_refused_before_it_takes_the_memory(kernel: tuple[int, int], says: str) -> None:
    sides = (41 - kernel[0], 41 - kernel[1])
    pool = Node(Op.MAX_POOL2D, (0,), (*sides, 1), -128, 127, kernel=kernel)
    last = Node(Op.MAX_POOL2D, (1,), (1, 1, 1), -128, 127, kernel=sides)
    circuit = Circuit.of(IntegerNetwork((40, 40, 1), (pool, last), 1.0), 170)
    with pytest.raises(Rejected, match=says):
        synthesise(circuit)


@pytest.mark.long
def test_the_count_is_the_evaluators_for_more_and_larger_networks() -> None:
    for seed in range(1000, 1400):
        check_count(seed, 1 + seed % 5, 5)


def test_ties_go_to_the_first_and_saturated_outputs_tie() -> None:
    """Outputs all at a bound: class 0 is right, no other is."""
    for bias, bound in ((10_000, 127), (-10_000, -128)):
        network = random_network([Op.DENSE], 5, (2,))
        node = network.nodes[0]
        flat = np.zeros_like(node.weight), np.full_like(node.bias, bias)
        node = replace(node, weight=flat[0], bias=flat[1], low=-128, high=127)
        network = replace(network, nodes=(node,))
        chunk = Chunk(np.zeros((3, 2), dtype=np.int8), np.array([0, 1, 0], dtype=np.int32))
        assert set(evaluate_slowly(network, chunk.inputs).reshape(-1).tolist()) == {bound}
        circuit = Circuit.of(network, 3)
        system, layout = synthesise(circuit)
        said = statement_of(circuit, network, chunk, PROVER, SALT)
        assert said.correct == 2
        make_witness(circuit, system, layout, network, chunk, said, SALT)


def test_a_proof_may_claim_less() -> None:
    network, chunk = small_case(3, 4, 2)
    circuit = Circuit.of(network, 4)
    system, layout = synthesise(circuit)
    said = statement_of(circuit, network, chunk, PROVER, SALT)
    assert said.correct >= 1
    less = Statement(said.model_hash, said.chunk_hash, said.correct - 1, said.prover)
    make_witness(circuit, system, layout, network, chunk, less, SALT)


@pytest.mark.parametrize("count", [0, 1, 3, 7])
def test_the_sponge_is_the_one_of_the_statement(count: int) -> None:
    builder = Builder(0)
    elements = builder.allocate(count)
    out = builder.define("hash", hash_wires(builder, "hash", 2, elements))
    system = builder.system()
    wires = np.zeros((system.wires, 4), dtype=np.uint64)
    wires[0] = vectors.ONE
    values = [7**i * 10**60 % vectors.SCALAR_ORDER for i in range(count)]
    wires[elements] = vectors.to_montgomery(values)
    vectors.solve(system, wires)
    assert vectors.to_integers(wires[out]) == [hash_elements(2, values)]
