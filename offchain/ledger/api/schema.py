"""JSON of the HTTP API: what it takes and answers. Camel case, bytes in hex with 0x, amounts in wei as text."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

MAX_MESSAGES = 100
MAX_PAGE = 500

Hash = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$", examples=["0x" + "5a" * 32])]
Hex = Annotated[str, Field(pattern=r"^0x([0-9a-f]{2})*$", max_length=8_192)]
Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$", examples=["0x70997970C51812dc3A010C7d01b50e0d17dc79C8"])]
Amount = Annotated[str, Field(pattern=r"^[0-9]{1,78}$", description="wei", examples=["1000000000000000000"])]
Unix = Annotated[int, Field(ge=0, description="seconds since the Unix epoch")]
Millis = Annotated[int, Field(ge=0, description="the ledger's time, in milliseconds since the Unix epoch")]
PhaseName = Annotated[str, Field(pattern=r"^(training|reveal|validation|challenge|over)$")]


class Json(BaseModel):
    """Base: camel case outside, nothing unknown taken."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Problem(Json):
    """Every answer that is no success."""

    error: str = Field(description="One line that says what is wrong and what to do.")


class Messages(Json):
    """Signed requests to be ordered."""

    messages: list[Hex] = Field(
        min_length=1,
        max_length=MAX_MESSAGES,
        description="Each: account (20 bytes), nonce (8), signature (65: r, s, v), body; see docs/ledger.md.",
    )


class Digests(Json):
    """Names of requests."""

    digests: list[Hash] = Field(min_length=1, max_length=MAX_MESSAGES)


class ReceiptOut(Json):
    """What became of a request."""

    digest: Hash = Field(description="Name of the request: what its account signed (EIP-712).")
    status: str = Field(pattern=r"^(executed|pending)$", description="`pending`: not executed yet; ask again.")
    result: str | None = Field(
        default=None, description="`accepted`, `duplicate`, `superseded`, or why it was refused."
    )
    text: str | None = Field(default=None, description="The result for people.")
    stands: bool | None = Field(default=None, description="Whether the ledger holds what was asked for.")
    repeated: bool | None = Field(default=None, description="Executed before; the result is that of the first time.")
    sequence: int | None = Field(default=None, ge=0, description="The batch in which it was executed, if still known.")
    time: Millis | None = None


class Receipts(Json):
    """In the order of the messages."""

    receipts: list[ReceiptOut]


class RecordOut(Json):
    """A request that stands on the ledger."""

    id: Hash = Field(description="Digest of the request; a validation's is its VID.")
    account: Address = Field(description="Who signed it.")
    time: Millis
    request: Hex = Field(description="As it was signed: anyone can check who said it.")


class OrderOut(RecordOut):
    """A client's order and how far it is."""

    oid: int = Field(ge=0, description="The order's number on the chain.")
    reward: Amount
    type: str = Field(description="The kind of model.")
    t0: Unix = Field(description="The order's start.")
    t1: Unix = Field(description="End of training.")
    t2: Unix = Field(description="End of reveal.")
    t3: Unix = Field(description="End of validation.")
    t4: Unix = Field(description="End of challenges.")
    link: str = Field(description="Where data and metadata are.")
    phase: PhaseName = Field(description="By the ledger's time.")
    claims: int = Field(ge=0, description="How many there are; so for models, validations and challenges.")
    models: int = Field(ge=0)
    validations: int = Field(ge=0)
    challenges: int = Field(ge=0)


class ClaimOut(RecordOut):
    """A provider's commitment."""

    commitment: Hash


class ChallengeOut(RecordOut):
    """A verifier's objection to a validation."""

    vid: Hash
    c_stake: Amount


class ValidationOut(RecordOut):
    """A validator's score."""

    oid: int = Field(ge=0)
    client: Address
    mid: Hash
    score: int
    v_stake: Amount
    challenges: list[ChallengeOut]


class ModelOut(RecordOut):
    """A model that a provider has shown."""

    oid: int = Field(ge=0)
    client: Address
    mid: Hash = Field(description="The model's root.")
    link: str = Field(description="Where the model is; what comes from there must hash to the mid.")


