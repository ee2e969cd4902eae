"""Taking part in a federated task: training on data that stays here, revealing, leading, checking what others lead.

One worker for one account and one task. What it does when is decided by `offchain/federated/round_rules.py`; with its
`Intent` the same worker is a participant, a watcher without data, or an account that merely drives a task on.
"""

import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Any, ClassVar

from offchain.chain.client import BlockRef
from offchain.chain.enums import Role
from offchain.chain.federated import Federation, Story
from offchain.federated.local_data import dataset_for
from offchain.federated.round_actions import (
    OBLIGATIONS,
    Action,
    Answer,
    Ask,
    Challenge,
    Claim,
    DrawChunks,
    Expire,
)
from offchain.federated.round_rules import Knowledge, TaskView, actions
from offchain.federated.task_state import TaskPhase, indices
from offchain.roles.context import RoleContext
from offchain.roles.federated_deeds import PREFIX, Deeds, FederatedOptions
from offchain.roles.federated_files import RoundFiles
from offchain.roles.federated_player import FederatedPlayer
from offchain.roles.federated_table import Table
from offchain.roles.federated_training import model_accuracy
from offchain.roles.loop import Around, Loop, plainly
from offchain.roles.memo import Memo
from offchain.roles.transactions import Outcome
from offchain.storage.local import LocalStore
from offchain.types import TaskId, Wei

TRAINING_THREADS = 2
FETCHING_THREADS = 16
"""Files that nobody has keep threads waiting for minutes; they must not keep the others, nor the training."""


