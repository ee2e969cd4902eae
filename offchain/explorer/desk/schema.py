"""What the desk is asked and what it answers, as JSON."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from offchain.explorer.api.fields import Address, Amount, Bytes, CidText, Hash, Json, ScoreSum, Time

AddressText = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]
HashText = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$")]
WeiText = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,77}$", description="wei, as decimal text")]
Number = Annotated[int, Field(strict=True, ge=0, lt=2**53)]
Word = Annotated[str, Field(max_length=200)]


class Asked(BaseModel):
    """Base of all requests: no fields that nobody knows, nothing converted."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OrderFields(Asked):
    """The part `request` of a new order. Names and meanings are those of the flags of `assay put`.

    `train` names one of scikit-learn's sets; otherwise the file `train` is the data. Times in seconds.
    """

    account: AddressText
    reward: WeiText
    title: Annotated[str, Field(max_length=200)] | None = None
    train: Annotated[str, Field(max_length=40)] | None = None
    model: Word | None = None
    label: Word | None = None
    task: Literal["classification", "regression"] | None = None
    test_label: Word | None = None
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    text: Word | None = None
    text_length: Annotated[int, Field(strict=True, ge=1, le=4096)] = 32
    score: Word | None = None
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**32)] | None = None
    train_seconds: Number = 600
    reveal_seconds: Number = 120
    validate_seconds: Number = 240
    challenge_seconds: Number = 120
    min_validators: Number = 2
    minimum_score: float | None = None
    max_model_bytes: Number | None = None
    max_tensor_bytes: Number | None = None


class PutSigned(Asked):
    """The permit, signed: 65 bytes r, s, v; `deadline` as in the typed data."""

    account: AddressText
    signature: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{130}$")]
    deadline: Number


class Sent(Asked):
    """What the wallet says that it has sent for an item of the outbox."""

    account: AddressText
    tx_hash: HashText


class ExaminationWanted(Asked):
    """Which order is to be examined, and for whom (who may challenge)."""

    oid: Annotated[int, Field(strict=True, ge=1, lt=2**53)]
    account: AddressText


class ChallengeWanted(Asked):
    """Which score is to be challenged. `take_place`: the true score takes its place, the stake stays behind it."""

    account: AddressText
    oid: Annotated[int, Field(strict=True, ge=1, lt=2**53)]
    validator: AddressText
    model: Annotated[int, Field(strict=True, ge=0, lt=2**16)]
    take_place: bool = False


class Call(Json):
    """A call to be signed: look at `data`, not at what is said of it. `value` in wei of the chain's coin."""

    to: Address
    contract: str
    function: str
    data: Bytes
    value: Amount
    label: str


class Estimate(Json):
    """Gas that the node has measured, and what it costs at most at the present price, in wei of the chain's coin."""

    gas: int
    cost: Amount


class OrderFacts(Json):
    """What an order will say, before anything is spent."""

    title: str
    task: str
    classes: list[str] | None
    training_samples: int | None = Field(description="null after a restart")
    test_samples: int
    weights: int
    model_bytes: int
    scored_by: str
    reward: Amount
    manifest: CidText
    train_seconds: int
    reveal_seconds: int
    validate_seconds: int
    challenge_seconds: int
    minimum_validators: int


class PreparedOrder(Json):
    """An order that can be put. `permit`: EIP-712 typed data for `eth_signTypedData_v4`; large integers are text."""

    commitment: Hash
    account: Address
    facts: OrderFacts
    permit: dict[str, Any]


JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class Preparation(Json):
    """An order in preparation. `step` in words; `error` in one line when it failed, `field` at fault if one is.

    Who does not ask for a minute has lost interest: it is cancelled then.
    """

    id: str
    state: JobState
    step: str
    error: str | None
    field: str | None
    order: PreparedOrder | None


class OutboxItem(Json):
    """Something that waits for the account's signature, or was sent and is not final.

    `state`: `waiting` for a signature, `sent` (the hash is known), `mined` (and not final). `deadline`: when it is too
    late, by the chain's clock; null when it can wait.
    """

    key: str
    state: Literal["waiting", "sent", "mined"]
    call: Call
    why: str
    oid: int | None
    dispute: int | None
    deadline: Time | None
    tx_hash: Hash | None
    note: str | None = Field(description="What went wrong with it so far, in one line.")


class OutboxEnd(Json):
    """How something ended. `withdrawn`: it was not sent, and is not possible or not needed any more (`error`: why)."""

    key: str
    state: Literal["done", "reverted", "withdrawn"]
    label: str
    why: str
    oid: int | None
    dispute: int | None
    tx_hash: Hash | None
    gas: int | None
    error: str | None


class Note(Json):
    """Something that the desk met on the account's behalf."""

    at: Time
    oid: int | None
    what: str
    message: str


class Outbox(Json):
    """What waits for an account. `ready`: the desk has looked at the chain for it since it was first asked."""

    account: Address
    ready: bool
    trouble: str | None
    items: list[OutboxItem]
    ended: list[OutboxEnd]
    notes: list[Note]


class PutCall(Json):
    """The `putWithPermit` call, which is in the outbox too, under `key`. `oid`: null until it is final."""

    key: str
    call: Call
    estimate: Estimate
    deadline: Time
    item: OutboxItem


class ExaminedModel(Json):
    """A model and its true score; `error` where it cannot be had."""

    model: int
    score: ScoreSum
    text: str | None
    error: str | None


class ExaminedScore(Json):
    """A validator's score beside the true one. `challengeable`: the court takes a challenge of it now."""

    validator: Address
    holder: Address
    model: int
    said: ScoreSum
    said_text: str | None
    true: ScoreSum
    true_text: str | None
    is_false: bool | None
    live: bool
    challengeable: bool


class Examination(Json):
    """An order's models scored anew. `done` of `total` models so far."""

    id: str
    oid: int
    state: JobState
    step: str
    error: str | None
    done: int
    total: int
    models: list[ExaminedModel]
    scores: list[ExaminedScore]
    stake: Amount = Field(description="What a challenge locks of a verifier's bond.")
    until: Time = Field(description="When challenges end, as far as is known.")


class Challenged(Json):
    """A challenge that waits for its signature (`item`), or the number of the dispute that is open already."""

    item: OutboxItem | None
    dispute: int | None


class ClaimCall(Json):
    """A call that pays `amount` wei to the account; anyone may send it."""

    what: Literal["claim_rewards", "claim_root", "pay_direct"]
    amount: Amount
    oid: int | None
    call: Call


class Claims(Json):
    """What an account has earned, in wei, and the calls that pay it out.

    `credited`: refunds, and orders settled one by one; `claimable`: by effective roots; `pending`: by roots that can
    still be refuted, until `pending_until`; `paid`: by roots so far.
    """

    account: Address
    credited: Amount
    claimable: Amount
    pending: Amount
    pending_until: Time | None
    paid: Amount
    calls: list[ClaimCall]


class Problem(Json):
    """What is wrong, in one line; `field`: of the request, if one is at fault."""

    error: str
    field: str | None = None
