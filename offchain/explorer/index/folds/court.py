"""Disputes about scores, and requests for data."""

from dataclasses import replace

from offchain.chain.enums import RequestStatus
from offchain.dispute.requests import describe_target
from offchain.dispute.state import DEFENDANT_STAGES, Side, Stage, Verdict
from offchain.explorer.index.rows import EventRow
from offchain.explorer.index.rows_orders import DisputeRow, RequestRow
from offchain.protocol.scores import ABSTAIN
from offchain.types import OrderId, Seconds, Wei


def fold_dispute(state: DisputeRow | None, event: EventRow) -> DisputeRow | None:
    """The dispute after an event of DisputeCourt."""
    said = event.arguments
    if event.name == "Opened":
        return _opened(event)
    if state is None:
        return None
    match event.name:
        case "Countered":
            counter = None if said["score"] == ABSTAIN else said["score"]
            return replace(state, seat=said["seat"], counter=counter)
        case "Moved":
            stage = Stage(said["next"])
            side = Side.DEFENDANT if stage in DEFENDANT_STAGES else Side.CHALLENGER
            return replace(state, stage=stage, on_turn=side, deadline=Seconds(said["deadline"]))
        case "Closed":
            verdict = Verdict(said["verdict"])
            return replace(
                state,
                stage=Stage.CLOSED,
                on_turn=None,
                verdict=verdict,
                timed_out=said["timedOut"],
                winner=None if verdict is Verdict.MOOT else said["winner"],
                paid=Wei(said["paid"]),
                burned=Wei(said["burned"]),
                closed_at=event.at,
            )
        case _:
            return state


def _opened(event: EventRow) -> DisputeRow:
    said = event.arguments
    return DisputeRow(
        id=said["id"],
        oid=OrderId(said["oid"]),
        model=said["modelIndex"],
        defendant=said["defendant"],
        challenger=said["challenger"],
        seat=None,
        score=said["score"],
        counter=None,
        stake=Wei(said["stake"]),
        stage=Stage.NONE,
        on_turn=None,
        deadline=Seconds(0),
        verdict=Verdict.NONE,
        timed_out=False,
        winner=None,
        paid=Wei(0),
        burned=Wei(0),
        opened_at=event.at,
        closed_at=None,
    )


def fold_request(state: RequestRow | None, event: EventRow) -> RequestRow | None:
    """The request after an event of AvailabilityCourt."""
    said = event.arguments
    if event.name == "Requested":
        return RequestRow(
            id=said["id"],
            oid=OrderId(said["oid"]),
            asker=said["asker"],
            target=said["target"],
            text=describe_target(said["target"]),
            asked_at=event.at,
            deadline=Seconds(said["deadline"]),
            bond=Wei(said["bond"]),
            status=RequestStatus.OPEN,
            answered_by=None,
            paid=Wei(0),
            ended_at=None,
        )
    if state is None:
        return None
    match event.name:
        case "Answered":
            return replace(
                state,
                status=RequestStatus.ANSWERED,
                answered_by=said["by"],
                paid=Wei(said["paid"]),
                ended_at=event.at,
            )
        case "Expired":
            return replace(state, status=RequestStatus.EXPIRED, ended_at=event.at)
        case "Mooted":
            return replace(state, status=RequestStatus.MOOT, ended_at=event.at)
        case _:
            return state
