"""Plays a scenario: every participant is a real worker with its own key, journal and sender. Aggregators are processes
of their own, all others threads."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from offchain.chain.client import ChainClient
from offchain.chain.rewards import Rewards
from offchain.data.source import load_source
from offchain.demo.cast import cast_workers
from offchain.demo.committee_report import committee_report
from offchain.demo.ledger import Ledger, read_ledger
from offchain.demo.report import build_report
from offchain.demo.scenario import OrderPlan, Scenario
from offchain.demo.screen import OrderLine, Screen
from offchain.demo.seats import seat_sender
from offchain.demo.stage import Stage, open_chain, set_stage
from offchain.demo.troupe import Troupe
from offchain.errors import Bug, Retryable
from offchain.model.shorthand import spec_from_shorthand
from offchain.roles.claiming import claims_of
from offchain.roles.client import put_order
from offchain.roles.context import WorkerEvent
from offchain.roles.prepare import OrderRequest, PreparedOrder, prepare_order
from offchain.roles.summary import OrderSummary, summarise
from offchain.roles.worker import Worker
from offchain.types import OrderId, Seconds

GRACE_SECONDS = 240
"""How long after the last window everything must be settled; disputes stretch it."""

QUIET_SECONDS, FADE_SECONDS = 1.5, 20.0
"""When nobody has reported anything for so long, all has been said; and that takes so long at most."""


@dataclass(frozen=True, slots=True)
class Performed:
    """What was ordered, and how the aggregators' processes fared."""

    ordered: dict[OrderId, PreparedOrder]
    troupe: Troupe


