"""Plays a federated scenario: every participant is a real worker with its own key, journal, sender and data."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.text import Text

from offchain.chain.client import ChainClient
from offchain.chain.federated import Federation
from offchain.demo.federated.conductor import conduct
from offchain.demo.federated.report import build_report
from offchain.demo.federated.scenario import FederatedScenario
from offchain.demo.federated.stage import set_stage
from offchain.demo.federated.tasks import create_tasks
from offchain.demo.federated.troupe import Troupe
from offchain.demo.stage import open_chain
from offchain.federated.round_rules import TaskView
from offchain.federated.task_state import TaskPhase
from offchain.roles.context import WorkerEvent
from offchain.types import Seconds, TaskId

QUIET = frozenset({"approve", "training", "round"})
"""Events that are not worth a line."""

COMMON = frozenset({"final", "round-failed", "leader-wrong", "leader-late", "dropped", "no-show"})
"""What everybody sees and reports; the client's word is enough."""

HIDDEN = frozenset({"transaction", "key", "gas"})


class Play:
    """One performance. `events` collects what all workers reported."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.names: dict[str, str] = {}
        self.events: list[WorkerEvent] = []

    def report(self, event: WorkerEvent) -> None:
        """Called by the workers."""
        self.events.append(event)
        told_by_others = event.what in COMMON and self.names.get(event.account) != "client"
        if event.what not in QUIET and not told_by_others:
            self._console.print(self._sentence(event), soft_wrap=True)

    def _sentence(self, event: WorkerEvent) -> Text:
        who = self.names.get(event.account, event.account)
        detail = "  ".join(f"{key} {_short(value)}" for key, value in event.detail.items() if key not in HIDDEN)
        task = "" if event.oid is None else f"task {event.oid} "
        return Text.assemble((f"{who:<12}", "bold"), task, event.what, " ", (detail, "dim"))


def play(scenario: FederatedScenario, chain: str, console: Console, proofs: Path) -> dict[str, Any]:
    """Performs the scenario on `chain` (anvil, embedded, auto or a URL); the report, as JSON values.

    `proofs`: where circuits, keys and verifiers are kept that were made once. Raises Retryable when it does not come to
    an end.
    """
    begun = time.monotonic()
    with TemporaryDirectory(prefix="assay-federated-") as folder, open_chain(chain) as (client, _url):
        console.print(f"chain: {client.endpoint} ({client.network.name}, id {client.chain_id})")
        performance = Play(console)
        tell = lambda line: console.print(f"[dim]{line}[/dim]")  # noqa: E731
        with set_stage(client, scenario, Path(folder), proofs, performance.report, tell) as stage:
            performance.names = {str(address): name for address, name in stage.names.items()}
            tasks = create_tasks(scenario, stage)
            with Troupe(scenario, stage, tasks) as troupe:
                federation = Federation(stage.contracts)
                conduct(
                    client,
                    lambda: troupe.present(_views(client, federation, tasks)),
                    lambda: _next_end(_views(client, federation, tasks)),
                    lambda: troupe.is_done,
                )
            return build_report(scenario, stage, tasks, performance.events, time.monotonic() - begun)


def _views(client: ChainClient, federation: Federation, tasks: tuple[TaskId, ...]) -> tuple[TaskView, ...]:
    head = client.head()
    return tuple(federation.view(task, head) for task in tasks)


def _next_end(views: tuple[TaskView, ...]) -> Seconds | None:
    """When the first of the phases that are on ends; None when none of them has an end."""
    ends = [_end(view) for view in views]
    return min((end for view, end in zip(views, ends, strict=True) if end > view.now), default=None)


def _end(view: TaskView) -> Seconds:
    if view.phase is TaskPhase.JOINING:
        return view.state.join_ends
    if view.phase is TaskPhase.PROVE and view.proofs is not None:
        return max(view.proofs.prove_until, view.round.end_of(view.phase))
    return view.round.end_of(view.phase)


def _short(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 110 else text[:107] + "..."
