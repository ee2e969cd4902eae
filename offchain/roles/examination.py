"""The jobs of a casebook: fetching a test set or a model, and scoring a model sample by sample. What they find."""

from dataclasses import dataclass

import numpy as np

from offchain.chain.views import Model, TestSet
from offchain.data.dataset import Dataset
from offchain.dispute.evidence import Evidence, Work
from offchain.errors import Rejected, Retryable
from offchain.model.evaluator import Evaluator
from offchain.model.files import decode_unvalidated
from offchain.model.graph import Int64Array
from offchain.model.limits import ModelLimits
from offchain.model.roots import ModelTree, SampleTree
from offchain.model.scores import check_scorable, sample_scores
from offchain.model.validation import Fault, first_fault
from offchain.protocol.scores import ScoreFunction
from offchain.roles.jobs import Emit, ShouldStop
from offchain.roles.package import Parcel, download, open_parcel
from offchain.roles.scoring import fetch_test_set, samples_at_once
from offchain.storage.store import Store
from offchain.types import Root


@dataclass(frozen=True, slots=True)
class TestData:
    """The released test set with its tree."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    data: Dataset
    tree: SampleTree


@dataclass(frozen=True, slots=True)
class ModelFound:
    """A model's score, and all that is needed to prove it."""

    model_index: int
    evidence: Evidence
    score: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a model, or the test set (None), cannot be had (`Retryable`) or is no good (`Rejected`).

    `fault`: the leaf of the model that breaks a rule, if that is what is wrong. `files`: the tree of the files that are
    there, if they are of another model.
    """

    model_index: int | None
    error: Rejected | Retryable
    fault: Fault | None = None
    files: ModelTree | None = None


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of a model, not looked at yet."""

    model_index: int
    parcel: Parcel


Finding = TestData | ModelFiles | ModelFound | Trouble


def fetch_test(
    store: Store, test: TestSet, input_size: int, max_bytes: int, emit: Emit[Finding], _: ShouldStop
) -> None:
    """A job: the test set with its tree."""
    try:
        data = fetch_test_set(store, test, max_bytes=max_bytes, input_size=input_size)
    except (Rejected, Retryable) as error:
        emit(Trouble(None, error))
    else:
        emit(TestData(data, SampleTree(data.inputs, data.labels)))


def fetch_model(
    store: Store, index: int, model: Model, limits: ModelLimits, emit: Emit[Finding], _: ShouldStop
) -> None:
    """A job: the files of a model."""
    try:
        emit(ModelFiles(index, download(store, model.cid, model.model_root, limits)))
    except (Rejected, Retryable) as error:
        emit(Trouble(index, error))


@dataclass(frozen=True, slots=True)
class Examination:
    """A model's files, and the test set on which it is scored."""

    index: int
    parcel: Parcel
    root: Root
    limits: ModelLimits
    function: ScoreFunction
    test: TestData


def examine(task: Examination, emit: Emit[Finding], should_stop: ShouldStop) -> None:
    """A job: opens the files, checks them against the root, and scores every sample."""
    try:
        network = open_parcel(task.parcel, task.root, task.limits)
        check_scorable(task.function, network)
        work = Work(network, ModelTree(network), task.test.tree, task.test.data.inputs, task.function)
        scores = score_samples(work, task.test.data, should_stop)
    except Rejected as error:
        emit(Trouble(task.index, error, *what_is_wrong(task)))
    else:
        if scores is not None:
            emit(ModelFound(task.index, Evidence(work, scores), int(scores.sum())))


def what_is_wrong(task: Examination) -> tuple[Fault | None, ModelTree | None]:
    """The leaf of a malformed model that breaks a rule; or the tree of the files, if they are of another model."""
    try:
        network = decode_unvalidated(task.parcel.graph, task.parcel.weights, task.limits)
    except Rejected:
        return None, None
    tree = ModelTree(network)
    return (first_fault(network, task.limits), None) if tree.root == task.root else (None, tree)


def score_samples(work: Work, data: Dataset, should_stop: ShouldStop) -> Int64Array | None:
    """The score of each sample, int64 (n,); None when told to stop. Raises Rejected when the model does not fit."""
    evaluator = Evaluator(work.network)
    scores = np.empty(len(data), dtype=np.int64)
    step = samples_at_once(work.network)
    for start in range(0, len(data), step):
        if should_stop():
            return None
        some = slice(start, start + step)
        scores[some] = sample_scores(work.function, evaluator(data.inputs[some]), data.labels[some])
    return scores
