"""Counts what becomes of transactions, where it is written down: in the sender's journal."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from offchain.chain.journal import Finished, Intent, Journal, State
from offchain.chain.transactions import Attempt
from offchain.metrics import catalogue
from offchain.metrics.registry import counter

_ENDS = {State.DONE: "mined", State.REVERTED: "reverted", State.DISPLACED: "displaced"}


class TransactionMeters:
    """Metrics of one sender."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = counter(registry, catalogue.TRANSACTIONS)
        self._gas = counter(registry, catalogue.GAS_USED)
        self._fees = counter(registry, catalogue.FEES)
        self.journal_path: Path | None = None

    def open_journal(self, path: Path, **owner: Any) -> Journal:
        """`Journal.open`, counted."""
        journal = MeteredJournal.open(path, **owner)
        journal.tell(self)
        self.journal_path = path
        return journal

    def count(self, key: str, event: str) -> None:
        """Something happened to the intent with this key."""
        self._events.labels(action_of(key), event).inc()

    def ended(self, end: Finished) -> None:
        """An intent is final."""
        self.count(end.key, _ENDS[end.state])
        if end.receipt is not None:
            self._gas.labels(action_of(end.key)).inc(end.receipt.gas_used)
            self._fees.labels(action_of(end.key)).inc(end.receipt.gas_used * end.receipt.gas_price)


class MeteredJournal(Journal):
    """A journal that tells what is written."""

    _meters: TransactionMeters | None = None

    def tell(self, meters: TransactionMeters) -> None:
        """From now on."""
        self._meters = meters

    def add(self, intents: Sequence[Intent]) -> None:
        """See Journal."""
        super().add(intents)
        self._count([intent.key for intent in intents], "sent")

    def reissue(self, intent: Intent) -> None:
        """See Journal."""
        super().reissue(intent)
        self._count([intent.key], "sent")

    def add_attempt(self, key: str, attempt: Attempt) -> None:
        """See Journal."""
        super().add_attempt(key, attempt)
        self._count([key], "replaced")

    def revive(self, key: str) -> None:
        """See Journal."""
        super().revive(key)
        self._count([key], "revived")

    def finish(self, ends: Iterable[Finished]) -> None:
        """See Journal."""
        told = list(ends)
        super().finish(told)
        if self._meters is not None:
            for end in told:
                self._meters.ended(end)

    def _count(self, keys: Sequence[str], event: str) -> None:
        if self._meters is not None:
            for key in keys:
                self._meters.count(key, event)


def action_of(key: str) -> str:
    """The first part of an idempotency key: one of a few words of ours."""
    return key.partition(":")[0].partition("#")[0]