class FederatedWorker(Loop):
    """One account in one task."""

    role: ClassVar[str] = "participant"
    subject: ClassVar[str] = "task"
    conduct: ClassVar[type[Deeds]] = Deeds

    def __init__(
        self, context: RoleContext, task: TaskId, options: FederatedOptions, *, executor: Executor | None = None
    ) -> None:
        """`executor` trains, fetches and computes; by default threads of the worker's own."""
        super().__init__(context, poll_seconds=options.poll_seconds)
        self.task = task
        self.options = options
        self._owned: tuple[ThreadPoolExecutor, ...] = ()
        fetching = executor
        if executor is None or fetching is None:
            executor = ThreadPoolExecutor(TRAINING_THREADS, "federated")
            fetching = ThreadPoolExecutor(FETCHING_THREADS, "federated-files")
            self._owned = (executor, fetching)
        own = LocalStore(options.folder / "files", seconds=600, clock=context.clock)
        self.files = RoundFiles(own, context.store, options.folder / "roots")
        self.federation = Federation(context.contracts)
        self.table = Table(
            context.client.chain_id,
            self.federation.address,
            self.files,
            fetching,
            account=context.account,
            manifest=lambda view: self.deeds.manifest(view),
        )
        self._work: Memo[Any] = Memo(executor)
        self.deeds = self.conduct(
            context, task, options, self.federation, self.files, self.table, self._work, self._hands
        )
        self.player = FederatedPlayer(context, self.federation, self.table, self._hands, self.deeds)
        self._picked_up = 0
        self._settled: set[int] = set()
        self._told = 0
        self._stop: threading.Event | None = None
        self._phase: TaskPhase | None = None
        self._gone = False

    # The loop

    def run(self, stop: threading.Event, around: Around = plainly) -> None:
        """Works until `stop` is set, or until the task is over and everything is taken home."""
        self._stop = stop
        super().run(stop, around)

    def standing(self) -> dict[str, float]:
        """See Loop."""
        jobs = self._work.under_way() + self.table.under_way()
        return {**super().standing(), "jobs_running": jobs}

    def close(self) -> None:
        """Ends what runs in the background."""
        self._work.close()
        self.table.close()
        for pool in self._owned:
            pool.shutdown()

    @property
    def is_done(self) -> bool:
        """Whether the task is over, this account has nothing left in it, and nothing is on its way."""
        return self._phase is TaskPhase.OVER and self._gone and not self.in_flight

    @property
    def busy(self) -> bool:
        """Whether something runs in the background."""
        return bool(self._work.under_way() or self.table.under_way())

    def _head(self) -> BlockRef:
        return self.context.client.head()

    def _has_news(self) -> bool:
        return self.table.has_news() or self._work.done() != self._picked_up or super()._has_news()

    def _look(self, head: BlockRef) -> bool:
        view = self.federation.view(self.task, head)
        story = self.federation.story(self.task, head)
        self._picked_up = self._work.done()
        self.table.clear(view.state.round)
        self._tell(view, story)
        self.table.gather(view, story)
        self.player.look(view, head)
        known = self._knowledge(view, story)
        for action in actions(view, known, self.options.intent):
            act = partial(self._act, view, story, action)
            topic = topic_of(action, view.state.round)
            self._attempt(self.task, topic, act, obligation=isinstance(action, OBLIGATIONS))
        self.player.play(view)
        self._phase = view.phase
        place = known.place
        self._gone = place is None or not view.participants[place].active or not self.options.intent.leaves
        if self.is_done and self._stop is not None:
            self._stop.set()
        return True

    def _report_end(self, end: Outcome) -> None:
        super()._report_end(Outcome(end.key.removeprefix(PREFIX), end.receipt, end.error))

    # What it knows

    def _knowledge(self, view: TaskView, story: Story) -> Knowledge:
        me, contracts = self.context.account, self.context.contracts
        record = self.deeds.record(view.state.round)
        settled = self.table.settled(view)
        bond = contracts.bond(me, Role.VERIFIER).free if contracts.is_active(me, Role.VERIFIER) else Wei(0)
        return Knowledge(
            place=view.place_of(me),
            commitment=None if record is None else record.commitment,
            owed=self.deeds.prover.owed(view),
            missing=self.table.missing(view),
            held=frozenset(self.table.updates(view)),
            expected=None if settled is None else settled.expected,
            bond=bond,
            spent=Wei(view.terms.request_bond * story.bonds_of(me)),
            challenge_stake=contracts.challenge_stake(),
            challenged=self.player.has_challenged(view),
            contested=self.player.is_contested(view),
            unclaimed=self._unclaimed(view, story),
        )

    def _unclaimed(self, view: TaskView, story: Story) -> tuple[int, ...]:
        """Final rounds of which this account may have a reward."""
        place = view.place_of(self.context.account)
        if place is None:
            return ()
        for number in story.results():
            if number not in self._settled:
                record = self.federation.record(self.task, number)
                if not record.included >> place & 1 or record.claimed >> place & 1:
                    self._settled.add(number)
        return tuple(number for number in story.results() if number not in self._settled)

    def _act(self, view: TaskView, story: Story, action: Action) -> None:
        if isinstance(action, Challenge):
            self.player.challenge(view, story)
        else:
            self.deeds.act(view, story, action)

    # What it tells

    def _tell(self, view: TaskView, story: Story) -> None:
        """Reports what has happened to the task since the last look; makes public what a leader kept back."""
        me = view.place_of(self.context.account)
        for event in story.events[self._told :]:
            said = event.arguments
            match event.name:
                case "RoundBegun":
                    self._say(self.task, "round", number=said["round"])
                case "RoundFinal":
                    self._attempt(self.task, f"final {said['round']}", partial(self._final, view, story, said))
                case "RoundFailed":
                    self._say(self.task, "round-failed", number=said["round"])
                case "AccuracyCounted" if said["index"] == me:
                    self._say(
                        self.task, "counted", round=said["round"], correct=said["correct"], accepted=said["accepted"]
                    )
                case "NoShowPenalised":
                    self._say(self.task, "no-show", index=said["index"], round=said["round"])
                case "LeaderWrong" | "LeaderReplaced" | "Dropped":
                    word = {"LeaderWrong": "leader-wrong", "LeaderReplaced": "leader-late", "Dropped": "dropped"}
                    self._say(self.task, word[event.name], index=said["index"], round=said["round"])
                case "RewardPaid" if said["index"] == me:
                    self._say(self.task, "paid", round=said["round"], wei=said["amount"])
        self._told = len(story.events)

    def _final(self, view: TaskView, story: Story, said: dict[str, Any]) -> None:
        number, files = said["round"], story.final(said["round"])
        detail: dict[str, Any] = {"number": number, "included": list(indices(said["included"]))}
        cid = None if files is None else self.files.own(files.result_root) or files.result_cid
        if files is not None and cid is not None and self.files.has(cid):
            if not self.files.is_public(cid):
                self.files.publish(cid)
            if self.options.test is not None:
                result = self.files.result(cid, files.result_root, view.terms.result_shape)
                manifest = self.deeds.manifest(view)
                test = dataset_for(manifest, self.options.test)
                detail["accuracy"] = round(model_accuracy(manifest, view.terms, result.model, test), 4)
        self._say(self.task, "final", **detail)


def topic_of(action: Action, number: int) -> str:
    """What of the task is tried. What was refused in a round is left alone in that round only.

    One bad file of a leader, or a model that diverges once, must stop nobody for good.
    """
    match action:
        case Ask(index, chunk) | Answer(index, chunk):
            what = f"{type(action).__name__} {index} {chunk}"
        case DrawChunks(attempt, drawn):
            what = f"{type(action).__name__} {attempt} {drawn}"
        case Expire(index) | Claim(index):
            what = f"{type(action).__name__} {index}"
        case _:
            what = type(action).__name__
    return f"{what} in round {number}"
