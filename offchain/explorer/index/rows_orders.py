"""What the index tells of orders, disputes and requests. Amounts in wei, times in seconds of the chain's clock.

Everything here comes from events; nothing is text for people but `text` of a move and of a line of a timeline.
"""

from dataclasses import dataclass
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.enums import Outcome, RequestStatus, Role, ScoreFunction
from offchain.chain.views import Order
from offchain.dispute.requests import Target
from offchain.dispute.state import Side, Stage, Verdict
from offchain.protocol.lifecycle import Phase, Windows
from offchain.protocol.settlement import Payout
from offchain.types import CidDigest, OrderId, Root, Seconds, Wei


@dataclass(frozen=True, slots=True)
class Score:
    """A sum over the test set, and the size of that set: the mean is `sum / samples`."""

    sum: int
    samples: int


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order in a list. `phase_ends_at`: by the clock, None for a phase that does not end by it.

    `winner` and `winning_score` once it is sealed and won; `manifest` names the content that has the title.
    """

    oid: OrderId
    client: ChecksumAddress
    reward: Wei
    score_function: ScoreFunction
    manifest: CidDigest
    phase: Phase
    phase_ends_at: Seconds | None
    put_at: Seconds
    claims: int
    models: int
    validations: int
    open_disputes: int
    outcome: Outcome
    winner: ChecksumAddress | None
    winning_score: Score | None


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A provider's claim; `at` and `sequence`, by which they are ordered, are of the latest if it was replaced.

    `locked`: its bond now; `slashed`: whether that was taken.
    """

    provider: ChecksumAddress
    at: Seconds
    sequence: int
    commitment: bytes
    locked: Wei
    slashed: bool
    revealed: bool


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A revealed model. `score`: what its live validations agree on, None while they do not."""

    index: int
    provider: ChecksumAddress
    root: Root
    cid: CidDigest
    revealed_at: Seconds
    eligible: bool
    voided: bool
    score: Score | None


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One validation as it stands. `holder`: whose it is now (who has taken the place, else the validator).

    `score` is None for an abstention; `revealed` is what the validator itself said, None likewise.
    """

    model: int
    holder: ChecksumAddress
    score: int | None
    revealed: int | None
    live: bool


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One validator's scores; `scores` is empty until they are revealed. `slashed`: for not revealing."""

    validator: ChecksumAddress
    v_stake: Wei
    commitment: bytes
    committed_at: Seconds
    revealed_at: Seconds | None
    slashed: bool
    scores: tuple[ScoreRow, ...]


@dataclass(frozen=True, slots=True)
class TestRow:
    """The released test set; `voided`: nobody could show a part of it."""

    __test__ = False

    root: Root
    cid: CidDigest
    samples: int
    released_at: Seconds
    voided: bool


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """A dispute in a list. `score`: what is disputed; `counter`: what the challenger would put in its place, if any.

    `deadline` of who is `on_turn`; `winner`, `paid` and `burned` once it is closed with a verdict.
    """

    id: int
    oid: OrderId
    model: int
    defendant: ChecksumAddress
    challenger: ChecksumAddress
    seat: ChecksumAddress | None
    score: int
    counter: int | None
    stake: Wei
    stage: Stage
    on_turn: Side | None
    deadline: Seconds
    verdict: Verdict
    timed_out: bool
    winner: ChecksumAddress | None
    paid: Wei
    burned: Wei
    opened_at: Seconds
    closed_at: Seconds | None


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One line of a dispute's story. `by`: None for what anybody may do; `gas`: None until the receipt is here.

    `name` and `detail` are the event and its arguments by their names in `IDisputeCourt.sol`. A transaction that has
    two lines has its gas at the first.
    """

    seq: int
    at: Seconds
    tx: bytes
    by: Side | None
    name: str
    text: str
    gas: int | None
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DisputePage:
    """A dispute with all its moves."""

    row: DisputeRow
    moves: tuple[MoveRow, ...]


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request for data (availability court). `answered_by`, `paid`: who showed it, and got the asker's bond."""

    id: int
    oid: OrderId
    asker: ChecksumAddress
    target: Target
    text: str
    asked_at: Seconds
    deadline: Seconds
    bond: Wei
    status: RequestStatus
    answered_by: ChecksumAddress | None
    paid: Wei
    ended_at: Seconds | None


@dataclass(frozen=True, slots=True)
class SettlementRow:
    """How an order ended. `roles`: what each payout was for, in the order of `payouts`.

    `sequence`: its place among the sealed orders, 0 for a refund; `root_cycle`: the standing root that covers it;
    `paid`: what was earned can be claimed at `now`.
    """

    outcome: Outcome
    model: int | None
    winner: ChecksumAddress | None
    score: Score | None
    payouts: tuple[Payout, ...]
    roles: tuple[Role, ...]
    tax: Wei
    sealed_at: Seconds
    sequence: int
    paid: bool
    paid_how: str
    root_cycle: int | None
    effective_at: Seconds | None


@dataclass(frozen=True, slots=True)
class Flow:
    """Money that moved or was decided. Ends are accounts, or one of "escrow", "aggregators", "burned", "stake".

    Those with "escrow" at an end sum to zero once the order has ended.
    """

    what: str
    source: str
    target: str
    amount: Wei


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One event in words. `actor`: whose doing it was, if it says so; `gas` of its transaction, at its first line."""

    seq: int
    at: Seconds
    block: int
    tx: bytes
    contract: str
    name: str
    actor: ChecksumAddress | None
    text: str
    gas: int | None


@dataclass(frozen=True, slots=True)
class ActionGas:
    """Gas by what the transactions did. `fee` in wei of the chain's coin."""

    action: str
    count: int
    gas: int
    fee: Wei


@dataclass(frozen=True, slots=True)
class GasRow:
    """Gas of some transactions; `missing`: how many of them have no receipt here yet."""

    total: int
    fee: Wei
    missing: int
    by_action: tuple[ActionGas, ...]


@dataclass(frozen=True, slots=True)
class OrderPage:
    """All that the chain says of an order. `order` holds the terms and the parameters that were in force."""

    row: OrderRow
    order: Order
    windows: Windows
    challenge_until: Seconds
    cancelled: bool
    test: TestRow | None
    claims: tuple[ClaimRow, ...]
    models: tuple[ModelRow, ...]
    sheets: tuple[SheetRow, ...]
    displaced: tuple[ChecksumAddress, ...]
    disputes: tuple[DisputeRow, ...]
    requests: tuple[RequestRow, ...]
    settlement: SettlementRow | None
    money: tuple[Flow, ...]
    timeline: tuple[TimelineRow, ...]
    gas: GasRow
