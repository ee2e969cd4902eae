"""Writes SVG elements. All text and attributes are escaped here, and nowhere else is SVG put together."""

from collections.abc import Iterable
from html import escape

Number = float | int


def element(name: str, *children: str, **attributes: Number | str) -> str:
    """`<name …>children</name>`; children are SVG already, `_` in a name becomes `-`."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value), quote=True)}"'
        for key, value in attributes.items()
    )
    inner = "".join(children)
    return f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>"


def text(words: str, x: Number, y: Number, **attributes: Number | str) -> str:
    """Words at a place; `class_` and `text_anchor` say how."""
    return element("text", escape(words), x=x, y=y, **attributes)


def titled(words: str, *children: str) -> str:
    """A group with a tooltip."""
    return element("g", element("title", escape(words)), *children)


def drawing(width: Number, height: Number, label: str, children: Iterable[str]) -> str:
    """A whole drawing; `label` says in a sentence what it shows, for who does not see it."""
    return element(
        "svg",
        *children,
        width=width,
        height=height,
        viewBox=f"0 0 {_plain(width)} {_plain(height)}",
        role="img",
        aria_label=label,
        class_="chart",
    )


def _plain(value: Number | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
