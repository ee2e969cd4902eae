"""Where money came from and where it went: bands whose width is the amount, in three columns.

Who only gives stands at the left, who only takes at the right, what holds money for a while (an escrow) in the middle.
An account that gives and takes stands on both sides, so nothing ever flows back.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

from offchain.reports.charts.svg import drawing, element, text, titled

WIDTH = 640.0
NODE = 12.0
GAP = 12.0
SCALE_HEIGHT = 230.0
LEAST = 1.2
"""The least width of a band, so that a wei can be seen; drawings are not to scale below that."""


@dataclass(frozen=True, slots=True)
class Band:
    """An amount from somewhere to somewhere."""

    source: str
    target: str
    amount: int
    note: str


@dataclass(slots=True)
class _Node:
    name: str
    column: int
    height: float = 0.0
    y: float = 0.0
    given: float = 0.0
    taken: float = 0.0


def sankey_chart(bands: Sequence[Band], middle: Set[str], *, label: str, names: dict[str, str] | None = None) -> str:
    """`middle`: names of what holds money for a while; `names`: what is written in the place of a name."""
    flows = [band for band in bands if band.amount > 0]
    shown = names or {}
    widths = _widths(flows)
    nodes: dict[tuple[int, str], _Node] = {}
    ends: list[tuple[_Node, _Node]] = []
    for band, width in zip(flows, widths, strict=True):
        source = _node(nodes, band.source, 1 if band.source in middle else 0)
        target = _node(nodes, band.target, 1 if band.target in middle else 2)
        source.given += width
        target.taken += width
        ends.append((source, target))
    height = _place(nodes)
    columns = (NODE + 108, WIDTH / 2 - NODE / 2, WIDTH - 2 * NODE - 108)
    for node in nodes.values():
        node.given = node.taken = node.y
    parts = []
    for band, width, (source, target) in zip(flows, widths, ends, strict=True):
        x1, x2 = columns[source.column] + NODE, columns[target.column]
        y1, y2 = source.given + width / 2, target.taken + width / 2
        source.given += width
        target.taken += width
        bend = (x1 + x2) / 2
        path = f"M{x1:.1f} {y1:.1f}C{bend:.1f} {y1:.1f} {bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
        style = "band lost" if band.target == "burned" else "band"
        parts.append(titled(band.note, element("path", d=path, stroke_width=width, class_=style)))
    for node in nodes.values():
        x = columns[node.column]
        parts.append(element("rect", x=x, y=node.y, width=NODE, height=max(node.height, LEAST), class_="node"))
        parts.append(_name(shown.get(node.name, node.name), node, x))
    return drawing(WIDTH, height, label, parts)


def _widths(flows: Sequence[Band]) -> list[float]:
    """Bands out of one column share the height; amounts of another magnitude stay visible."""
    total = max(sum(band.amount for band in flows), 1)
    return [max(band.amount / total * SCALE_HEIGHT, LEAST) for band in flows]


def _node(nodes: dict[tuple[int, str], _Node], name: str, column: int) -> _Node:
    return nodes.setdefault((column, name), _Node(name, column))


def _place(nodes: dict[tuple[int, str], _Node]) -> float:
    """Heights and places; the height of the whole drawing."""
    bottom = 0.0
    for column in range(3):
        y = 14.0
        for node in (item for item in nodes.values() if item.column == column):
            node.height = max(node.given, node.taken)
            node.y = y
            y += max(node.height, 12.0) + GAP
        bottom = max(bottom, y)
    return bottom


def _name(words: str, node: _Node, x: float) -> str:
    words = words if len(words) <= 18 else words[:17] + "…"
    y = node.y + node.height / 2 + 4
    if node.column == 0:
        return text(words, x - 6, y, class_="tick", text_anchor="end")
    if node.column == 2:
        return text(words, x + NODE + 6, y, class_="tick")
    return text(words, x + NODE / 2, node.y - 4, class_="tick", text_anchor="middle")