class CycleOut(Json):
    """An order with all that was said about it (a row of the network record table)."""

    order: OrderOut
    claims: list[ClaimOut]
    models: list[ModelOut]
    validations: list[ValidationOut]


class NodeOut(RecordOut):
    """What a participant says of itself."""

    role: str = Field(pattern=r"^(client|provider|validator|verifier|aggregator)$")
    resources: str
    endpoint: str


class Orders(Json):
    """Those that pay most per second of training first."""

    orders: list[OrderOut]
    next: str | None = Field(default=None, description="Value of `after` for what follows; null: that was all.")


class Cycles(Json):
    """One for each client that has put an order with the number here; the chain says whose it is."""

    cycles: list[CycleOut]


class Validations(Json):
    """The oldest first."""

    validations: list[ValidationOut]


class Models(Json):
    """The oldest first."""

    models: list[ModelOut]


class Nodes(Json):
    """By account and role."""

    nodes: list[NodeOut]
    next: str | None = Field(default=None, description="Value of `after` for what follows; null: that was all.")


class ProposalOut(RecordOut):
    """The latest reward proposal that the ledger took (docs/rewards.md)."""

    cycle: int = Field(ge=0)
    epoch: int = Field(ge=0)
    up_to: int = Field(ge=0)
    settled_otherwise: int = Field(ge=0)
    parent: Hash
    history: Hash
    root: Hash


class Rewards(Json):
    """How far the update cycle is."""

    proposal: ProposalOut | None


class StateOut(Json):
    """Which state this replica is in. Replicas at one sequence have one root."""

    sequence: int = Field(ge=0, description="The last batch that was executed.")
    time: Millis
    root: Hash = Field(description="Merkle root of the state.")
    orders: int = Field(ge=0)
    nodes: int = Field(ge=0)
    accounts: int = Field(ge=0, description="Accounts whose nonces are known.")
    bytes: int = Field(ge=0, description="What the records count against the ledger's limit.")
    limit: int = Field(ge=0, description="That limit.")


class PathOut(Json):
    """A Merkle proof: siblings from the leaf up, as in RFC 9162."""

    index: int = Field(ge=0)
    count: int = Field(ge=1)
    siblings: list[Hash] = Field(max_length=64)


class ProofOut(Json):
    """That a record stands on the ledger. `value` is the time (8 bytes) and the request."""

    sequence: int = Field(ge=0)
    root: Hash
    key: Hex = Field(description="The record's key: in its order's map, or in the ledger's if there is no `order`.")
    value: Hex
    path: PathOut
    order: Hex | None = Field(default=None, description="The order's key in the ledger's map.")
    order_path: PathOut | None = Field(default=None, description="From the root of the order's map to the root.")


class PeerOut(Json):
    """A replica as this one sees it."""

    replica: int = Field(ge=0)
    account: Address
    connected: bool
    api: str | None = Field(default=None, description="Where it answers participants.")


class StatusOut(Json):
    """Where this replica stands."""

    replica: int = Field(ge=0)
    view: int = Field(ge=0)
    changing: bool = Field(description="It has left for `view`, which has not begun.")
    primary: int = Field(ge=0)
    executed: int = Field(ge=0, description="The last batch.")
    stable: int = Field(ge=0, description="The last stable checkpoint.")
    waiting: int = Field(ge=0, description="Requests of this replica's clients that wait to be executed.")
    requests_executed: int = Field(ge=0, description="Since it was started.")
    uptime: float = Field(ge=0, description="Seconds.")
    peers: list[PeerOut]


class About(Json):
    """What requests for this ledger are signed for, and its limits."""

    name: str
    version: str
    chain_id: int = Field(ge=1)
    committee: Address
    replicas: int = Field(ge=1)
    faulty: int = Field(ge=0, description="f: believe what f + 1 replicas say.")
    members: list[Address]
    max_messages: int = Field(ge=1)
    max_request_bytes: int = Field(ge=1)
    nonce_window: int = Field(ge=1)


class Health(Json):
    """Whether this replica can have requests ordered now."""

    ok: bool
    reason: str | None = None
