"""A report about one federated task: from its story to a document, and to JSON. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offchain.dispute.state import NOBODY
from offchain.explorer.index import Flow, GameRow, SlashRow, TaskPage
from offchain.federated.shorthand import describe_optimizer, describe_rule
from offchain.reports.charts.lines import Line, line_chart
from offchain.reports.document import Block, Cell, Document, Facts, Figure, Note, Section, Steps, Table, Text, Value
from offchain.reports.order_gas import gas_section
from offchain.reports.order_money import balances, money_blocks
from offchain.reports.people import People
from offchain.reports.plain import plain
from offchain.reports.story import Missing, Place, Spending
from offchain.reports.words import hexed, plural, tokens, when
from offchain.storage.cid import Cid


@dataclass(frozen=True, slots=True)
class Progress:
    """What a round's verified result tells: the length of its step in model units; the accuracy on given samples."""

    step: float
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class TaskStory:
    """Everything about one task. `progress` by round, 0 for the first model; `samples`: what was tried on, in words."""

    place: Place
    page: TaskPage
    slashes: Sequence[SlashRow]
    progress: Mapping[int, Progress | Missing]
    samples: str | None
    spending: Sequence[Spending] | Missing


def task_document(story: TaskStory) -> Document:
    """The whole report."""
    page, people = story.page, _people(story.page)
    sections = [
        _progress(story),
        _rounds(page, people),
        _participants(page, people),
        Section("money", "Money", money_blocks(task_flows(story), people)),
        _games(page.games, people),
        gas_section(story.spending, people, open_order=page.row.phase != "over"),
        _sources(story, people),
    ]
    row, place = page.row, story.place
    subtitle = f"{row.phase.capitalize()}: {row.final} of {row.rounds} rounds are final, {row.failed} failed."
    footer = (
        f"Chain {place.network} ({place.chain_id}), as of block {place.block:,}, {when(place.now)} UTC. Made by `assay "
        f"report --task {row.id}` from the contracts' events and from results that were verified against their roots."
    )
    return Document(f"Federated task {row.id}", subtitle, _facts(page), sections, footer)


def task_json(story: TaskStory) -> dict[str, Any]:
    """The same for machines; amounts in wei."""
    found: dict[str, Any] = plain(story)
    found["names"] = _people(story.page).names
    found["balances"] = [{**plain(balance), "net": balance.net} for balance in balances(task_flows(story))]
    return found


def task_flows(story: TaskStory) -> tuple[Flow, ...]:
    """What the task's escrow took and gave, and the stakes that were slashed for it."""
    page = story.page
    client = page.row.client
    flows = [Flow("escrow", client, "escrow", page.terms.escrow)]
    flows += [Flow("reward", "escrow", one.account, one.earned) for one in page.participants if one.earned]
    if page.withdrawn:
        flows.append(Flow("refund", "escrow", client, page.withdrawn))
    for slash in story.slashes:
        what = f"slash {slash.role.name.lower()}"
        if slash.paid and slash.beneficiary not in (None, NOBODY):
            flows.append(Flow(what, slash.account, str(slash.beneficiary), slash.paid))
        if slash.burned:
            flows.append(Flow(what, slash.account, "burned", slash.burned))
    return tuple(flows)


def _people(page: TaskPage) -> People:
    names: dict[str, str] = {page.row.client: "client"}
    for one in page.participants:
        names.setdefault(one.account, f"participant {one.index}")
    for game in page.games:
        names.setdefault(game.challenger, f"challenger {sum(name.startswith('chall') for name in names.values()) + 1}")
    return People(names)


def _facts(page: TaskPage) -> Facts:
    row, terms = page.row, page.terms
    rule = describe_rule(terms.rule.definition, scale_bits=terms.scale_bits)
    return Facts(
        [
            ("client", Cell(row.client, code=True)),
            ("reward a round", f"{tokens(row.reward)} tokens"),
            ("created (UTC)", when(row.created_at)),
            ("rule", rule),
            ("optimiser", describe_optimizer(terms.optimizer.definition, scale_bits=terms.scale_bits)),
            ("parameters", f"{terms.dimension:,}"),
            (
                "participants",
                f"{row.active} active, {terms.minimum_participants} to {terms.maximum_participants} wanted",
            ),
            ("stake of each", f"{tokens(terms.bond)} tokens"),
            ("updates", "in secure sums" if terms.is_secure else "plain"),
        ]
    )


