"""The aggregators of the play: four processes, of which one is killed in the middle and started again."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from offchain.chain.client import ChainClient
from offchain.demo.processes import Fail, Life, WorkerProcess
from offchain.demo.scenario import Interruption, Scenario
from offchain.demo.seats import Seat
from offchain.demo.stage import Stage
from offchain.roles.context import Report, WorkerEvent
from offchain.roles.funding import format_tokens
from offchain.types import Wei


@dataclass(frozen=True, slots=True)
class Cut:
    """The interruption as it came: the process that was killed, after which event, and for how many seconds."""

    name: str
    process: int | None
    after: str
    seconds: float


class Troupe:
    """A context manager: all processes run within it, and none after it.

    `report` and `fail` are called from threads; `note` tells it what has happened in the play.
    """

    def __init__(self, stage: Stage, scenario: Scenario, *, report: Report, fail: Fail) -> None:
        url, seats = stage.url, stage.seats
        self._report = report
        self._seats = seats
        self._nonces = {name: stage.client.nonce(seat.address) for name, seat in seats.items()}
        self._interruption = scenario.interruption
        self._processes = {
            name: WorkerProcess(
                seat.address,
                liar_command(seat, url, scenario.bond) if name == scenario.liar else aggregator_command(seat, url),
                seat.home / "log",
                report=report,
                fail=fail,
            )
            for name, seat in seats.items()
        }
        self._due = threading.Event()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self.cut: Cut | None = None

    @property
    def lives(self) -> dict[str, Sequence[Life]]:
        """By name: one for each time that the process was started."""
        return {name: tuple(process.lives) for name, process in self._processes.items()}

    def note(self, event: WorkerEvent) -> None:
        """Something happened, to whomever; it may be what the interruption waits for."""
        if self._interruption is not None and event.what == self._interruption.after:
            self._due.set()

    def has_told_all(self, client: ChainClient) -> bool:
        """Whether every transaction of theirs that is on the chain was reported. Raises Retryable."""
        return all(
            client.nonce(seat.address) - self._nonces[name]
            <= sum(life.transactions for life in self._processes[name].lives)
            for name, seat in self._seats.items()
        )

    def __enter__(self) -> Self:
        for process in self._processes.values():
            process.start()
        if self._interruption is not None:
            self._thread = threading.Thread(target=self._interrupt, args=(self._interruption,), name="interruption")
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join()
        ends = [threading.Thread(target=process.stop) for process in self._processes.values()]
        for end in ends:
            end.start()
        for end in ends:
            end.join()

    def _interrupt(self, plan: Interruption) -> None:
        self._due.wait()
        if self._over.is_set():
            return
        process, begun = self._processes[plan.name], time.monotonic()
        process.kill()
        killed = process.lives[-1].process
        self._say(plan.name, "killed", process=killed, signal="SIGKILL", after=plan.after)
        if not self._over.wait(plan.seconds):
            process.start()
        self.cut = Cut(plan.name, killed, plan.after, round(time.monotonic() - begun, 1))

    def _say(self, name: str, what: str, **detail: object) -> None:
        self._report(WorkerEvent("aggregator", self._seats[name].address, None, what, detail))


def aggregator_command(seat: Seat, url: str) -> tuple[str, ...]:
    """`assay aggregator run` as a module with arguments."""
    return ("offchain.cli", "aggregator", "run", *_flags(seat, url))


def liar_command(seat: Seat, url: str, stake: Wei) -> tuple[str, ...]:
    """The same for one that lies, and has all of its bond at stake: who keeps enough for a seat could sit again."""
    return ("offchain.demo.lying_aggregator", *_flags(seat, url), "--stake", format_tokens(stake).replace(",", ""))


def _flags(seat: Seat, url: str) -> tuple[str, ...]:
    words = ("--json", "--key", seat.name, "--home", str(seat.home), "--password-file", str(seat.password_file))
    return (*words, "--rpc", url, "--listen", f"127.0.0.1:{seat.listen}", "--api", f"127.0.0.1:{seat.api}")
