"""A client's federated tasks: from what it wants to terms on chain; the model that came out of it."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from offchain.chain.contracts import AssayContracts
from offchain.chain.federated import Federation
from offchain.chain.sending import Intended, Sending
from offchain.errors import Bug, Rejected
from offchain.federated.aggregation.rule import Rule, RuleId
from offchain.federated.allow_list import AllowList
from offchain.federated.fixed_point import Model
from offchain.federated.manifest import FederatedManifest, LocalTerms, Privacy, SecureMethod, ledger_of
from offchain.federated.parameters import float_model, initial_model
from offchain.federated.results import Result, initial_result
from offchain.federated.server_optimizer import ServerOptimizer
from offchain.federated.terms import (
    AccuracyTerms,
    FederatedTerms,
    FederatedWindows,
    Mode,
    OptimizerTerms,
    PrivacyTerms,
    RuleTerms,
    least_request_bond,
)
from offchain.model.float_model import FloatModel, Scaling
from offchain.model.spec import ModelSpec
from offchain.protocol.hashing import keccak
from offchain.protocol.manifest import MAX_MANIFEST_BYTES, Preprocessing
from offchain.roles.federated_accuracy import AccuracyRequest, PreparedAccuracy, prepare_accuracy
from offchain.roles.funding import require_tokens
from offchain.storage.cid import Cid
from offchain.storage.store import Store
from offchain.types import CidDigest, Ppm, TaskId, Wei

DEFAULT_SCALE_BITS: Final = 14
"""An update reaches two, in steps of 0.00006."""

PENALTY_PART: Final = 10
"""A leader that does not post loses this part of the bond, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """What a client wants. `reward` is for each round; amounts in wei, windows in seconds.

    `model`: int32 (d,) to begin with; without it one is drawn with `seed`. Penalty and bond of requests follow from
    bond and reward unless they are given.
    """

    title: str
    spec: ModelSpec
    classes: tuple[str, ...]
    rounds: int
    reward: Wei
    bond: Wei
    windows: FederatedWindows
    preprocessing: Preprocessing | None = None
    local: LocalTerms = field(default_factory=LocalTerms)
    privacy: Privacy | None = None
    secure_method: SecureMethod = SecureMethod.MASKING
    mode: Mode = Mode.PLAIN
    group_size: int = 0
    minimum_participants: int = 3
    maximum_participants: int = 16
    rule: Rule = field(default_factory=lambda: Rule(RuleId.MEAN))
    optimizer: ServerOptimizer = field(default_factory=ServerOptimizer)
    scale_bits: int = DEFAULT_SCALE_BITS
    maximum_samples: int = 1 << 16
    leader_penalty: Wei | None = None
    request_bond: Wei | None = None
    leader_share_ppm: Ppm = field(default_factory=lambda: Ppm(50_000))
    allowed: AllowList = field(default_factory=AllowList)
    model: Model | None = None
    seed: int = 0
    accuracy: AccuracyRequest | None = None


@dataclass(frozen=True, slots=True)
class PreparedTask:
    """A task whose manifest and first model are in the store; `accuracy`: what is to be proven, with its verifier."""

    terms: FederatedTerms
    manifest: FederatedManifest
    first: Result
    accuracy: PreparedAccuracy | None = None


def prepare_task(store: Store, request: TaskRequest) -> PreparedTask:
    """Makes manifest, first model and terms, and stores the files. Raises Rejected when something does not fit."""
    manifest = FederatedManifest(
        title=request.title,
        spec=request.spec.model_dump(mode="json", exclude_none=True),
        classes=request.classes,
        preprocessing=request.preprocessing,
        local=request.local,
        privacy=request.privacy,
        secure_method=request.secure_method,
    )
    model = request.model
    if model is None:
        model = initial_model(request.spec, seed=request.seed, scale_bits=request.scale_bits)
    accuracy = None
    if request.accuracy is not None:
        accuracy = prepare_accuracy(store, request.accuracy, manifest, model, request.scale_bits)
        manifest = FederatedManifest(**{**dict(manifest), "accuracy": accuracy.part})
    asked = AccuracyTerms() if accuracy is None else accuracy.terms
    first = initial_result(request.optimizer, model)
    content = manifest.to_bytes()
    draft = _terms(request, manifest, first, CidDigest(bytes(32)), CidDigest(bytes(32)), asked)
    draft.check()
    manifest.require_honest(draft)
    spec_cid, model_cid = store.add(content).digest, store.add(first.file.tobytes()).digest
    return PreparedTask(_terms(request, manifest, first, spec_cid, model_cid, asked), manifest, first, accuracy)


