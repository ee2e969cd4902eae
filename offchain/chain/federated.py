"""Federated tasks as workers see them: one block's view of a task, its story from events, calls.

Views are of the latest block, for windows run and a step that the chain then forgets is refused the next time. What is
journalled does not depend on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import encode as abi_encode
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak
from web3.contract.contract import ContractFunction

from offchain.chain.artifacts import load_artifact
from offchain.chain.client import BlockRef
from offchain.chain.contracts import AssayContracts
from offchain.chain.errors import ContractRejected
from offchain.chain.event_decoder import Event, EventDecoder
from offchain.chain.history import History
from offchain.chain.proofs import AccuracyRounds
from offchain.chain.views import decode, encode
from offchain.errors import Rejected
from offchain.federated.round_rules import Asked, TaskView
from offchain.federated.task_state import (
    Participant,
    Posting,
    RoundRecord,
    RoundState,
    TaskPhase,
    TaskState,
    UpdateRequest,
    indices,
)
from offchain.federated.terms import FederatedTerms
from offchain.federated.vector_tree import Opening
from offchain.proofs.rounds import RoundId, RoundView, round_id
from offchain.types import CidDigest, Commitment, Root, Salt, TaskId, Wei

NAME = "FederatedTraining"


@dataclass(frozen=True, slots=True)
class Files:
    """Where a posting's files are, and what they hold."""

    round: int
    posting: int
    result_root: Root
    result_cid: CidDigest
    measures_root: Root
    measures_cid: CidDigest


_BONDS = ("Requested", "RequestExpired")
"""What puts up a bond, and what gives it back."""


class Story:
    """What a task's events say, in order. Forgets what the chain forgets."""

    def __init__(self, history: History, task: TaskId) -> None:
        self._history = history
        self._task = task
        self._last: BlockRef | None = None
        self.events: tuple[Event, ...] = ()

    def read(self, head: BlockRef, *, descends: bool) -> None:
        """Reads on up to `head`, from the beginning unless it `descends` from the one before. Raises Retryable."""
        if self._last is not None and not descends:
            self._last, self.events = None, ()
        since = None if self._last is None else self._last.number + 1
        found: list[Event] = []
        for event in self._history.backwards((None, self._task.to_bytes(32, "big")), last=head.number, since=since):
            found.append(event)
            if event.name == "TaskCreated":
                break
        self.events = (*self.events, *reversed(found))
        self._last = head

    @property
    def last(self) -> BlockRef | None:
        """The block up to which it was read."""
        return self._last

    def named(self, name: str, number: int | None = None) -> list[Event]:
        """The events of that name, of round `number` if it is given."""
        found = (event for event in self.events if event.name == name)
        return [event for event in found if number is None or event.arguments.get("round") == number]

    def update_cids(self, number: int) -> dict[int, CidDigest]:
        """Where the updates of a round are, by index: revealed ones, or masked vectors."""
        events = (*self.named("Revealed", number), *self.named("MaskedPosted", number))
        return {event.arguments["index"]: CidDigest(event.arguments["cid"]) for event in events}

    def answered(self, number: int, index: int) -> dict[int, bytes]:
        """Chunks of an update that were shown on chain."""
        events = self.named("Answered", number)
        return {e.arguments["chunk"]: e.arguments["content"] for e in events if e.arguments["index"] == index}

    def postings(self) -> tuple[Files, ...]:
        """All postings of the task."""
        names = ("round", "posting", "resultRoot", "resultCid", "measuresRoot", "measuresCid")
        return tuple(Files(*(event.arguments[name] for name in names)) for event in self.named("ResultPosted"))

    def final(self, number: int) -> Files | None:
        """The posting that became final in a round."""
        if not self.named("RoundFinal", number):
            return None
        return [files for files in self.postings() if files.round == number][-1]

    def bonds_of(self, account: ChecksumAddress) -> int:
        """How many bonds of requests the account has put up and not got back: they wait, or went to an author."""
        asked, back = ([e for e in self.named(n) if e.arguments["asker"] == account] for n in _BONDS)
        return len(asked) - len(back)

    def results(self) -> list[int]:
        """The rounds that became final, ascending."""
        return [event.arguments["round"] for event in self.named("RoundFinal")]


