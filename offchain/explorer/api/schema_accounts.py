"""JSON of accounts, rewards and the network as a whole."""

from typing import Annotated, Literal

from pydantic import Field

from offchain.explorer.api.fields import Address, Amount, Big, Hash, Json, Named, Time
from offchain.explorer.api.schema_orders import GasOut, PhaseName

RoleName = Annotated[Literal["none", "provider", "validator", "verifier", "aggregator", "participant"], Named]


class BondOut(Json):
    """A bond of an account in one role. `slashed`: ever taken from it."""

    role: RoleName
    bonded: Amount
    locked: Amount
    exiting: Amount
    exit_at: Time = Field(description="When `exiting` can be withdrawn; 0: nothing is exiting.")
    slashed: Amount


class SlashOut(Json):
    """Stake that was taken, and what it was about."""

    seq: int
    at: Time
    tx: Hash
    account: Address
    role: RoleName
    amount: Amount
    beneficiary: Address | None
    paid: Amount
    burned: Amount
    oid: int | None
    task: int | None


class EarnedOut(Json):
    """What an account has of rewards."""

    settled: Amount = Field(description="Earned by settled orders.")
    claimed: Amount = Field(description="Paid through reward roots.")
    credited: Amount = Field(description="Paid by single settlement or refund, and not withdrawn yet.")
    withdrawn: Amount = Field(description="Of what was credited.")
    federated: Amount = Field(description="Earned by federated rounds.")


class Part(Json):
    """What an account is in an order."""

    oid: int
    title: str | None = Field(description="From its manifest; null until that is here.")
    phase: PhaseName | None
    roles: list[str] = Field(examples=[["provider", "verifier"]])
    earned: Amount


class AccountPage(Json):
    """Everything about one account; zeros and empty lists when no event names it. Lists have the newest first, cut."""

    address: Address
    events: int
    balance: Amount = Field(description="Of the token.")
    bonds: list[BondOut]
    earned: EarnedOut
    slashes: list[SlashOut]
    orders: list[Part]
    disputes: list[int]
    requests: list[int]
    tasks: list[int]
    candidate_stake: Amount = Field(description="Locked as a candidate or member of the committee.")
    is_member: bool
    endpoint: str | None = Field(description="Where an aggregator says it can be reached: its own word.")
    gas: Big
    fee: Amount = Field(description="In wei of the chain's coin.")
    now: Time


class Slashes(Json):
    """A page of slashes, the newest first."""

    slashes: list[SlashOut]
    next: int | None


class OrderTotals(Json):
    """Orders by phase, now, and by how they ended."""

    total: int
    by_phase: dict[str, int]
    by_outcome: dict[str, int]


class DisputeTotals(Json):
    """Disputes by verdict."""

    total: int
    open: int
    by_verdict: dict[str, int]


class OpenTotals(Json):
    """How many there are, and how many of them are not over."""

    total: int
    open: int


class RoleStakes(Json):
    """Bonds of one role, without what is exiting."""

    accounts: int
    bonded: Amount
    locked: Amount


class Network(Json):
    """Totals. By phase, outcome, verdict and role only what is not zero."""

    orders: OrderTotals
    escrow: Amount
    rewards_put: Amount
    stakes: dict[str, RoleStakes] = Field(description="By role.")
    slashed: Amount
    slashed_paid: Amount = Field(description="What of it went to somebody; the rest was burned.")
    burned: Amount
    held: Amount = Field(description="By the treasury, for orders that nothing has paid yet.")
    paid: Amount = Field(description="To participants.")
    tax: Amount
    supply: Amount = Field(description="0: not known.")
    disputes: DisputeTotals
    requests: OpenTotals
    tasks: OpenTotals
    games: int
    events: int
    transactions: int
    gas: GasOut
    accounts: dict[str, int] = Field(description="By role.")
    now: Time


class RootOut(Json):
    """A reward root. It pays from `effective_at` on, unless it is refuted."""

    cycle: int
    epoch: int
    root: Hash
    up_to: int = Field(description="The last sealed order, by sequence, that it covers.")
    settled_otherwise: int
    posted_at: Time
    effective_at: Time
    signers: list[Address]
    total: Amount = Field(description="Earned through roots by all accounts up to it.")
    accounts: int
    claims: int
    claimed: Amount
    refuted: bool
    refuter: Address | None
    refuted_at: Time | None
    wrong_step: int | None
    tx: Hash


class ClaimedOut(Json):
    """Rewards that were paid."""

    seq: int
    at: Time
    account: Address
    cycle: int | None = Field(description="Null: a withdrawal of what was credited, not through a root.")
    amount: Amount
    tx: Hash


class CandidateOut(Json):
    """An aggregator. `endpoint`: where it says it can be reached."""

    account: Address
    stake: Amount
    endpoint: str | None


class EpochOut(Json):
    """A committee. `slashed`: members that lost their stake for it."""

    number: int
    members: list[Address]
    threshold: int
    started_at: Time
    ends_at: Time
    suspended: bool
    slashed: list[Address]


class Rewards(Json):
    """Roots, the newest first, the newest claims, and the committee that signs."""

    roots: list[RootOut]
    claims: list[ClaimedOut]
    next: int | None = Field(description="`before` of the next page of claims; null at the end.")
    candidates: list[CandidateOut]
    epochs: list[EpochOut]
    held: Amount = Field(description="By the treasury, for orders that no root in force pays.")
    now: Time
