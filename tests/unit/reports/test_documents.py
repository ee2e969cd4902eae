"""Documents as HTML: whatever strangers write stays text, and the file needs nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.reports.charts.bars import Span, histogram_chart, span_chart
from offchain.reports.charts.lines import Line, line_chart
from offchain.reports.charts.matrix import matrix_chart
from offchain.reports.charts.sankey import Band, sankey_chart
from offchain.reports.document import (
    Block,
    Cell,
    Document,
    Facts,
    Figure,
    Note,
    Section,
    Steps,
    Table,
    Text,
)
from offchain.reports.html import render
from tests.unit.reports.reading import read

HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(2)> \"'` {{ 7 * 7 }} &lt; <!--"


def everywhere(text: str) -> Document:
    """A document with `text` in every place that takes text."""
    cell = Cell(text, whole=text, strong=True)
    table = Table(text, (text, text), ((cell, text), (Cell(text, code=True, link="a"), text)), footer=(text, cell))
    charts = (
        line_chart([Line(text, [(0, 1), (1, 2)])], x_label=text, y_label=text, label=text),
        sankey_chart([Band(text, "escrow", 5, text)], frozenset({"escrow"}), label=text, names={"escrow": text}),
        span_chart([Span(text, 0, 1, text)], [(0.5, text)], label=text),
        matrix_chart([text, text], [[1, 2], [3, 4]], label=text),
        histogram_chart([0.0, 1.0, 2.0], [3, 4], x_label=text, label=text),
    )
    blocks: list[Block] = [Text(text), Note(text), Facts([(text, cell)]), Steps([text]), table]
    blocks += [Figure(text, chart, text, table) for chart in charts]
    inner = Section("b", text, [Text(text)])
    return Document(text, text, Facts([(text, cell)]), [Section("a", text, blocks, [inner])], text)


def test_what_strangers_write_stays_text() -> None:
    found = read(render(everywhere(HOSTILE)))
    assert sum(text.strip() == HOSTILE for text in found.texts) > 20
    assert "49" not in "".join(found.texts), "a template in a title was run"


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=30))
def test_any_text_stays_text(text: str) -> None:
    found = read(render(everywhere(text.replace("/", ""))))
    assert found.ids == ["a", "b"]


def test_a_drawing_is_told_in_a_sentence_and_has_its_numbers_in_a_table() -> None:
    html = render(everywhere("x"))
    assert html.count('role="img"') == html.count("The same as a table") == 5
    assert html.count('aria-label="x"') >= 5
    assert html.count("<table>") == html.count("<caption>") == 6
    assert 'scope="col"' in html
    assert 'scope="row"' in html


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde"), st.integers(0, 10**30)), max_size=12),
)
def test_a_sankey_can_be_drawn_of_any_flows(flows: list[tuple[str, str, int]]) -> None:
    bands = [Band(source, target, amount, f"{amount}") for source, target, amount in flows]
    svg = sankey_chart(bands, frozenset("c"), label="flows")
    assert svg.count("<path") == sum(amount > 0 for _, _, amount in flows)
    assert "nan" not in svg
    assert "inf" not in svg


@given(
    st.lists(
        st.lists(st.tuples(st.floats(0, 1e7), st.floats(-1e300, 1e300, allow_nan=False)), min_size=1, max_size=6),
        max_size=4,
    ),
    st.booleans(),
)
def test_curves_of_any_numbers_can_be_drawn(curves: list[list[tuple[float, float]]], zero: bool) -> None:
    lines = [Line(str(place), sorted(points)) for place, points in enumerate(curves)]
    svg = line_chart(lines, x_label="x", y_label="y", label="z", from_zero=zero)
    assert "nan" not in svg
    assert "inf" not in svg.replace("info", "")
    assert len(svg) < 100_000


@pytest.mark.parametrize("values", [[0.0], [5.0, 5.0], [-3.0], [1e-300, 2e-300], [1e15, 1e15 + 1]])
def test_flat_curves_have_an_axis(values: list[float]) -> None:
    svg = line_chart([Line("a", list(enumerate(values)))], x_label="x", y_label="y", label="z")
    assert svg.count('class="grid"') >= 2
