"""What lies on a participant's table in a round: the updates it can get, the result before, what follows from them.

Everything is fetched and computed in the background and only once; nothing of it has to survive a restart.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass

from eth_typing import ChecksumAddress

from offchain.chain.federated import Story
from offchain.errors import Rejected, Retryable
from offchain.federated.game.material import Material, compute, judge, right_selection
from offchain.federated.manifest import FederatedManifest, SecureMethod
from offchain.federated.measures import Measures, MeasuresShape
from offchain.federated.results import Result
from offchain.federated.round_rules import Expected, TaskView
from offchain.federated.settlement import survivors
from offchain.federated.task_state import Posting, TaskPhase
from offchain.federated.vector_tree import LeafKind, Opening
from offchain.roles.federated_files import RoundFiles, Vector, vector_tree
from offchain.roles.federated_homomorphic import HomomorphicSessions
from offchain.roles.federated_homomorphic_speaker import HomomorphicSpeaker
from offchain.roles.federated_sessions import Combine, Sessions
from offchain.roles.memo import Memo
from offchain.types import CidDigest, Root, Seconds

Key = tuple[str, int, int]
"""What it is, the round, and an index, a posting or a bitmap."""

GATHERING = frozenset(
    {
        TaskPhase.REVEAL,
        TaskPhase.REQUEST,
        TaskPhase.ANSWER,
        TaskPhase.PROVE,
        TaskPhase.UNMASK,
        TaskPhase.AGGREGATE,
        TaskPhase.CHALLENGE,
    }
)
"""Phases in which a participant wants the updates that are revealed."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A round's honest outcome: what follows from its columns, and what has to be selected."""

    material: Material
    selection: int

    @property
    def expected(self) -> Expected:
        """What the chain must hold."""
        return Expected(self.material.result.root, self.material.measures.root, self.selection)


