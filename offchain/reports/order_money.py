"""The money of an order: who gave what to whom, to the wei. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from offchain.explorer.index import Flow, OrderPage
from offchain.reports.charts.sankey import Band, sankey_chart
from offchain.reports.document import Block, Figure, Note, Section, Table, Text, Value
from offchain.reports.people import PLACES, People
from offchain.reports.words import rounded, tokens

ESCROW, AGGREGATORS, STAKE = "escrow", "aggregators", "stake"


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account, or a place that is none, gave and got in an order, in wei."""

    who: str
    gave: int
    got: int

    @property
    def net(self) -> int:
        """Got less gave."""
        return self.got - self.gave


def flows_of(page: OrderPage) -> tuple[Flow, ...]:
    """The order's flows. Paid directly, since the committee did nothing, it paid no tax: that went to the client."""
    if page.settlement is None or page.settlement.paid_how != "direct":
        return page.money
    client = page.row.client
    return tuple(
        Flow("tax returned", flow.source, client, flow.amount) if flow.target == AGGREGATORS else flow
        for flow in page.money
    )


def balances(flows: Iterable[Flow]) -> tuple[Balance, ...]:
    """By account, in the order in which they appear. All nets sum to zero."""
    gave: dict[str, int] = {}
    got: dict[str, int] = {}
    for flow in flows:
        for who in (flow.source, flow.target):
            gave.setdefault(who, 0)
            got.setdefault(who, 0)
        gave[flow.source] += flow.amount
        got[flow.target] += flow.amount
    return tuple(Balance(who, gave[who], got[who]) for who in gave)


def money_section(page: OrderPage, people: People) -> Section:
    """Flows, drawn and as tables."""
    flows = flows_of(page)
    blocks = money_blocks(flows, people)
    held = in_escrow(flows)
    if page.settlement is not None and held:
        blocks.append(Note(f"{tokens(held)} tokens of the escrow are not accounted for by the events that are here."))
    return Section("money", "Money", blocks)


def money_blocks(flows: Sequence[Flow], people: People) -> list[Block]:
    """Any flows, in words, drawn, and as tables."""
    return [Text(_in_words(flows)), _drawing(flows, people), _nets(balances(flows), people)]


def in_escrow(flows: Iterable[Flow]) -> int:
    """What is held still, in wei."""
    return next((balance.net for balance in balances(flows) if balance.who == ESCROW), 0)


def _in_words(flows: Sequence[Flow]) -> str:
    held = in_escrow(flows)
    lost = [flow for flow in flows if flow.what.startswith("slash")]
    slashed = sum(flow.amount for flow in lost)
    words = f"{tokens(held)} tokens are in escrow." if held else "Nothing is left in escrow."
    if not lost:
        return f"{words} Nobody has lost stake over it. All amounts are in tokens, to the wei."
    burned = sum(flow.amount for flow in lost if flow.target == "burned")
    return (
        f"{words} Stakes of {tokens(slashed)} tokens were slashed: {tokens(slashed - burned)} went to who reported or "
        f"proved it, {tokens(burned)} were burned. All amounts are in tokens, to the wei."
    )


def _drawing(flows: Sequence[Flow], people: People) -> Figure:
    names = {who: people.name(who) for flow in flows for who in (flow.source, flow.target)}
    bands = [
        Band(
            flow.source,
            flow.target,
            flow.amount,
            f"{flow.what}: {names[flow.source]} → {names[flow.target]}, {tokens(flow.amount)} tokens",
        )
        for flow in flows
    ]
    caption = "Where tokens came from and where they went"
    rows: list[list[Value]] = [
        [flow.what, people.cell(flow.source), people.cell(flow.target), tokens(flow.amount)] for flow in flows
    ]
    total = sum(flow.amount for flow in flows)
    label = f"{len(flows)} flows of {rounded(total)} tokens in all; the table below lists them"
    return Figure(
        caption,
        sankey_chart(bands, frozenset({ESCROW, STAKE}), label=label, names=names),
        label,
        Table("Flows", ("what", "from", "to", "tokens"), rows, frozenset({3})),
    )


def _nets(found: Sequence[Balance], people: People) -> Table:
    def shown(who: str) -> str:
        return f"{PLACES[who]} (nobody's)" if who == "burned" else people.name(who)

    rows: list[list[Value]] = [
        [
            people.cell(balance.who) if balance.who not in PLACES else shown(balance.who),
            tokens(balance.gave),
            tokens(balance.got),
            tokens(balance.net),
        ]
        for balance in found
    ]
    total = sum(balance.net for balance in found)
    footer = ["sum", tokens(sum(b.gave for b in found)), tokens(sum(b.got for b in found)), tokens(total)]
    return Table("What everybody gave and got", ("who", "gave", "got", "net"), rows, frozenset({1, 2, 3}), footer)
