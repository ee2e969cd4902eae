"""An index: its file, and what can be read from it. Readers never wait for the writer."""

import sqlite3
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from eth_typing import ChecksumAddress

from offchain.chain.addresses import Addresses
from offchain.chain.enums import Phase
from offchain.explorer.index import schema
from offchain.explorer.index.decoding import LogDecoder, abis_of
from offchain.explorer.index.reads import Reads
from offchain.explorer.index.reads_accounts import read_account, read_slashes
from offchain.explorer.index.reads_disputes import read_dispute, read_disputes, read_requests
from offchain.explorer.index.reads_events import Wanted, read_events, read_latest
from offchain.explorer.index.reads_network import PhaseCounts, read_gas, read_network, read_parameters, read_standing
from offchain.explorer.index.reads_orders import phase_of, read_order, read_orders
from offchain.explorer.index.reads_rewards import read_rewards
from offchain.explorer.index.reads_tasks import read_task, read_tasks
from offchain.explorer.index.rows import (
    Account,
    EventRow,
    Network,
    Page,
    ParametersRow,
    Rewards,
    SlashRow,
    Standing,
    TaskPage,
    TaskRow,
)
from offchain.explorer.index.rows_orders import DisputePage, DisputeRow, GasRow, OrderPage, OrderRow, RequestRow

DEFAULT_LIMIT = 50


def open_index(path: Path | None, addresses: Addresses) -> "Index":
    """The index of a deployment at `path`, made if need be; None: for the life of the object, kept nowhere.

    A file of another chain, deployment or version is replaced by a fresh one. Raises Rejected when something else lies
    there.
    """
    return Index(path, addresses)


class Index:
    """What is known of a deployment. All methods can be called from any thread; each has its own connection.

    `now` is the chain's clock (seconds), on which phases depend: `standing().head_at`, or later.
    """

    def __init__(self, path: Path | None, addresses: Addresses) -> None:
        self._folder = TemporaryDirectory(prefix="assay-index-") if path is None else None
        self.path = Path(self._folder.name) / "index.sqlite" if self._folder is not None else Path(path or "")
        self._abis = abis_of(addresses)
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._phases = PhaseCounts()
        schema.prepare(self.path, addresses)

    def connect(self) -> sqlite3.Connection:
        """A new connection, for the caller to close."""
        return schema.connect(self.path)

    def close(self) -> None:
        """Closes all connections of readers. Nothing may be reading."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
            self._local = threading.local()
        if self._folder is not None:
            self._folder.cleanup()

    def _reads(self) -> Reads:
        reads: Reads | None = getattr(self._local, "reads", None)
        if reads is None:
            connection = self.connect()
            with self._lock:
                self._connections.append(connection)
            reads = self._local.reads = Reads(connection, LogDecoder(self._abis))
        return reads

    # The whole

    def standing(self) -> Standing:
        """How far the index is."""
        with self._reads() as reads:
            return read_standing(reads)

    def network(self, now: int) -> Network:
        """Totals of the whole deployment."""
        with self._reads() as reads:
            return read_network(reads, now, self._phases)

    def gas(self) -> GasRow:
        """Gas of all transactions, by what they were for."""
        with self._reads() as reads:
            return read_gas(reads)

    def parameters(self) -> ParametersRow | None:
        """The parameters in force; None before the first event."""
        with self._reads() as reads:
            return read_parameters(reads)

    # Orders

    def orders(
        self,
        now: int,
        *,
        state: str = "all",
        account: ChecksumAddress | None = None,
        before: int | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> Page[OrderRow]:
        """Orders, the newest first; `state`: "all", "open" or "ended"; `account`: in which it takes part."""
        with self._reads() as reads:
            return read_orders(reads, now, state, account, before, limit)

    def order(self, oid: int, now: int) -> OrderPage | None:
        """All of one order; None when there is none."""
        with self._reads() as reads:
            return read_order(reads, oid, now)

    def phase(self, oid: int, now: int) -> Phase:
        """The phase of an order; NONE for an unknown one."""
        with self._reads() as reads:
            return phase_of(reads, oid, now)

    # Courts

    def disputes(
        self, *, state: str = "all", oid: int | None = None, before: int | None = None, limit: int = DEFAULT_LIMIT
    ) -> Page[DisputeRow]:
        """Disputes, the newest first; `state`: "all", "open" or "closed"."""
        with self._reads() as reads:
            return read_disputes(reads, state, oid, before, limit)

    def dispute(self, number: int) -> DisputePage | None:
        """A dispute, move by move; None when there is none."""
        with self._reads() as reads:
            return read_dispute(reads, number)

    def requests(
        self, *, state: str = "all", oid: int | None = None, before: int | None = None, limit: int = DEFAULT_LIMIT
    ) -> Page[RequestRow]:
        """Requests for data, the newest first; `state`: "all", "open" or "closed"."""
        with self._reads() as reads:
            return read_requests(reads, state, oid, before, limit)

    # Accounts

    def account(self, address: ChecksumAddress, *, limit: int = DEFAULT_LIMIT) -> Account:
        """An account; its lists hold at most `limit`, the newest first."""
        with self._reads() as reads:
            return read_account(reads, address, limit)

    def slashes(self, *, before: int | None = None, limit: int = DEFAULT_LIMIT) -> Page[SlashRow]:
        """Stake that was taken from anybody, the newest first; `before`: a `seq`."""
        with self._reads() as reads:
            return read_slashes(reads, before, limit)

    # Rewards and tasks

    def rewards(self, *, before: int | None = None, limit: int = DEFAULT_LIMIT) -> Rewards:
        """Roots, claims and the committee; `before` and `limit` are about the claims."""
        with self._reads() as reads:
            return read_rewards(reads, before, limit)

    def tasks(self, *, before: int | None = None, limit: int = DEFAULT_LIMIT) -> Page[TaskRow]:
        """Federated tasks, the newest first."""
        with self._reads() as reads:
            return read_tasks(reads, before, limit)

    def task(self, number: int) -> TaskPage | None:
        """A federated task; None when there is none."""
        with self._reads() as reads:
            return read_task(reads, number)

    # Events

    def events(
        self,
        *,
        after: int = 0,
        oid: int | None = None,
        dispute: int | None = None,
        task: int | None = None,
        account: ChecksumAddress | None = None,
        contract: str | None = None,
        name: str | None = None,
        limit: int = 200,
    ) -> Page[EventRow]:
        """Events with a `seq` beyond `after`, ascending; all that is given must fit."""
        wanted = Wanted(oid, dispute, task, account, contract, name)
        with self._reads() as reads:
            return read_events(reads, wanted, after, limit)

    def latest_events(
        self,
        limit: int = DEFAULT_LIMIT,
        *,
        before: int | None = None,
        oid: int | None = None,
        dispute: int | None = None,
        task: int | None = None,
        account: ChecksumAddress | None = None,
        contract: str | None = None,
        name: str | None = None,
    ) -> Page[EventRow]:
        """The newest events with a `seq` below `before`, the newest first; all that is given must fit."""
        wanted = Wanted(oid, dispute, task, account, contract, name)
        with self._reads() as reads:
            return read_latest(reads, wanted, before, limit)
