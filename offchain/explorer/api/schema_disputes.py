"""JSON of disputes: rows, and one with every move down to the computed step."""

from typing import Annotated, Any, Literal

from pydantic import Field

from offchain.explorer.api.fields import Address, Amount, Hash, Json, Named, ScoreSum, Time

StageName = Annotated[
    Literal[
        "none",
        "sums",
        "pick_sum",
        "trace",
        "pick_tensor",
        "hashes",
        "pick_hash",
        "chunk",
        "pick_element",
        "parts",
        "pick_part",
        "closed",
    ],
    Named,
]
VerdictName = Annotated[Literal["none", "false", "stands", "moot"], Named]
SideName = Annotated[Literal["defendant", "challenger"], Named]


class DisputeRow(Json):
    """A dispute about one score of one model."""

    id: int
    oid: int
    model: int
    defendant: Address
    challenger: Address
    score: ScoreSum = Field(description="What is disputed.")
    counter: ScoreSum = Field(description="What the challenger would put in its place; null: nothing.")
    seat: Address | None = Field(description="The validator whose place it is about, if the defendant had taken it.")
    stake: Amount
    stage: StageName = Field(description="What is to be done next.")
    on_turn: SideName | None
    deadline: Time | None = Field(description="Of the move that is due; null once it is closed.")
    verdict: VerdictName
    timed_out: bool = Field(description="Somebody did not move in time.")
    winner: Address | None
    paid: Amount
    burned: Amount
    opened_at: Time
    closed_at: Time | None


class Disputes(Json):
    """A page of disputes, the newest first."""

    disputes: list[DisputeRow]
    next: int | None = Field(description="`before` of the next page; null at the end.")
    now: Time


class Move(Json):
    """One step of a dispute."""

    seq: int
    at: Time
    tx: Hash
    by: Address | None = Field(description="Who sent it.")
    side: SideName | None = Field(description="Null: anybody may, as with a move that was not made in time.")
    kind: str = Field(description="The event's name.", examples=["SumsPosted", "Computed"])
    text: str
    gas: int | None
    detail: dict[str, Any] = Field(
        description="The numbers of the move, by name: indices and counts as integers, values and sums as text."
    )


class DisputePage(DisputeRow):
    """A dispute with its moves."""

    now: Time
    moves: list[Move]
