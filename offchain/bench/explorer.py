"""The explorer's index on a chain with many events: catching up beside the plain loop, and reading.

A real Anvil holds and serves the events: copies of two orders that were played on it by the deployed contracts
(`explorer_story`, `explorer_load`). Both ways ask the same node and keep their files in one folder; the plain loop
takes in a part before the index and another after it, for it would take too long to the end, and stands as a rate.
"""

import platform
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.table import Table

from offchain.bench.explorer_load import Load, copies_of
from offchain.bench.explorer_plain import PlainLoop
from offchain.bench.explorer_story import STORY_PARAMETERS, Story, Told
from offchain.chain.addresses import Addresses
from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.deploy import deploy
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.sender import open_sender
from offchain.errors import Bug
from offchain.explorer.index import Index, Indexer, open_index

PLAIN_EVENTS = 10_000
"""Taken in by the plain loop, half of them before the index and half after it."""

GAS_LIMIT = ("--gas-limit", "3000000000")

REPETITIONS = 100
"""Of each read."""


@dataclass(frozen=True, slots=True)
class Row:
    """One way of catching up. `cpu`: seconds of processor time of this process; `ratio` to the plain loop."""

    way: str
    events: int
    seconds: float
    cpu: float
    per_second: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Read:
    """One read of the index, over and over, each time of something else; milliseconds. `cpu`: median of the thread."""

    what: str
    p50: float
    p99: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Measured:
    """All of it. `megabytes`: the index's file."""

    rows: tuple[Row, ...]
    reads: tuple[Read, ...]
    megabytes: float
    orders: int
    events: int
    blocks: int


@dataclass(frozen=True, slots=True)
class _Part:
    """What a way did at a time."""

    events: int
    seconds: float
    cpu: float


def run(orders: int, events: int, seed: int, progress: Callable[[str], None] = lambda _line: None) -> Measured:
    """Measures with so many orders in about so many events, on a chain of its own."""
    with TemporaryDirectory(prefix="assay-bench-") as name, Anvil.start(AnvilOptions(extra=GAS_LIMIT)) as anvil:
        client, folder = anvil.client(timeout=120.0), Path(name)
        sender = open_sender(client, dev_accounts(1)[0], folder)
        addresses = deploy(sender, folder / "addresses.json", parameters=STORY_PARAMETERS)
        sender.close()
        progress("playing two orders")
        story = Story(client, AssayContracts(client, addresses), seed)
        told = [story.play(dispute=False), story.play(dispute=True)]
        return measure(client, addresses, told, folder, orders, events, progress)


def measure(
    client: ChainClient,
    addresses: Addresses,
    told: Sequence[Told],
    folder: Path,
    orders: int,
    events: int,
    progress: Callable[[str], None] = lambda _line: None,
) -> Measured:
    """Measures on a chain on which two orders were played, whose contracts it replaces; files lie in `folder`."""
    start = client.block(0).timestamp
    load = Load(client, addresses, [copies_of(each, addresses, start) for each in told])
    there = replace(addresses, block=client.head().number + 1)
    progress(f"emitting about {events:,} events of {orders:,} orders")
    emitted = load.emit(orders, events)
    last = client.head().number
    progress("catching up")
    plain = PlainLoop(client, there, folder / "plain.sqlite")
    share = min(PLAIN_EVENTS, emitted) // 2
    parts = [_timed(lambda: plain.run(share, last))]
    index = open_index(folder / "index.sqlite", there)
    ours = _timed(lambda: _catch_up(client, there, index))
    parts.append(_timed(lambda: plain.run(share, last)))
    plain.close()
    if ours.events != emitted:
        raise Bug(f"{emitted} events were emitted and {ours.events} indexed")
    progress("reading")
    measured = Measured(
        rows=_rows(parts, ours),
        reads=tuple(_reads(index, there, orders)),
        megabytes=index.path.stat().st_size / 1e6,
        orders=index.network(index.standing().head_at).orders,
        events=emitted,
        blocks=last - there.block + 1,
    )
    index.close()
    return measured


def _timed(work: Callable[[], int]) -> _Part:
    began, cpu = time.perf_counter(), time.process_time()
    events = work()
    return _Part(events, time.perf_counter() - began, time.process_time() - cpu)


def _catch_up(client: ChainClient, addresses: Addresses, index: Index) -> int:
    indexer = Indexer(client, addresses, index)
    taken = 0
    while True:
        step = indexer.step()
        taken += len(step.events)
        if step.caught_up:
            indexer.close()
            return taken


