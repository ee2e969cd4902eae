"""What a participant of a federated task does, one method for each action of `round_rules.py`.

Adversaries of the demonstration and the tests are this class with one method changed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

from offchain.chain.federated import Federation, Story
from offchain.chain.sender import Call
from offchain.data.dataset import Dataset
from offchain.data.raw import RawData
from offchain.errors import Rejected
from offchain.federated.allow_list import AllowList
from offchain.federated.game.material import Material
from offchain.federated.homomorphic.ckks import require_seal
from offchain.federated.local_data import dataset_for
from offchain.federated.local_training import LocalUpdate
from offchain.federated.manifest import FederatedManifest, SecureMethod
from offchain.federated.results import Result
from offchain.federated.round_actions import (
    Action,
    Answer,
    Ask,
    Claim,
    Commit,
    CommitModel,
    Compute,
    CountProofs,
    DrawChunks,
    Expire,
    Fail,
    Finalize,
    Join,
    Leave,
    Object,
    Post,
    Prove,
    ReplaceLeader,
    Reveal,
    Speak,
    Start,
    Train,
)
from offchain.federated.round_rules import Intent, TaskView, require_time
from offchain.federated.settlement import measures_shape
from offchain.federated.vector_tree import LeafKind, Opening, update_tree
from offchain.protocol.commitments import update_commitment
from offchain.protocol.hashing import keccak
from offchain.roles.context import RoleContext
from offchain.roles.federated_client import fetch_manifest
from offchain.roles.federated_files import RoundFiles, Update
from offchain.roles.federated_prover import Prover, Systems
from offchain.roles.federated_records import UpdateRecord
from offchain.roles.federated_speaker import Speaker
from offchain.roles.federated_table import Table
from offchain.roles.federated_training import train_update
from offchain.roles.loop import Hands
from offchain.roles.memo import Memo
from offchain.types import CidDigest, OrderId, Salt, Seconds, TaskId

PREFIX = "federated-"
"""Of idempotency keys: one account may have other roles too."""

LEAST_WINDOW: Final = Seconds(30)


@dataclass(frozen=True, slots=True)
class FederatedOptions:
    """`folder`: the participant's own directory; `data` and `test`: samples of its own, as they are; `allowed`: who may
    join, where that is limited; `least_window`: no task is joined in which less time costs the stake; `systems`: what
    proves accuracy, without it tasks that ask for proofs are not joined."""

    folder: Path
    intent: Intent = field(default_factory=Intent)
    data: RawData | None = None
    test: RawData | None = None
    allowed: AllowList = field(default_factory=AllowList)
    poll_seconds: float | None = None
    least_window: Seconds = LEAST_WINDOW
    systems: Systems | None = None


class Deeds:
    """One account's part in one task. `work` is where it trains and proves."""

    proving: ClassVar[type[Prover]] = Prover

    def __init__(
        self,
        context: RoleContext,
        task: TaskId,
        options: FederatedOptions,
        federation: Federation,
        files: RoundFiles,
        table: Table,
        work: Memo[Any],
        hands: Hands,
    ) -> None:
        self.context = context
        self.task = task
        self.options = options
        self.federation = federation
        self.files = files
        self.table = table
        self._work = work
        self._hands = hands
        self._speaker = Speaker(context, task, federation, files, table, self._send_once)
        self.prover = self.proving(context, task, federation, files, work, hands, self._send_once, options.systems)
        self._manifest: FederatedManifest | None = None

    # What it knows

    def record(self, number: int) -> UpdateRecord | None:
        """The journalled opening of this account's update in a round."""
        records = self.context.journal.of_order(UpdateRecord, OrderId(self.task))
        return next((record for record in reversed(records) if record.round == number), None)

    def manifest(self, view: TaskView) -> FederatedManifest:
        """What the task is about. Raises Rejected when it is not what the chain says, Retryable."""
        if self._manifest is None:
            self._manifest = fetch_manifest(self.context.store, view.terms)
        return self._manifest

    def dataset(self, view: TaskView) -> Dataset:
        """The participant's samples as the task wants them. Raises Rejected, Retryable."""
        if self.options.data is None:
            raise Rejected(f"task {self.task}: taking part needs data; give --data")
        return dataset_for(self.manifest(view), self.options.data)

    # What it does

    def act(self, view: TaskView, story: Story, action: Action) -> None:
        """Makes an action happen, or goes on with it. Raises Rejected, Retryable."""
        deed: Callable[[TaskView, Story, Action], None] = getattr(self, _DEEDS[type(action)])
        deed(view, story, action)

    def _drive(self, view: TaskView, _: Story, action: Action) -> None:
        """What takes the task alone."""
        name, key = _PLAIN[type(action)]
        call = self.federation.plain(name, self.task)
        self._send_once(f"{key}:{view.state.round}:{view.round.attempt}", call)

    def _commit(self, view: TaskView, _: Story, __: Action) -> None:
        record = self._require_record(view.state.round)
        self._send_once(f"commit:{view.state.round}", self.federation.commit(self.task, record.commitment))

    def _commit_model(self, view: TaskView, story: Story, _: Action) -> None:
        start = self.table.previous(view, story)
        if start is not None:
            record = self._require_record(view.state.round)
            self.prover.commit(view, story, self.manifest(view), start, record, self.dataset(view))

    def _prove(self, view: TaskView, story: Story, action: Prove) -> None:
        self.prover.prove(view, story, self.manifest(view), action.owed)

    def _draw(self, view: TaskView, _: Story, action: DrawChunks) -> None:
        step = "read" if action.drawn else "name"
        call = self.federation.plain("drawChunks", self.task)
        self._send_once(f"draw:{view.state.round}:{action.attempt}:{step}", call)

    def _ask(self, view: TaskView, _: Story, action: Ask) -> None:
        key = f"request:{view.state.round}:{action.index}:{action.chunk}"
        self._send_once(key, self.federation.request(self.task, action.index, action.chunk))

    def _expire(self, view: TaskView, _: Story, action: Expire) -> None:
        self._send_once(f"expire:{view.state.round}:{action.index}", self.federation.expire(self.task, action.index))

    def _compute(self, view: TaskView, story: Story, _: Action) -> None:
        if self.table.settle(view, story) is not None:
            self._hands.note_action()

    def _send_once(self, key: str, call: Call) -> None:
        """Sends under a key that belongs to this task: `WHAT[:MORE]`."""
        what, _, more = key.partition(":")
        self._hands.send(f"{PREFIX}{what}:{self.task}" + (f":{more}" if more else ""), call)

    def _join(self, view: TaskView, _: Story, action: Join) -> None:
        """Only a task that keeps what it promises about privacy, and that the data fits."""
        require_time(view.terms, self.options.least_window)
        self.manifest(view).require_honest(view.terms)
        if self.manifest(view).secure_method is SecureMethod.HOMOMORPHIC:
            require_seal()
        self.dataset(view)
        if not self.prover.is_ready(view, self.manifest(view)):
            return
        proof = self.options.allowed.prove(self.context.account) if any(view.terms.allow_root) else ()
        self._send_once(f"join:{view.state.round}:{action.stake}", self.federation.join(self.task, action.stake, proof))

    def _train(self, view: TaskView, story: Story, _: Action) -> None:
        """Makes the round's update in the background; then journals the opening of the commitment to it."""
        start = self.table.previous(view, story)
        if start is None:
            return
        key = ("training", view.state.round, 0)
        first = self._work.under_way() == 0 and self._work.peek(key) is None
        made = self._work.get(key, self._training(view, start))
        if made is None:
            if first:
                self._hands.say(self.task, "training", round=view.state.round)
            return
        values, samples = self._update(view, start, made), min(made.samples, view.terms.maximum_samples)
        self._journal(view, values, samples)
        self._work.keep(lambda other: other != key)
        self._hands.note_action()

    def _journal(self, view: TaskView, values: Update, samples: int) -> None:
        """Keeps the update and the opening of the commitment to it, before that leaves."""
        number, root, salt = view.state.round, update_tree(values).root, Salt(self.context.rng(32))
        cid = self.files.keep(values.astype("<i2").tobytes())
        chain, me = self.context.client.chain_id, self.context.account
        commitment = update_commitment(chain, self.federation.address, self.task, number, me, root, cid, samples, salt)
        self.context.journal.write(UpdateRecord(OrderId(self.task), commitment, number, root, cid, samples, salt))

    def _training(self, view: TaskView, start: Result) -> Callable[[], LocalUpdate]:
        """The work, with everything that it takes from here read before it begins."""
        manifest, data, former = self.manifest(view), self.dataset(view), self._former(view)
        seed = self.context.rng(32)
        return lambda: train_update(manifest, view.terms, start.model, data, seed, former)

    def _former(self, view: TaskView) -> Update | None:
        """This participant's own update of the round before, if it is at hand."""
        record = self.record(view.state.round - 1)
        if record is None or not self.files.has(record.cid):
            return None
        return self.files.vector(record.cid, record.root, view.terms.dimension, LeafKind.UPDATE)

    def _update(self, _view: TaskView, _start: Result, made: LocalUpdate) -> Update:
        """What is committed to; an attacker makes something else of it."""
        return made.values

    def _require_record(self, number: int) -> UpdateRecord:
        record = self.record(number)
        if record is None:
            raise Rejected(f"round {number}: the opening of the commitment is not in the journal")
        return record

    def _reveal(self, view: TaskView, _: Story, __: Action) -> None:
        record = self._require_record(view.state.round)
        self._publish(record.cid)
        call = self.federation.reveal(self.task, record.root, record.cid, record.samples, record.salt)
        self._send_once(f"reveal:{view.state.round}", call)

    def _speak(self, view: TaskView, story: Story, action: Speak) -> None:
        self._speaker.speak(view, story, action.stage, self.record(view.state.round))

    def _publish(self, cid: CidDigest) -> None:
        """Puts the update where all find it."""
        self.files.publish(cid)

    def _answer(self, view: TaskView, _: Story, action: Answer) -> None:
        index, chunk = action.index, action.chunk
        same = [asked for asked in view.asked if (asked.index, asked.chunk) == (index, chunk)]
        call = self.federation.answer(self.task, index, chunk, self.table.open_chunk(view, index, chunk))
        # Who asks four times for the same must not make the author wait for four blocks: all answers at once.
        for place in range(sum(not asked.open for asked in same), len(same)):
            self._send_once(f"answer:{view.state.round}:{index}:{chunk}:{place}", call)

    def _post(self, view: TaskView, _: Story, __: Action) -> None:
        settled = self.table.settled(view)
        if settled is None:
            return
        material = self._to_post(view, settled.material)
        result, measures = self.files.keep(material.result.file), self.files.keep(material.measures.file)
        self.files.publish(result)
        self.files.publish(measures)
        roots = material.result.root, material.measures.root
        call = self.federation.post(self.task, (roots[0], result), (roots[1], measures), settled.selection)
        self._send_once(f"post:{view.state.round}:{keccak(b''.join(roots))[:8].hex()}", call)

    def _to_post(self, _view: TaskView, honest: Material) -> Material:
        """What it posts as leader, and defends; a liar makes something else of it."""
        return honest

    def defence(self, view: TaskView) -> Material | None:
        """What it shows in a game as what it has posted; None while it is being computed."""
        settled = self.table.settled(view)
        return None if settled is None else self._to_post(view, settled.material)

    def _claim(self, view: TaskView, story: Story, action: Claim) -> None:
        number = action.round
        place, files = view.place_of(self.context.account), story.final(number)
        if place is None or files is None:
            return
        if view.terms.accuracy.asked:  # by what was proven: nothing has to be shown
            call = self.federation.claim_reward(self.task, number, place, Opening(b"", ()))
            self._send_once(f"claim:{number}", call)
            return
        shape = measures_shape(view.terms, self.federation.record(self.task, number), number)
        measures = self.files.measures(files.measures_cid, files.measures_root, shape)
        call = self.federation.claim_reward(self.task, number, place, measures.open(0))
        self._send_once(f"claim:{number}", call)


_PLAIN: dict[type[Any], tuple[str, str]] = {
    Start: ("start", "start"),
    Fail: ("fail", "fail"),
    Finalize: ("finalize", "finalize"),
    ReplaceLeader: ("replaceLeader", "replace"),
    Object: ("object", "object"),
    CountProofs: ("countProofs", "count"),
    Leave: ("leave", "leave"),
}
"""Calls that take the task alone, and the first part of their keys."""

_DEEDS: dict[type[Any], str] = {
    Join: "_join",
    Train: "_train",
    CommitModel: "_commit_model",
    Commit: "_commit",
    DrawChunks: "_draw",
    Prove: "_prove",
    Reveal: "_reveal",
    Ask: "_ask",
    Answer: "_answer",
    Expire: "_expire",
    Compute: "_compute",
    Post: "_post",
    Speak: "_speak",
    Claim: "_claim",
    **dict.fromkeys(_PLAIN, "_drive"),
}
"""The method for each action."""
