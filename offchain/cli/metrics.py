"""`--metrics`: a worker's connection, counted, and the page that Prometheus reads. Glue only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offchain.cli.session import Session
    from offchain.metrics.worker import WorkerMeters
    from offchain.roles.context import RoleContext


@contextmanager
def metered(session: Session, place: str | None) -> Iterator[tuple[Session, str | None]]:
    """The same session, counted and served at `place` (`[HOST:]PORT`), and the page's URL; as it is without one.

    Raises Rejected, naming `--metrics`, when nothing can be served there.
    """
    if place is None:
        yield session, None
        return
    from offchain.chain.contracts import AssayContracts
    from offchain.metrics.server import metrics_place, serve_metrics
    from offchain.metrics.worker import WorkerMeters

    where, meters = metrics_place(place), WorkerMeters()
    client = meters.chain.watch(session.client)
    contracts = AssayContracts(client, session.contracts.addresses)
    with serve_metrics(meters.registry, where) as url:
        yield replace(session, client=client, contracts=contracts, meters=meters), url


def introduce(meters: WorkerMeters, session: Session, role: str, context: RoleContext) -> None:
    """Tells the meters whose they are."""
    meters.introduce(role, context.account, session.client.chain_id, metadata.version("assay-network"))
    meters.keep_journals({"records": session.journal_path(role, context.account)})