def _rows(parts: Sequence[_Part], ours: _Part) -> tuple[Row, ...]:
    plain = _Part(*(sum(values) for values in zip(*((p.events, p.seconds, p.cpu) for p in parts), strict=True)))
    rate = plain.events / plain.seconds
    return (
        Row("get_logs, process_log, INSERT", plain.events, plain.seconds, plain.cpu, rate, 1.0),
        Row(
            "index", ours.events, ours.seconds, ours.cpu, ours.events / ours.seconds, ours.events / ours.seconds / rate
        ),
    )


def _reads(index: Index, addresses: Addresses, orders: int) -> Iterator[Read]:
    now = index.standing().head_at
    accounts = [index.order(1 + place, now) for place in range(min(orders, REPETITIONS))]
    clients = [page.row.client for page in accounts if page is not None]
    providers = [page.claims[0].provider for page in accounts if page is not None and page.claims]
    disputes = [row.id for row in index.disputes(limit=REPETITIONS).rows]
    step = max(orders // REPETITIONS, 1)
    reads: dict[str, Callable[[int], Any]] = {
        "orders, the first page": lambda turn: index.orders(now + turn),
        "open orders": lambda turn: index.orders(now + turn, state="open"),
        "orders, further back": lambda turn: index.orders(now, before=max(orders - step * turn, 2)),
        "totals": lambda turn: index.network(now + turn),
        "an order": lambda turn: index.order(1 + turn * step % orders, now),
        "a client": lambda turn: index.account(clients[turn % len(clients)]),
        "a provider": lambda turn: index.account(providers[turn % len(providers)]),
        "the newest events": lambda _turn: index.latest_events(12),
    }
    if disputes:
        reads["a dispute"] = lambda turn: index.dispute(disputes[turn % len(disputes)])
    for what, read in reads.items():
        read(0)
        yield _percentiles(what, [_timed_read(read, turn) for turn in range(REPETITIONS)])
    opened = [_timed_read(lambda turn: _front(index.path, addresses, now + turn), turn) for turn in range(20)]
    yield _percentiles("opening, and the whole front page", opened)


def _timed_read(read: Callable[[int], Any], turn: int) -> tuple[float, float]:
    began, cpu = time.perf_counter(), time.thread_time()
    read(turn)
    return 1000 * (time.perf_counter() - began), 1000 * (time.thread_time() - cpu)


def _front(path: Path, addresses: Addresses, now: int) -> None:
    """Opens the index and asks for everything that is on the front page."""
    fresh = open_index(path, addresses)
    fresh.standing()
    fresh.network(now)
    fresh.orders(now)
    fresh.disputes(state="open")
    fresh.latest_events(12)
    fresh.close()


def _percentiles(what: str, milliseconds: list[tuple[float, float]]) -> Read:
    cuts = statistics.quantiles([wall for wall, _ in milliseconds], n=100, method="inclusive")
    return Read(what, cuts[49], cuts[98], statistics.median(cpu for _, cpu in milliseconds))


def facts(seed: int) -> dict[str, object]:
    """What the figures depend on."""
    return {
        "seed": seed,
        "python": platform.python_version(),
        "web3": version("web3"),
        "sqlite": sqlite3.sqlite_version,
        "plain loop": "WAL, synchronous=NORMAL, one commit an event; the same node, before and after the index",
    }


def table(measured: Measured) -> Table:
    """Catching up, for a terminal."""
    size = f"{measured.orders:,} orders, {measured.events:,} events in {measured.blocks:,} blocks"
    shown = Table(title=f"Catching up: {size}; the index has {measured.megabytes:,.0f} MB")
    shown.add_column("way")
    for name in ("events", "seconds", "CPU seconds", "events a second", "ratio"):
        shown.add_column(name, justify="right")
    for row in measured.rows:
        numbers = (f"{row.events:,}", f"{row.seconds:.1f}", f"{row.cpu:.1f}", f"{row.per_second:,.0f}")
        shown.add_row(row.way, *numbers, f"{row.ratio:.1f}")
    return shown


def read_table(measured: Measured) -> Table:
    """Reading, for a terminal."""
    shown = Table(title="Reading, in milliseconds")
    shown.add_column("what")
    for name in ("p50", "p99", "CPU"):
        shown.add_column(name, justify="right")
    for read in measured.reads:
        shown.add_row(read.what, f"{read.p50:.2f}", f"{read.p99:.2f}", f"{read.cpu:.2f}")
    return shown
