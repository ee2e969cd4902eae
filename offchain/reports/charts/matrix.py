"""A confusion matrix as squares; the number is in each, so nothing hangs on the colour."""

from collections.abc import Sequence

from offchain.reports.charts.svg import drawing, element, text, titled

MOST = 26
"""Classes beyond which squares are too small to read."""


def matrix_chart(names: Sequence[str], counts: Sequence[Sequence[int]], *, label: str) -> str:
    """Rows are labels, columns what the model said; darker is a larger share of its row."""
    size = len(names)
    side = min(44.0, 560.0 / max(size, 1))
    longest = max((len(_cut(name)) for name in names), default=1)
    left, top = 40.0 + 6.6 * longest, 30.0 + 5.6 * longest
    parts = [
        text("said", left + size * side / 2, 12, class_="axis", text_anchor="middle"),
        text("is", 8, top + size * side / 2, class_="axis"),
    ]
    for row, name in enumerate(names):
        y = top + row * side
        parts.append(text(_cut(name), left - 6, y + side / 2 + 4, class_="tick", text_anchor="end"))
        x = left + row * side + side / 2
        turned = f"rotate(-55 {x:.1f} {top - 6})"
        parts.append(text(_cut(name), x, top - 6, class_="tick", transform=turned))
        total = sum(counts[row]) or 1
        for column, count in enumerate(counts[row]):
            share = count / total
            cell = element(
                "rect",
                x=left + column * side,
                y=y,
                width=side - 1,
                height=side - 1,
                fill_opacity=round(share, 3),
                class_="cell right" if row == column else "cell wrong",
            )
            number = text(
                str(count) if count else "",
                left + column * side + side / 2,
                y + side / 2 + 4,
                class_="tick over" if share > 0.55 else "tick",
                text_anchor="middle",
            )
            parts.append(titled(f"is {name}, said {names[column]}: {count}", cell, number))
    return drawing(left + size * side + 60, top + size * side + 8, label, parts)


def _cut(name: str) -> str:
    return name if len(name) <= 16 else name[:15] + "…"