def _terms(
    request: TaskRequest,
    manifest: FederatedManifest,
    first: Result,
    spec_cid: CidDigest,
    model_cid: CidDigest,
    accuracy: AccuracyTerms,
) -> FederatedTerms:
    def build(privacy: PrivacyTerms) -> FederatedTerms:
        return FederatedTerms(
            spec_hash=manifest.spec_hash,
            spec_cid=spec_cid,
            model_root=first.root,
            model_cid=model_cid,
            dimension=first.shape.dimension,
            rounds=request.rounds,
            minimum_participants=request.minimum_participants,
            maximum_participants=request.maximum_participants,
            mode=request.mode,
            group_size=request.group_size,
            scale_bits=request.scale_bits,
            maximum_samples=request.maximum_samples,
            rule=RuleTerms.of(request.rule),
            optimizer=OptimizerTerms.of(request.optimizer),
            privacy=privacy,
            windows=request.windows,
            reward=request.reward,
            bond=request.bond,
            leader_penalty=request.leader_penalty or Wei(max(request.bond // PENALTY_PART, 1)),
            request_bond=request.request_bond
            or least_request_bond(request.reward, request.minimum_participants, request.leader_share_ppm),
            leader_share_ppm=request.leader_share_ppm,
            allow_root=request.allowed.root,
            accuracy=accuracy,
        )

    return build(ledger_of(manifest.budget(build(PrivacyTerms()))))


def create_task(contracts: AssayContracts, sender: Sending, terms: FederatedTerms, *, intent: str) -> TaskId:
    """Escrows the rewards of all rounds and puts the task; waits until it is final; its number.

    `intent` names this one act: calling again with the same name does nothing. Raises Rejected when the account cannot
    pay, ContractRejected when the contract refuses, Retryable when the node is down.
    """
    federation, key = Federation(contracts), f"federated-create:{intent}"
    if not sender.knows(key):
        require_tokens(contracts, sender.address, terms.escrow, "--reward: the task, reward x rounds,")
    approve = contracts.token.functions.approve(federation.address, terms.escrow)
    tickets = sender.submit_many(
        [Intended(f"federated-approve:{intent}", approve), Intended(key, federation.create(terms))]
    )
    receipt = sender.wait_all(tickets)[-1]
    events = (federation.decoder.decode(log) for log in receipt.logs)
    created = next((event for event in events if event is not None and event.name == "TaskCreated"), None)
    if created is None:
        raise Bug("a task was created without its event")
    return TaskId(created.arguments["task"])


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """The model in force after a round (0: the one it began with); its result is the one whose root is on chain."""

    task: TaskId
    round: int
    terms: FederatedTerms
    manifest: FederatedManifest
    result: Result

    @property
    def float_model(self) -> FloatModel:
        """As it is delivered."""
        scaling = Scaling(input_scale=self.manifest.local.input_scale)
        return float_model(self.manifest.model_spec, self.result.model, self.terms.scale_bits, scaling)


def fetch_manifest(store: Store, terms: FederatedTerms) -> FederatedManifest:
    """A task's manifest. Raises Rejected when it is not what the chain says, Retryable when it cannot be had now."""
    cid = Cid(terms.spec_cid)
    content = store.read(cid, max_bytes=MAX_MANIFEST_BYTES)
    if keccak(content) != terms.spec_hash:
        raise Rejected(f"manifest {cid}: its hash is not the one on chain; the client lied about it")
    return FederatedManifest.parse(content, source=str(cid))


def fetch_trained(federation: Federation, store: Store, task: TaskId, *, number: int | None = None) -> TrainedModel:
    """The model of the last final round, or of round `number`, verified against the chain.

    Raises Rejected when there is no such round or a file is not what the chain says; Retryable when it cannot be had.
    """
    terms, head = federation.terms(task), federation.client.head()
    story = federation.story(task, head)
    finals = story.results()
    wanted = (finals[-1] if finals else 0) if number is None else number
    root, cid = terms.model_root, terms.model_cid
    if wanted:
        files = story.final(wanted)
        if files is None:
            there = f"final are {', '.join(map(str, finals))}" if finals else "none is final yet"
            raise Rejected(f"--round {wanted}: that round of task {task} is not final; {there}")
        root, cid = files.result_root, files.result_cid
    size = terms.result_shape.file_bytes
    content = store.read(Cid(cid), max_bytes=size, size=size)
    result = Result(terms.result_shape, np.frombuffer(content, dtype=np.uint8))
    if result.root != root:
        raise Rejected(f"result {Cid(cid)}: its root is not the one on chain; whoever posted it lied about its file")
    return TrainedModel(task, wanted, terms, fetch_manifest(store, terms), result)
