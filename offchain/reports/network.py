"""A report about the whole network: from its economy to a document, and to JSON. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offchain.chain.enums import Role
from offchain.dispute.state import Verdict
from offchain.explorer.index import GasRow, Network
from offchain.reports.charts.lines import Line, line_chart
from offchain.reports.document import Block, Cell, Document, Facts, Figure, Note, Section, Table, Text, Value
from offchain.reports.economy import Economy, Track, herfindahl, sampled, shares
from offchain.reports.plain import plain
from offchain.reports.story import Place
from offchain.reports.words import address, coins, plural, tokens, when
from offchain.types import TOKEN

MOMENTS = 60
"""Points of a curve over time."""
BEST = 20
"""Winners that are listed."""
HOUR, DAY = 3_600, 86_400


@dataclass(frozen=True, slots=True)
class NetworkStory:
    """`began`: the time of the first event; `network` and `gas` are totals of the index."""

    place: Place
    began: int
    economy: Economy
    network: Network
    gas: GasRow


@dataclass(frozen=True, slots=True)
class _Clock:
    """The moments at which curves are drawn, and how they are counted from the beginning."""

    times: Sequence[int]
    began: int
    unit: int

    @property
    def label(self) -> str:
        return {1: "seconds", HOUR: "hours", DAY: "days"}[self.unit] + " since the first event"

    def of(self, time: int) -> float:
        return (time - self.began) / self.unit


def network_document(story: NetworkStory) -> Document:
    """The whole report."""
    clock, economy = _clock(story.began, story.place.now), story.economy
    sections = [
        _orders(story, clock),
        _rewards(economy, clock),
        _stakes(economy, clock),
        _burns(story, clock),
        _disputes(story, clock),
        _winners(economy),
        _gas(story.gas),
    ]
    place = story.place
    subtitle = f"Chain {place.network} ({place.chain_id}), from {when(story.began)} to {when(place.now)} UTC"
    footer = f"As of block {place.block:,}. Made by `assay report --network` from the contracts' events alone."
    return Document("The network", subtitle, _facts(story), sections, footer)


def network_json(story: NetworkStory) -> dict[str, Any]:
    """The same for machines: amounts in wei, tracks as [time, value]."""
    economy = story.economy
    return {
        "place": plain(story.place),
        "began": story.began,
        "totals": plain(story.network),
        "gas": plain(story.gas),
        "tracks": {name: plain(track.points) for name, track in _tracks(economy).items()},
        "outcomes": dict(economy.outcomes),
        "verdicts": plain(economy.verdicts),
        "winners": [plain(winner) for winner in _ranked(economy)],
        "concentration": herfindahl(shares(winner.earned for winner in economy.wins.values())),
    }


def _tracks(economy: Economy) -> dict[str, Track]:
    found = {
        "orders": economy.orders,
        "escrow": economy.escrow,
        "claimed": economy.claimed,
        "slashed": economy.slashed,
        "burned": economy.burned,
        "disputes": economy.disputes,
        "tasks": economy.tasks,
    }
    found |= {f"rewards of {name}": track for name, track in economy.rewards.items()}
    return found | {f"stakes of {_role(role)}": track for role, track in economy.stakes.items()}


def _clock(began: int, now: int) -> _Clock:
    length = max(now - began, 1)
    times = sorted({began + length * place // MOMENTS for place in range(MOMENTS + 1)})
    return _Clock(times, began, DAY if length > 3 * DAY else HOUR if length > 3 * HOUR else 1)


def _facts(story: NetworkStory) -> Facts:
    network = story.network
    return Facts(
        [
            ("orders", f"{network.orders:,}"),
            ("in escrow", f"{tokens(network.escrow)} tokens"),
            ("federated tasks", f"{network.tasks:,}"),
            ("disputes", f"{network.disputes:,}"),
            ("slashed", f"{tokens(network.slashed)} tokens"),
            ("burned", f"{tokens(network.burned)} tokens"),
            ("supply", f"{tokens(network.supply)} tokens" if network.supply else "not known"),
            ("events", f"{network.events:,}"),
        ]
    )


def _orders(story: NetworkStory, clock: _Clock) -> Section:
    economy = story.economy
    ended = ", ".join(f"{count:,} {name}" for name, count in sorted(economy.outcomes.items())) or "none has ended"
    words = f"{plural(economy.orders.last, 'order')} put: {ended}. {tokens(economy.escrow.last)} tokens are in escrow."
    blocks: list[Block] = [
        Text(words),
        _figure("Orders put so far", {"orders": economy.orders}, clock, "orders", 1),
        _figure("Rewards of open orders, in escrow", {"in escrow": economy.escrow}, clock, "tokens", TOKEN),
    ]
    if story.network.phases:
        rows = [[phase.label, f"{count:,}"] for phase, count in story.network.phases.items()]
        blocks.append(Table("Orders by phase now", ("phase", "orders"), rows, frozenset({1})))
    return Section("orders", "Orders and escrow", blocks)


def _rewards(economy: Economy, clock: _Clock) -> Section:
    total = sum(track.last for track in economy.rewards.values())
    words = f"{tokens(total)} tokens were earned in all, {tokens(economy.claimed.last)} of the treasury's were claimed."
    rows = [[name, tokens(track.last)] for name, track in economy.rewards.items()]
    blocks: list[Block] = [Text(words)]
    if rows:
        blocks.append(_figure("Earned so far, by role", economy.rewards, clock, "tokens", TOKEN))
        footer = ["sum", tokens(total)]
        blocks.append(Table("Earned so far", ("who", "tokens"), rows, frozenset({1}), footer))
    return Section("rewards", "Rewards by role", blocks)


def _stakes(economy: Economy, clock: _Clock) -> Section:
    held = {_role(role): track for role, track in economy.stakes.items() if track.points}
    total = sum(track.last for track in held.values())
    blocks: list[Block] = [Text(f"{tokens(total)} tokens are in the stake vault, what is on its way out included.")]
    if held:
        blocks.append(_figure("Stakes by role", held, clock, "tokens", TOKEN))
        rows = [[name, tokens(track.last)] for name, track in held.items()]
        blocks.append(Table("Stakes now", ("role", "tokens"), rows, frozenset({1}), ["sum", tokens(total)]))
    return Section("stakes", "Stakes by role", blocks)


def _burns(story: NetworkStory, clock: _Clock) -> Section:
    economy = story.economy
    slashed, burned = economy.slashed.last, economy.burned.last
    blocks: list[Block] = []
    if not slashed:
        blocks.append(Text("No stake was ever slashed, and so nothing burned."))
        return Section("slashes", "Slashes, burns and supply", blocks)
    words = (
        f"{tokens(slashed)} tokens of stake were slashed: {tokens(slashed - burned)} went to who reported or proved "
        f"the fault, {tokens(burned)} were burned."
    )
    lines = {"slashed": economy.slashed, "burned": economy.burned}
    blocks += [Text(words), _figure("Slashed and burned so far", lines, clock, "tokens", TOKEN)]
    if story.network.supply:
        supply = Track([(story.began, story.network.supply + burned)])
        supply.points += [(at, story.network.supply + burned - value) for at, value in economy.burned.points]
        blocks.append(_figure("Supply of the token", {"supply": supply}, clock, "tokens", TOKEN))
    return Section("slashes", "Slashes, burns and supply", blocks)


def _disputes(story: NetworkStory, clock: _Clock) -> Section:
    economy = story.economy
    if not economy.disputes.points:
        return Section("disputes", "Disputes", [Text("No score was ever challenged.")])
    said = {Verdict.FALSE: "proven false", Verdict.STANDS: "stands", Verdict.MOOT: "moot", Verdict.NONE: "none"}
    rows = [[said[verdict], f"{count:,}"] for verdict, count in economy.verdicts.items()]
    undecided = economy.disputes.last - sum(economy.verdicts.values())
    if undecided:
        rows.append(["open", f"{undecided:,}"])
    table = Table("Verdicts", ("the score", "disputes"), rows, frozenset({1}), ["sum", f"{economy.disputes.last:,}"])
    figure = _figure("Disputes opened so far", {"disputes": economy.disputes}, clock, "disputes", 1)
    return Section("disputes", "Disputes", [figure, table])


def _winners(economy: Economy) -> Section:
    ranked = _ranked(economy)
    if not ranked:
        return Section("winners", "Concentration of winners", [Text("Nobody has won an order yet.")])
    parts = shares(winner.earned for winner in ranked)
    index = herfindahl(parts)
    words = (
        f"{plural(len(ranked), 'provider')} won, or had shares of, "
        f"{plural(sum(winner.orders for winner in ranked), 'order')}. The first has {parts[0]:.1%} of what providers "
        f"earned, the first three {sum(parts[:3]):.1%}. The Herfindahl index is {index:.3f}, as if "
        f"{1 / index:.1f} equal providers had won (1 means one alone)."
    )
    rows: list[list[Value]] = [
        [address(winner.account), f"{winner.orders:,}", tokens(winner.earned), f"{part:.1%}"]
        for winner, part in zip(ranked[:BEST], parts, strict=False)
    ]
    cut = "" if len(ranked) <= BEST else f", the first {BEST} of {len(ranked):,}"
    table = Table(
        f"Providers by what they earned{cut}", ("provider", "orders", "tokens", "share"), rows, frozenset({1, 2, 3})
    )
    return Section("winners", "Concentration of winners", [Text(words), table])


def _gas(gas: GasRow) -> Section:
    blocks: list[Block] = []
    if gas.missing:
        missing = plural(gas.missing, "transaction")
        blocks.append(Note(f"Of {missing} it is not known: not asked for yet, or the node has no receipt any more."))
    blocks.append(Text(f"{gas.total:,} gas in all, for {coins(gas.fee)} of the chain's coin."))
    rows: list[list[Value]] = [
        [
            action.action,
            f"{action.count:,}",
            f"{action.gas:,}",
            f"{action.gas // max(action.count, 1):,}",
            coins(action.fee),
        ]
        for action in gas.by_action
    ]
    columns = ("action (an event's name)", "transactions", "gas", "mean", "fee (coin)")
    blocks.append(Table("By what transactions did", columns, rows, frozenset({1, 2, 3, 4})))
    return Section("gas", "Gas", blocks)


def _figure(caption: str, tracks: Mapping[str, Track], clock: _Clock, unit: str, scale: int) -> Figure:
    values = {name: sampled(track, clock.times) for name, track in tracks.items()}
    lines = [
        Line(
            name,
            [(clock.of(time), value / scale) for time, value in zip(clock.times, found, strict=True)],
            colour=place,
        )
        for place, (name, found) in enumerate(values.items())
    ]
    show = (lambda value: f"{value:,}") if scale == 1 else tokens
    ends = "; ".join(f"{name} ends at {show(found[-1])} {unit}" for name, found in values.items())
    rows: list[list[Value]] = [
        [Cell(when(time)), *(show(found[place]) for found in values.values())] for place, time in enumerate(clock.times)
    ]
    chart = line_chart(lines, x_label=clock.label, y_label=unit, label=f"{caption}: {ends}", from_zero=True, steps=True)
    table = Table(caption, ("time (UTC)", *values), rows, frozenset(range(1, len(values) + 1)))
    return Figure(caption, chart, f"{caption}: {ends}", table)


def _ranked(economy: Economy) -> list[Any]:
    return sorted(economy.wins.values(), key=lambda winner: (-winner.earned, winner.account))


def _role(role: Role) -> str:
    return f"{role.name.lower()}s"
