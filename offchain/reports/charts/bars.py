"""Bars, standing or lying."""

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.reports.charts.axes import Scale, axis_left, spanning
from offchain.reports.charts.svg import drawing, element, text, titled

WIDTH = 640.0
ROW = 26.0
NAMES = 150.0


@dataclass(frozen=True, slots=True)
class Span:
    """From `begin` to `end`, in a row of its own; `open_end`: it is not over."""

    name: str
    begin: float
    end: float
    note: str
    colour: int = 0
    open_end: bool = False


def span_chart(spans: Sequence[Span], marks: Sequence[tuple[float, str]], *, label: str) -> str:
    """Lengths of time below each other, and moments across all of them."""
    moments = [moment for moment, _ in marks]
    across = spanning([at for span in spans for at in (span.begin, span.end)] + moments, NAMES, WIDTH - 12)
    height = ROW * len(spans) + 12
    parts: list[str] = []
    for row, span in enumerate(spans):
        y = ROW * row + 6
        width = max(across.at(span.end) - across.at(span.begin), 1.5)
        style = f"bar c{span.colour % 8}" + (" open" if span.open_end else "")
        bar = element("rect", x=across.at(span.begin), y=y, width=width, height=ROW - 10, rx=3, class_=style)
        parts += [text(span.name, NAMES - 8, y + 13, class_="tick", text_anchor="end"), titled(span.note, bar)]
    for moment, name in marks:
        x = across.at(moment)
        parts.append(titled(name, element("line", x1=x, x2=x, y1=0, y2=height - 6, class_="mark")))
    return drawing(WIDTH, height, label, parts)


def histogram_chart(edges: Sequence[float], counts: Sequence[int], *, x_label: str, label: str) -> str:
    """Counts between edges, of which there is one more."""
    height, left, top, bottom = 240.0, 62.0, 26.0, 46.0
    across = Scale(edges[0], edges[-1], left, WIDTH - 12)
    up = spanning([float(count) for count in counts], height - bottom, top, from_zero=True)
    parts = axis_left(up, left, WIDTH - 12, "samples")
    for count, low, high in zip(counts, edges, edges[1:], strict=False):
        x, y = across.at(low), up.at(count)
        bar = element("rect", x=x, y=y, width=max(across.at(high) - x - 1, 0.5), height=up.start - y, class_="bar c0")
        parts.append(titled(f"{low:.4g} to {high:.4g}: {count}", bar))
    for value in (edges[0], edges[len(edges) // 2], edges[-1]):
        parts.append(text(f"{value:.4g}", across.at(value), height - bottom + 17, class_="tick", text_anchor="middle"))
    parts.append(text(x_label, (left + WIDTH) / 2, height - 10, class_="axis", text_anchor="middle"))
    return drawing(WIDTH, height, label, parts)
