"""What a participant proves: that its local model is as accurate on the task's test chunks as it says.

The model is committed to before the update; chunks are drawn, proven in the background and sent to AccuracyProofs. Salt
and network are journalled before the commitment leaves, so a participant that was killed goes on with the same model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from offchain.chain.federated import Federation, Story
from offchain.chain.proofs import Verifiers
from offchain.chain.sender import Call
from offchain.data.dataset import Dataset
from offchain.errors import Bug, Rejected
from offchain.federated.accuracy_part import AccuracyPart, TestChunks
from offchain.federated.local_network import local_network, whole_count
from offchain.federated.manifest import FederatedManifest
from offchain.federated.results import Result
from offchain.federated.round_rules import TaskView
from offchain.federated.terms import AccuracyTerms
from offchain.federated.vector_tree import LeafKind
from offchain.model.files import decode_network, encode_graph, encode_weights
from offchain.model.graph import IntegerNetwork
from offchain.model.limits import ModelLimits
from offchain.proofs.circuit import Circuit
from offchain.proofs.field import Element
from offchain.proofs.prove import prove_accuracy
from offchain.proofs.statement import model_hash
from offchain.proofs.system import CompiledVerifier, Proof, ProofSystem
from offchain.roles.context import RoleContext
from offchain.roles.federated_files import RoundFiles
from offchain.roles.federated_records import ModelRecord, UpdateRecord
from offchain.roles.loop import Hands
from offchain.roles.memo import Memo
from offchain.storage.store import Store
from offchain.types import Commitment, OrderId, TaskId

Systems = Callable[[str], ProofSystem]
"""Opens the proof system of that name. Raises Rejected when a tool is missing."""

WorkKey = tuple[str, int, int]
"""What it is, the round, and a draw."""

_LIMITS: Final = ModelLimits(max_model_bytes=1 << 27, max_tensor_bytes=1 << 27)
_SALT_BYTES: Final = 31
"""248 bits: always below the field's order."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What proofs of a task stand on: the circuit, the test chunks as on chain, what proves in it, and the contract
    that an honest client has registered for it."""

    circuit: Circuit
    tests: TestChunks
    system: ProofSystem
    verifier: CompiledVerifier


def lay_ground(store: Store, terms: AccuracyTerms, part: AccuracyPart, systems: Systems) -> Ground:
    """Fetches the test chunks, compares them with the chain's root, and makes the verifier again; may take minutes.

    Raises Rejected when something is not what the terms say or a tool is missing, Retryable when a file cannot be had.
    """
    circuit, test = part.shape, part.test
    content = store.read(test.cid, max_bytes=test.size, size=test.size)
    data = Dataset.from_bytes(content, max_bytes=test.size, shape=circuit.input_shape, name="test chunks")
    tests = TestChunks(circuit, data)
    tests.require(terms)
    system = systems(part.system)
    return Ground(circuit, tests, system, system.verifier(circuit))


class Prover:
    """Of one account in one task. `work`: where it quantises and proves."""

    def __init__(
        self,
        context: RoleContext,
        task: TaskId,
        federation: Federation,
        files: RoundFiles,
        work: Memo[Any],
        hands: Hands,
        send: Callable[[str, Call], None],
        systems: Systems | None,
    ) -> None:
        self._context = context
        self._task = task
        self._federation = federation
        self._files = files
        self._work = work
        self._hands = hands
        self._send = send
        self._systems = systems
        self._is_compared = False

    def record(self, number: int) -> ModelRecord | None:
        """The journalled model of a round."""
        records = self._context.journal.of_order(ModelRecord, OrderId(self._task))
        return next((record for record in reversed(records) if record.round == number), None)

    def is_ready(self, view: TaskView, manifest: FederatedManifest) -> bool:
        """Whether it can prove in this task; False while that is being found out. For tasks without proofs it can.

        Raises Rejected when circuit, verifier or test chunks are not what the chain says, or a tool is missing.
        """
        return manifest.accuracy is None or self._ground(view, manifest.accuracy) is not None

    def owed(self, view: TaskView) -> tuple[tuple[int, int], ...]:
        """Draws of the round, with their chunks, that this account has still to prove. Raises Retryable."""
        place = view.place_of(self._context.account)
        if view.proofs is None or place is None or not view.round.modelled >> place & 1:
            return ()
        if view.proofs.seed is None or view.now >= view.proofs.prove_until or self.record(view.state.round) is None:
            return ()
        return self._federation.rounds.missing(view.proofs, self._context.account)

    def commit(
        self,
        view: TaskView,
        story: Story,
        manifest: FederatedManifest,
        start: Result,
        record: UpdateRecord,
        data: Dataset,
    ) -> None:
        """Commits to the model that the update makes of the round's, unless it would be left out.

        `data`: what calibrates it. Raises Rejected when it has outgrown the circuit, or is not good enough.
        """
        number = view.state.round
        mine = self.record(number)
        if mine is None:
            mine = self._made(view, manifest, start, record, data)
        if mine is None:
            return
        call = self._federation.commit_model(self._task, self._committed(story, number, mine))
        self._send(f"model:{number}", call)

    def prove(
        self, view: TaskView, story: Story, manifest: FederatedManifest, owed: tuple[tuple[int, int], ...]
    ) -> None:
        """Proves what is owed, one draw after the other, and sends each proof as soon as it is there."""
        record = self.record(view.state.round)
        if manifest.accuracy is None or view.proofs is None or record is None:
            raise Rejected(f"round {view.state.round}: the model that was committed to is not in the journal")
        ground = self._ground(view, manifest.accuracy)
        if ground is None:
            return
        for draw, chunk in owed:
            proof = self._proof(view, story, ground, record, draw, chunk)
            if proof is None:
                return
            path = ground.tests.tree.prove(chunk)
            rounds, me = self._federation.rounds, self._context.account
            self._send(f"prove:{view.state.round}:{draw}", rounds.submit(view.proofs.round, me, draw, proof, path))

    # What adversaries do otherwise

    def _committed(self, _story: Story, _number: int, record: ModelRecord) -> int:
        """The hash that it commits to."""
        return record.model_hash

    def _proof(
        self, view: TaskView, _story: Story, ground: Ground, record: ModelRecord, draw: int, chunk: int
    ) -> Proof | None:
        """The proof of a draw; None while it is being made."""
        binding = self._binding(view.state.round)
        network = self._network(record)

        def work() -> Proof:
            samples, salt = ground.tests.chunks[chunk], Element(record.salt)
            return prove_accuracy(network, samples, binding, salt, ground.system, circuit=ground.circuit)

        return self._work.get(("proof", view.state.round, draw), work)

    # The ground

    def _ground(self, view: TaskView, part: AccuracyPart) -> Ground | None:
        """Everything that is checked once; None while it is being made."""
        systems = self._systems
        if systems is None:
            raise Rejected(f"task {self._task}: taking part needs proofs of accuracy, and no proof system is set up")
        terms, store = view.terms.accuracy, self._context.store
        ground = self._work.get(("ground", 0, 0), lambda: lay_ground(store, terms, part, systems))
        if ground is not None and not self._is_compared:
            Verifiers(self._context.contracts).require(terms.verifier, ground.verifier)
            self._is_compared = True
        return ground

    # The model

    def _made(
        self, view: TaskView, manifest: FederatedManifest, start: Result, update: UpdateRecord, data: Dataset
    ) -> ModelRecord | None:
        """The round's model, journalled; None while it is being made."""
        if manifest.accuracy is None:
            raise Bug("a model is committed to in a task without proofs")
        number, ground = view.state.round, self._ground(view, manifest.accuracy)
        if ground is None:
            return None
        values = self._files.vector(update.cid, update.root, view.terms.dimension, LeafKind.UPDATE)

        def work() -> tuple[IntegerNetwork, int]:
            network = local_network(manifest, view.terms, start.model, values, data)
            return network, whole_count(ground.circuit, network, ground.tests.chunks)

        found = self._work.get(("model", number, 0), work)
        if found is None:
            return None
        network, right = found
        self._work.keep(lambda key: key[1] >= number or key[0] == "ground")
        self._require_enough(view, right, ground)
        return self._journal(number, ground.circuit, network)

    def _require_enough(self, view: TaskView, right: int, ground: Ground) -> None:
        """An update that is left out would be shown, and paid, for nothing."""
        terms, chunks = view.terms.accuracy, len(ground.tests.chunks)
        least = -(-terms.minimum_correct * chunks // terms.draws)
        if right < least:
            raise Rejected(
                f"round {view.state.round}: the model has {right} of {chunks * ground.circuit.samples} test samples "
                f"right and needs {least}; it stays out of this round"
            )

    def _journal(self, number: int, circuit: Circuit, network: IntegerNetwork) -> ModelRecord:
        salt = int.from_bytes(self._context.rng(_SALT_BYTES), "big")
        committed = model_hash(circuit, network, Element(salt), self._binding(number))
        graph, weights = self._files.keep(encode_graph(network)), self._files.keep(encode_weights(network))
        commitment = Commitment(committed.to_bytes(32, "big"))
        record = ModelRecord(OrderId(self._task), commitment, number, salt, graph, weights)
        self._context.journal.write(record)
        self._hands.note_action()
        return record

    def _network(self, record: ModelRecord) -> IntegerNetwork:
        graph, weights = self._files.kept(record.graph), self._files.kept(record.weights)
        return decode_network(graph, weights, _LIMITS)

    def _binding(self, number: int) -> Element:
        """The public input `prover` of this account in a round of the task."""
        rounds = self._federation.rounds
        return rounds.binding(self._federation.proof_round(self._task, number), self._context.account)
