"""What a proof of accuracy says, and the hashes it says it with (docs/proofs.md, Statement)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.errors import Bug, Rejected
from offchain.model.evaluator import evaluate
from offchain.model.graph import Int8Array, Int32Array, IntegerNetwork, Node
from offchain.model.scores import total_score
from offchain.model.windows import WEIGHTED
from offchain.proofs.circuit import MULTIPLIER_BITS, Circuit, check_fits, scaled_multipliers
from offchain.proofs.field import Element, check_element
from offchain.proofs.poseidon2 import CHUNK, MODEL, hash_elements, pack, pack_bytes
from offchain.protocol.scores import ScoreFunction

LABEL_BOUND = 1 << 16


@dataclass(frozen=True, slots=True)
class Chunk:
    """Test samples that one proof is about.

    inputs: int8 (n, *input shape); labels: int32 (n,), each 0 .. 65,535.
    """

    inputs: Int8Array
    labels: Int32Array

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True, slots=True)
class Statement:
    """The public inputs of a proof, in their order.

    correct: samples of the chunk that the model classifies right, or fewer.
    prover: the binding of the commitment, `prover_binding`.
    """

    model_hash: Element
    chunk_hash: Element
    correct: int
    prover: Element

    def elements(self) -> tuple[int, int, int, int]:
        """The four public inputs."""
        return self.model_hash, self.chunk_hash, self.correct, self.prover


def prover_binding(chain_id: int, contract: str, round_id: bytes, account: str) -> Element:
    """The public input `prover` of an account in a round: 248 bits.

    contract: the address of AccuracyProofs; round_id: 32 bytes; account: its address, 0x and 40 digits.
    """
    data = encode(["uint256", "address", "bytes32", "address"], [chain_id, contract, round_id, account])
    return Element(int.from_bytes(keccak(data), "big") >> 8)


def model_elements(circuit: Circuit, network: IntegerNetwork) -> list[int]:
    """What is hashed of a model, without salt and prover. Raises Rejected unless the network fits the circuit."""
    check_fits(circuit, network)
    elements: list[int] = []
    for node in network.nodes:
        if node.op in WEIGHTED:
            elements += _unit_elements(circuit, node)
    return elements


def model_hash(circuit: Circuit, network: IntegerNetwork, salt: Element, prover: Element) -> Element:
    """The commitment to a model; whoever has not seen `salt`, a random element, learns nothing of the model from it."""
    check_element("salt", salt)
    check_element("prover", prover)
    return hash_elements(MODEL, [*model_elements(circuit, network), salt, prover])


def chunk_elements(circuit: Circuit, chunk: Chunk) -> list[int]:
    """What is hashed of a chunk. Raises Rejected unless it is one of the circuit's."""
    _check_chunk(circuit, chunk)
    rows = (chunk.inputs.reshape(len(chunk), -1).view(np.uint8) ^ np.uint8(128)).tobytes()
    width = prod(circuit.input_shape)
    samples = (rows[start : start + width] for start in range(0, len(rows), width))
    return [*(element for sample in samples for element in pack_bytes(sample)), *pack(16, chunk.labels.tolist())]


def chunk_hash(circuit: Circuit, chunk: Chunk) -> Element:
    """The hash of a chunk's samples and labels."""
    return hash_elements(CHUNK, chunk_elements(circuit, chunk))


def correct_count(circuit: Circuit, network: IntegerNetwork, chunk: Chunk) -> int:
    """How many of the chunk's samples the network classifies right: the most that a proof can claim."""
    _check_chunk(circuit, chunk)
    return total_score(ScoreFunction.ACCURACY, evaluate(network, chunk.inputs), chunk.labels)


def statement_of(circuit: Circuit, network: IntegerNetwork, chunk: Chunk, prover: Element, salt: Element) -> Statement:
    """The true statement with the exact count."""
    return Statement(
        model_hash(circuit, network, salt, prover),
        chunk_hash(circuit, chunk),
        correct_count(circuit, network, chunk),
        prover,
    )


def _unit_elements(circuit: Circuit, node: Node) -> Sequence[int]:
    if node.weight is None or node.bias is None:
        raise Bug(f"{node.op.name} without weights")
    weights = (node.weight.view(np.uint8) ^ np.uint8(128)).tobytes()
    biases = (node.bias.astype(np.int64) + (1 << 31)).tolist()
    multipliers = scaled_multipliers(node, circuit.shift)
    return [*pack_bytes(weights), *pack(32, biases), *pack(MULTIPLIER_BITS + circuit.shift, multipliers)]


def _check_chunk(circuit: Circuit, chunk: Chunk) -> None:
    shape = (circuit.samples, *circuit.input_shape)
    if chunk.inputs.dtype != np.int8 or chunk.inputs.shape != shape or chunk.labels.shape != shape[:1]:
        raise Rejected(f"the chunk is {list(chunk.inputs.shape)}; the circuit is for int8 {list(shape)}, a label each")
    if len(chunk) and (chunk.labels.min() < 0 or chunk.labels.max() >= LABEL_BOUND):
        raise Rejected(f"a label of the chunk is not within 0 .. {LABEL_BOUND - 1}; only classes can be proven")
