"""All that can be said of a dispute: the moves in words, what each cost, and who was paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.client import ChainClient, RpcFailure
from offchain.chain.court import Case, Court, of_order
from offchain.chain.event_decoder import Event
from offchain.dispute.state import Side, Stage, Verdict
from offchain.dispute.words import NOWHERE, line_of, place_after
from offchain.errors import Retryable
from offchain.model.graph import Shape
from offchain.protocol.scores import ABSTAIN
from offchain.types import OrderId, Seconds, Wei


@dataclass(frozen=True, slots=True)
class MoveSummary:
    """One transaction of a dispute. `side`: whose move, None for what anybody may do; `gas`: what it used."""

    side: Side | None
    name: str
    text: str
    gas: int

    def to_json(self) -> dict[str, Any]:
        """Fields as JSON values."""
        who = None if self.side is None else self.side.name.lower()
        return {"side": who, "move": self.name, "text": self.text, "gas": self.gas}


@dataclass(frozen=True, slots=True)
class DisputeSummary:
    """A dispute, open or closed. `winner`, `paid` and `burned` once it is closed.

    `score`: what is disputed; `counter`: what the challenger would put in its place, if anything.
    """

    id: int
    oid: OrderId
    model_index: int
    score: int
    counter: int | None
    challenger: ChecksumAddress
    defendant: ChecksumAddress
    stage: Stage
    on_turn: Side | None
    deadline: Seconds
    verdict: Verdict
    timed_out: bool
    stake: Wei
    winner: ChecksumAddress | None
    paid: Wei
    burned: Wei
    moves: tuple[MoveSummary, ...]

    def to_json(self) -> dict[str, Any]:
        """Fields as JSON values: addresses as text, amounts in wei as integers."""
        return {
            "id": self.id,
            "order_id": self.oid,
            "model": self.model_index,
            "score": self.score,
            "counter": self.counter,
            "challenger": self.challenger,
            "defendant": self.defendant,
            "stage": self.stage.name.lower(),
            "on_turn": None if self.on_turn is None else self.on_turn.name.lower(),
            "deadline": self.deadline,
            "verdict": self.verdict.name.lower(),
            "timed_out": self.timed_out,
            "stake": self.stake,
            "winner": self.winner,
            "paid": self.paid,
            "burned": self.burned,
            "moves": [move.to_json() for move in self.moves],
            "gas": sum(move.gas for move in self.moves),
        }


def summarise_disputes(
    court: Court, *, oid: OrderId | None = None, number: int | None = None, latest: int | None = None
) -> list[DisputeSummary]:
    """The disputes of an order, or the one with that number, or all, or the `latest` so many. Raises Retryable."""
    cases: Sequence[Case] = court.look(court.client.head())
    if oid is not None:
        cases = of_order(cases, oid)
    chosen = [case for case in cases if number is None or case.id == number]
    return [summarise_dispute(court, case) for case in (chosen if latest is None else chosen[-latest:])]


def summarise_dispute(court: Court, case: Case) -> DisputeSummary:
    """One dispute. Raises Retryable when the node is down or its logs are behind its state."""
    events = court.events(case.id)
    opened = next((event for event in events if event.name == "Opened"), None)
    closed = next((event for event in events if event.name == "Closed"), None)
    if opened is None or (closed is None) == (case.dispute.stage is Stage.CLOSED):
        raise Retryable(f"{court.client.endpoint}: the logs of dispute {case.id} are not there yet")
    ended = {} if closed is None else closed.arguments
    dispute, decided = case.dispute, closed is not None and case.dispute.verdict is not Verdict.MOOT
    return DisputeSummary(
        id=case.id,
        oid=dispute.oid,
        model_index=dispute.model_index,
        score=int(opened.arguments["score"]),
        counter=None if dispute.counter == ABSTAIN else dispute.counter,
        challenger=dispute.challenger,
        defendant=dispute.defendant,
        stage=dispute.stage,
        on_turn=dispute.on_turn,
        deadline=dispute.deadline,
        verdict=dispute.verdict,
        timed_out=bool(ended.get("timedOut", False)),
        stake=dispute.stake,
        winner=ended["winner"] if decided else None,
        paid=Wei(int(ended.get("paid", 0))),
        burned=Wei(int(ended.get("burned", 0))),
        moves=_moves(court, events),
    )


def _moves(court: Court, events: Sequence[Event]) -> tuple[MoveSummary, ...]:
    gas = _gas_used(court.client, list(dict.fromkeys(event.tx_hash for event in events)))
    found: list[MoveSummary] = []
    told: set[bytes] = set()
    place = NOWHERE
    for event in events:
        place = place_after(place, event.name, event.arguments, _shape(court, event))
        line = line_of(event.name, event.arguments, place)
        if line is not None:
            # A step that ends the dispute is one transaction with two lines.
            used = 0 if event.tx_hash in told else gas.get(event.tx_hash, 0)
            told.add(event.tx_hash)
            found.append(MoveSummary(line.side, event.name, line.text, used))
    return tuple(found)


def _gas_used(client: ChainClient, transactions: Sequence[bytes]) -> dict[bytes, int]:
    receipts = client.batch([("eth_getTransactionReceipt", ["0x" + item.hex()]) for item in transactions])
    return {
        item: int(receipt["gasUsed"], 16)
        for item, receipt in zip(transactions, receipts, strict=True)
        if receipt is not None and not isinstance(receipt, RpcFailure)
    }


def _shape(court: Court, event: Event) -> Shape | None:
    """The shape of a picked node's output, which the move itself shows."""
    return court.shape_picked(event) if event.name == "TensorPicked" else None
