"""From a client's own data to an order that can be put: split, quantise, store, commit.

Nothing leaves the machine's store and nothing is spent here; `put_order` in `client` does that.
"""

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from eth_typing import ChecksumAddress

from offchain.chain.contracts import AssayContracts
from offchain.chain.views import OrderTerms, ProtocolParameters
from offchain.data.dataset import Dataset
from offchain.data.preprocessing import Quantiser, fit_preprocessing
from offchain.data.raw import RawData
from offchain.data.split import split
from offchain.errors import Rejected
from offchain.model.limits import MAX_TEST_SAMPLES
from offchain.model.roots import compute_test_root
from offchain.model.spec import ModelSpec
from offchain.model.suitability import default_function, require_scored, require_trainable
from offchain.protocol.commitments import client_commitment
from offchain.protocol.manifest import FileRef, OrderManifest
from offchain.protocol.scores import MAX_SAMPLE_ERROR, MAX_SQUARED_ERROR, NO_MINIMUM, PPM, ScoreFunction
from offchain.roles.funding import format_tokens, require_tokens
from offchain.roles.journal import Journal
from offchain.roles.records import TestSetRecord
from offchain.roles.score_units import error_unit
from offchain.storage.cid import Cid
from offchain.storage.store import Store
from offchain.types import Salt, Wei


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a client wants. `reward` in wei, times in seconds, sizes in bytes.

    Without a `test` set of its own, `test_fraction` of the training samples is split off with `seed`, of each class
    alike. `score_function`: accuracy or mean absolute error unless it says otherwise. `minimum_score_ppm`: the least
    mean score per sample, in millionths, that can win; for what is an error `maximum_mean_error` says it instead, in
    units of the label, their square, or for cross-entropy in bits.
    """

    title: str
    train: RawData
    spec: ModelSpec
    reward: Wei
    train_seconds: int
    reveal_seconds: int
    validate_seconds: int
    challenge_seconds: int
    score_function: ScoreFunction | None = None
    minimum_validators: int = 1
    minimum_score_ppm: int = NO_MINIMUM
    maximum_mean_error: float | None = None
    test: RawData | None = None
    test_fraction: float = 0.2
    seed: int = 0
    max_model_bytes: int | None = None
    max_tensor_bytes: int | None = None

    @property
    def scored_by(self) -> ScoreFunction:
        """The score function, by the task where it is not said."""
        return self.score_function or default_function(self.train.task)


class Desk(Protocol):
    """What preparing an order takes; a RoleContext has it, and so has a ClientDesk."""

    @property
    def contracts(self) -> AssayContracts:
        """The deployment."""

    @property
    def account(self) -> ChecksumAddress:
        """The client."""

    @property
    def store(self) -> Store:
        """Where the content goes."""

    @property
    def journal(self) -> Journal:
        """Where the secrets go."""

    @property
    def rng(self) -> Callable[[int], bytes]:
        """Gives n random bytes."""


@dataclass(frozen=True, slots=True)
class ClientDesk:
    """A desk without a sender: while `client run` signs with the key, another process can still prepare an order."""

    contracts: AssayContracts
    account: ChecksumAddress
    store: Store
    journal: Journal
    rng: Callable[[int], bytes] = secrets.token_bytes


@dataclass(frozen=True, slots=True)
class PreparedOrder:
    """An order whose content is in the store and whose secret is in the journal, ready to be put."""

    record: TestSetRecord
    manifest: OrderManifest
    train: Dataset
    test: Dataset

    @property
    def terms(self) -> OrderTerms:
        """What `put` will say."""
        return self.record.terms


def prepare_order(desk: Desk, request: OrderRequest, *, archive: Store | None = None) -> PreparedOrder:
    """Stores the data and the manifest, and journals the opening of the test set.

    `archive`: a store of the client's own that keeps a copy of everything, from which `client run` puts back what the
    first store loses; the test set is there alone until `client run` releases it.

    Raises Rejected when data and spec don't fit, or when a time, limit or the reward is outside the protocol's bounds;
    Retryable when the chain or the store is not ready.
    """
    parameters = desk.contracts.protocol_parameters()
    require_within_bounds(request, parameters)
    require_tokens(desk.contracts, desk.account, request.reward, "--reward: the order")
    train, test, fitted = quantise_data(request)
    require_trainable(request.spec, train, request.train.task)
    require_scored(request.spec, request.train.task, request.scored_by)
    require_room(request, parameters)
    manifest = _manifest(desk, request, train, fitted, archive)
    # Whoever can list the store could train on the test set: with an archive it stays there until it is released.
    test_cid = (archive or desk.store).add(test.to_bytes()).digest
    salt, root = Salt(desk.rng(32)), compute_test_root(test.inputs, test.labels)
    commitment = client_commitment(desk.account, root, len(test), test_cid, salt)
    terms = OrderTerms(
        reward=request.reward,
        manifest_cid=_keep(desk, manifest.to_bytes(), archive).digest,
        test_commitment=commitment,
        score_function=manifest.score_function_id,
        minimum_score_ppm=minimum_score(request, fitted),
        train_seconds=request.train_seconds,
        reveal_seconds=request.reveal_seconds,
        validate_seconds=request.validate_seconds,
        challenge_seconds=request.challenge_seconds,
        minimum_validators=request.minimum_validators,
        max_model_bytes=request.max_model_bytes or parameters.max_model_bytes,
        max_tensor_bytes=request.max_tensor_bytes or parameters.max_tensor_bytes,
        input_size=math.prod(request.spec.input_shape),
        output_size=request.spec.outputs,
    )
    record = TestSetRecord(commitment, root, len(test), test_cid, salt, request.title, terms, wanted=False)
    desk.journal.write(record)
    return PreparedOrder(record, manifest, train, test)


def minimum_score(request: OrderRequest, fitted: Quantiser) -> int:
    """What the contracts compare with: millionths of a sample, or of the unit that errors are counted in."""
    if request.maximum_mean_error is None:
        return request.minimum_score_ppm
    unit = error_unit(request.scored_by, fitted)
    if unit is None:
        raise Rejected("--minimum-score: a mean error is for regression and cross-entropy; give a share of samples")
    worst = PPM * (MAX_SQUARED_ERROR if request.scored_by is ScoreFunction.MEAN_SQUARED_ERROR else MAX_SAMPLE_ERROR)
    return -min(round(request.maximum_mean_error / unit * PPM), worst)


def quantise_data(request: OrderRequest) -> tuple[Dataset, Dataset, Quantiser]:
    """(training set, test set, how they were quantised); the fit sees the training samples only. Raises Rejected."""
    if request.test is None:
        stratify = request.train.task == "classification"
        train, test = split(request.train, fraction=request.test_fraction, seed=request.seed, stratify=stratify)
    else:
        train, test = request.train, request.test.aligned_to(request.train)
    if len(test) > MAX_TEST_SAMPLES:
        raise Rejected(f"--test: {len(test)} samples; validators score at most {MAX_TEST_SAMPLES}, so give fewer")
    fitted = fit_preprocessing(train, tokens=request.spec.reads_tokens)
    return fitted.apply(train), fitted.apply(test), fitted


def require_within_bounds(request: OrderRequest, parameters: ProtocolParameters) -> None:
    """Raises Rejected, naming the flag, for what `put` would refuse."""
    least, most = parameters.minimum_window, parameters.maximum_window
    _within("--train-seconds", request.train_seconds, least, most)
    _within("--reveal-seconds", request.reveal_seconds, least, most)
    _within("--validate-seconds", request.validate_seconds, 2 * least, most)
    _within("--challenge-seconds", request.challenge_seconds, least, most)
    _within("--min-validators", request.minimum_validators, 1, parameters.max_validators)
    if request.reward < parameters.minimum_reward:
        raise Rejected(
            f"--reward: {format_tokens(request.reward)} tokens; "
            f"the protocol asks for at least {format_tokens(parameters.minimum_reward)}"
        )
    if request.max_model_bytes is not None:
        _within("--max-model-bytes", request.max_model_bytes, 1, parameters.max_model_bytes)
    if request.max_tensor_bytes is not None:
        _within("--max-tensor-bytes", request.max_tensor_bytes, 1, parameters.max_tensor_bytes)


def require_room(request: OrderRequest, parameters: ProtocolParameters) -> None:
    """Raises Rejected when no model of the spec can be within the order's bytes."""
    made = request.spec.footprint
    allowed = request.max_model_bytes or parameters.max_model_bytes
    if made.model_bytes > allowed:
        raise Rejected(f"--max-model-bytes {allowed}: an integer network of this spec has {made.model_bytes} bytes")
    tensor = request.max_tensor_bytes or parameters.max_tensor_bytes
    if made.tensor_bytes > tensor:
        raise Rejected(f"--max-tensor-bytes {tensor}: the largest tensor of this spec has {made.tensor_bytes} bytes")


def _within(flag: str, actual: int, least: int, most: int) -> None:
    if not least <= actual <= most:
        raise Rejected(f"{flag} {actual}: the protocol allows {least} to {most}")


def _manifest(
    desk: Desk, request: OrderRequest, train: Dataset, fitted: Quantiser, archive: Store | None
) -> OrderManifest:
    data = train.to_bytes()
    fields = {
        "title": request.title,
        "task": request.train.task,
        "spec": request.spec.model_dump(mode="json", exclude_none=True),
        "score_function": request.scored_by.name.lower(),
        "train": FileRef(cid=_keep(desk, data, archive), size=len(data)),
        "classes": request.train.classes,
        "preprocessing": fitted,
    }
    return OrderManifest.model_validate(fields)


def _keep(desk: Desk, data: bytes, archive: Store | None) -> Cid:
    cid = desk.store.add(data)  # first: it may be down, and then nothing shall be left behind
    if archive is not None:
        archive.add(data)
    return cid
