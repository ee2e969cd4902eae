"""The structs and enumerations of the federated contracts, by the names that the ABI's `internalType` gives them.

Apart from `views.py` and `enums.py`, which every command loads: these bring the rules' arithmetic with them.
"""

from enum import IntEnum

from offchain.federated.game.moves import AnswerColumn
from offchain.federated.game.state import Game, Stage, Subject, Verdict
from offchain.federated.task_state import (
    AccuracyRecord,
    Participant,
    Posting,
    RoundRecord,
    RoundState,
    TaskPhase,
    TaskState,
    UpdateRequest,
)
from offchain.federated.terms import (
    AccuracyTerms,
    AggregationRule,
    FederatedTerms,
    FederatedWindows,
    Mode,
    OptimizerKind,
    OptimizerTerms,
    PrivacyTerms,
    RuleTerms,
)
from offchain.federated.vector_tree import Opening

FEDERATED_STRUCTS: dict[str, type] = {
    "AccuracyRecord": AccuracyRecord,
    "AccuracyTerms": AccuracyTerms,
    "ColumnAnswer": AnswerColumn,
    "FederatedGame": Game,
    "FederatedTerms": FederatedTerms,
    "FederatedWindows": FederatedWindows,
    "LeafOpening": Opening,
    "OptimizerTerms": OptimizerTerms,
    "Participant": Participant,
    "Posting": Posting,
    "PrivacyTerms": PrivacyTerms,
    "RoundRecord": RoundRecord,
    "RoundState": RoundState,
    "RuleTerms": RuleTerms,
    "TaskState": TaskState,
    "UpdateRequest": UpdateRequest,
}

FEDERATED_ENUMS: dict[str, type[IntEnum]] = {
    "AggregationRule": AggregationRule,
    "FederatedStage": Stage,
    "FederatedVerdict": Verdict,
    "Mode": Mode,
    "OptimizerKind": OptimizerKind,
    "Subject": Subject,
    "TaskPhase": TaskPhase,
}
