"""Scales and their ticks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from offchain.reports.charts.svg import element, text


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps `low` … `high` to `start` … `end` on the page."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a value is."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def spanning(values: Sequence[float], start: float, end: float, *, from_zero: bool = False) -> Scale:
    """A scale on which all values have a place, with some room where they are all the same."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    else:
        low, high = low - (high - low) / 25, high + (high - low) / 25
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        room = abs(high) / 2 or 0.5
        low, high = (low, high + room) if from_zero else (low - room, high + room)
    return Scale(low, high, start, end)


def ticks(scale: Scale, count: int = 5) -> list[float]:
    """Round numbers within a scale, about `count` of them."""
    step = _round_step((scale.high - scale.low) / max(count, 1))
    first = math.ceil(scale.low / step - 1e-9)
    last = math.floor(scale.high / step + 1e-9)
    return [place * step for place in range(first, last + 1)][: 4 * count]


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)


def axis_left(scale: Scale, x: float, right: float, label: str) -> list[str]:
    """Grid lines and numbers at the left."""
    parts = [text(label, 4, min(scale.start, scale.end) - 8, class_="axis")]
    for value in ticks(scale):
        y = scale.at(value)
        parts.append(element("line", x1=x, x2=right, y1=y, y2=y, class_="grid"))
        parts.append(text(f"{value:.4g}", x - 6, y + 4, class_="tick", text_anchor="end"))
    return parts


def axis_bottom(scale: Scale, y: float, label: str) -> list[str]:
    """Numbers below."""
    parts = [text(label, (scale.start + scale.end) / 2, y + 34, class_="axis", text_anchor="middle")]
    for value in ticks(scale):
        x = scale.at(value)
        parts.append(element("line", x1=x, x2=x, y1=y, y2=y + 4, class_="grid"))
        parts.append(text(f"{value:.4g}", x, y + 17, class_="tick", text_anchor="middle"))
    return parts
