"""What a report consists of, before it is HTML: sections of paragraphs, facts, tables and figures. Plain text only.

Everything in it is text that a renderer escapes; titles and names come from strangers. The one exception is a figure's
drawing, which `charts/` makes and escapes itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """Text in a table. `whole`: what it abbreviates; `link`: the id of what it refers to in this document.

    `strong` marks what matters; never by colour alone.
    """

    text: str
    whole: str | None = None
    link: str | None = None
    strong: bool = False
    code: bool = False


Value = Cell | str


@dataclass(frozen=True, slots=True)
class Table:
    """`numbers`: places of the columns that are read by their digits. `footer`: sums. `ids`: an anchor for each row.

    The first cell of each row is its heading.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    numbers: frozenset[int] = frozenset()
    footer: Sequence[Value] | None = None
    ids: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something to mind: what is missing, or doubtful."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values."""

    rows: Sequence[tuple[str, Value]]


@dataclass(frozen=True, slots=True)
class Steps:
    """What happened, in order."""

    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing (an `svg` element, escaped by who made it) and the same in words and numbers.

    `alt`: what it shows, in a sentence. `table` holds what is drawn.
    """

    caption: str
    svg: str
    alt: str
    table: Table


Block = Text | Note | Facts | Steps | Table | Figure


@dataclass(frozen=True, slots=True)
class Section:
    """A part with a heading; `id` is its anchor."""

    id: str
    title: str
    blocks: Sequence[Block]
    sections: Sequence["Section"] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report. `footer`: where it is from, and as of when."""

    title: str
    subtitle: str
    facts: Facts
    sections: Sequence[Section]
    footer: str
