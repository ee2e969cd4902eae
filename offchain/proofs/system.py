"""What a proof system is to the rest of Assay: the same statement, two ways to prove it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.model.graph import IntegerNetwork
from offchain.proofs.circuit import Circuit
from offchain.proofs.field import Element
from offchain.proofs.statement import Chunk, Statement


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof as it is published.

    system: name of the proof system; circuit_hash: 32 bytes; data: what `IAccuracyVerifier.verify` takes.
    """

    system: str
    circuit_hash: bytes
    statement: Statement
    data: bytes


@dataclass(frozen=True, slots=True)
class CompiledVerifier:
    """A circuit's `IAccuracyVerifier`, ready to be deployed.

    creation: code with the constructor's arguments; runtime: the code on chain (there are no immutables).
    insecure: its set-up has a known secret, and it deploys on development chains only.
    """

    circuit_hash: bytes
    abi: tuple[dict[str, Any], ...]
    creation: bytes
    runtime: bytes
    source: str
    insecure: bool

    @property
    def code_hash(self) -> bytes:
        """keccak256 of the code on chain, 32 bytes."""
        return keccak(self.runtime)

    @property
    def registry_key(self) -> bytes:
        """Where `VerifierRegistry` has it: keccak256(abi.encode(circuitHash, code hash)), 32 bytes."""
        return keccak(encode(["bytes32", "bytes32"], [self.circuit_hash, self.code_hash]))


class ProofSystem(Protocol):
    """Proves and checks statements of docs/proofs.md.

    All methods raise Rejected when a tool that they need is missing, saying how to get it.
    """

    @property
    def name(self) -> str:
        """ "ultrahonk" or "groth16"."""
        ...

    def prove(self, circuit: Circuit, network: IntegerNetwork, chunk: Chunk, prover: Element, salt: Element) -> Proof:
        """Proves the exact count. Raises Rejected when network or chunk don't fit the circuit."""
        ...

    def verify(self, circuit: Circuit, proof: Proof) -> bool:
        """Whether the proof holds for its own statement and this circuit; False for any bytes that are none."""
        ...

    def verifier(self, circuit: Circuit) -> CompiledVerifier:
        """The contract that checks proofs of the circuit."""
        ...

    def size(self, circuit: Circuit) -> int:
        """How large the circuit is: UltraHonk's gates, Groth16's constraints."""
        ...
