"""Puts the explorer together and runs it: index thread, content threads, and the server in an event loop."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from time import monotonic

from fastapi import APIRouter

from offchain.chain.addresses import check_addresses
from offchain.chain.contracts import AssayContracts
from offchain.chain.parameters import DEVELOPMENT_CHAINS
from offchain.explorer.api.answers import Answers
from offchain.explorer.api.app import create_app
from offchain.explorer.api.follower import Follower, Health
from offchain.explorer.api.guard import Door, is_loopback
from offchain.explorer.api.hub import Hub
from offchain.explorer.api.live import Live
from offchain.explorer.api.metrics import (
    CAUGHT_UP,
    CONTENT,
    INDEXED_BLOCK,
    INDEXED_EVENTS,
    NODE_ANSWERS,
    READERS,
    Meters,
)
from offchain.explorer.api.pages import Page
from offchain.explorer.api.parts import Deployment, Parts
from offchain.explorer.api.steps import Steps
from offchain.explorer.content.book import ContentBook
from offchain.explorer.content.downloads import Downloads
from offchain.explorer.content.fetcher import Fetcher
from offchain.explorer.content.reading import Reading
from offchain.explorer.index import Index, Indexer, open_index
from offchain.explorer.index.indexer import Step
from offchain.ledger.api.server import ApiServer
from offchain.storage.store import Store

logger = logging.getLogger(__name__)

SLOWEST_POLL = 5.0


@dataclass(frozen=True, slots=True)
class Options:
    """Where to listen, and where to keep what is made again if it is lost; `folder` None: nowhere (tests)."""

    host: str
    port: int
    folder: Path | None
    poll_seconds: float | None = None

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)


class Explorer:
    """One running explorer. Everything that was begun is ended by `close`."""

    def __init__(
        self,
        contracts: AssayContracts,
        store: Store,
        options: Options,
        *,
        meters: Meters | None = None,
        desk: Callable[[Index], APIRouter] | None = None,
        page: Page | None = None,
        progress: Callable[[Step], None] = lambda _: None,
    ) -> None:
        """Listens at once; raises Rejected when it cannot, or a file in the folder is another kind of file.

        `desk` makes the desk's routes, on the index; `progress` is told of every step, in the index's thread.
        """
        meters = meters or Meters()
        client = meters.chain.watch(contracts.client)
        addresses = contracts.addresses
        name = f"{addresses.chain_id}-{addresses.proof_of_training}"
        index_file = None if options.folder is None else options.folder / f"{name}.sqlite"
        content_file = None if options.folder is None else options.folder / f"{name}.content.sqlite"
        self._progress = progress
        self.index = open_index(index_file, addresses)
        self._book = ContentBook(content_file)
        self._hub = Hub()
        self._live = Live(self.index, self._book, self._hub)
        self._indexer = Indexer(client, addresses, self.index)
        network = client.network
        self._follower = Follower(
            self._indexer,
            self._stepped,
            self._live.refresh,
            poll_seconds=options.poll_seconds or min(network.poll_seconds, SLOWEST_POLL),
            check=lambda: check_addresses(client, addresses, "the addresses file"),
        )
        watched = meters.storage.watch(store)
        self._fetcher = Fetcher(self._book, watched, self.index)
        self.parts = Parts(
            deployment=_deployment(contracts),
            index=self.index,
            reading=Reading(self._book),
            downloads=Downloads(watched, options.folder),
            steps=Steps(client, addresses.dispute_court),
            live=self._live,
            hub=self._hub,
            answers=Answers(self._live.state),
            page=page or Page(),
            door=Door(options.is_local),
            meters=meters,
            health=lambda: self._follower.health,
            seconds=monotonic,
        )
        self._measure(meters)
        routes = None if desk is None else desk(self.index)
        self._server = ApiServer(create_app(self.parts, routes), options.host, options.port)

    @property
    def url(self) -> str:
        """Where it answers."""
        return self._server.url

    @property
    def health(self) -> Health:
        """Of the node."""
        return self._follower.health

    async def serve(self, stop: asyncio.Event) -> None:
        """Serves until `stop` is set; streams are ended first, so this takes well under a second."""
        self._live.attach(asyncio.get_running_loop())
        self._follower.start()
        self._fetcher.start()
        await self._server.start()
        await stop.wait()
        self._hub.close()
        await self._server.stop()

    def close(self, seconds: float = 0.5) -> bool:
        """Ends the threads and closes the files; False when a thread still waits for the node or the store after that
        long: then they stay open."""
        self._fetcher.stop()
        self.parts.answers.close()
        self.parts.downloads.close()
        ended = self._follower.stop(seconds) and self._fetcher.has_ended(seconds)
        if not ended or self.parts.downloads.busy:
            return False
        self._indexer.close()
        self.index.close()
        self._book.close()
        return True

    def _stepped(self, step: Step) -> None:
        self._live.stepped(step)
        if step.events:
            self._fetcher.wake()
        self._progress(step)

    def _measure(self, meters: Meters) -> None:
        live, follower = self._live, self._follower
        meters.read(
            {
                INDEXED_BLOCK: lambda: {(): live.standing.block},
                INDEXED_EVENTS: lambda: {(): live.standing.events},
                CAUGHT_UP: lambda: {(): float(live.standing.caught_up)},
                NODE_ANSWERS: lambda: {(): float(follower.health.problem is None)},
                READERS: lambda: {(): len(self._hub)},
                CONTENT: lambda: {(state,): count for state, count in self._book.counts().items()},
            }
        )


def _deployment(contracts: AssayContracts) -> Deployment:
    client, addresses = contracts.client, contracts.addresses
    token = contracts.token.functions
    symbol, decimals = contracts.read_many([token.symbol(), token.decimals()])
    return Deployment(
        chain_id=addresses.chain_id,
        network=client.network.name,
        genesis=addresses.genesis,
        version=metadata.version("assay-network"),
        development=addresses.chain_id in DEVELOPMENT_CHAINS,
        endpoint=client.endpoint,
        contracts={name: addresses.of(name) for name in addresses.contracts},
        faucet=addresses.test_token_faucet,
        token=addresses.utility_token,
        symbol=str(symbol),
        decimals=int(decimals),
    )
