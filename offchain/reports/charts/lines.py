"""Curves over a common axis."""

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.reports.charts.axes import axis_bottom, axis_left, spanning
from offchain.reports.charts.svg import drawing, element, text, titled

WIDTH, HEIGHT = 640.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 12.0, 26.0, 46.0
COLOURS = 8
"""Classes c0 … c7; lines differ by their dashes too."""


@dataclass(frozen=True, slots=True)
class Line:
    """A named curve; `dots`: marks at its points. Points are finite, by increasing x."""

    name: str
    points: Sequence[tuple[float, float]]
    dots: bool = False
    dashed: bool = False
    colour: int = 0


def line_chart(
    lines: Sequence[Line], *, x_label: str, y_label: str, label: str, from_zero: bool = False, steps: bool = False
) -> str:
    """All lines in one drawing. `steps`: a value holds until the next point."""
    points = [point for line in lines for point in line.points]
    across = spanning([x for x, _ in points], LEFT, WIDTH - RIGHT, from_zero=True)
    legend = 16.0 * ((len(lines) + 1) // 2)
    up = spanning([y for _, y in points], HEIGHT - BOTTOM, TOP, from_zero=from_zero)
    parts = [*axis_left(up, LEFT, WIDTH - RIGHT, y_label), *axis_bottom(across, HEIGHT - BOTTOM, x_label)]
    for place, line in enumerate(lines):
        style = f"c{line.colour % COLOURS}" + (" dashed" if line.dashed else "")
        places = [(across.at(x), up.at(y)) for x, y in line.points]
        drawn = []
        if len(places) > 1:
            drawn.append(element("path", d=_path(places, steps), class_=f"line {style}"))
        if line.dots or len(places) == 1:
            drawn += [element("circle", cx=x, cy=y, r=3, class_=f"dot {style}") for x, y in places]
        parts.append(titled(line.name, *drawn))
        parts += _key(place, line.name, style)
    return drawing(WIDTH, HEIGHT + legend, label, parts)


def _path(places: Sequence[tuple[float, float]], steps: bool) -> str:
    (x, y), *rest = places
    moves = [f"M{x:.1f} {y:.1f}"]
    for x, y in rest:
        moves += [f"H{x:.1f}", f"V{y:.1f}"] if steps else [f"L{x:.1f} {y:.1f}"]
    return "".join(moves)


def _key(place: int, name: str, style: str) -> list[str]:
    x, y = LEFT + (place % 2) * (WIDTH - LEFT) / 2, HEIGHT + 16.0 * (place // 2)
    return [
        element("line", x1=x, x2=x + 22, y1=y, y2=y, class_=f"line {style}"),
        text(name if len(name) <= 44 else name[:43] + "…", x + 28, y + 4, class_="tick"),
    ]
