"""The report of `assay demo federated` as tables."""

from typing import Any

from rich.console import Console
from rich.table import Table

from offchain.roles.funding import format_tokens
from offchain.types import Wei


def print_report(report: dict[str, Any], console: Console) -> None:
    """Prints what `offchain.demo.federated.report` has built."""
    for task in report["tasks"]:
        console.print(_rounds(task))
        console.print(_rewards(task, report["members"]))
    if report["games"]:
        console.print(_games(report["games"]))
    if report["slashed"]:
        console.print(_slashes(report["slashed"]))
    console.print(_gas(report["gas"]))
    books = report["conservation"]
    console.print(
        f"{_tokens(books['minted'])} tokens minted, {_tokens(books['burned'])} burned, {_tokens(books['held'])} held "
        f"({_tokens(books['held_by_contracts'])} by contracts); difference {books['difference']} wei"
    )
    console.print(f"{report['elapsed_seconds']} seconds")


def _rounds(task: dict[str, Any]) -> Table:
    table = _table(f"task {task['task']}: {task['title']} (rule {task['rule']})")
    for title in ("round", "leader", "included", "accuracy on the client's data", "proven wrong", "late", "dropped"):
        table.add_column(title)
    for item in task["rounds"]:
        accuracy = "" if item["accuracy"] is None else f"{item['accuracy']:.1%}"
        table.add_row(
            str(item["round"]),
            item["leader"] or "failed",
            str(len(item["included"])),
            accuracy,
            ", ".join(item["leaders_wrong"]),
            ", ".join(item["leaders_late"]),
            ", ".join(item["dropped"]),
        )
    return table


def _rewards(task: dict[str, Any], members: list[dict[str, Any]]) -> Table:
    table = _table(f"task {task['task']}: rewards")
    for title in ("participant", "conduct", "tokens"):
        table.add_column(title)
    for member in members:
        earned = task["rewards"].get(member["name"], 0)
        table.add_row(member["name"], member["conduct"].replace("_", " "), _tokens(earned))
    return table


def _games(games: list[dict[str, Any]]) -> Table:
    table = _table("games about postings")
    for title in ("game", "task", "challenger", "moves", "leader says", "contract computed", "verdict"):
        table.add_column(title)
    for game in games:
        computed = game["computed"] or {"claimed": "", "actual": ""}
        table.add_row(
            str(game["game"]),
            str(game["task"]),
            game["challenger"],
            " ".join(game["moves"]),
            _numbers(computed["claimed"]),
            _numbers(computed["actual"]),
            (game["verdict"] or "").replace("_", " "),
        )
    return table


def _slashes(slashes: list[dict[str, Any]]) -> Table:
    table = _table("slashed")
    for title in ("account", "tokens", "paid to", "tokens paid", "burned"):
        table.add_column(title)
    for item in slashes:
        amounts = _tokens(item["paid"]), _tokens(item["burned"])
        table.add_row(item["account"], _tokens(item["amount"]), item["paid_to"], *amounts)
    return table


def _gas(rows: list[dict[str, Any]]) -> Table:
    table = _table("gas")
    for title in ("action", "times", "median", "most"):
        table.add_column(title, justify="left" if title == "action" else "right")
    for row in rows:
        table.add_row(row["action"], str(row["times"]), f"{row['median_gas']:,}", f"{row['most']:,}")
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", header_style="bold", show_edge=False)


def _numbers(values: Any) -> str:
    return ", ".join(str(value) for value in values) if isinstance(values, list | tuple) else str(values)


def _tokens(amount: int) -> str:
    return format_tokens(Wei(amount)) if amount % 10**14 == 0 else f"{amount / 10**18:,.4f}"
