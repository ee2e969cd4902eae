"""What an event is about: the things it changes, the accounts it names, what it adds to whose sums. Pure.

`Subject` is made once for each kind of event, so that taking in an event is a few calls.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.enums import Role
from offchain.dispute.state import NOBODY
from offchain.explorer.index.decoding import LogDecoder
from offchain.explorer.index.things import (
    BOND,
    CANDIDATE,
    CYCLE,
    DISPUTE,
    EPOCH,
    GAME,
    ORDER,
    PARAMETERS,
    REQUEST,
    TASK,
    Key,
    Thing,
)

Said = Mapping[str, Any]
Touched = tuple[Thing, Key]
Delta = tuple[ChecksumAddress | None, str, int]
"""(whose sum, None for the network's; its name; what is added)."""
Part = tuple[ChecksumAddress, str, int, str]
"""(account, "order" or another kind of thing, its number, what the account is in it)."""

MAX_REF = 2**63


@dataclass(frozen=True, slots=True)
class Subject:
    """What to make of the events of one kind, each from their arguments.

    `keys`: arguments with the numbers of order, dispute and task, if it has them; `ref`: of a request, a game, a cycle
    or an epoch; `lock`: what the vault was given, see `order_or_task`.
    """

    touched: Callable[[Said], tuple[Touched, ...]] = lambda _said: ()
    accounts: Callable[[Said], tuple[ChecksumAddress, ...]] = lambda _said: ()
    deltas: Callable[[Said], tuple[Delta, ...]] | None = None
    parts: Callable[[Said], tuple[Part, ...]] | None = None
    keys: Mapping[str, str] = field(default_factory=dict)


def subject_of(contract: str, name: str, entry: Mapping[str, Any]) -> Subject:
    """The subject of an event of the ABI. Every event has one; what is new to us is kept and found by its accounts."""
    return Subject(
        touched=_TOUCHED.get((contract, name), _TOUCHED.get((contract, ""), lambda _said: ())),
        accounts=_accounts_reader(contract, name, entry),
        deltas=_DELTAS.get((contract, name)),
        parts=_PARTS.get((contract, name)),
        keys=_keys(contract, name, [item["name"] for item in entry["inputs"]]),
    )


def subjects_of(decoder: LogDecoder) -> list[Subject]:
    """The subjects of all kinds of events, in their order."""
    return [subject_of(kind.contract, kind.name, kind.entry) for kind in decoder.kinds]


def order_or_task(said: Said, *, in_game: bool) -> tuple[int | None, int | None]:
    """The order or the task for which the vault locked, freed or took stake, by the `ref` that it was given.

    `in_game`: whether the transaction has an event of FederatedCourt, whose refs are numbers of tasks.
    """
    ref: bytes = said["ref"]
    if ref.startswith(b"federation"):
        return None, int.from_bytes(ref[10:], "big")
    number = int.from_bytes(ref, "big")
    if number >= MAX_REF:
        return None, None  # the committee's
    return (None, number) if in_game and said["role"] is Role.VERIFIER else (number, None)


# Keys and accounts


def _keys(contract: str, name: str, names: list[str]) -> Mapping[str, str]:
    keys = {"oid": "oid"} if "oid" in names else {}
    if contract == "DisputeCourt":
        keys["dispute"] = "id"
    elif contract == "AvailabilityCourt":
        keys["ref"] = "id"
    elif contract == "RewardTreasury" and "cycle" in names:
        keys["ref"] = "cycle"
    elif contract == "AggregatorCommittee" and "epoch" in names:
        keys["ref"] = "epoch"
    elif contract in ("FederatedTraining", "FederatedExtension", "FederatedAnnex", "FederatedCourt"):
        if "task" in names:
            keys["task"] = "task"
        if contract == "FederatedCourt" and "id" in names:
            keys["ref"] = "id"
    elif contract == "StakeVault" and name in ("Locked", "Unlocked", "Slashed"):
        keys["lock"] = "ref"
    return keys


def _accounts_reader(
    contract: str, name: str, entry: Mapping[str, Any]
) -> Callable[[Said], tuple[ChecksumAddress, ...]]:
    single = [item["name"] for item in entry["inputs"] if item["type"] == "address"]
    many = [item["name"] for item in entry["inputs"] if item["type"] == "address[]"]
    if (contract, name) == ("ProofOfTraining", "OrderSealed"):
        return lambda said: tuple({payout.account: None for payout in said["payouts"]})
    if not many:
        if len(single) == 1:
            only = single[0]
            return lambda said: () if said[only] == NOBODY else (said[only],)
        return lambda said: tuple({said[one]: None for one in single if said[one] != NOBODY})

    def read(said: Said) -> tuple[ChecksumAddress, ...]:
        found = [said[one] for one in single] + [one for name in many for one in said[name]]
        return tuple({one: None for one in found if one != NOBODY})

    return read


# What is touched


def _one(thing: Thing, argument: str) -> Callable[[Said], tuple[Touched, ...]]:
    return lambda said: ((thing, said[argument]),)


def _bond(said: Said) -> tuple[Touched, ...]:
    return ((BOND, (said["account"], Role(said["role"]))),)


def _refuted(said: Said) -> tuple[Touched, ...]:
    return tuple((CYCLE, cycle) for cycle in range(said["cycle"], said["last"] + 1))


_TOUCHED: dict[tuple[str, str], Callable[[Said], tuple[Touched, ...]]] = {
    ("OrderBook", ""): _one(ORDER, "oid"),
    ("OrderBook", "EscrowReleased"): lambda _said: (),
    ("ProofOfTraining", ""): _one(ORDER, "oid"),
    ("ProofOfTraining", "SeatReleased"): lambda _said: (),
    ("RewardTreasury", "Held"): _one(ORDER, "oid"),
    ("RewardTreasury", "RewardExecuted"): _one(ORDER, "oid"),
    ("RewardTreasury", "RewardPaidDirectly"): _one(ORDER, "oid"),
    ("RewardTreasury", "RootPosted"): lambda said: ((CYCLE, said["cycle"]),),
    ("RewardTreasury", "RootClaimed"): lambda said: ((CYCLE, said["cycle"]),),
    ("RewardTreasury", "RootRefuted"): _refuted,
    ("DisputeCourt", ""): _one(DISPUTE, "id"),
    ("AvailabilityCourt", ""): _one(REQUEST, "id"),
    ("StakeVault", ""): _bond,
    ("AggregatorCommittee", "CandidateJoined"): _one(CANDIDATE, "account"),
    ("AggregatorCommittee", "CandidateLeft"): _one(CANDIDATE, "account"),
    ("AggregatorCommittee", "StakeReleased"): _one(CANDIDATE, "account"),
    ("AggregatorCommittee", "EndpointAnnounced"): _one(CANDIDATE, "account"),
    ("AggregatorCommittee", "EpochStarted"): _one(EPOCH, "epoch"),
    ("AggregatorCommittee", "EpochSuspended"): _one(EPOCH, "epoch"),
    ("AggregatorCommittee", "MemberSlashed"): lambda said: ((CANDIDATE, said["account"]), (EPOCH, said["epoch"])),
    ("Parameters", "ParametersChanged"): lambda _said: ((PARAMETERS, 0),),
    ("Parameters", "OwnershipTransferred"): lambda _said: ((PARAMETERS, 0),),
    ("FederatedTraining", ""): _one(TASK, "task"),
    ("FederatedCourt", ""): _one(GAME, "id"),
    ("FederatedCourt", "Challenged"): lambda said: ((GAME, said["id"]), (TASK, said["task"])),
    ("FederatedCourt", "SelectionWrong"): lambda _said: (),
}
"""By contract and event; "" is what holds for the contract's others."""


# Sums


def _transferred(said: Said) -> tuple[Delta, ...]:
    source, target, value = said["from"], said["to"], said["value"]
    if source == NOBODY:
        return ((target, "balance", value), (None, "supply", value))
    if target == NOBODY:
        return ((source, "balance", -value), (None, "supply", -value), (None, "burned", value))
    return ((source, "balance", -value), (target, "balance", value))


def _slashed(said: Said) -> tuple[Delta, ...]:
    return (
        (None, "slashed", said["amount"]),
        (None, "slashed paid", said["paid"]),
        (said["account"], "slashed", said["amount"]),
    )


def _sealed(said: Said) -> tuple[Delta, ...]:
    if said["outcome"].name == "REFUNDED":
        return ()
    return tuple((payout.account, "settled", payout.amount) for payout in said["payouts"])


def _root_claimed(said: Said) -> tuple[Delta, ...]:
    return ((said["account"], "claimed", said["amount"]), (None, "paid", said["amount"]))


def _credited(said: Said) -> tuple[Delta, ...]:
    return ((said["account"], "credited", said["amount"]),)


def _withdrawn(said: Said) -> tuple[Delta, ...]:
    account, amount = said["account"], said["amount"]
    return ((account, "credited", -amount), (account, "withdrawn", amount), (None, "withdrawn", amount))


def _rewarded(said: Said) -> tuple[Delta, ...]:
    return ((said["account"], "federated", said["amount"]), (None, "paid", said["amount"]))


_DELTAS: dict[tuple[str, str], Callable[[Said], tuple[Delta, ...]]] = {
    ("UtilityToken", "Transfer"): _transferred,
    ("StakeVault", "Slashed"): _slashed,
    ("ProofOfTraining", "OrderSealed"): _sealed,
    ("RewardTreasury", "RootClaimed"): _root_claimed,
    ("RewardTreasury", "Credited"): _credited,
    ("RewardTreasury", "RewardsClaimed"): _withdrawn,
    ("FederatedTraining", "RewardPaid"): _rewarded,
}


# Parts


def _part(kind: str, number: str, **roles: str) -> Callable[[Said], tuple[Part, ...]]:
    """The accounts in the arguments that are the keys of `roles` are in the thing whose number is in `number`."""
    pairs = tuple(roles.items())
    return lambda said: tuple((said[argument], kind, said[number], role) for argument, role in pairs)


def _opened(said: Said) -> tuple[Part, ...]:
    challenger, defendant = said["challenger"], said["defendant"]
    return (
        (challenger, "dispute", said["id"], "challenger"),
        (defendant, "dispute", said["id"], "defendant"),
        (challenger, "order", said["oid"], "verifier"),
    )


def _requested(said: Said) -> tuple[Part, ...]:
    return ((said["asker"], "request", said["id"], "asker"), (said["asker"], "order", said["oid"], "verifier"))


_PARTS: dict[tuple[str, str], Callable[[Said], tuple[Part, ...]]] = {
    ("OrderBook", "OrderPut"): _part("order", "oid", client="client"),
    ("ProofOfTraining", "Claimed"): _part("order", "oid", provider="provider"),
    ("ProofOfTraining", "ScoresCommitted"): _part("order", "oid", validator="validator"),
    ("ProofOfTraining", "SeatTaken"): _part("order", "oid", holder="verifier"),
    ("DisputeCourt", "Opened"): _opened,
    ("AvailabilityCourt", "Requested"): _requested,
    ("FederatedTraining", "TaskCreated"): _part("task", "task", client="client"),
    ("FederatedTraining", "Joined"): _part("task", "task", account="participant"),
    ("FederatedCourt", "Challenged"): _part("task", "task", challenger="challenger"),
}