class Table:
    """Of one account and one task. Reads raise what fetching has raised: Retryable, or Rejected for a wrong file."""

    def __init__(
        self,
        chain: int,
        contract: ChecksumAddress,
        files: RoundFiles,
        executor: Executor,
        *,
        account: ChecksumAddress | None = None,
        manifest: Callable[[TaskView], FederatedManifest] | None = None,
    ) -> None:
        """`account`: whose table it is; `manifest`: of the task, which says how secure mode sums."""
        self._files = files
        self._memo: Memo[Key] = Memo(executor)
        self._account = account
        self._manifest = manifest
        self.sessions = Sessions(chain, contract, files, self._memo)
        self.homomorphic = HomomorphicSessions(self.sessions, files, self._memo)
        self.speaker = HomomorphicSpeaker(self.homomorphic, files, self._memo)
        self._wanted: dict[tuple[int, int], Seconds] = {}
        self._picked_up = 0

    def has_news(self) -> bool:
        """Whether something has ended since the last `clear`."""
        return self._memo.done() != self._picked_up

    def under_way(self) -> int:
        """How much is being fetched and computed."""
        return self._memo.under_way()

    def clear(self, number: int) -> None:
        """Forgets rounds before the last one."""
        self._memo.keep(lambda key: key[1] >= number - 1)
        self._wanted = {key: since for key, since in self._wanted.items() if key[0] >= number}
        self._picked_up = self._memo.done()

    def close(self) -> None:
        """Begins nothing any more."""
        self._memo.close()

    def is_homomorphic(self, view: TaskView) -> bool:
        """Whether groups sum by homomorphic encryption. Raises Rejected, Retryable when the manifest cannot be had."""
        if not view.terms.is_secure or self._manifest is None:
            return False
        return self._manifest(view).secure_method is SecureMethod.HOMOMORPHIC

    # Updates

    def gather(self, view: TaskView, story: Story) -> None:
        """Tries to get every update that is included (homomorphic mode: that this account adds, and its own).

        Says nothing about those that cannot be had.
        """
        if view.phase not in GATHERING:
            return
        cids = story.update_cids(view.state.round)
        try:
            wanted = self._wanted_of(view, story)
        except (Rejected, Retryable):
            return
        for index in wanted:
            chunks = story.answered(view.state.round, index)
            if index in cids:
                self._wanted.setdefault((view.state.round, index), view.now)
                self._fetch(view, index, cids[index], chunks)

    def _wanted_of(self, view: TaskView, story: Story) -> Iterable[int]:
        if not self.is_homomorphic(view):
            return view.included
        place = None if self._account is None else view.place_of(self._account)
        return sorted(self.homomorphic.wanted(view, story, place))

    def _fetch(self, view: TaskView, index: int, cid: CidDigest, chunks: dict[int, bytes]) -> None:
        root, dimension = Root(view.participants[index].word), view.terms.dimension
        kind = LeafKind.MASKED if view.terms.is_secure else LeafKind.UPDATE

        sums_ciphertexts = self.is_homomorphic(view)

        def work() -> Vector:
            if sums_ciphertexts:
                return self.homomorphic.card(view, index, cid)
            found = self._files.assemble(chunks, root, dimension, kind) if chunks else None
            return self._files.vector(found or cid, root, dimension, kind)

        try:
            self._memo.get(("update", view.state.round, index), work)
        except (Rejected, Retryable):
            return  # it counts as missing

    def updates(self, view: TaskView) -> dict[int, Vector]:
        """The included updates (masked vectors, cards of ciphertexts) that are at hand, by index."""
        found = ((index, self._memo.peek(("update", view.state.round, index))) for index in view.included)
        return {index: update for index, update in found if update is not None}

    def missing(self, view: TaskView) -> frozenset[int]:
        """Included updates that could not be had.

        Also those that a store still searches for after a quarter of the window: it may search for longer than there is
        time to ask, and a file that is never found would be asked for by nobody.
        """
        number, have, patience = view.state.round, self.updates(view), view.terms.windows.request // 4

        def is_missing(index: int) -> bool:
            since = self._wanted.get((number, index), view.now)
            return self._memo.has_failed(("update", number, index)) or view.now >= since + patience

        return frozenset(index for index in view.included if index not in have and is_missing(index))

    def open_chunk(self, view: TaskView, index: int, chunk: int) -> Opening:
        """A chunk of an update that is at hand."""
        return vector_tree(self.updates(view)[index]).open(chunk)

    # Results

    def previous(self, view: TaskView, story: Story) -> Result | None:
        """The last final result; None while it is being fetched."""
        finals = story.results()
        root, shape = view.state.model_root, view.terms.result_shape
        if finals:
            files = story.final(finals[-1])
            cid = view.terms.model_cid if files is None else files.result_cid
        else:
            cid = view.terms.model_cid
        number = view.state.round
        return self._memo.get(("previous", number, 0), lambda: self._files.result(cid, root, shape))

    def settle(self, view: TaskView, story: Story) -> Settled | None:
        """What the round's posting must be; None while something is missing or being worked on."""
        found = self.settled(view)
        updates, homomorphic = self.updates(view), self.is_homomorphic(view)
        if found is not None or (not homomorphic and (set(updates) != set(view.included) or not updates)):
            return found
        previous = self.previous(view, story)
        if previous is None:
            return None
        columns = self._columns(view, story, updates)
        if columns is None:
            return None
        terms, combine = view.terms, columns

        def work() -> Settled:
            vectors, weights = combine()
            selection = right_selection(terms.rule, vectors)
            material = compute(
                terms.rule,
                terms.optimizer,
                vectors,
                weights,
                previous,
                selection=selection,
                secure=terms.is_secure,
            )
            self._files.keep_computed(material.result.file, material.result.root)
            self._files.keep_computed(material.measures.file, material.measures.root)
            return Settled(material, selection)

        return self._memo.get(self._settled_key(view), work)

    def settled(self, view: TaskView) -> Settled | None:
        """What `settle` has found."""
        found: Settled | None = self._memo.peek(self._settled_key(view))
        return found

    def _settled_key(self, view: TaskView) -> Key:
        return ("settled", view.state.round, view.round.included << 128 | view.round.answered)

    def judge(self, view: TaskView, posting: Posting) -> Material | None:
        """What the posting in force ought to be, given what it says was selected; None while that is not known."""
        found = self.settled(view)
        if found is None:
            return None
        if found.selection == posting.selection:
            return found.material
        own = found.material

        def work() -> Material:
            return judge(posting, own.columns, own.weights, own.previous)

        return self._memo.get(("judged", view.state.round, posting.posting), work)

    def theirs(self, view: TaskView, story: Story) -> tuple[Result | None, Measures | None] | None:
        """The leader's own files, each None if it cannot be had; None while they are being fetched."""
        files = next((files for files in story.postings() if files.posting == view.round.posting), None)
        if files is None:
            return None, None
        shape = view.terms.result_shape
        columns = len(survivors(view.terms, view.state.seed, view.state.round, view.round))
        rows = MeasuresShape(columns, view.terms.rule.evidence, secure=view.terms.is_secure)

        def work() -> tuple[Result | None, Measures | None]:
            result: Result | None = None
            measures: Measures | None = None
            try:
                result = self._files.result(files.result_cid, files.result_root, shape)
            except (Rejected, Retryable):
                result = None
            try:
                measures = self._files.measures(files.measures_cid, files.measures_root, rows)
            except (Rejected, Retryable):
                measures = None
            return result, measures

        return self._memo.get(("theirs", view.state.round, files.posting), work)

    def _columns(self, view: TaskView, story: Story, updates: dict[int, Vector]) -> Combine | None:
        """How the round's columns and their weights are made; None while something for it is being fetched."""
        if self.is_homomorphic(view):
            return self.homomorphic.combine(view, story)
        if view.terms.is_secure:
            return self.sessions.combine(view, story, updates)
        order = sorted(updates)
        columns = [updates[index] for index in order], [view.participants[index].samples for index in order]
        return lambda: columns
