"""The structs and enumerations of the proofs' contracts, by the names that the ABI's `internalType` gives them."""

from enum import IntEnum

from offchain.proofs.rounds import ProofPhase, ProofTerms, ProverStatus

PROOF_STRUCTS: dict[str, type] = {"ProofTerms": ProofTerms}

PROOF_ENUMS: dict[str, type[IntEnum]] = {"ProofPhase": ProofPhase, "ProverStatus": ProverStatus}
