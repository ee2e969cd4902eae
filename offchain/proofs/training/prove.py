"""Proofs of training steps through Noir and Barretenberg (docs/training-proofs.md)."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.errors import Bug, Rejected
from offchain.proofs.field import ORDER, Element, check_element
from offchain.proofs.local_evm import ask_verifier
from offchain.proofs.noir.barretenberg import Barretenberg, Program
from offchain.proofs.noir.verifier import STEP, make_verifier, proof_bytes
from offchain.proofs.system import CompiledVerifier
from offchain.proofs.training.generator import circuit_source
from offchain.proofs.training.sgd import trace_step
from offchain.proofs.training.shape import StepShape
from offchain.proofs.training.witness import Salted, SaltedBatch, StepStatement, same_state, step_inputs


@dataclass(frozen=True, slots=True)
class StepProof:
    """A proof of a step as it is submitted.

    :param circuit_hash: 32 bytes
    :param data: what `IStepProofVerifier.verifyStep` takes
    :param witness_seconds, proof_seconds, peak_bytes: what it cost
    """

    circuit_hash: bytes
    statement: StepStatement
    data: bytes
    witness_seconds: float
    proof_seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class StepProver:
    """Makes the proofs, and the verifiers' contracts, of training circuits."""

    barretenberg: Barretenberg

    def program(self, shape: StepShape) -> Program:
        """The compiled circuit, seconds to minutes the first time."""
        return self.barretenberg.compile(circuit_source(shape))

    def prove_step(self, shape: StepShape, old: Salted, batch: SaltedBatch, new: Salted, prover: Element) -> StepProof:
        """Proves that `new` is exactly the step from `old` by `batch`.

        :raises Rejected: it is not; or something is out of shape or bounds; or a tool is missing
        """
        for name, value in (("old salt", old.salt), ("new salt", new.salt), ("batch's salt", batch.salt)):
            check_element(f"the {name}", value)
        check_element("the prover's binding", prover)
        if not same_state(trace_step(shape, old.state, batch.batch).after, new.state):
            raise Rejected("the new state is not the step from the old one by this batch: no proof of it can be made")
        statement, inputs = step_inputs(shape, old, batch, new, prover)
        proven = self.barretenberg.prove(self.program(shape), inputs)
        if proven.public != statement.public:
            raise Bug(f"the proof shows {proven.public}, not {statement.public}")
        return StepProof(
            shape.circuit_hash,
            statement,
            proven.data,
            proven.witness_seconds,
            proven.proof_seconds,
            proven.peak_bytes,
        )

    def verify(self, shape: StepShape, proof: StepProof) -> bool:
        """Whether the proof holds for its own statement and this circuit, by the code that a chain runs."""
        public = proof.statement.public
        if proof.circuit_hash != shape.circuit_hash or any(not 0 <= value < ORDER for value in public):
            return False
        verifier = self.verifier(shape)
        if len(proof.data) != proof_bytes(verifier.source):
            return False
        return ask_verifier(verifier.runtime, STEP.function, proof.data, public)

    def verifier(self, shape: StepShape) -> CompiledVerifier:
        """The contract that checks proofs of this circuit, an `IStepProofVerifier`."""
        return make_verifier(self.barretenberg, self.program(shape), shape.circuit_hash, shape.batch, STEP)
