"""Events of federated tasks in words, and amounts. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from offchain.types import TOKEN

Said = Mapping[str, Any]


def tokens(amount: int) -> str:
    """An amount of the utility token for people, at most 6 digits behind the point."""
    text = f"{amount / TOKEN:,.6f}".rstrip("0").rstrip(".")
    return f"{text} tokens"


def _who(said: Said) -> str:
    return f"participant {said['index']}"


_TEXTS: dict[str, Callable[[Said], str]] = {
    "TaskCreated": lambda said: f"creates federated task {said['task']}",
    "Joined": lambda said: f"joins task {said['task']} with {tokens(said['stake'])}",
    "Left": lambda said: f"leaves task {said['task']}",
    "RoundBegun": lambda said: f"round {said['round']} of task {said['task']} begins",
    "Committed": lambda said: f"{_who(said)} commits to an update in round {said['round']}",
    "Revealed": lambda said: f"{_who(said)} reveals its update of {said['samples']} samples",
    "MaskedPosted": lambda said: f"{_who(said)} posts its masked update",
    "LocalModelCommitted": lambda said: f"{_who(said)} commits to the model it will prove in round {said['round']}",
    "AccuracyCounted": lambda said: (
        f"{_who(said)} has proven {said['correct']} right samples{'' if said['accepted'] else ', and is left out'}"
    ),
    "NoShowPenalised": lambda said: f"{_who(said)} did not prove its model and loses {tokens(said['penalty'])}",
    "ProofsCounted": lambda said: f"the proofs of round {said['round']} of task {said['task']} are counted",
    "Dropped": lambda said: f"the update of {_who(said)} is out of round {said['round']}",
    "Excluded": lambda said: f"{_who(said)} is excluded and loses {tokens(said['stake'])}",
    "ResultPosted": lambda said: f"participant {said['leader']} posts the aggregate of round {said['round']}",
    "Objected": lambda said: f"{_who(said)} objects to what the leader posted",
    "LeaderReplaced": lambda said: f"{_who(said)} leads no more and loses {tokens(said['penalty'])}",
    "LeaderWrong": lambda said: f"{_who(said)} posted a wrong aggregate; the next one leads",
    "RoundFinal": lambda said: f"round {said['round']} of task {said['task']} is final",
    "RoundFailed": lambda said: f"round {said['round']} of task {said['task']} has failed",
    "TaskOver": lambda said: f"task {said['task']} is over after {said['rounds']} rounds",
    "Refunded": lambda said: f"{tokens(said['amount'])} of task {said['task']} go back to the client",
    "Withdrawn": lambda said: f"withdraws {tokens(said['amount'])} of task {said['task']}",
    "RewardPaid": lambda said: f"earns {tokens(said['amount'])} in round {said['round']} of task {said['task']}",
}

_ACTORS = {
    "TaskCreated": "client",
    "Joined": "account",
    "Left": "account",
    "Requested": "asker",
    "NoShowPenalised": "reporter",
    "LeaderWrong": "challenger",
    "Withdrawn": "client",
    "RewardPaid": "account",
}

TASK_TEXTS: dict[tuple[str, str], Callable[[Said], str]] = {
    ("FederatedTraining", name): text for name, text in _TEXTS.items()
} | {
    ("FederatedCourt", "Challenged"): lambda said: f"challenges posting {said['posting']} of task {said['task']}",
    ("FederatedCourt", "SelectionWrong"): lambda said: f"shows that task {said['task']}'s leader chose wrong updates",
}
TASK_ACTORS: dict[tuple[str, str], str] = {("FederatedTraining", name): who for name, who in _ACTORS.items()} | {
    ("FederatedCourt", "Challenged"): "challenger",
    ("FederatedCourt", "SelectionWrong"): "challenger",
}
