"""JSON of orders: rows of lists, and the page of one with everything that happened in it."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from offchain.explorer.api.fields import (
    Address,
    Amount,
    Big,
    CidText,
    Hash,
    Json,
    MaybeCid,
    Named,
    ScoreSum,
    Time,
)
from offchain.explorer.api.schema_disputes import DisputeRow

PhaseName = Annotated[
    Literal[
        "none",
        "training",
        "reveal",
        "score_commit",
        "score_reveal",
        "challenge",
        "sealable",
        "sealed",
        "cancelled",
    ],
    Named,
]
OutcomeName = Annotated[Literal["none", "won", "shared", "refunded"], Named]
ScoreFunctionName = Annotated[
    Literal[
        "none",
        "accuracy",
        "mean_absolute_error",
        "top3_accuracy",
        "top5_accuracy",
        "mean_squared_error",
        "cross_entropy",
    ],
    Named,
]
ItemName = Annotated[Literal["none", "header", "node", "unit", "weights", "sample"], Named]
RequestStatusName = Annotated[Literal["none", "open", "answered", "expired", "moot"], Named]


class Score(Json):
    """A score: its sum over the test set, and what it means."""

    sum: ScoreSum
    samples: int = Field(description="Size of the test set.")
    text: str = Field(description="For people.", examples=["95.56%"])


class OrderRow(Json):
    """An order in a list."""

    oid: int
    title: str | None = Field(description="From its manifest; null until that is here.")
    client: Address
    reward: Amount
    score_function: ScoreFunctionName
    phase: PhaseName = Field(description="At `now`.")
    phase_ends_at: Time | None = Field(description="Null where the clock alone does not end it.")
    put_at: Time
    claims: int
    models: int
    validations: int = Field(description="Validators that have committed to scores.")
    open_disputes: int = Field(description="Disputes and requests for data that hold the order up.")
    outcome: OutcomeName
    winner: Address | None
    winning_score: Score | None


class Orders(Json):
    """A page of orders, the newest first."""

    orders: list[OrderRow]
    next: int | None = Field(description="`before` of the next page; null at the end.")
    now: Time


class Terms(Json):
    """What the client asked for, and the parameters that held then. Shares in parts per million."""

    minimum_score_ppm: Big = Field(description="Least mean score per sample, in millionths.")
    minimum_validators: int
    train_seconds: int
    reveal_seconds: int
    validate_seconds: int
    challenge_seconds: int
    max_model_bytes: int
    max_tensor_bytes: int
    input_size: int
    output_size: int
    claim_bond: Amount
    minimum_v_stake: Amount
    challenge_stake: Amount
    request_bond: Amount
    validator_share_ppm: int
    aggregator_tax_ppm: int
    reporter_share_ppm: int
    dispute_share_ppm: int
    move_seconds: int
    max_claims: int
    max_validators: int
    test_commitment: Hash


class OrderWindows(Json):
    """Ends of windows. `challenge_until`: as disputes have stretched it, 0 when none has."""

    train_end: Time
    reveal_end: Time
    score_commit_end: Time
    score_reveal_end: Time
    challenge_end: Time
    challenge_until: Time


class FileLink(Json):
    """A file that can be had from `/api/content/{cid}`."""

    name: str
    cid: CidText
    size: int | None = Field(description="Bytes, as a verified manifest says.")


class OrderManifestOut(Json):
    """What the client wrote. `verified`: it is here, and its bytes are those that the CID on the chain names."""

    cid: CidText
    verified: bool
    problem: str | None = Field(default=None, description="Why it is not here, or not usable.")
    task: Literal["classification", "regression"] | None = None
    classes: list[str] | None = None
    spec: dict[str, object] | None = Field(default=None, description="The network that is to be trained.")
    train: FileLink | None = None


class TestSetOut(Json):
    """The test set: unknown until the client releases it."""

    released: bool
    voided: bool = Field(description="Nobody could show its data: it counts as not released.")
    root: Hash | None
    cid: MaybeCid
    samples: int
    released_at: Time | None


class ClaimOut(Json):
    """A provider's claim; the earliest wins a tie."""

    provider: Address
    at: Time
    sequence: int
    commitment: Hash
    locked: Amount = Field(description="Its bond now.")
    slashed: bool = Field(description="The bond was taken, for not revealing.")
    revealed: bool