class Federation:
    """The federated tasks of one deployment."""

    def __init__(self, contracts: AssayContracts) -> None:
        self.client = contracts.client
        self.contract = contracts.federation
        self.decoder = EventDecoder({self.contract.address: (NAME, load_artifact(NAME).abi)})
        self.rounds = AccuracyRounds(contracts)
        self._history = History(self.client, self.decoder, first=contracts.addresses.block)
        self._terms: dict[TaskId, FederatedTerms] = {}
        self._stories: dict[TaskId, Story] = {}

    @property
    def address(self) -> ChecksumAddress:
        """Of the contract."""
        return self.contract.address

    # Reads

    def task_count(self) -> int:
        """Tasks so far; their ids are 1 to this. Raises Retryable."""
        return int(self.client.call(self.contract.functions.taskCount(), contract=NAME))

    def require(self, number: int) -> TaskId:
        """The task with that number. Raises Rejected when there is none."""
        count = self.task_count()
        if not 1 <= number <= count:
            there = "there are none yet" if count == 0 else f"there are tasks 1 to {count}"
            raise Rejected(f"TASK {number}: no such federated task, {there}; see `assay federate status`")
        return TaskId(number)

    def terms(self, task: TaskId) -> FederatedTerms:
        """A task's terms, which never change; read again only when the chain forgot the task. Raises Retryable."""
        if task not in self._terms:
            values = self.client.call(self.contract.functions.termsOf(task), contract=NAME)
            self._terms[task] = decode(FederatedTerms, values)
        return self._terms[task]

    def view(self, task: TaskId, head: BlockRef) -> TaskView:
        """The task as of one block. Raises Retryable, ContractRejected (UnknownTask)."""
        functions, block, terms = self.contract.functions, head.number, self.terms(task)
        calls = [functions.taskOf(task), functions.roundOf(task), functions.phaseOf(task)]
        found = self.client.call_many(calls, block=block, contract=NAME)
        state, on = decode(TaskState, found[0]), decode(RoundState, found[1])
        phase = TaskPhase(found[2])
        joined = range(state.participants)
        places = self.client.call_many(
            [functions.participantAt(task, index) for index in joined], block=block, contract=NAME
        )
        return TaskView(
            task=task,
            terms=terms,
            state=state,
            round=on,
            phase=phase,
            participants=tuple(decode(Participant, values) for values in places),
            leader=self._leader(task, phase, block),
            asked=self._asked(task, state.round, on, block) if phase in (TaskPhase.REQUEST, TaskPhase.ANSWER) else (),
            now=head.timestamp,
            block=block,
            proofs=self._proofs(task, terms, state.round, on, block),
        )

    def _leader(self, task: TaskId, phase: TaskPhase, block: int) -> int | None:
        if phase is not TaskPhase.AGGREGATE:
            return None
        try:
            return int(self.client.call(self.contract.functions.leaderOf(task), block=block, contract=NAME))
        except ContractRejected:
            return None  # NobodyCanLead, TooFewColumns

    def _proofs(self, task: TaskId, terms: FederatedTerms, number: int, on: RoundState, block: int) -> RoundView | None:
        """The round's proofs of accuracy; the first model that is committed to opens them."""
        if not terms.accuracy.asked or not on.modelled:
            return None
        return self.rounds.view(self.proof_round(task, number), block)

    def proof_round(self, task: TaskId, number: int) -> RoundId:
        """The id in AccuracyProofs of a round of a task: known before it is opened."""
        return round_id(self.address, bytes(keccak(abi_encode(["uint256", "uint256"], [task, number]))))

    def _asked(self, task: TaskId, number: int, on: RoundState, block: int) -> tuple[Asked, ...]:
        members = list(indices(on.included))
        calls = [self.contract.functions.requestsOf(task, index) for index in members]
        found = self.client.call_many(calls, block=block, contract=NAME)
        asked = (
            (index, decode(UpdateRequest, values))
            for index, some in zip(members, found, strict=True)
            for values in some
        )
        return tuple(Asked(index, one.chunk, one.asker, one.open) for index, one in asked if one.round == number)

    def record(self, task: TaskId, number: int) -> RoundRecord:
        """What remains of a round. Raises Retryable."""
        return decode(RoundRecord, self.client.call(self.contract.functions.recordOf(task, number), contract=NAME))

    def posting(self, task: TaskId) -> Posting:
        """What is posted. Raises ContractRejected when nothing is, Retryable."""
        return decode(Posting, self.client.call(self.contract.functions.postingOf(task), contract=NAME))

    def column_weights(self, task: TaskId) -> tuple[int, ...]:
        """The weights of the round's columns. Raises Retryable."""
        return tuple(self.client.call(self.contract.functions.columnWeights(task), contract=NAME))

    def story(self, task: TaskId, head: BlockRef) -> Story:
        """The task's events up to a block. Raises Retryable."""
        story = self._stories.setdefault(task, Story(self._history, task))
        last = story.last
        if last is None or last.hash != head.hash:
            descends = last is not None and head.number > last.number and self._is_on_chain(last)
            story.read(head, descends=descends)
        return story

    def _is_on_chain(self, block: BlockRef) -> bool:
        return self.client.block(block.number).hash == block.hash

    # Calls

    def create(self, terms: FederatedTerms) -> ContractFunction:
        """The call that puts a task and escrows its rewards."""
        return self.contract.functions.create(encode(terms))

    def join(self, task: TaskId, stake: Wei, proof: Sequence[bytes]) -> ContractFunction:
        """The call that locks the stake and takes a place."""
        return self.contract.functions.join(task, stake, list(proof))

    def commit(self, task: TaskId, commitment: Commitment) -> ContractFunction:
        """The call that commits to an update."""
        return self.contract.functions.commit(task, commitment)

    def commit_model(self, task: TaskId, model_hash: int) -> ContractFunction:
        """The call that commits to the local model whose accuracy is to be proven."""
        return self.contract.functions.commitModel(task, model_hash)

    def reveal(self, task: TaskId, root: Root, cid: CidDigest, samples: int, salt: Salt) -> ContractFunction:
        """The call that opens a commitment."""
        return self.contract.functions.reveal(task, root, cid, samples, salt)

    def request(self, task: TaskId, index: int, chunk: int) -> ContractFunction:
        """The call that asks for a chunk."""
        return self.contract.functions.request(task, index, chunk)

    def answer(self, task: TaskId, index: int, chunk: int, opening: Opening) -> ContractFunction:
        """The call that shows a chunk."""
        return self.contract.functions.answer(task, index, chunk, opening.content, list(opening.proof))

    def expire(self, task: TaskId, index: int) -> ContractFunction:
        """The call that drops an update for which nobody answered."""
        return self.contract.functions.expire(task, index)

    def post(
        self,
        task: TaskId,
        result: tuple[Root, CidDigest],
        measures: tuple[Root, CidDigest],
        selection: int,
    ) -> ContractFunction:
        """The call that posts result and measures, each as root and CID."""
        return self.contract.functions.post(task, *result, *measures, selection)

    def claim_reward(self, task: TaskId, number: int, index: int, row: Opening) -> ContractFunction:
        """The call that pays a participant its part of a final round."""
        return self.contract.functions.claimReward(task, number, index, row.content, list(row.proof))

    def plain(self, name: str, task: TaskId) -> ContractFunction:
        """A call that takes the task alone: start, cancel, leave, withdraw, replaceLeader, object, finalize, fail,
        drawChunks, countProofs."""
        call: ContractFunction = getattr(self.contract.functions, name)(task)
        return call
