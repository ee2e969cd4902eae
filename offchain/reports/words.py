"""Numbers, times and hashes as people read them."""

from datetime import UTC, datetime

from offchain.amounts import format_wei
from offchain.reports.document import Cell
from offchain.types import TOKEN

SHOWN = 6
"""Hexadecimal digits of a hash that are shown at its beginning."""


def tokens(wei: int) -> str:
    """An amount to the wei: as many decimals as it has, at least none."""
    return format_wei(wei).replace("-", "−")


def rounded(wei: int) -> str:
    """An amount with two decimals at most, for drawings."""
    return f"{wei / TOKEN:,.2f}".rstrip("0").rstrip(".")


def coins(wei: int) -> str:
    """An amount of the chain's coin, nine decimals at most."""
    return f"{wei / TOKEN:,.9f}".rstrip("0").rstrip(".")


def when(seconds: int) -> str:
    """A time of the chain's clock, in UTC; the number where it is no date."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s"


def lasting(seconds: int) -> str:
    """A length of time."""
    if seconds < 0:
        return f"−{lasting(-seconds)}"
    parts = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    found = []
    for size, unit in parts:
        count, seconds = divmod(seconds, size)
        if count:
            found.append(f"{count} {unit}")
    return " ".join(found[:2]) or "0 s"


def hexed(data: bytes) -> Cell:
    """A hash: its beginning, and all of it for who wants it."""
    text = "0x" + data.hex()
    return Cell(f"{text[: 2 + SHOWN]}…", whole=text, code=True)


def transaction(data: bytes) -> Cell:
    """A transaction: leads to its row in the list of transactions."""
    text = "0x" + data.hex()
    return Cell(f"{text[: 2 + SHOWN]}…", whole=text, link=f"tx-{data.hex()}", code=True)


def address(text: str) -> Cell:
    """An account, to recognise; whole for who wants it."""
    return Cell(short(text), whole=text, code=True) if text.startswith("0x") and len(text) == 42 else Cell(text)


def short(text: str) -> str:
    """0x7099…79C8; anything else as it is."""
    return f"{text[:6]}…{text[-4:]}" if text.startswith("0x") and len(text) == 42 else text


def plural(count: int, noun: str, many: str | None = None) -> str:
    """1 model, 2 models."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"