def _progress(story: TaskStory) -> Section:
    found = {number: one for number, one in sorted(story.progress.items()) if isinstance(one, Progress)}
    blocks: list[Block] = [Note(one.reason) for one in story.progress.values() if isinstance(one, Missing)]
    tried = {number: one.accuracy for number, one in found.items() if one.accuracy is not None}
    if tried:
        caption = f"Accuracy of the verified model after each round, on {story.samples}"
        blocks.append(_curve(caption, "accuracy", tried))
    elif story.samples is None:
        blocks.append(Text("To see how accurate the model was after each round, give samples of your own with --test."))
    steps = {number: one.step for number, one in found.items() if number}
    if steps:
        blocks.append(_curve("Length of each round's step (Euclidean norm of the aggregate)", "length", steps))
    return Section("progress", "Learning curve", blocks)


def _curve(caption: str, what: str, values: Mapping[int, float]) -> Figure:
    points = [(float(number), value) for number, value in values.items()]
    label = f"{caption}: from {points[0][1]:.4g} to {points[-1][1]:.4g}"
    chart = line_chart([Line(what, points, dots=True)], x_label="round", y_label=what, label=label)
    rows = [[str(number), f"{value:.6g}"] for number, value in values.items()]
    return Figure(caption, chart, label, Table(caption, ("round", what), rows, frozenset({0, 1})))


def _rounds(page: TaskPage, people: People) -> Section:
    rows: list[list[Value]] = []
    accounts = {one.index: one.account for one in page.participants}
    for one in page.rounds:
        leader = "" if one.leader is None else people.cell(accounts.get(one.leader))
        result: Value = "" if one.result_root is None else hexed(one.result_root)
        remarks = [f"{plural(len(one.dropped), 'update')} dropped"] if one.dropped else []
        remarks += [plural(one.objections, "objection")] if one.objections else []
        remarks += [f"{plural(len(one.replaced), 'leader')} replaced"] if one.replaced else []
        ended = "" if one.ended_at is None else when(one.ended_at)
        rows.append(
            [
                str(one.round),
                one.state,
                leader,
                f"{len(one.committed)}",
                f"{len(one.included)}",
                ended,
                result,
                ", ".join(remarks),
                tokens(one.paid),
            ]
        )
    if not rows:
        return Section("rounds", "Rounds", [Text("No round has begun.")])
    columns = ("round", "state", "leader", "committed", "included", "ended (UTC)", "result", "besides", "paid")
    return Section("rounds", "Rounds", [Table("Rounds", columns, rows, frozenset({0, 3, 4, 8}))])


def _participants(page: TaskPage, people: People) -> Section:
    if not page.participants:
        return Section("participants", "Participants", [Text("Nobody has joined.")])
    rows: list[list[Value]] = [
        [people.cell(one.account), one.standing, tokens(one.stake), tokens(one.earned), tokens(one.lost)]
        for one in page.participants
    ]
    earned = sum(one.earned for one in page.participants)
    table = Table(
        "Participants",
        ("who", "standing", "stake in the task", "earned", "stake lost"),
        rows,
        frozenset({2, 3, 4}),
        [
            "sum",
            "",
            tokens(sum(one.stake for one in page.participants)),
            tokens(earned),
            tokens(sum(one.lost for one in page.participants)),
        ],
    )
    return Section("participants", "Participants", [table])


def _games(games: Sequence[GameRow], people: People) -> Section:
    if not games:
        return Section("games", "Games", [Text("Nobody has challenged a posted result.")])
    return Section("games", "Games", [], [_game(game, people) for game in games])


def _game(game: GameRow, people: People) -> Section:
    words = (
        f"{people.name(game.challenger)} says that {people.name(game.leader)} posted wrong {game.subject} (posting "
        f"{game.posting}), and puts {tokens(game.stake)} tokens on it."
    )
    if game.closed_at is None:
        end = f"It is open ({game.stage.replace('_', ' ')}) until {when(game.deadline)} UTC at least."
    else:
        late = " because the other side let its time run out" if game.timed_out else ""
        won = "" if game.winner is None else f" {people.name(game.winner)} won {tokens(game.paid)} tokens"
        end = f"It ended{late}: {game.verdict.replace('_', ' ')}.{won}; {tokens(game.burned)} were burned."
    return Section(f"game-{game.id}", f"Game {game.id}", [Text(words), Steps(game.moves), Text(end)])


def _sources(story: TaskStory, people: People) -> Section:
    page = story.page
    found: list[list[Value]] = [["manifest", Cell(str(Cid(page.terms.spec_cid)), code=True)]]
    found.append(["first model", Cell(str(Cid(page.terms.model_cid)), code=True)])
    found += [
        [f"result of round {one.round}", Cell(str(Cid(one.result_cid)), code=True)]
        for one in page.rounds
        if one.result_cid is not None
    ]
    accounts: list[list[Value]] = [[name, Cell(address, code=True)] for address, name in people.names.items()]
    tables = [
        Table("Content, by its hash", ("what", "CID"), found),
        Table("Accounts", ("name in this report", "address"), accounts),
    ]
    return Section("sources", "Hashes and addresses", tables)
