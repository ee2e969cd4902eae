"""The demonstration on the terminal: the orders' phases on top, what just happened below; plain lines in a pipe."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from types import TracebackType
from typing import Self

from eth_typing import ChecksumAddress
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from offchain.roles.context import WorkerEvent
from offchain.types import OrderId

LINES = 14
"""How many of the latest events are shown."""

COLOURS = {"client": "cyan", "provider": "green", "validator": "magenta", "aggregator": "yellow"}

QUIET = frozenset({"approve", "training", "downloaded"})
"""Events that are not worth a line."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order as shown: its phase, how long that lasts, and how many have claimed and revealed."""

    oid: OrderId
    title: str
    phase: str
    left: str
    claims: int
    models: int
    outcome: str


class Screen:
    """A context manager; `report` may be called from any thread."""

    def __init__(self, console: Console, names: dict[ChecksumAddress, str]) -> None:
        self._console = console
        self._names = names
        self._lines: deque[Text] = deque(maxlen=LINES)
        self._orders: Sequence[OrderLine] = ()
        self._lock = Lock()
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def report(self, event: WorkerEvent) -> None:
        """Shows an event."""
        if event.what not in QUIET:
            self.say(self._sentence(event))

    def say(self, line: Text | str) -> None:
        """Shows a line."""
        text = Text(line) if isinstance(line, str) else line
        with self._lock:
            self._lines.append(text)
            if self._live is None:
                self._console.print(text, soft_wrap=True)
            else:
                self._live.update(self._picture())

    def orders(self, lines: Sequence[OrderLine]) -> None:
        """Shows where the orders stand; in a pipe only what has changed."""
        with self._lock:
            before = {line.oid: line.phase for line in self._orders}
            self._orders = lines
            if self._live is not None:
                self._live.update(self._picture())
                return
        for line in lines:
            if before.get(line.oid) != line.phase:
                self._console.print(f"order {line.oid} ({line.title}): {line.phase} {line.outcome}".rstrip())

    def _picture(self) -> Group:
        table = Table(show_edge=False, header_style="bold")
        for title in ("order", "", "phase", "left", "claims", "models", "outcome"):
            table.add_column(title)
        for line in self._orders:
            cells = (line.title, line.phase, line.left, str(line.claims), str(line.models), line.outcome)
            table.add_row(str(line.oid), *cells)
        return Group(table, Text(), *self._lines)

    def _sentence(self, event: WorkerEvent) -> Text:
        who = self._names.get(event.account, event.account)
        where = f"order {event.oid} " if event.oid else ""
        detail = "  ".join(f"{key} {_short(value)}" for key, value in event.detail.items() if key not in _HIDDEN)
        return Text.assemble(
            (f"{event.role:>10} ", COLOURS.get(event.role, "")),
            (f"{who:<9}", "bold"),
            where,
            event.what,
            " ",
            (detail, "dim"),
        )


_HIDDEN = frozenset({"transaction", "key", "commitment", "root"})


def _short(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 90 else text[:87] + "..."


@contextmanager
def step(console: Console, what: str, clock: Callable[[], float]) -> Iterator[None]:
    """Shows a preparation and how long it took."""
    begun = clock()
    with console.status(what):
        yield
    console.print(f"{what} [dim]{clock() - begun:.1f} s[/dim]")
