"""The structs and enumerations of the proofs' contracts, by the names that the ABI's `internalType` gives them."""

from enum import IntEnum

from offchain.proofs.private_order import (
    ChunkProof,
    ClaimStatus,
    Fault,
    Handover,
    PieceClaim,
    PieceOpening,
    PrivateOutcome,
    PrivatePhase,
    PrivateState,
    PrivateTerms,
    UnitPlace,
)
from offchain.proofs.rounds import ProofPhase, ProofTerms, ProverStatus
from offchain.proofs.training.terms import RunStatus, RunTerms, StepLeaf
from offchain.proofs.unpacking import NodeLayout

PROOF_STRUCTS: dict[str, type] = {
    "ChunkProof": ChunkProof,
    "Handover": Handover,
    "NodeLayout": NodeLayout,
    "PieceClaim": PieceClaim,
    "PieceOpening": PieceOpening,
    "PrivateState": PrivateState,
    "PrivateTerms": PrivateTerms,
    "ProofTerms": ProofTerms,
    "RunTerms": RunTerms,
    "StepLeaf": StepLeaf,
    "UnitPlace": UnitPlace,
}

PROOF_ENUMS: dict[str, type[IntEnum]] = {
    "ClaimStatus": ClaimStatus,
    "Fault": Fault,
    "PrivateOutcome": PrivateOutcome,
    "PrivatePhase": PrivatePhase,
    "ProofPhase": ProofPhase,
    "ProverStatus": ProverStatus,
    "RunStatus": RunStatus,
}
