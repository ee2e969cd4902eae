"""Amounts, durations and tables as people write and read them."""

import io
import re
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from offchain.cli.amounts import parse_tokens
from offchain.cli.durations import countdown, format_duration, parse_duration
from offchain.cli.files import require_folder, require_writable_file
from offchain.cli.output import cell, rows_table, short, tokens
from offchain.errors import Rejected
from offchain.types import Wei


@pytest.mark.parametrize(
    ("text", "wei"),
    [("100", 100 * 10**18), ("0.5", 5 * 10**17), ("1,000", 10**21), ("1_000", 10**21), ("0.000000000000000001", 1)],
)
def test_amounts(text: str, wei: int) -> None:
    assert parse_tokens(text, "--reward") == wei


@pytest.mark.parametrize("text", ["", "ten", "0", "-1", "nan", "inf", "1e-19", "0x10"])
def test_what_is_no_amount_names_the_flag(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"^--reward: "):
        parse_tokens(text, "--reward")


@given(st.integers(0, 2**128))
def test_amounts_shown_are_cut_off_never_rounded_up(amount: int) -> None:
    shown = tokens(Wei(amount)).replace(",", "")
    assert shown == tokens(Wei(-amount)).replace(",", "").removeprefix("-")
    if float(shown) > 0:
        difference = amount - parse_tokens(shown, "shown")
        assert 0 <= difference < 10**12
    else:
        assert amount < 10**12


def test_amounts_shown() -> None:
    assert tokens(1_234_567 * 10**18) == "1,234,567"
    assert tokens(7_500_000 * 10**12) == "7.5"
    assert tokens(10**18 - 1) == "0.999999"
    assert short("0x70997970C51812dc3A010C7d01b50e0d17dc79C8") == "0x7099…79C8"


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200), (" 3 d ", 259200)])
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text, "--train-seconds") == seconds


@pytest.mark.parametrize("text", ["", "soon", "-3", "1.5h", "3w", "1h30m"])
def test_what_is_no_duration_names_the_flag(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"^--train-seconds: "):
        parse_duration(text, "--train-seconds")


@given(st.integers(0, 10**7))
def test_durations_are_read_as_they_are_written(seconds: int) -> None:
    assert parse_duration(format_duration(seconds), "") == seconds


def test_countdowns() -> None:
    assert [countdown(s) for s in (-1, 0, 8, 200, 3900, 90_000)] == ["now", "now", "8s", "3m 20s", "1h 5m", "1d 1h"]


def test_cells() -> None:
    values = [None, True, 12_345, 0.123456, b"\x01\xff", {"a": 1}, [1, 2], "text"]
    assert [cell(value) for value in values] == ["", "yes", "12,345", "0.1235", "0x01ff", "a: 1", "1\n2", "text"]


def test_a_table_aligns_amounts_to_the_right() -> None:
    out = io.StringIO()
    rows = [{"name": "dev1", "tokens": "1,000.5"}, {"name": "0", "tokens": "7\n3 locked"}, {"name": "x", "tokens": ""}]
    Console(file=out, width=80).print(rows_table(rows, None))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines == ["name    tokens", "──────────────", "dev1   1,000.5", "0            7", "      3 locked", "x"]


def test_places(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    require_writable_file(file, "--json")
    require_folder(tmp_path / "new" / "newer", "--out")
    for path in (tmp_path, tmp_path / "new" / "file"):
        with pytest.raises(Rejected, match=r"^--json "):
            require_writable_file(path, "--json")
    for path in (file, file / "below"):
        with pytest.raises(Rejected, match=r"^--out .*a file"):
            require_folder(path, "--out")
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "text", ["\x1b]0;a name\x07", "\x1b[2J", "[link=http://evil.example]here[/link]", "[/x]", "a\x9bb", "\u202e"]
)
def test_what_strangers_write_is_shown_and_does_nothing_to_a_terminal(text: str) -> None:
    """Endpoints in the ledger, titles, what a node says went wrong."""
    screen = Console(file=io.StringIO(), force_terminal=True, width=200)
    screen.print(rows_table([{"endpoint": text}, {"endpoint": {text: [text]}}], None))
    printed = screen.file.getvalue()  # type: ignore[attr-defined]
    shown = "".join(char if char.isprintable() else "�" for char in text)
    assert printed.count(shown) == 3
    assert not {"\x07", "\x9b", "\u202e"} & set(printed)
    assert set(re.findall(r"\x1b.{3}", printed)) <= {"\x1b[1m", "\x1b[0m"}
