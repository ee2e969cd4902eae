"""The circuit's count is the integer evaluator's: no less can be refused, and no more be claimed."""

from pathlib import Path

import numpy as np
import pytest

from offchain.model.graph import Int64Array, IntegerNetwork
from offchain.model.oracle import trace
from offchain.proofs.circuit import Circuit
from offchain.proofs.noir.barretenberg import Barretenberg
from offchain.proofs.noir.generator import generate
from offchain.proofs.noir.inputs import inputs
from offchain.proofs.statement import Chunk, correct_count
from tests.integration.proofs.accuracy.adversary import PROVER, SALT
from tests.integration.proofs.accuracy.networks import SHAPES, random_chunk, randomised
from tests.integration.proofs.accuracy.solving import satisfied

NETWORKS, SAMPLES = 200, 2


@pytest.mark.parametrize("shift", [20, pytest.param(47, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "name", ["pooled", *(pytest.param(name, marks=pytest.mark.long) for name in SHAPES if name != "pooled")]
)
def test_the_circuit_counts_as_the_evaluator_does(
    barretenberg: Barretenberg, name: str, shift: int, tmp_path: Path
) -> None:
    shape = SHAPES[name]()
    cases, expected, seen = [], [], np.zeros(2, dtype=np.int64)
    circuit = Circuit.of(randomised(shape, 1, shift), SAMPLES, shift, multiplier_bits=shift + 22, bias_bits=31)
    for seed in range(NETWORKS):
        network, chunk = randomised(shape, seed, shift), random_chunk(shape, SAMPLES, seed)
        seen += ties_and_saturation(network, chunk)
        exact = correct_count(circuit, network, chunk)
        made = inputs(circuit, network, chunk, SALT, PROVER, exact)
        cases.append(made)
        expected.append(True)
        wrong = [place for place, right in enumerate(made["right"]) if not right]
        if wrong:
            right = [1 if place == wrong[0] else said for place, said in enumerate(made["right"])]
            cases.append(made | {"right": right, "correct": exact + 1})
            expected.append(False)
    answers = satisfied(barretenberg, barretenberg.compile(generate(circuit)), cases, tmp_path)
    assert answers == expected
    assert (seen > NETWORKS // 10).all()
    assert expected.count(False) > NETWORKS // 2


def ties_and_saturation(network: IntegerNetwork, chunk: Chunk) -> Int64Array:
    """Samples whose largest output several have, and those with a hidden output at a bound."""
    tensors = trace(network, chunk.inputs)
    outputs = tensors[-1].reshape(len(chunk), -1)
    ties = (outputs == outputs.max(axis=1, keepdims=True)).sum(axis=1) > 1
    at_bound = (tensors[1] == network.nodes[0].high) | (tensors[1] == network.nodes[0].low)
    return np.array([ties.sum(), at_bound.reshape(len(chunk), -1).any(axis=1).sum()])
