"""JSON of federated tasks and their rounds."""

from typing import Any, Literal

from pydantic import Field

from offchain.explorer.api.fields import Address, Amount, Hash, Json, MaybeCid, Time


class TaskRow(Json):
    """A federated task in a list. `final` and `failed`: rounds that ended so."""

    id: int
    title: str | None
    client: Address
    phase: Literal["joining", "running", "over"]
    created_at: Time
    join_ends: Time
    round: int = Field(description="The one that is on, or the last.")
    rounds: int = Field(description="How many there are to be.")
    final: int
    failed: int
    participants: int
    active: int
    excluded: int
    reward: Amount
    paid: Amount
    games: int


class Tasks(Json):
    """A page of tasks, the newest first."""

    tasks: list[TaskRow]
    next: int | None = Field(description="`before` of the next page; null at the end.")
    now: Time


class ParticipantOut(Json):
    """Who joined. `stake`: in the task now; `lost`: of it."""

    index: int
    account: Address
    stake: Amount
    standing: Literal["active", "left", "excluded"]
    earned: Amount
    lost: Amount


class RoundOut(Json):
    """A round; lists are of participants' indices."""

    round: int
    state: Literal["open", "final", "failed"]
    begun_at: Time
    ended_at: Time | None
    committed: list[int]
    revealed: list[int]
    dropped: list[int]
    included: list[int]
    leader: int | None
    postings: int
    objections: int
    replaced: list[int] = Field(description="Leaders that did not post, or posted something wrong.")
    result_root: Hash | None
    result_cid: MaybeCid
    measures_cid: MaybeCid
    paid: Amount


class GameOut(Json):
    """A game about a posted aggregate. `moves` in words."""

    id: int
    task: int
    posting: int
    subject: str
    challenger: Address
    leader: Address
    stake: Amount
    stage: str
    deadline: Time
    verdict: str
    timed_out: bool
    winner: Address | None
    paid: Amount
    burned: Amount
    opened_at: Time
    closed_at: Time | None
    moves: list[str]


class TaskPage(TaskRow):
    """Everything about one task."""

    now: Time
    terms: dict[str, Any] = Field(description="As the contract has them; amounts as text.")
    model_root: Hash = Field(description="Of the model after the last final round.")
    refundable: Amount
    withdrawn: Amount
    members: list[ParticipantOut]
    rounds_list: list[RoundOut]
    games_list: list[GameOut]
