"""Reads a report as a browser would, as far as tests need: elements, texts, and what leads out of the file."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br"}
ALLOWED = {
    *("html", "head", "meta", "link", "title", "style", "body", "header", "nav", "main", "footer", "section"),
    *("h1", "h2", "h3", "h4", "p", "strong", "code", "span", "a", "ul", "ol", "li", "dl", "dt", "dd", "div"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "figure", "figcaption", "details", "summary"),
    *("svg", "g", "text", "path", "rect", "line", "circle"),
}


@dataclass
class Read(HTMLParser):
    """`texts`: everything between tags; `ids` and `links` within the file; `troubles`: what must not be there."""

    texts: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.troubles.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    def _look(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED and not (tag == "title" and "g" in self.open):
            self.troubles.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name in ("src", "srcset", "action", "formaction", "xlink:href", "style"):
                self.troubles.append(f"{name}={value}")
            if name == "id":
                self.ids.append(value or "")
            if name == "href" and value != "data:,":
                (self.links if (value or "").startswith("#") else self.troubles).append(value or "")


def read(html: str) -> Read:
    """Parses a report. Its `troubles` are empty, and what its links lead to is there."""
    found = Read()
    found.feed(html)
    found.close()
    assert found.troubles == []
    assert found.open == []
    assert len(set(found.ids)) == len(found.ids)
    assert {link[1:] for link in found.links} <= set(found.ids)
    assert "url(" not in html
    assert "@import" not in html
    assert "//" not in html.replace("<!doctype html>", "")
    return found
