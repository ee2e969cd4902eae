"""The aggregators' ledger, measured: what `assay bench ledger` runs and shows.

Parts: `sync` (the paper's Table 4, TCP on this machine), `emulated` (its Table 5, virtual time), `throughput` (every
signature checked by everybody) and `failover` (the primary killed under load).
"""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table

from offchain.bench import ledger_emulated, ledger_failover, ledger_sync, ledger_throughput
from offchain.errors import Rejected

PARTS = ("sync", "emulated", "throughput", "failover")
LARGEST = 100
SMALLEST = 4
_NO_FIGURE = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure. `sizes`: replicas of the part `sync`; `rounds`: of each of its payloads, the median counts.

    `journal`: whether its replicas keep one.
    """

    parts: tuple[str, ...] = PARTS
    sizes: tuple[int, ...] = ledger_sync.SIZES
    rounds: int = 3
    seed: int = 0
    journal: bool = True


@dataclass(frozen=True, slots=True)
class Results:
    """Rows of the parts that were measured."""

    sync: tuple[ledger_sync.Row, ...] = ()
    emulated: tuple[ledger_emulated.Row, ...] = ()
    throughput: tuple[ledger_throughput.Row, ...] = ()
    failover: tuple[ledger_failover.Row, ...] = ()


def parse_parts(text: str | None) -> tuple[str, ...]:
    """Names with commas, all if none, in the order in which they are measured. Raises Rejected."""
    names = PARTS if text is None else tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in PARTS:
            raise Rejected(f"--part: {name!r} is none; choose from {', '.join(PARTS)}")
    return tuple(part for part in PARTS if part in names)


def parse_sizes(text: str) -> tuple[int, ...]:
    """Numbers of replicas with commas. Raises Rejected."""
    sizes = []
    for word in (word.strip() for word in text.split(",")):
        if not (word.isascii() and word.isdigit() and SMALLEST <= int(word[:6]) <= LARGEST):
            raise Rejected(f"--sizes: {word!r}; expected numbers from {SMALLEST} to {LARGEST} with commas")
        sizes.append(int(word))
    return tuple(dict.fromkeys(sizes))


def facts(options: Options) -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "system": platform.system() + " " + platform.release(),
        "python": platform.python_version(),
        "uvloop": version("uvloop"),
        "coincurve": version("coincurve"),
        "seed": options.seed,
        "rounds": options.rounds,
        "journals": "on disk" if options.journal else "none in `sync`",
    }


def run(options: Options, show: Callable[[Table | Group], None] = lambda _table: None) -> Results:
    """Measures part after part and shows each one's table. Raises Retryable when a group of processes fails."""
    sync: list[ledger_sync.Row] = []
    emulated: list[ledger_emulated.Row] = []
    throughput: list[ledger_throughput.Row] = []
    failover: list[ledger_failover.Row] = []
    if "sync" in options.parts:
        sync = ledger_sync.run(options.sizes, options.rounds, options.seed, journal=options.journal)
        show(sync_table(sync))
    if "emulated" in options.parts:
        emulated = ledger_emulated.run(seed=options.seed)
        show(emulated_tables(emulated))
    if "throughput" in options.parts:
        throughput = ledger_throughput.run(seed=options.seed)
        show(throughput_table(throughput))
    if "failover" in options.parts:
        failover = [ledger_failover.run(options.seed)]
        show(failover_table(failover))
    return Results(tuple(sync), tuple(emulated), tuple(throughput), tuple(failover))


def as_json(results: Results) -> dict[str, Any]:
    """The rows by part."""
    return asdict(results)


def sync_table(rows: Sequence[ledger_sync.Row]) -> Table:
    """Beside the paper's Table 4."""
    table = _table(
        "Synchronisation on TCP: seconds until every replica has executed the payload",
        "One process for each replica (n); given to one replica; medians. `signed once`: the paper's"
        " bytes under one signature, `faster` than the paper's code. `each signed`: real records, every one checked by"
        " every replica. Paper: Table 4 (20 cores), and its code on 2 cores.",
        "payload",
        "n",
        "bytes",
        "signed once",
        "quorum",
        "each signed",
        "bytes",
        "paper",
        "its code",
        "faster",
    )
    for row in rows:
        table.add_row(
            row.payload,
            str(row.replicas),
            f"{row.bytes_once:,}",
            f"{row.once:.4f}",
            f"{row.quorum:.4f}",
            f"{row.each:.4f}",
            f"{row.bytes_each:,}",
            _optional(row.paper, "{:.4f}"),
            _optional(row.paper_code, "{:.2f}"),
            _optional(row.faster, "{:.1f}x"),
        )
    return table


