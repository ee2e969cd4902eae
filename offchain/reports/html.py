"""A document as one HTML file that needs nothing else: style and drawings inside, no script, no reference."""

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from offchain.reports.document import Block, Document, Figure, Section, Table

TEMPLATE = "report.html.j2"
STYLE = "report.css"


def render(document: Document) -> str:
    """The file's text."""
    template = _environment().get_template(TEMPLATE)
    return template.render(document=document, style=Markup(_read(STYLE)), anchors=_anchors(document))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=DictLoader({TEMPLATE: _read(TEMPLATE)}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["kind_of"] = _kind_of
    environment.globals["drawn"] = Markup  # drawings escape what they show themselves
    return environment


def _read(name: str) -> str:
    return (resources.files("offchain.reports") / "templates" / name).read_text(encoding="utf-8")


def _kind_of(block: Block) -> str:
    return type(block).__name__


def _anchors(document: Document) -> frozenset[str]:
    """Ids that a link may lead to."""
    found: set[str] = set()
    for section in _all(document.sections):
        found.add(section.id)
        for block in section.blocks:
            table: Any = block.table if isinstance(block, Figure) else block
            if isinstance(table, Table) and table.ids:
                found |= set(table.ids)
    return frozenset(found)


def _all(sections: Any) -> Iterator[Section]:
    for section in sections:
        yield section
        yield from _all(section.sections)