class Play:
    """One performance. `events` collects what all workers reported."""

    def __init__(self, scenario: Scenario, console: Console) -> None:
        self._scenario = scenario
        self._console = console
        self._screen: Screen | None = None
        self._troupe: Troupe | None = None
        self.events: list[WorkerEvent] = []
        self.failures: list[BaseException] = []

    def report(self, event: WorkerEvent) -> None:
        """Called by the workers' threads."""
        self.events.append(event)
        if self._troupe is not None:
            self._troupe.note(event)
        if self._screen is not None:
            self._screen.report(event)

    def perform(self, stage: Stage) -> Performed:
        """Puts the orders, lets everybody work until all is paid."""
        stop = threading.Event()
        with Screen(self._console, stage.names) as screen:
            self._screen = screen
            with self._aggregators(stage) as troupe, self._workers(stage, stop):
                ordered = {}
                for plan in self._scenario.orders:
                    oid, prepared = self._order(stage, plan)
                    ordered[oid] = prepared
                self._watch(stage, screen, ordered)
                self._fade_out(stage.client, troupe)
            self._screen = None
        return Performed(ordered, troupe)

    def _order(self, stage: Stage, plan: OrderPlan) -> tuple[OrderId, PreparedOrder]:
        context = stage.contexts["client"]
        data = load_source(plan.source)
        request = OrderRequest(
            title=plan.title,
            train=data,
            spec=spec_from_shorthand(plan.model, input_shape=data.shape, outputs=data.outputs),
            reward=plan.reward,
            train_seconds=plan.train_seconds,
            reveal_seconds=plan.reveal_seconds,
            validate_seconds=plan.validate_seconds,
            challenge_seconds=plan.challenge_seconds,
            minimum_validators=plan.minimum_validators,
            minimum_score_ppm=plan.minimum_score_ppm,
            test_fraction=plan.held_out,
            seed=self._scenario.seed,
        )
        prepared = prepare_order(context, request, archive=stage.archive)
        return put_order(context, prepared), prepared

    def _watch(self, stage: Stage, screen: Screen, ordered: dict[OrderId, PreparedOrder]) -> None:
        """Returns when every order is paid. Raises Bug when a worker broke or the end does not come in time."""
        deadline: Seconds | None = None
        while True:
            if self.failures:
                raise Bug(f"a worker broke: {self.failures[0]!r}") from self.failures[0]
            found = [summarise(stage.contracts, oid) for oid in ordered]
            screen.orders([_line(summary, ordered[summary.oid]) for summary in found])
            if all(summary.outcome and summary.paid for summary in found) and self._liar_is_caught():
                return
            if deadline is None:
                ends = (stage.contracts.windows(oid).challenge_end for oid in ordered)
                deadline = Seconds(max(ends) + GRACE_SECONDS)
            if found[0].now > deadline:
                raise Retryable("the orders were not settled in time: the machine may be too busy; run it again")
            time.sleep(1)

    def _liar_is_caught(self) -> bool:
        return not self._scenario.liar or any(event.what == "slash-equivocation" for event in self.events)

    def _fade_out(self, client: ChainClient, troupe: Troupe) -> None:
        """What was the last to be mined is still to be reported; what a killed process was about to say never is."""
        until, heard = time.monotonic() + FADE_SECONDS, -1
        while time.monotonic() < until and (heard != len(self.events) or not troupe.has_told_all(client)):
            heard = len(self.events)
            time.sleep(QUIET_SECONDS)

    @contextmanager
    def _aggregators(self, stage: Stage) -> Iterator[Troupe]:
        troupe = Troupe(stage, self._scenario, report=self.report, fail=self.failures.append)
        self._troupe = troupe
        with troupe:
            yield troupe

    @contextmanager
    def _workers(self, stage: Stage, stop: threading.Event) -> Iterator[None]:
        threads = [
            threading.Thread(target=self._run, args=(worker, stop), name=name)
            for name, worker in cast_workers(self._scenario, stage).items()
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _run(self, worker: Worker, stop: threading.Event) -> None:
        try:
            worker.run(stop)
        except BaseException as error:
            self.failures.append(error)
            raise


def alone(_: Stage) -> AbstractContextManager[None]:
    """Nothing else goes on."""
    return nullcontext()


def play(
    scenario: Scenario, chain: str, console: Console, *, beside: Callable[[Stage], AbstractContextManager[None]] = alone
) -> dict[str, Any]:
    """Performs the scenario on `chain` (anvil, embedded, auto or a URL); the report, as JSON values.

    `beside`: what else goes on while it is performed; in tests somebody who moves the chain's clock on.
    """
    begun = time.monotonic()
    with TemporaryDirectory(prefix="assay-demo-") as folder, open_chain(chain) as (client, url):
        console.print(f"chain: {client.endpoint} ({client.network.name}, id {client.chain_id})")
        performance = Play(scenario, console)
        with set_stage(client, url, scenario, Path(folder), performance.report, _teller(console)) as stage:
            with beside(stage):
                performed = performance.perform(stage)
            ledger = _curtain(client, stage)
            aggregators = committee_report(performed.troupe, ledger, performance.events)
            elapsed = time.monotonic() - begun
            return build_report(stage, performed.ordered, ledger, performance.events, aggregators, elapsed)


def _curtain(client: ChainClient, stage: Stage) -> Ledger:
    """Everybody claims what is credited, and what roots give; then the books are read."""
    rewards = Rewards(stage.contracts)
    rewards.look()
    with ExitStack() as stack:
        senders = [context.sender for context in stage.contexts.values()]
        senders += [stack.enter_context(seat_sender(client, stage.contracts, seat)) for seat in stage.seats.values()]
        tickets = [
            (sender, sender.submit(claim.what, claim.call))
            for sender in senders
            for claim in claims_of(stage.contracts, rewards, sender.address, client.now())
        ]
        for sender, ticket in tickets:
            sender.wait(ticket)
    return read_ledger(client, stage)


def _line(summary: OrderSummary, prepared: PreparedOrder) -> OrderLine:
    left = "" if summary.ends_at is None else f"{max(0, summary.ends_at - summary.now)} s"
    return OrderLine(
        oid=summary.oid,
        title=prepared.record.title,
        phase=summary.phase.label,
        left=left,
        claims=summary.claims,
        models=len(summary.models),
        outcome=summary.outcome.name.lower() if summary.outcome else "",
    )


def _teller(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(f"[dim]{line}[/dim]")
