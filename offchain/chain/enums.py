"""The contracts' enumerations, in the order of the Solidity sources."""

from enum import IntEnum

from offchain.dispute.requests import Item, RequestStatus
from offchain.dispute.state import Stage, Verdict
from offchain.proofs.rounds import ProofPhase, ProverStatus
from offchain.proofs.training.terms import RunStatus
from offchain.protocol.lifecycle import Phase
from offchain.protocol.scores import ScoreFunction
from offchain.protocol.settlement import Outcome

__all__ = [
    "ENUMS",
    "Item",
    "Outcome",
    "Phase",
    "ProofPhase",
    "ProverStatus",
    "RequestStatus",
    "Role",
    "RunStatus",
    "ScoreFunction",
    "Stage",
    "Verdict",
]


class Role(IntEnum):
    """Role of a bond."""

    NONE = 0
    PROVIDER = 1
    VALIDATOR = 2
    VERIFIER = 3
    AGGREGATOR = 4
    PARTICIPANT = 5


ENUMS: dict[str, type[IntEnum]] = {
    "Role": Role,
    "Phase": Phase,
    "Outcome": Outcome,
    "ScoreFunction": ScoreFunction,
    "Stage": Stage,
    "Verdict": Verdict,
    "Item": Item,
    "RequestStatus": RequestStatus,
    "ProofPhase": ProofPhase,
    "ProverStatus": ProverStatus,
    "RunStatus": RunStatus,
}
"""By the name that the ABI's `internalType` gives them."""
