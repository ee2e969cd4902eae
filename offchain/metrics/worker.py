"""A worker's metrics: its looks at the chain, what it reports, what it owns."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from eth_typing import ChecksumAddress
from prometheus_client import CollectorRegistry

from offchain.chain.contracts import AssayContracts
from offchain.chain.enums import Role
from offchain.chain.views import Bond
from offchain.errors import Rejected, Retryable
from offchain.metrics import catalogue
from offchain.metrics.catalogue import Metric
from offchain.metrics.chain import ChainMeters
from offchain.metrics.registry import LONG, Asked, Samples, counter, gauge, histogram, new_registry
from offchain.metrics.storage import StorageMeters
from offchain.metrics.transactions import TransactionMeters
from offchain.roles.context import Report, WorkerEvent
from offchain.roles.loop import Around, Loop

ACCOUNT_SECONDS = 30.0
"""Balances and bonds are read again after so long."""

PREFIX = "assay_"
ROLES = tuple(role for role in Role if role is not Role.NONE)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an account owns: coin and tokens in wei, and its bonds."""

    coin: int
    tokens: int
    bonds: Mapping[Role, Bond]


def read_holdings(contracts: AssayContracts, account: ChecksumAddress) -> Holdings:
    """Two round trips. Raises Retryable when the node is down."""
    coin = contracts.client.balance(account)
    tokens = contracts.token_balance(account)
    return Holdings(coin, tokens, {role: contracts.bond(account, role) for role in ROLES})


class WorkerMeters:
    """All metrics of a process that runs one worker. `clock`: monotonic seconds; `now`: this machine's time."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], float] = time.time,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self.registry = registry = new_registry() if registry is None else registry
        self.chain = ChainMeters(registry, clock=clock, now=now)
        self.storage = StorageMeters(registry, clock=clock)
        self.transactions = TransactionMeters(registry)
        self._clock, self._now = clock, now
        self._info = gauge(registry, catalogue.WORKER_INFO)
        self._ticks = counter(registry, catalogue.TICKS)
        self._tick_seconds = histogram(registry, catalogue.TICK_SECONDS, LONG)
        self._events = counter(registry, catalogue.EVENTS)
        self._troubles = counter(registry, catalogue.TROUBLES)
        self._standing: dict[str, float] = {}
        self._last_tick: float | None = None
        self._holdings: Holdings | None = None
        self._read_at: float | None = None
        self._tried_at = -math.inf
        self._journals: dict[str, Path] = {}
        Asked(registry, {metric: self._standing_of(metric) for metric in catalogue.STANDING})
        Asked(
            registry,
            {
                catalogue.LAST_TICK: lambda: _one(self._last_tick),
                catalogue.COIN: lambda: _one(None if self._holdings is None else self._holdings.coin),
                catalogue.TOKENS: lambda: _one(None if self._holdings is None else self._holdings.tokens),
                catalogue.BOND: self._bonds,
                catalogue.ACCOUNT_READ: lambda: _one(self._read_at),
                catalogue.JOURNAL_BYTES: self._journal_sizes,
            },
        )

    def introduce(self, role: str, account: ChecksumAddress, chain_id: int, version: str) -> None:
        """Says who this is."""
        self._info.labels(role, account, str(chain_id), version).set(1)

    def keep_journals(self, journals: Mapping[str, Path]) -> None:
        """Whose sizes are told, by the word that names them; that of `transactions` is known."""
        self._journals = dict(journals)

    def report(self, inner: Report) -> Report:
        """Counts what a worker reports, and hands it on."""

        def report(event: WorkerEvent) -> None:
            self._events.labels(event.what).inc()
            if event.what == "trouble":
                topic = first_word(str(event.detail.get("topic", "tick")))
                self._troubles.labels(topic, "yes" if event.detail.get("given_up") else "no").inc()
            inner(event)

        return report

    def around(self, worker: Loop) -> Around:
        """What a worker's looks at the chain are called by."""

        def around(look: Callable[[], bool]) -> bool:
            began = self._clock()
            try:
                acted = look()
            except Retryable:
                self._ended("failed", began)
                raise
            self._ended("acted" if acted else "idle", began)
            self._last_tick = self._now()
            self._standing = worker.standing()
            self._read_account(worker)
            return acted

        return around

    def _ended(self, outcome: str, began: float) -> None:
        self._ticks.labels(outcome).inc()
        self._tick_seconds.observe(self._clock() - began)

    def _read_account(self, worker: Loop) -> None:
        """Now and then: it is nothing that a look depends on, and no reason to trouble the node each time."""
        if self._clock() - self._tried_at < ACCOUNT_SECONDS:
            return
        self._tried_at = self._clock()
        try:
            self._holdings = read_holdings(worker.context.contracts, worker.context.account)
        except (Retryable, Rejected):
            return  # the time of the last reading stays behind, for all to see
        self._read_at = self._now()

    def _standing_of(self, metric: Metric) -> Callable[[], Samples]:
        name = metric.name.removeprefix(PREFIX)
        return lambda: _one(self._standing.get(name))

    def _bonds(self) -> Samples:
        if self._holdings is None:
            return {}
        return {
            (role.name.lower(), state): value
            for role, bond in self._holdings.bonds.items()
            for state, value in (("bonded", bond.bonded), ("locked", bond.locked), ("exiting", bond.exiting))
        }

    def _journal_sizes(self) -> Samples:
        sender = self.transactions.journal_path
        journals = self._journals if sender is None else {**self._journals, "transactions": sender}
        return {(name,): size for name, path in journals.items() if (size := size_on_disk(path)) is not None}


def size_on_disk(path: Path) -> int | None:
    """Bytes of an SQLite file and what is not yet written back to it; None when it is not there."""
    sizes = []
    for part in (path, path.with_name(f"{path.name}-wal")):
        try:
            sizes.append(part.stat().st_size)
        except OSError:
            continue
    return sum(sizes) if sizes else None


def first_word(topic: str) -> str:
    """What was tried, without the numbers and names after it: labels must be few."""
    return topic.partition(" ")[0].partition(":")[0]


def _one(value: float | None) -> Samples:
    return {} if value is None else {(): value}
