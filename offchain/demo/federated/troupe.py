"""The workers of the play: one for each account and task; one account is cut off in the middle and comes back."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from offchain.chain.federated import Federation
from offchain.demo.federated.cast import make_worker
from offchain.demo.federated.scenario import Conduct, FederatedScenario
from offchain.demo.federated.stage import FederatedStage
from offchain.federated.round_rules import TaskView
from offchain.roles.context import WorkerEvent
from offchain.roles.federated_participant import FederatedWorker
from offchain.types import TaskId

CRASH_ROUND = 2
"""In this round of the first task the crasher is cut off once it has committed; it comes back in the next round."""


class Troupe:
    """A context manager: workers end with it."""

    def __init__(self, scenario: FederatedScenario, stage: FederatedStage, tasks: tuple[TaskId, ...]) -> None:
        self._scenario = scenario
        self._stage = stage
        self._tasks = tasks
        self._stack = ExitStack()
        self._federation = Federation(stage.contracts)
        crashing = (member.name for member in scenario.members if member.conduct is Conduct.CRASHES)
        self._to_crash = next(crashing, None)
        self._away: str | None = None
        self._workers = {
            (name, task): make_worker(scenario, stage, stage.contexts[name], name, number, task)
            for number, task in enumerate(tasks)
            for name in stage.contexts
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers.values():
            worker.close()
        self._stack.close()

    @property
    def is_done(self) -> bool:
        """Whether everybody has everything that is theirs."""
        return all(worker.is_done for worker in self._workers.values())

    def present(self, views: Sequence[TaskView]) -> Iterable[FederatedWorker]:
        """Who takes a turn now."""
        first = views[0]
        if self._to_crash is not None and first.state.round == CRASH_ROUND and self._has_committed(first):
            self._cut_off(self._to_crash)
        elif self._away is not None and first.state.round > CRASH_ROUND:
            self._bring_back(self._away)
        return [worker for (name, _), worker in self._workers.items() if name != self._away]

    def _has_committed(self, view: TaskView) -> bool:
        place = None if self._to_crash is None else view.place_of(self._stage.contexts[self._to_crash].account)
        return place is not None and view.participants[place].round == view.state.round

    def _cut_off(self, name: str) -> None:
        """Nothing is ended in good order: only the lock on the journal of the sender has to go."""
        self._stage.contexts[name].sender.close()
        self._say(name, "killed", after="commit")
        self._away, self._to_crash = name, None

    def _bring_back(self, name: str) -> None:
        context = self._stack.enter_context(self._stage.reopen(name))
        for number, task in enumerate(self._tasks):
            self._workers[name, task].close()
            self._workers[name, task] = make_worker(self._scenario, self._stage, context, name, number, task)
        self._away = None
        self._say(name, "back")

    def _say(self, name: str, what: str, **detail: object) -> None:
        context = self._stage.contexts[name]
        context.report(WorkerEvent("participant", context.account, None, what, detail))
