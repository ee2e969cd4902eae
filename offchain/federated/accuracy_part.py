"""What a manifest says about proofs of accuracy: in which circuit, on which test samples (docs/federated.md).

The chain has the verifier's key and the root over the test chunks; this says where circuit and chunks are. Both come
from a stranger, and are checked against the chain before anything is proven or joined.
"""

from __future__ import annotations

import json
from math import prod
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.federated.terms import AccuracyTerms
from offchain.proofs.chunks import ChunkTree
from offchain.proofs.circuit import Circuit, parse_circuit
from offchain.proofs.statement import Chunk, chunk_hash
from offchain.protocol.manifest import FileRef

_HEADER_BYTES: Final = 4096


class AccuracyPart(BaseModel):
    """`circuit`: its description (docs/proofs.md, Circuits); `test`: the chunks' samples in order, a data set file."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    system: Literal["ultrahonk", "groth16"]
    circuit: dict[str, Any]
    test: FileRef

    @classmethod
    def of(cls, system: Literal["ultrahonk", "groth16"], circuit: Circuit, test: FileRef) -> AccuracyPart:
        """The part for a circuit and a file that is stored."""
        return cls(system=system, circuit=json.loads(circuit.description()), test=test)

    @property
    def shape(self) -> Circuit:
        """The circuit. Raises Rejected when the description is none."""
        return parse_circuit(json.dumps(self.circuit, sort_keys=True, separators=(",", ":")).encode())

    def require(self, terms: AccuracyTerms) -> None:
        """Raises Rejected when nobody could be accepted, or nobody has to know anything to be."""
        most = terms.draws * self.shape.samples
        if terms.minimum_correct > most:
            raise Rejected(f"proofs: {terms.minimum_correct} right samples are asked for, of {most}; do not join")
        if self.test.size > max_test_bytes(self.shape, terms.chunks):
            raise Rejected(f"proofs: a test file of {self.test.size} bytes for {terms.chunks} chunks; do not join")


class TestChunks:
    """The chunks of a task with their tree."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    def __init__(self, circuit: Circuit, data: Dataset) -> None:
        """`data`: a whole number of chunks, in order. Raises Rejected otherwise, or when they don't fit the circuit."""
        samples = circuit.samples
        if not len(data) or len(data) % samples:
            raise Rejected(f"test chunks: {len(data)} samples are no whole number of chunks of {samples}")
        starts = range(0, len(data), samples)
        self.chunks = tuple(
            Chunk(data.inputs[start : start + samples], data.labels[start : start + samples]) for start in starts
        )
        self.tree = ChunkTree([chunk_hash(circuit, chunk) for chunk in self.chunks])

    def require(self, terms: AccuracyTerms) -> None:
        """Raises Rejected when these are not the chunks that the chain names."""
        if len(self.chunks) != terms.chunks or self.tree.root != terms.chunk_root:
            raise Rejected("test chunks: they are not those on chain; the client lied about its file")


def max_test_bytes(circuit: Circuit, chunks: int) -> int:
    """The most that a file of so many chunks has: inputs int8, labels int32, a small header."""
    return chunks * circuit.samples * (prod(circuit.input_shape) + 4) + _HEADER_BYTES
