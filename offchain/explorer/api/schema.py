"""JSON of the API. Wei and sums as text, bytes as 0x…, times in seconds of the chain's clock; see docs/explorer.md."""

from typing import Any, Literal

from pydantic import Field, RootModel

from offchain.explorer.api.fields import Address, Amount, CidText, Hash, Json, Time
from offchain.explorer.api.schema_accounts import (
    AccountPage,
    BondOut,
    ClaimedOut,
    EarnedOut,
    Network,
    Part,
    Rewards,
    RoleStakes,
    RootOut,
    Slashes,
    SlashOut,
)
from offchain.explorer.api.schema_disputes import DisputePage, DisputeRow, Disputes, Move
from offchain.explorer.api.schema_orders import (
    ClaimOut,
    FileLink,
    GasLine,
    GasOut,
    ModelOut,
    MoneyOut,
    OrderManifestOut,
    OrderPage,
    OrderRow,
    Orders,
    OrderWindows,
    PayoutOut,
    RequestOut,
    Score,
    SettlementOut,
    SheetOut,
    SheetScore,
    Terms,
    TestSetOut,
    TimelineEntry,
)
from offchain.explorer.api.schema_tasks import GameOut, ParticipantOut, RoundOut, TaskPage, TaskRow, Tasks

MAX_PAGE = 200

__all__ = [
    "MAX_PAGE",
    "Abis",
    "About",
    "AccountPage",
    "BondOut",
    "ClaimOut",
    "ClaimedOut",
    "Curve",
    "Curves",
    "DisputePage",
    "DisputeRow",
    "Disputes",
    "EarnedOut",
    "EventOut",
    "Events",
    "FileLink",
    "GameOut",
    "GasLine",
    "GasOut",
    "HeadOut",
    "Indexed",
    "ModelOut",
    "MoneyOut",
    "Move",
    "Network",
    "NodeOut",
    "OrderManifestOut",
    "OrderPage",
    "OrderRow",
    "OrderWindows",
    "Orders",
    "ParameterValues",
    "ParametersOut",
    "Part",
    "ParticipantOut",
    "PayoutOut",
    "Problem",
    "RequestOut",
    "Rewards",
    "RoleStakes",
    "RootOut",
    "RoundOut",
    "RunOut",
    "Score",
    "SettlementOut",
    "SheetOut",
    "SheetScore",
    "SlashOut",
    "Slashes",
    "TaskPage",
    "TaskRow",
    "Tasks",
    "Terms",
    "TestSetOut",
    "TimelineEntry",
    "TokenOut",
]


class Problem(Json):
    """Every answer that is no success."""

    error: str = Field(description="One line that says what is wrong and what to do.")


class TokenOut(Json):
    """The utility token."""

    address: Address
    symbol: str
    decimals: int


class HeadOut(Json):
    """The newest block that the server has seen."""

    number: int
    hash: Hash
    timestamp: Time


class Indexed(Json):
    """How far the index is. `block`: the last one that was read; -1: none yet. `seq`: number of the last event."""

    block: int
    events: int
    seq: int
    caught_up: bool


class NodeOut(Json):
    """Whether the node answers. While it does not, everything here is as old as `silent_seconds`."""

    answers: bool
    silent_seconds: int
    problem: str | None


class About(Json):
    """Which deployment this is, how far the index is, and what this server can do."""

    chain_id: int
    network: str
    genesis: Hash
    version: str
    desk: bool = Field(description="Whether `/desk` is served: it prepares what a wallet signs.")
    development: bool = Field(description="A development chain: its accounts are everybody's.")
    endpoint: str = Field(description="URL of the node, without secrets; for a wallet that lacks the network.")
    contracts: dict[str, Address]
    faucet: Address | None = Field(description="Gives test tokens, where there is one.")
    token: TokenOut
    head: HeadOut | None
    indexed: Indexed
    final_block: int = Field(description="-1: none yet.")
    node: NodeOut
    now: Time


class Abis(RootModel[dict[str, list[dict[str, Any]]]]):
    """ABIs by contract name."""


class EventOut(Json):
    """An event as it was decoded. Arguments by their names in the ABI."""

    seq: int
    contract: str
    name: str
    block: int
    log_index: int
    at: Time
    tx: Hash
    oid: int | None
    dispute: int | None
    task: int | None
    accounts: list[Address]
    args: dict[str, Any]
    actor: Address | None = Field(description="Whose doing it was, where the event says so.")
    text: str = Field(description="One line, in words, without the actor.")


class Events(Json):
    """Events by `seq`: ascending with `after`, else the newest first."""

    events: list[EventOut]
    next: int | None = Field(description="`after` (or `before`) of the next page; null at the end.")


class ParameterValues(Json):
    """The parameters in force. Amounts in wei as text, shares in parts per million, times in seconds."""

    provider_minimum: Amount
    validator_minimum: Amount
    verifier_minimum: Amount
    aggregator_minimum: Amount
    claim_bond: Amount
    minimum_v_stake: Amount
    challenge_stake: Amount
    request_bond: Amount
    exit_delay: int
    validator_share_ppm: int
    aggregator_tax_ppm: int
    reporter_share_ppm: int
    dispute_share_ppm: int
    move_seconds: int
    stall_delay: int
    fraud_seconds: int
    update_seconds: int
    epoch_seconds: int
    max_members: int
    max_claims: int
    max_validators: int
    minimum_window: int
    maximum_window: int
    minimum_reward: Amount
    max_model_bytes: int
    max_tensor_bytes: int


class ParametersOut(Json):
    """What governance may change, as it is now."""

    parameters: ParameterValues
    since: Time
    owner: Address | None
    now: Time


class RunOut(Json):
    """One configuration that a provider trained: points (epoch, value); of scores, higher is better."""

    optimiser: str
    learning_rate: float
    loss: list[tuple[int, float]]
    score: list[tuple[int, float]]
    integer: list[tuple[int, float]]


class Curve(Json):
    """A provider's own account of its training; nobody can check it."""

    model: int
    provider: Address
    cid: CidText | None
    state: Literal["here", "none", "pending", "unusable"]
    problem: str | None = None
    holdout_samples: int | None = None
    chosen: int | None = Field(default=None, description="The run that the model is of.")
    runs: list[RunOut] = Field(default_factory=list)


class Curves(Json):
    """Learning curves of the revealed models of an order, self-reported."""

    oid: int
    score_function: str
    curves: list[Curve]
