"""The books after the play, read from the contracts' events and balances alone."""

from collections import defaultdict
from dataclasses import dataclass

from eth_typing import ChecksumAddress

from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.event_decoder import Event, EventDecoder
from offchain.chain.events import Applied, EventFollower, MemoryCursor
from offchain.demo.roots import Roots, read_roots
from offchain.demo.stage import Stage
from offchain.types import OrderId, Wei

REASONS = {"ClaimSlashed": "claimed a model and never revealed it", "ScoresSlashed": "committed scores and hid them"}
EQUIVOCATED = "signed two roots under one number"


@dataclass(frozen=True, slots=True)
class Slash:
    """One slashed stake, in wei; `oid` is None for what is about no single order."""

    oid: OrderId | None
    account: ChecksumAddress
    reason: str
    amount: Wei


@dataclass(frozen=True, slots=True)
class Conservation:
    """Every wei that was minted, and where it is: burned by slashing, held by accounts, held by contracts."""

    minted: Wei
    burned: Wei
    accounts: Wei
    contracts: Wei

    @property
    def held(self) -> Wei:
        """What exists, wherever it is."""
        return Wei(self.accounts + self.contracts)

    @property
    def difference(self) -> int:
        """What got lost or came from nowhere: 0."""
        return self.minted - self.burned - self.held


@dataclass(frozen=True, slots=True)
class Ledger:
    """Amounts in wei by account: earned (credited by the treasury or claimed from roots), paid for reports, slashed."""

    earned: dict[ChecksumAddress, Wei]
    bounties: dict[ChecksumAddress, Wei]
    slashes: tuple[Slash, ...]
    conservation: Conservation
    roots: Roots


def read_ledger(client: ChainClient, stage: Stage) -> Ledger:
    """Reads all events since the deployment."""
    events = read_events(client, stage.contracts)
    earned: dict[ChecksumAddress, int] = defaultdict(int)
    bounties: dict[ChecksumAddress, int] = defaultdict(int)
    slashes = []
    for event in events:
        arguments = event.arguments
        if event.name in ("Credited", "RootClaimed"):
            earned[arguments["account"]] += arguments["amount"]
        elif event.name == "Slashed":
            bounties[arguments["beneficiary"]] += arguments["paid"]
        elif event.name in REASONS:
            who = arguments.get("provider") or arguments["validator"]
            slashes.append(Slash(OrderId(arguments["oid"]), who, REASONS[event.name], Wei(arguments["amount"])))
        elif event.name == "ValidationRemoved":
            reason = f"the score of model {arguments['modelIndex']} was proven false"
            slashes.append(Slash(OrderId(arguments["oid"]), arguments["validator"], reason, Wei(arguments["slashed"])))
        elif event.name == "MemberSlashed":
            slashes.append(Slash(None, arguments["account"], EQUIVOCATED, Wei(arguments["amount"])))
    return Ledger(
        {account: Wei(amount) for account, amount in earned.items()},
        {account: Wei(amount) for account, amount in bounties.items() if amount},
        tuple(slashes),
        read_conservation(stage.contracts, events),
        read_roots(client, events),
    )


def read_events(client: ChainClient, contracts: AssayContracts) -> list[Event]:
    """All events since the deployment."""
    addresses = contracts.addresses
    follower = EventFollower(client, EventDecoder.of(addresses), MemoryCursor(), start=addresses.block)
    return [item.event for item in follower.catch_up() if isinstance(item, Applied)]


def read_conservation(contracts: AssayContracts, events: list[Event]) -> Conservation:
    """Minted is what the token's own transfers from nobody add up to; holders are all that ever received any."""
    transfers = [event.arguments for event in events if event.name == "Transfer"]
    nobody = "0x" + "00" * 20
    minted = sum(item["value"] for item in transfers if item["from"] == nobody)
    burned = sum(item["value"] for item in transfers if item["to"] == nobody)
    houses = {contracts.addresses.of(name) for name in contracts.addresses.contracts}
    holders = {item["to"] for item in transfers} - {nobody}
    held = {holder: contracts.token_balance(holder) for holder in holders | houses}
    inside = sum(amount for holder, amount in held.items() if holder in houses)
    return Conservation(Wei(minted), Wei(burned), Wei(sum(held.values()) - inside), Wei(inside))
