"""The attack × rule matrix as tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table

from offchain.bench.federated import EXCLUSION, OFF_CHAIN, Row

BAR = 2.0
"""Points below the clean accuracy that the best rule may lose."""


def line(row: Row) -> str:
    """A row as soon as it is there."""
    found = "" if row.detected is None else f", {row.detected:.0f} % detected, {row.accused or 0:.0f} % accused"
    hidden = "" if row.backdoor is None else f", backdoor {row.backdoor:.0f} %"
    return f"{row.attack}, {row.hostile} %, {row.rule}: {row.accuracy:.1f} % ({row.drop:+.1f} lost){found}{hidden}"


def matrix(rows: Sequence[Row], hostile: int) -> Table:
    """Accuracy of each rule under each attack of one share; bold where it stays within the bar."""
    chosen = [row for row in rows if row.hostile in (0, hostile)]
    rules = list(dict.fromkeys(row.rule for row in chosen))
    shown = _table(f"\nAccuracy, {hostile} % hostile (bold: within {BAR:g} points of FedAvg without an attack)")
    shown.add_column("attack")
    for rule in rules:
        shown.add_column(rule.replace(EXCLUSION, "\n" + EXCLUSION), justify="right")
    for attack in dict.fromkeys(row.attack for row in chosen):
        cells = {row.rule: _accuracy(row) for row in chosen if row.attack == attack}
        shown.add_row(attack, *(cells.get(rule, "") for rule in rules))
    return shown


def best(rows: Sequence[Row]) -> Table:
    """For each attack the best rule that a contract can decide, and what detection did beside it."""
    shown = _table("\nThe best rule on chain for each attack")
    for head in (
        "attack",
        "hostile, %",
        "rule",
        "accuracy",
        "drop",
        "backdoor, %",
        "detected, %",
        "accused, %",
        "paid, %",
    ):
        shown.add_column(head, justify="left" if head in ("attack", "rule") else "right")
    for (attack, hostile), row in sorted(best_on_chain(rows).items(), key=lambda item: item[0][1]):
        shares = (row.backdoor, row.detected, row.accused, row.hostile_reward)
        shown.add_row(attack, str(hostile), row.rule, f"{row.accuracy:.1f}", f"{row.drop:.1f}", *map(_share, shares))
    return shown


def best_on_chain(rows: Sequence[Row]) -> dict[tuple[str, int], Row]:
    """The row of the highest accuracy for each attack and share, among rules that a contract can decide."""
    found: dict[tuple[str, int], Row] = {}
    for row in rows:
        key = (row.attack, row.hostile)
        if row.rule.removesuffix(EXCLUSION) in OFF_CHAIN:
            continue
        if key not in found or row.accuracy > found[key].accuracy:
            found[key] = row
    return found


def _table(title: str) -> Table:
    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title=title, title_justify="left")


def _accuracy(row: Row) -> str:
    text = f"{row.accuracy:.1f}"
    return f"[bold]{text}[/bold]" if row.drop <= BAR else text


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"
