"""Groth16 as a proof system (see `ProofSystem`): proofs of 256 bytes, a key for each circuit."""

from __future__ import annotations

import resource
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from eth_abi.abi import encode

from offchain.chain.artifacts import load_artifact
from offchain.errors import Bug, Rejected
from offchain.model.graph import IntegerNetwork
from offchain.proofs.circuit import Circuit
from offchain.proofs.field import ORDER, Element
from offchain.proofs.groth16 import prover as groth16
from offchain.proofs.groth16.keys import ProvingKey, VerifyingKey, load_proving_key
from offchain.proofs.groth16.layout import Layout
from offchain.proofs.groth16.prover import Random
from offchain.proofs.groth16.r1cs import System
from offchain.proofs.groth16.setup import Secrets, insecure_key
from offchain.proofs.groth16.synthesis import VERSION, synthesise
from offchain.proofs.groth16.witness import make_witness, public_inputs
from offchain.proofs.noir.cache import BuildCache
from offchain.proofs.statement import Chunk, statement_of
from offchain.proofs.system import CompiledVerifier, Proof

NAME = "groth16"
KEYS, CEREMONY_KEYS = f"groth16-insecure-{VERSION}", f"groth16-{VERSION}"
"""Kinds in the cache: keys of known secrets, and keys of finished ceremonies."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a proof cost. witness_seconds: statement, witness; proof_seconds: the rest; peak_bytes: of this process."""

    witness_seconds: float
    proof_seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Groth16:
    """The proof system `groth16`. A circuit's key is that of its ceremony, once one is installed (`install_key`);
    until then it is one that everybody knows the secrets of, for development chains only.

    random: where proofs get their randomness; `secrets.randbelow` unless a test needs the same proof twice.
    """

    cache: BuildCache
    progress: Progress | None = None
    random: Random = secrets.randbelow
    name: str = NAME
    _built: dict[bytes, tuple[System, Layout]] = field(default_factory=dict)

    def prove(self, circuit: Circuit, network: IntegerNetwork, chunk: Chunk, prover: Element, salt: Element) -> Proof:
        """See `ProofSystem`. What is handed out has been verified."""
        return self.prove_measured(circuit, network, chunk, prover, salt)[0]

    def prove_measured(
        self, circuit: Circuit, network: IntegerNetwork, chunk: Chunk, prover: Element, salt: Element
    ) -> tuple[Proof, Measured]:
        """Like `prove`, and what it cost; constraints and key are made before the clock runs."""
        key, (system, layout) = self.key(circuit), self.constraints(circuit)
        started = time.perf_counter()
        statement = statement_of(circuit, network, chunk, prover, salt)
        solved = make_witness(circuit, system, layout, network, chunk, statement, salt)
        solved_at = time.perf_counter()
        data = groth16.prove(key, solved, system.public, self.random)
        ended = time.perf_counter()
        proof = Proof(NAME, circuit.circuit_hash, statement, data)
        if not self.verify(circuit, proof):
            raise Bug("a proof was made that its verifier refuses")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return proof, Measured(solved_at - started, ended - solved_at, peak)

    def verify(self, circuit: Circuit, proof: Proof) -> bool:
        """See `ProofSystem`."""
        statement = proof.statement
        if proof.system != NAME or proof.circuit_hash != circuit.circuit_hash:
            return False
        if any(not 0 <= value < ORDER for value in statement.elements()):
            return False
        return groth16.verify(self.verifying_key(circuit), public_inputs(statement), proof.data)

    def verifier(self, circuit: Circuit) -> CompiledVerifier:
        """See `ProofSystem`: one code for all circuits, with the key's words behind it."""
        return compiled_verifier(circuit, self.verifying_key(circuit), self.is_insecure(circuit))

    def size(self, circuit: Circuit) -> int:
        """See `ProofSystem`: constraints."""
        return self.constraints(circuit)[0].constraints

    def setup(self, circuit: Circuit) -> None:
        """Makes what proofs of the circuit need, if it is not there."""
        self.key(circuit)
        self.constraints(circuit)

    def constraints(self, circuit: Circuit) -> tuple[System, Layout]:
        """The circuit's constraints and layout, kept while this object lives: about a second for 300,000."""
        name = circuit.circuit_hash
        if name not in self._built:
            self._built.clear()  # one is enough, and they are large
            self._built[name] = synthesise(circuit)
        return self._built[name]

    def is_insecure(self, circuit: Circuit) -> bool:
        """Whether the circuit's key has secrets that everybody knows."""
        return not (self.cache.folder / CEREMONY_KEYS / circuit.circuit_hash.hex()).is_dir()

    def key(self, circuit: Circuit) -> ProvingKey:
        """The circuit's proving key."""
        name = circuit.circuit_hash.hex()
        if not self.is_insecure(circuit):
            return load_proving_key(self.cache.folder / CEREMONY_KEYS / name)
        return load_proving_key(self.cache.made(KEYS, name, lambda folder: self._make_key(circuit, folder)))

    def verifying_key(self, circuit: Circuit) -> VerifyingKey:
        """The circuit's verifying key."""
        return self.key(circuit).verifying_key()

    def install_key(self, circuit: Circuit, key: ProvingKey) -> None:
        """Takes the key of a finished ceremony, which the caller has checked (`ceremony.check_circuit`).

        Raises Rejected if the circuit has a ceremony's key already: proofs and verifiers in use are that key's.
        """
        if not self.is_insecure(circuit):
            place = self.cache.folder / CEREMONY_KEYS / circuit.circuit_hash.hex()
            raise Rejected(f"{place}: this circuit has a ceremony's key already; remove that folder to take another")
        self.cache.made(CEREMONY_KEYS, circuit.circuit_hash.hex(), key.save)

    def _make_key(self, circuit: Circuit, folder: Path) -> None:
        system, _ = self.constraints(circuit)
        if self.progress:
            self.progress(f"an INSECURE Groth16 key for {system.constraints} constraints, once for this circuit")
        insecure_key(system, Secrets.public_knowledge(circuit.circuit_hash)).save(folder)


