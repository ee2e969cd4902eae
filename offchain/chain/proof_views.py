"""The structs and enumerations of the proofs' contracts, by the names that the ABI's `internalType` gives them."""

from enum import IntEnum

from offchain.proofs.rounds import ProofPhase, ProofTerms, ProverStatus
from offchain.proofs.training.terms import RunStatus, RunTerms, StepLeaf

PROOF_STRUCTS: dict[str, type] = {"ProofTerms": ProofTerms, "RunTerms": RunTerms, "StepLeaf": StepLeaf}

PROOF_ENUMS: dict[str, type[IntEnum]] = {"ProofPhase": ProofPhase, "ProverStatus": ProverStatus, "RunStatus": RunStatus}
