"""How large a data set may be before anything of it is unpacked: a small file can say that it is huge."""

from __future__ import annotations

from math import prod

from offchain.errors import Rejected

MAX_ELEMENTS = 1 << 29
"""Numbers in one data set: 2 GiB as float32. CIFAR-10 has 184 million, ImageNet at 64 pixels ten times as many."""

MAX_COLUMNS = 1 << 14
"""Columns of a table."""

MAX_LINE_BYTES = 1 << 20
"""The header row of a CSV file."""


def require_modest(name: str, shape: tuple[int, ...]) -> None:
    """Raises Rejected, beginning with `name`, when an array of that shape has too many elements."""
    if prod(shape) > MAX_ELEMENTS:
        raise Rejected(f"{name}: declares {prod(shape):,} numbers; at most {MAX_ELEMENTS:,} are read, so give less")


def require_columns(name: str, count: int) -> None:
    """Raises Rejected, beginning with `name`, when a table has too many columns."""
    if count > MAX_COLUMNS:
        raise Rejected(f"{name}: has {count:,} columns; at most {MAX_COLUMNS:,} are read, so give fewer")
