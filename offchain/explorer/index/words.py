"""Events in words, for people: what happened, and whose doing it was. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.enums import Outcome
from offchain.dispute.requests import describe_target
from offchain.dispute.state import NOBODY
from offchain.dispute.words import NOWHERE, line_of, place_after
from offchain.explorer.index.rows import EventRow
from offchain.types import TOKEN

Said = Mapping[str, Any]


def text_of(event: EventRow) -> str:
    """One line, without the actor: "reveals model 0". The event's name where there is nothing better to say."""
    found = _TEXTS.get((event.contract, event.name))
    if found is not None:
        return found(event.arguments)
    if event.contract == "DisputeCourt":
        place = place_after(NOWHERE, event.name, event.arguments, None)
        line = line_of(event.name, event.arguments, place)
        if line is not None:
            return f"dispute {event.dispute}: {line.text.replace('node 0 ?', 'the tensor')}"
    return _spaced(event.name)


def actor_of(event: EventRow) -> ChecksumAddress | None:
    """Whose doing it was, if the event names it."""
    argument = _ACTORS.get((event.contract, event.name))
    account: ChecksumAddress | None = None if argument is None else event.arguments[argument]
    return None if account == NOBODY else account


def tokens(amount: int) -> str:
    """An amount of the utility token for people, at most 6 digits behind the point."""
    text = f"{amount / TOKEN:,.6f}".rstrip("0").rstrip(".")
    return f"{text} tokens"


def _spaced(name: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _sealed(said: Said) -> str:
    match said["outcome"]:
        case Outcome.WON:
            settlement = said["settlement"]
            return f"the order is sealed: model {settlement.model_index} wins with a score of {settlement.score}"
        case Outcome.SHARED:
            return f"the order is sealed: {len(said['payouts'])} providers share the reward"
        case _:
            return "the order is sealed: the client has its reward back"


def _revealed_scores(said: Said) -> str:
    return f"reveals scores of {len(said['scores'])} models"


def _removed(said: Said) -> str:
    return f"validation of model {said['modelIndex']} is removed, {tokens(said['slashed'])} of its stake slashed"


def _slashed(said: Said) -> str:
    to = "" if said["paid"] == 0 else f", {tokens(said['paid'])} of it to who reported it"
    return f"stake of {tokens(said['amount'])} slashed{to}"


_TEXTS: dict[tuple[str, str], Callable[[Said], str]] = {
    ("OrderBook", "OrderPut"): lambda said: f"puts the order for {tokens(said['order'].terms.reward)}",
    ("OrderBook", "OrderCancelled"): lambda said: f"cancels the order and has {tokens(said['refunded'])} back",
    ("OrderBook", "TestReleased"): lambda said: f"releases the test set: {said['sampleCount']} samples",
    ("OrderBook", "EscrowReleased"): lambda said: f"the escrow of {tokens(said['amount'])} goes to the treasury",
    ("ProofOfTraining", "Claimed"): lambda said: f"claims a model, with a bond of {tokens(said['locked'])}",
    ("ProofOfTraining", "Revealed"): lambda said: f"reveals model {said['modelIndex']}",
    ("ProofOfTraining", "ScoresCommitted"): lambda said: f"commits to scores, {tokens(said['vStake'])} behind each",
    ("ProofOfTraining", "ValidatorDisplaced"): lambda _said: "takes the place of a validator with less stake",
    ("ProofOfTraining", "ScoresRevealed"): _revealed_scores,
    ("ProofOfTraining", "ClaimSlashed"): lambda said: f"did not reveal: a bond of {tokens(said['amount'])} is slashed",
    ("ProofOfTraining", "ScoresSlashed"): lambda said: f"did not reveal scores: {tokens(said['amount'])} slashed",
    ("ProofOfTraining", "ValidationRemoved"): _removed,
    ("ProofOfTraining", "ModelVoided"): lambda said: f"model {said['modelIndex']} is void: its data could not be had",
    ("ProofOfTraining", "TestVoided"): lambda _said: "the test set is void: its data could not be had",
    ("ProofOfTraining", "SeatTaken"): lambda said: (
        f"puts {said['score']} in the place of a score of model {said['modelIndex']}"
    ),
    ("ProofOfTraining", "SeatReleased"): lambda said: (
        f"has the stake behind its score of model {said['modelIndex']} back"
    ),
    ("ProofOfTraining", "OrderSealed"): _sealed,
    ("RewardTreasury", "Held"): lambda said: (
        f"the treasury holds {tokens(said['amount'])} for it, as number {said['sequence']}"
    ),
    ("RewardTreasury", "Refunded"): lambda said: f"{tokens(said['amount'])} are refunded to the client",
    ("RewardTreasury", "Credited"): lambda said: f"is credited {tokens(said['amount'])}",
    ("RewardTreasury", "RewardProposed"): lambda _said: "proposes the payouts",
    ("RewardTreasury", "RewardConfirmed"): lambda said: (
        f"confirms the payouts ({said['confirmations']} of {said['threshold']})"
    ),
    ("RewardTreasury", "RewardExecuted"): lambda _said: "executes the payouts",
    ("RewardTreasury", "RewardPaidDirectly"): lambda _said: "settles the order that the committee left lying",
    ("AvailabilityCourt", "Requested"): lambda said: f"asks for {describe_target(said['target'])}",
    ("AvailabilityCourt", "Answered"): lambda said: f"shows what was asked for, and has {tokens(said['paid'])} for it",
    ("AvailabilityCourt", "Expired"): lambda said: f"nobody showed {describe_target(said['target'])}",
    ("AvailabilityCourt", "Mooted"): lambda _said: "the request has nothing left to decide",
    ("StakeVault", "Slashed"): _slashed,
}

_ACTORS: dict[tuple[str, str], str] = {
    ("OrderBook", "OrderPut"): "client",
    ("OrderBook", "OrderCancelled"): "client",
    ("ProofOfTraining", "Claimed"): "provider",
    ("ProofOfTraining", "Revealed"): "provider",
    ("ProofOfTraining", "ScoresCommitted"): "validator",
    ("ProofOfTraining", "ValidatorDisplaced"): "by",
    ("ProofOfTraining", "ScoresRevealed"): "validator",
    ("ProofOfTraining", "ClaimSlashed"): "provider",
    ("ProofOfTraining", "ScoresSlashed"): "validator",
    ("ProofOfTraining", "ValidationRemoved"): "validator",
    ("ProofOfTraining", "ModelVoided"): "provider",
    ("ProofOfTraining", "SeatTaken"): "holder",
    ("ProofOfTraining", "SeatReleased"): "holder",
    ("RewardTreasury", "Credited"): "account",
    ("RewardTreasury", "RewardProposed"): "proposer",
    ("RewardTreasury", "RewardConfirmed"): "member",
    ("RewardTreasury", "RewardExecuted"): "executor",
    ("RewardTreasury", "RewardPaidDirectly"): "caller",
    ("DisputeCourt", "Opened"): "challenger",
    ("AvailabilityCourt", "Requested"): "asker",
    ("AvailabilityCourt", "Answered"): "by",
    ("StakeVault", "Slashed"): "account",
}
"""By contract and event: the argument with the actor."""
