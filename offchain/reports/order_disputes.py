"""The stories of disputes and of requests for data. Pure."""

from collections.abc import Sequence

from offchain.chain.enums import RequestStatus
from offchain.dispute.state import Side, Stage, Verdict
from offchain.explorer.index import DisputePage, DisputeRow, OrderPage, RequestRow
from offchain.reports.document import Block, Facts, Note, Section, Steps, Table, Text, Value
from offchain.reports.order_models import Describe
from offchain.reports.people import People
from offchain.reports.words import plural, tokens, when

_VERDICTS = {
    Verdict.FALSE: "the score was proven false",
    Verdict.STANDS: "the score stands",
    Verdict.MOOT: "moot: something else decided it",
    Verdict.NONE: "not decided yet",
}


def disputes_section(page: OrderPage, disputes: Sequence[DisputePage], describe: Describe, people: People) -> Section:
    """Each dispute, move by move, and what was asked for."""
    blocks: list[Block] = [] if page.disputes else [Text("Nobody has challenged a score of this order.")]
    known = {dispute.row.id: dispute for dispute in disputes}
    parts = [_story(row, known.get(row.id), describe, people) for row in page.disputes]
    if page.requests:
        blocks.append(_requests(page.requests, people))
    return Section("disputes", "Disputes", blocks, parts)


def _story(row: DisputeRow, dispute: DisputePage | None, describe: Describe, people: People) -> Section:
    challenger, defendant = people.name(row.challenger), people.name(row.defendant)
    words = (
        f"{challenger} challenges the score {row.score:,} ({describe(row.score)}) that {defendant} gives model "
        f"{row.model}"
    )
    if row.counter is not None:
        words += f", and says it is {row.counter:,} ({describe(row.counter)})"
    blocks: list[Block] = [Text(words + "."), _facts(row, people)]
    if dispute is None:
        blocks.append(Note("The moves of this dispute are not here."))
    else:
        blocks.append(Steps([_line(move.by, move.text, row, people) for move in dispute.moves]))
    blocks.append(Text(_end(row, people)))
    return Section(f"dispute-{row.id}", f"Dispute {row.id}", blocks)


def _facts(row: DisputeRow, people: People) -> Facts:
    stage = "over" if row.stage is Stage.CLOSED else row.stage.name.lower().replace("_", " ")
    return Facts(
        [
            ("opened (UTC)", when(row.opened_at)),
            ("closed (UTC)", "open" if row.closed_at is None else when(row.closed_at)),
            ("challenger", people.cell(row.challenger)),
            ("defendant", people.cell(row.defendant)),
            ("challenger's stake", f"{tokens(row.stake)} tokens"),
            ("stage", stage),
            ("verdict", _VERDICTS.get(row.verdict, row.verdict.name.lower())),
        ]
    )


def _line(by: Side | None, text: str, row: DisputeRow, people: People) -> str:
    if by is None:
        return text
    return f"{people.name(row.challenger if by is Side.CHALLENGER else row.defendant)} {text}"


def _end(row: DisputeRow, people: People) -> str:
    if row.stage is not Stage.CLOSED:
        turn = (
            ""
            if row.on_turn is None
            else f"; it is the {row.on_turn.name.lower()}'s turn until {when(row.deadline)} UTC"
        )
        return f"It is open{turn}."
    how = " because the other side let its time run out" if row.timed_out else ""
    if row.winner is None:
        return f"It ended: {_VERDICTS.get(row.verdict, '')}."
    return (
        f"It ended{how}: {_VERDICTS[row.verdict]}. {people.name(row.winner)} won {tokens(row.paid)} tokens; "
        f"{tokens(row.burned)} were burned."
    )


def _requests(requests: Sequence[RequestRow], people: People) -> Table:
    rows: list[list[Value]] = [
        [
            str(request.id),
            people.cell(request.asker),
            request.text,
            when(request.asked_at),
            _fate(request, people),
            tokens(request.bond),
        ]
        for request in requests
    ]
    caption = f"{plural(len(requests), 'request')} for data"
    return Table(caption, ("request", "asker", "asks for", "at (UTC)", "became", "bond"), rows, frozenset({5}))


def _fate(request: RequestRow, people: People) -> str:
    if request.status is RequestStatus.ANSWERED and request.answered_by is not None:
        return f"answered by {people.name(request.answered_by)}, who had {tokens(request.paid)} tokens for it"
    return request.status.name.lower().replace("_", " ")
