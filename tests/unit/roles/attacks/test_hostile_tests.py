"""Test sets that break what a client has said of them: whoever answers for one, or scores on it, is none the worse."""

from pathlib import Path

import numpy as np
import pytest

from offchain.chain.views import TestSet
from offchain.data.dataset import Dataset
from offchain.dispute.requests import Item, Target
from offchain.errors import Rejected
from offchain.model.limits import ModelLimits
from offchain.model.roots import compute_test_root
from offchain.model.scores import sample_scores
from offchain.protocol.scores import ScoreFunction
from offchain.roles.answering import Library, Whereabouts
from offchain.roles.scoring import fetch_test_set
from offchain.storage.store import Store, open_store
from offchain.types import OrderId

SMALL, SAID = 100, 2048
LIMITS = ModelLimits(max_model_bytes=1 << 20, max_tensor_bytes=1 << 20)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"local:{tmp_path}")


def released(store: Store, data: Dataset) -> TestSet:
    root = compute_test_root(data.inputs, data.labels)
    return TestSet(root, store.add(data.to_bytes()).digest, len(data))


def where(test: TestSet, input_size: int) -> Whereabouts:
    return Whereabouts(None, test, LIMITS, input_size)


def test_samples_smaller_than_the_order_says_do_not_stop_whoever_answers(store: Store) -> None:
    data = Dataset(np.ones((3, SMALL), np.int8), np.zeros(3, np.int32))
    test, library = released(store, data), Library(store)
    last = Target(OrderId(1), Item.SAMPLE, unit=1, chunk=1)
    for _ in range(2):
        with pytest.raises(Rejected, match=f"samples of {SMALL} numbers; the order says {SAID}"):
            library.answer(last, where(test, SAID))
    # The same test set in an order that tells the truth, and then again in the one that does not.
    first = Target(OrderId(2), Item.SAMPLE, unit=1)
    assert library.answer(first, where(test, SMALL)).function == "answerSample"
    with pytest.raises(Rejected):
        library.answer(last, where(test, SAID))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (ScoreFunction.ACCURACY, [0, 0, 0]),
        (ScoreFunction.TOP5_ACCURACY, [0, 0, 0]),
        (ScoreFunction.MEAN_ABSOLUTE_ERROR, [-(1 << 24), -(1 << 24), -1]),
        (ScoreFunction.MEAN_SQUARED_ERROR, [-(1 << 40), -(1 << 40), -1]),
        (ScoreFunction.CROSS_ENTROPY, [-(1 << 24)] * 3),
    ],
)
def test_labels_that_are_valid_to_the_courts_are_scored(
    store: Store, function: ScoreFunction, expected: list[int]
) -> None:
    """Else a client could publish data that nobody scores, and the courts would find no fault with them."""
    labels = np.array([-(1 << 31), (1 << 31) - 1, 1 << 23], np.int32)
    test = released(store, Dataset(np.ones((3, SMALL), np.int8), labels))
    data = fetch_test_set(store, test, max_bytes=1 << 20, input_size=SMALL)
    outputs = np.full((3, 1), (1 << 23) - 1, np.int32)
    assert sample_scores(function, outputs, data.labels).tolist() == expected
