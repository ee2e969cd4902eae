"""What commands print: a readable table for people, JSON for machines."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from offchain.amounts import format_wei
from offchain.types import Wei

NUMBER = re.compile(r"-?[0-9][0-9,]*(\.[0-9]+)?(e[+-]?[0-9]+)?")

console = Console()
errors = Console(stderr=True)


class Styled(str):
    """Text of ours in rich's markup; any other text is shown as it is."""

    __slots__ = ()


def printable(text: str) -> str:
    """Without what moves a terminal's cursor or renames its window: much of what we print strangers have written."""
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)


def tokens(amount: Wei | int) -> str:
    """An amount in wei as tokens, with as many decimals as it needs and at most six (the rest is cut off)."""
    return format_wei(amount, decimals=6)


def short(address: str) -> str:
    """An address to recognise, not to copy: 0x7099…79C8."""
    return f"{address[:6]}…{address[-4:]}"


def print_json(value: Any) -> None:
    """Print one JSON document on standard output, without colours or wrapping."""
    print(json.dumps(value, indent=2, default=_plain))


def print_json_line(value: Any) -> None:
    """Print one JSON document on a line of its own, at once: for programs that read while we run."""
    print(json.dumps(value, default=_plain), flush=True)


def print_rows(rows: Sequence[Mapping[str, Any]], *, title: str | None, as_json: bool, empty: str = "nothing") -> None:
    """Print rows that share their keys as a table, or as JSON when `as_json`."""
    if as_json:
        print_json(list(rows))
        return
    if not rows:
        console.print(f"{title}: {empty}" if title else empty)
        return
    console.print(rows_table(rows, title))


def print_facts(facts: Mapping[str, Any], *, title: str, as_json: bool) -> None:
    """Print one record as a two-column table, or as JSON when `as_json`."""
    if as_json:
        print_json(dict(facts))
        return
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for key, value in facts.items():
        table.add_row(_title(key), cell(value))
    console.print(table)


def rows_table(rows: Sequence[Mapping[str, Any]], title: str | None) -> Table:
    """A rich table of rows that share their keys."""
    table = Table(
        title=title,
        title_justify="left",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    columns = [[cell(row[key]) for row in rows] for key in rows[0]]
    for key, cells in zip(rows[0], columns, strict=True):
        # The words of a title may wrap; amounts are read by their digits, from the right.
        right = any(cells) and all(NUMBER.fullmatch(text.partition("\n")[0]) for text in cells if text)
        # Where it is narrow the words beside a number give way, not its digits.
        whole = right and " " not in _title(key)
        table.add_column(_title(key), justify="right" if right else "left", overflow="fold", no_wrap=whole)
    for line in zip(*columns, strict=True):
        table.add_row(*line)
    return table


def cell(value: Any) -> str:
    """One value as rich's markup: nothing for None, grouped integers, short floats, hex bytes."""
    match value:
        case None:
            return ""
        case Styled():
            return value
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.4g}"
        case bytes():
            return "0x" + value.hex()
        case Mapping():
            return "\n".join(f"{cell(key)}: {cell(item)}" for key, item in value.items())
        case list() | tuple():
            return "\n".join(cell(item) for item in value)
        case _:
            return escape(printable(str(value)))


def _title(key: str) -> str:
    return key.replace("_", " ")


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return "0x" + value.hex()
        case Path():
            return str(value)
        case _:
            raise TypeError(f"not JSON: {type(value).__name__}")
