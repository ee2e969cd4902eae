"""What happened when. Pure."""

from offchain.explorer.index import OrderPage
from offchain.protocol.lifecycle import Phase
from offchain.reports.charts.bars import Span, span_chart
from offchain.reports.document import Figure, Section, Table, Text, Value
from offchain.reports.people import People
from offchain.reports.words import lasting, transaction, when

MOST_EVENTS = 2_000


def time_section(page: OrderPage, now: int, people: People) -> Section:
    """Windows, as drawn bars, and what was done in them."""
    start = page.windows.start
    spans = _spans(page, now)
    marks = [(float(moment - start), name) for moment, name in _marks(page)]
    drawn = [
        Span(name, begin - start, end - start, note, place, open_end)
        for place, (name, begin, end, note, open_end) in enumerate(spans)
    ]
    label = "The order's windows, one below the other" + "".join(f"; {name}" for _, name in marks)
    rows = [[name, when(begin), when(end), lasting(end - begin)] for name, begin, end, _, _ in spans]
    figure = Figure(
        "Windows; dashed lines are moments",
        span_chart(drawn, marks, label=label),
        label,
        Table("Windows", ("window", "from (UTC)", "to", "lasts"), rows),
    )
    return Section("time", "Timeline", [Text(_in_words(page, now)), figure, _events(page, people)])


def _spans(page: OrderPage, now: int) -> list[tuple[str, int, int, str, bool]]:
    windows = page.windows
    stretched = page.challenge_until > windows.challenge_end
    edges = (
        ("training", windows.start, windows.train_end),
        ("reveals", windows.train_end, windows.reveal_end),
        ("scores: commits", windows.reveal_end, windows.score_commit_end),
        ("scores: reveals", windows.score_commit_end, windows.score_reveal_end),
        ("challenges", windows.score_reveal_end, max(windows.challenge_end, page.challenge_until)),
    )
    found = []
    for name, begin, end in edges:
        note = f"{name}: {when(begin)} to {when(end)} UTC, {lasting(end - begin)}"
        if name == "challenges" and stretched:
            note += ", stretched for disputes"
        found.append((name, int(begin), int(end), note, now < end))
    return found


def _marks(page: OrderPage) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    if page.test is not None:
        found.append((page.test.released_at, f"test data released {when(page.test.released_at)}"))
    if page.settlement is not None:
        found.append((page.settlement.sealed_at, f"sealed {when(page.settlement.sealed_at)}"))
    return found


def _in_words(page: OrderPage, now: int) -> str:
    put = when(page.row.put_at)
    if page.cancelled:
        return f"Put at {put} and cancelled by its client. Times are the chain's clock, in UTC."
    if page.settlement is not None:
        took = lasting(page.settlement.sealed_at - page.row.put_at)
        return f"Put at {put}, sealed {took} later. Times are the chain's clock, in UTC."
    phase = page.row.phase
    ends = page.row.phase_ends_at
    left = f", {lasting(ends - now)} of it left" if ends is not None and ends > now else ""
    waits = " It waits for anybody to seal it." if phase is Phase.SEALABLE else ""
    return f"Put at {put}; now in the phase “{phase.label}”{left}.{waits} Times are the chain's clock, in UTC."


def _events(page: OrderPage, people: People) -> Table:
    shown = page.timeline[:MOST_EVENTS]
    rows: list[list[Value]] = [
        [when(line.at), people.cell(line.actor), line.text, f"{line.block:,}", transaction(line.tx)] for line in shown
    ]
    cut = "" if len(shown) == len(page.timeline) else f", the first {MOST_EVENTS:,} of {len(page.timeline):,}"
    return Table(f"Events{cut}", ("time (UTC)", "who", "what", "block", "transaction"), rows, frozenset({3}))