def emulated_tables(rows: Sequence[ledger_emulated.Row]) -> Group:
    """Beside the paper's Table 5: transactions that arrive at all replicas, and at one."""
    spread = [row for row in rows if row.arriving == ledger_emulated.AT_ALL]
    alone = [row for row in rows if row.arriving != ledger_emulated.AT_ALL]
    caption = (
        "Virtual time; one link for each replica, the same bandwidth up and down, shared by its peers; latencies 30 to"
        " 300 ms by places on a sphere; real state machines and message sizes with frames; CPU, TCP and IP not counted."
    )
    tables = []
    if spread:
        title = "Emulated network, transactions arriving at all replicas"
        tables.append(_emulated_table(title, caption, spread, any_way=False))
    if alone:
        more = (
            " `any way`: the bound if bundles need not come from who was given them. The paper's times don't grow with"
            " the replicas, so its links can hardly be shared."
        )
        title = "Emulated network, all transactions arriving at one replica"
        tables.append(_emulated_table(title, caption + more, alone, any_way=True))
    return Group(*tables)


def throughput_table(rows: Sequence[ledger_throughput.Row]) -> Table:
    """Transactions a second."""
    table = _table(
        "Throughput: every replica checks every client's signature",
        "One process for each replica, journals on disk; signed beforehand, given to all replicas by LedgerNode.submit."
        " CPU: of all replicas; the generator of the load runs on the same cores.",
        "n",
        "tx",
        "seconds",
        "tx/s",
        "batches",
        "CPU s",
        "in checks",
        "one check",
    )
    for row in rows:
        table.add_row(
            str(row.replicas),
            f"{row.transactions:,}",
            f"{row.seconds:.2f}",
            f"{row.per_second:,.0f}",
            str(row.batches),
            f"{row.cpu_seconds:.2f}",
            f"{row.check_percent:.0f} %",
            f"{row.check_microseconds:.0f} us",
        )
    return table


def failover_table(rows: Sequence[ledger_failover.Row]) -> Table:
    """What the death of a primary costs."""
    table = _table(
        "The primary killed under load",
        "kill -9 of the primary of view 0. `gap`: the longest time without an execution at a survivor. Lost: requests"
        " with a receipt that a survivor has not executed.",
        "n",
        "time-out s",
        "gap s",
        "in time-outs",
        "view after",
        "answered",
        "lost",
        "doubled",
        "other order",
        "caught up s",
    )
    for row in rows:
        table.add_row(
            str(row.replicas),
            f"{row.timeout:.1f}",
            f"{row.gap:.2f}",
            f"{row.gap_timeouts:.2f}",
            str(row.view),
            f"{row.answered:,}",
            str(row.lost),
            str(row.doubled),
            str(row.differing),
            f"{row.caught_up:.2f}",
        )
    return table


def _emulated_table(title: str, caption: str, rows: Sequence[ledger_emulated.Row], *, any_way: bool) -> Table:
    table = _table(
        title,
        caption,
        "tx",
        "n",
        "Mbps",
        "quorum s",
        "all s",
        "bound s",
        "ratio",
        *(["any way"] if any_way else []),
        "batches",
        "time-out s",
        "paper s",
    )
    for row in rows:
        table.add_row(
            f"{row.transactions:,}",
            str(row.replicas),
            f"{row.mbps:g}",
            _seconds(row.quorum),
            _seconds(row.everybody),
            _seconds(row.bound),
            f"{row.ratio:.2f}",
            *([_seconds(row.bound_any_way)] if any_way else []),
            str(row.batches),
            f"{row.timeout:g}",
            _optional(row.paper, "{:.3f}"),
        )
    return table


def _table(title: str, caption: str, first: str, *columns: str) -> Table:
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD)
    table.show_edge, table.pad_edge, table.padding = False, False, (0, 1, 0, 0)
    table.add_column(first, justify="left" if first == "payload" else "right")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=" " not in column)
    return table


def _seconds(value: float) -> str:
    """Milliseconds as long as they matter."""
    return f"{value:.3f}" if value < 100 else f"{value:,.0f}"


def _optional(value: float | None, form: str) -> str:
    return _NO_FIGURE if value is None else form.format(value)
