"""What the index tells of the network, accounts, rewards, federated tasks, and the events themselves.

Amounts in wei, times in seconds of the chain's clock. Lists that can be long come as a `Page`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from eth_typing import ChecksumAddress

from offchain.chain.enums import Outcome, Role, Verdict
from offchain.chain.views import ProtocolParameters
from offchain.federated.terms import FederatedTerms
from offchain.protocol.lifecycle import Phase
from offchain.types import CidDigest, OrderId, Root, Seconds, TaskId, Wei

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Part of a list. `next`: what to give as `before` (of events: `after`) for the rest; None at the end."""

    rows: tuple[Row, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event. `seq` numbers events in the order in which they were taken in, and is never used twice.

    `arguments` as `chain.event_decoder` gives them; `oid`, `dispute`, `task` and `accounts`: what it is found by.
    """

    seq: int
    contract: str
    name: str
    arguments: dict[str, Any]
    block: int
    block_hash: bytes
    at: Seconds
    tx: bytes
    log_index: int
    oid: OrderId | None
    dispute: int | None
    task: TaskId | None
    accounts: tuple[ChecksumAddress, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the index is. `seq`: of the newest event (0: none); `block`: read up to and with this one (-1: none).

    `blocks`: hashes and times are those of the chain as last seen. `revision` changes whenever anything does.
    """

    block: int
    events: int
    seq: int
    caught_up: bool
    revision: int
    head: int
    head_hash: bytes
    head_at: Seconds
    final_block: int


@dataclass(frozen=True, slots=True)
class Network:
    """The whole deployment at `now`. By phase and by role only what is not zero.

    `stakes` are bonds without what is exiting; `paid`: to participants, by roots or else; `supply`: 0 if the token's
    first transfer was before the deployment's first block. `gas` and `fee`: of the `gas_transactions` whose receipts
    are here, of `transactions` in all.
    """

    now: Seconds
    orders: int
    phases: Mapping[Phase, int]
    outcomes: Mapping[Outcome, int]
    escrow: Wei
    rewards_put: Wei
    stakes: Mapping[Role, Wei]
    locked: Mapping[Role, Wei]
    accounts: Mapping[Role, int]
    slashed: Wei
    slashed_paid: Wei
    burned: Wei
    held: Wei
    paid: Wei
    tax: Wei
    supply: Wei
    disputes: int
    open_disputes: int
    verdicts: Mapping[Verdict, int]
    requests: int
    open_requests: int
    tasks: int
    open_tasks: int
    games: int
    events: int
    transactions: int
    gas: int
    fee: Wei
    gas_transactions: int


@dataclass(frozen=True, slots=True)
class BondRow:
    """An account's bond in one role. `slashed`: ever taken from it. `exit_at`: when `exiting` can be withdrawn."""

    role: Role
    bonded: Wei
    locked: Wei
    exiting: Wei
    exit_at: Seconds
    slashed: Wei


@dataclass(frozen=True, slots=True)
class SlashRow:
    """Stake that was taken; what it was about in `oid` or `task` (None: the committee's stake)."""

    seq: int
    at: Seconds
    tx: bytes
    account: ChecksumAddress
    role: Role
    amount: Wei
    beneficiary: ChecksumAddress | None
    paid: Wei
    burned: Wei
    oid: OrderId | None
    task: TaskId | None


@dataclass(frozen=True, slots=True)
class Part:
    """What an account is in an order: "client", "provider", "validator" or "verifier"; `earned` by it in all."""

    oid: OrderId
    roles: tuple[str, ...]
    earned: Wei


@dataclass(frozen=True, slots=True)
class Earned:
    """What an account has of rewards: `settled` orders earned it so much, `claimed` through roots, `credited` by
    direct payment or refunds and not withdrawn yet, `withdrawn` of that."""

    settled: Wei
    claimed: Wei
    credited: Wei
    withdrawn: Wei
    federated: Wei


@dataclass(frozen=True, slots=True)
class Account:
    """An account; zeros and empty when no event names it. Lists have the newest first and are cut (see `Index`)."""

    address: ChecksumAddress
    events: int
    balance: Wei
    bonds: tuple[BondRow, ...]
    earned: Earned
    slashes: tuple[SlashRow, ...]
    orders: tuple[Part, ...]
    disputes: tuple[int, ...]
    requests: tuple[int, ...]
    tasks: tuple[TaskId, ...]
    candidate_stake: Wei
    is_member: bool
    endpoint: str | None
    gas: int
    fee: Wei


@dataclass(frozen=True, slots=True)
class RootRow:
    """A posted root of rewards. `total`: earned through roots by all accounts up to it; `claimed` from it so far.

    A refuted one has `refuter`, and a root that stood on a refuted one has it too.
    """

    cycle: int
    root: Root
    epoch: int
    signers: tuple[ChecksumAddress, ...]
    up_to: int
    settled_otherwise: int
    total: Wei
    accounts: int
    posted_at: Seconds
    effective_at: Seconds
    tx: bytes
    refuter: ChecksumAddress | None
    refuted_at: Seconds | None
    wrong_step: int | None
    claims: int
    claimed: Wei


@dataclass(frozen=True, slots=True)
class ClaimedRow:
    """Rewards that were paid. `cycle`: of the root; None for a withdrawal of what was credited."""

    seq: int
    at: Seconds
    tx: bytes
    account: ChecksumAddress
    cycle: int | None
    amount: Wei


@dataclass(frozen=True, slots=True)
class EpochRow:
    """A committee. `slashed`: members that lost their stake for it."""

    number: int
    members: tuple[ChecksumAddress, ...]
    threshold: int
    started_at: Seconds
    ends_at: Seconds
    suspended: bool
    slashed: tuple[ChecksumAddress, ...]


@dataclass(frozen=True, slots=True)
class Committee:
    """The aggregators: stakes of candidates, endpoints by account, and the epochs, the newest first."""

    candidates: Mapping[ChecksumAddress, Wei]
    endpoints: Mapping[ChecksumAddress, str]
    epochs: tuple[EpochRow, ...]


@dataclass(frozen=True, slots=True)
class Rewards:
    """Roots and claims, the newest first; `held`: what the treasury holds for orders that no root in force pays."""

    roots: tuple[RootRow, ...]
    claims: Page[ClaimedRow]
    committee: Committee
    held: Wei


@dataclass(frozen=True, slots=True)
class ParametersRow:
    """Parameters, and since when they are in force. `owner`: who may change them."""

    parameters: ProtocolParameters
    since: Seconds
    tx: bytes
    owner: ChecksumAddress | None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A federated task in a list. `phase`: "joining", "running" or "over", as far as events alone tell.

    `round`: the one that is on, or the last; `failed`: rounds that failed. `manifest` names the content with the title.
    """

    id: TaskId
    client: ChecksumAddress
    manifest: CidDigest
    phase: str
    created_at: Seconds
    join_ends: Seconds
    round: int
    rounds: int
    final: int
    failed: int
    participants: int
    active: int
    reward: Wei
    paid: Wei
    excluded: int
    games: int


@dataclass(frozen=True, slots=True)
class ParticipantRow:
    """Who takes part in a task. `standing`: "active", "left" or "excluded"; `stake` in the task now."""

    index: int
    account: ChecksumAddress
    stake: Wei
    standing: str
    earned: Wei
    lost: Wei


@dataclass(frozen=True, slots=True)
class RoundRow:
    """A round. `state`: "open", "final" or "failed"; indices are participants'."""

    round: int
    state: str
    begun_at: Seconds
    ended_at: Seconds | None
    committed: tuple[int, ...]
    revealed: tuple[int, ...]
    dropped: tuple[int, ...]
    included: tuple[int, ...]
    leader: int | None
    postings: int
    objections: int
    replaced: tuple[int, ...]
    result_root: Root | None
    result_cid: CidDigest | None
    measures_cid: CidDigest | None
    paid: Wei


@dataclass(frozen=True, slots=True)
class GameRow:
    """A game about a posted aggregate; names as in `federated.game.state`, lower case. `moves` in words."""

    id: int
    task: TaskId
    posting: int
    subject: str
    challenger: ChecksumAddress
    leader: ChecksumAddress
    stake: Wei
    stage: str
    deadline: Seconds
    verdict: str
    timed_out: bool
    winner: ChecksumAddress | None
    paid: Wei
    burned: Wei
    opened_at: Seconds
    closed_at: Seconds | None
    moves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskPage:
    """A federated task with its rounds, participants and games."""

    row: TaskRow
    terms: FederatedTerms
    model_root: Root
    refundable: Wei
    withdrawn: Wei
    participants: tuple[ParticipantRow, ...]
    rounds: tuple[RoundRow, ...]
    games: tuple[GameRow, ...]
