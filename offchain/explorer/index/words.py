"""Events in words, for people: what happened, and whose doing it was. Pure."""

from collections.abc import Callable

from eth_typing import ChecksumAddress

from offchain.chain.enums import Outcome, Role
from offchain.dispute.requests import describe_target
from offchain.dispute.state import NOBODY
from offchain.dispute.words import NOWHERE, line_of, place_after
from offchain.explorer.index.rows import EventRow
from offchain.explorer.index.words_tasks import TASK_ACTORS, TASK_TEXTS, Said, tokens


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
    argument = _ACTORS.get((event.contract, event.name), _ALWAYS.get(event.contract))
    if argument not in event.arguments:
        return None
    account: ChecksumAddress | None = event.arguments[argument]
    return None if account == NOBODY else account


def _role(said: Said) -> str:
    return Role(said["role"]).name.lower()


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
    count = len(said["scores"])
    return f"reveals {'the score of 1 model' if count == 1 else f'scores of {count} models'}"


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
    ("StakeVault", "Bonded"): lambda said: f"bonds {tokens(said['amount'])} as {_role(said)}",
    ("StakeVault", "ExitRequested"): lambda said: f"asks for {tokens(said['amount'])} of its bond as {_role(said)}",
    ("StakeVault", "ExitCancelled"): lambda said: f"leaves {tokens(said['amount'])} bonded as {_role(said)}",
    ("StakeVault", "Withdrawn"): lambda said: f"withdraws {tokens(said['amount'])}, bonded as {_role(said)} before",
    ("StakeVault", "Locked"): lambda said: f"locks {tokens(said['amount'])} as {_role(said)}",
    ("StakeVault", "Unlocked"): lambda said: f"{tokens(said['amount'])} are free again as {_role(said)}",
    ("StakeVault", "Slashed"): _slashed,
    ("UtilityToken", "Transfer"): lambda said: f"transfers {tokens(said['value'])}",
    ("UtilityToken", "Approval"): lambda said: f"lets another take {tokens(said['value'])}",
    ("TestTokenFaucet", "Dripped"): lambda said: f"gets {tokens(said['amount'])} from the faucet",
    ("Parameters", "ParametersChanged"): lambda _said: "the parameters are changed",
    ("Parameters", "OwnershipTransferred"): lambda _said: "decides on the parameters from now on",
    ("Parameters", "OwnershipTransferStarted"): lambda _said: "is offered the parameters",
    ("RewardTreasury", "RootPosted"): lambda said: (
        f"root {said['cycle']} is posted: it covers orders up to number "
        f"{said['statement'].up_to}, {tokens(said['state'].total)} earned in all"
    ),
    ("RewardTreasury", "RootRefuted"): lambda said: f"proves root {said['cycle']} wrong at step {said['step']}",
    ("RewardTreasury", "RootClaimed"): lambda said: f"claims {tokens(said['amount'])} by root {said['cycle']}",
    ("RewardTreasury", "RewardsClaimed"): lambda said: f"withdraws {tokens(said['amount'])}",
    ("AggregatorCommittee", "CandidateJoined"): lambda said: f"offers to be an aggregator with {tokens(said['stake'])}",
    ("AggregatorCommittee", "CandidateLeft"): lambda _said: "no longer offers to be an aggregator",
    ("AggregatorCommittee", "StakeReleased"): lambda said: f"has its stake of {tokens(said['stake'])} free again",
    ("AggregatorCommittee", "EndpointAnnounced"): lambda _said: "says where its ledger can be reached",
    ("AggregatorCommittee", "EpochStarted"): lambda said: (
        f"epoch {said['epoch']} begins with {len(said['members'])} members, of whom {said['threshold']} decide"
    ),
    ("AggregatorCommittee", "EpochSuspended"): lambda said: f"epoch {said['epoch']} is suspended",
    ("AggregatorCommittee", "MemberSlashed"): lambda said: f"loses {tokens(said['amount'])} of its stake as aggregator",
} | TASK_TEXTS

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
    ("UtilityToken", "Transfer"): "from",
    ("UtilityToken", "Approval"): "owner",
    ("TestTokenFaucet", "Dripped"): "account",
    ("Parameters", "OwnershipTransferred"): "newOwner",
    ("Parameters", "OwnershipTransferStarted"): "newOwner",
    ("RewardTreasury", "RootRefuted"): "refuter",
    ("RewardTreasury", "RootClaimed"): "account",
    ("RewardTreasury", "RewardsClaimed"): "account",
} | TASK_ACTORS
"""By contract and event: the argument with the actor."""

_ALWAYS = {"StakeVault": "account", "AggregatorCommittee": "account"}
"""The same for all events of a contract that have it."""