class ModelOut(Json):
    """A revealed model."""

    index: int
    provider: Address
    root: Hash
    cid: CidText
    revealed_at: Time
    eligible: bool
    voided: bool
    score: Score | None = Field(description="What its live validations agree on.")
    files: list[FileLink] = Field(description="Empty until its manifest is here.")
    problem: str | None = Field(description="Why the manifest is not here, or not usable.")


class SheetScore(Json):
    """What a validator says of one model. `holder`: who stands for it now, after a dispute."""

    model: int
    holder: Address
    score: ScoreSum = Field(description="As it stands; null: an abstention.")
    revealed: ScoreSum = Field(description="What the validator itself said; null likewise.")
    text: str
    live: bool


class SheetOut(Json):
    """A validator's scores; none until they are revealed."""

    validator: Address
    v_stake: Amount
    commitment: Hash
    committed_at: Time
    revealed_at: Time | None
    slashed: bool = Field(description="For not revealing.")
    scores: list[SheetScore]


class RequestOut(Json):
    """A request for a leaf of a model or of the test set."""

    id: int
    oid: int
    asker: Address
    item: ItemName
    model: int | None
    text: str = Field(description="What is asked for, in words.")
    bond: Amount
    asked_at: Time
    deadline: Time
    status: RequestStatusName
    answered_by: Address | None
    paid: Amount
    ended_at: Time | None


class PayoutOut(Json):
    """`role`: what the account is paid for."""

    account: Address
    role: str = Field(examples=["provider", "validator", "client"])
    amount: Amount


class SettlementOut(Json):
    """How an order was sealed."""

    outcome: OutcomeName
    model: int | None
    winner: Address | None
    score: Score | None
    payouts: list[PayoutOut]
    tax: Amount
    sealed_at: Time
    sequence: int = Field(description="Its place among the orders sealed with payouts, from 1; 0: a refund.")
    paid: bool = Field(description="What was earned can be claimed now, or has been.")
    paid_how: str
    root_cycle: int | None = Field(description="The standing reward root that covers it.")
    effective_at: Time | None = Field(description="When that root pays.")


class MoneyOut(Json):
    """Tokens that moved. What goes into the order's escrow comes out of it to the wei, once the order is over."""

    model_config = ConfigDict(from_attributes=True, frozen=True, populate_by_name=True)

    what: str
    source: str = Field(alias="from", description="An account, or `escrow`, `aggregators`, `burned`, `stake`.")
    target: str = Field(alias="to", description="Likewise.")
    amount: Amount


class TimelineEntry(Json):
    """One event, in words."""

    seq: int
    at: Time
    block: int
    tx: Hash
    contract: str
    name: str
    actor: Address | None
    text: str
    gas: int | None = Field(description="Of the transaction, at its first line; null until the receipt is read.")


class GasLine(Json):
    """Gas by what it was used for."""

    action: str
    count: int
    gas: Big
    fee: Amount = Field(description="In wei of the chain's coin.")


class GasOut(Json):
    """Gas of transactions; `missing`: how many of them have no receipt here yet."""

    total: Big
    fee: Amount = Field(description="In wei of the chain's coin.")
    missing: int
    by_action: list[GasLine]


class OrderPage(OrderRow):
    """Everything about one order."""

    now: Time
    terms: Terms
    windows: OrderWindows
    cancelled: bool
    manifest: OrderManifestOut
    test: TestSetOut
    claims: list[ClaimOut]  # type: ignore[assignment]  # the row counts them
    models: list[ModelOut]  # type: ignore[assignment]
    sheets: list[SheetOut]
    displaced: list[Address] = Field(description="Validators whose place was taken by one with more stake.")
    disputes: list[DisputeRow]
    requests: list[RequestOut]
    settlement: SettlementOut | None
    money: list[MoneyOut]
    timeline: list[TimelineEntry]
    gas: GasOut