def open_groth16(cache: Path, *, progress: Progress | None = None) -> Groth16:
    """The proof system with what it keeps below `cache`. progress: gets a line before something slow begins."""
    return Groth16(BuildCache(cache), progress)


def compiled_verifier(circuit: Circuit, key: VerifyingKey, insecure: bool) -> CompiledVerifier:
    """The circuit's contract: the runtime is `Groth16Verifier`'s code and then the key, as `Groth16Deployment` leaves
    it."""
    verifier, deployment = load_artifact("Groth16Verifier"), load_artifact("Groth16Deployment")
    arguments = encode(
        ["uint256[20]", "bytes32", "uint256", "bool"], [key.words(), circuit.circuit_hash, circuit.samples, insecure]
    )
    return CompiledVerifier(
        circuit.circuit_hash,
        tuple(verifier.abi),
        deployment.creation + arguments,
        verifier.runtime + arguments,
        _source(circuit, key, insecure),
        insecure,
    )


def _source(circuit: Circuit, key: VerifyingKey, insecure: bool) -> str:
    """Solidity that leaves the same code on chain: the project's text, with this key."""
    words = ",\n".join(f"            uint256({word:#x})" for word in key.words())
    return SOURCE.format(
        words=words, circuit_hash=circuit.circuit_hash.hex(), samples=circuit.samples, insecure=str(insecure).lower()
    )


SOURCE = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {{ Groth16Deployment }} from "contracts/proofs/Groth16Deployment.sol";

/// @title Puts the verifier of one circuit on chain: Groth16Verifier's code, and this key behind it (docs/proofs.md)
contract CircuitVerifierDeployment is
    Groth16Deployment(
        [
{words}
        ],
        0x{circuit_hash},
        {samples},
        {insecure}
    )
{{ }}
"""
