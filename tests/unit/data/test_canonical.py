"""The canonical data set, preprocessing and splits."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from safetensors.numpy import save

from offchain.data.dataset import MAX_LABEL, Dataset
from offchain.data.preprocessing import Quantiser, fit_preprocessing
from offchain.data.raw import build_raw
from offchain.data.source import load_source
from offchain.data.split import split, split_indices
from offchain.errors import Bug, Rejected

DATA = Dataset(np.arange(-6, 6, dtype=np.int8).reshape(3, 2, 2, 1), np.array([0, 1, 2], dtype=np.int32))


def test_round_trip() -> None:
    content = DATA.to_bytes()
    again = Dataset.from_bytes(content, max_bytes=len(content), shape=(2, 2, 1))
    np.testing.assert_array_equal(again.inputs, DATA.inputs)
    np.testing.assert_array_equal(again.labels, DATA.labels)
    assert again.to_bytes() == content


def _file(header: dict[str, object], body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


_INPUTS = {"dtype": "I8", "shape": [2, 2], "data_offsets": [8, 12]}
_LABELS = {"dtype": "I32", "shape": [2], "data_offsets": [0, 8]}

BAD = {
    "empty": b"",
    "text": b"not a file",
    "header longer than the file": struct.pack("<Q", 1 << 60) + b"{}",
    "header that is no JSON": struct.pack("<Q", 4) + b"nope",
    "missing labels": save({"inputs": DATA.inputs}),
    "superfluous tensor": save({"inputs": DATA.inputs, "labels": DATA.labels, "more": DATA.labels}),
    "wrong dtype of inputs": save({"inputs": DATA.inputs.astype(np.int16), "labels": DATA.labels}),
    "float inputs with NaN": save({"inputs": np.full((3, 2), np.nan, np.float32), "labels": DATA.labels}),
    "wrong dtype of labels": save({"inputs": DATA.inputs, "labels": DATA.labels.astype(np.int64)}),
    "too few labels": save({"inputs": DATA.inputs, "labels": DATA.labels[:2]}),
    "no samples": save({"inputs": DATA.inputs[:0], "labels": DATA.labels[:0]}),
    "odd dimensions": save({"inputs": np.zeros((3, 2, 2), np.int8), "labels": DATA.labels}),
    "shape larger than the data": _file({"inputs": {**_INPUTS, "shape": [2, 200]}, "labels": _LABELS}, bytes(12)),
    "offsets beyond the end": _file({"inputs": {**_INPUTS, "data_offsets": [8, 99]}, "labels": _LABELS}, bytes(12)),
    "overlapping tensors": _file({"inputs": {**_INPUTS, "data_offsets": [0, 4]}, "labels": _LABELS}, bytes(8)),
    "bytes that belong to none": _file({"inputs": _INPUTS, "labels": _LABELS}, bytes(40)),
    "negative shape": _file({"inputs": {**_INPUTS, "shape": [-2, -2]}, "labels": _LABELS}, bytes(12)),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_bad_files_are_rejected_in_one_line(content: bytes) -> None:
    with pytest.raises(Rejected, match=r"^test data: ") as error:
        Dataset.from_bytes(content, max_bytes=10_000, name="test data")
    assert "\n" not in str(error.value)


def test_truncated_oversized_and_misshaped() -> None:
    content = DATA.to_bytes()
    for end in range(len(content)):
        with pytest.raises(Rejected):
            Dataset.from_bytes(content[:end], max_bytes=10_000)
    with pytest.raises(Rejected, match=f"{len(content)} bytes, at most {len(content) - 1}"):
        Dataset.from_bytes(content, max_bytes=len(content) - 1)
    with pytest.raises(Rejected, match=r"samples of shape \[2, 2, 1\]; the order says \[4\]"):
        Dataset.from_bytes(content, max_bytes=10_000, shape=(4,))


def test_a_malformed_data_set_cannot_be_made() -> None:
    with pytest.raises(Bug):
        Dataset(DATA.inputs.astype(np.int16), DATA.labels)  # type: ignore[arg-type]
    with pytest.raises(Bug):
        Dataset(DATA.inputs, DATA.labels[:1])


def test_images_spread_over_the_whole_range() -> None:
    inputs = np.array([0, 16, 8, 4], dtype=np.float32).reshape(4, 1, 1, 1)
    raw = build_raw("a", inputs, np.array([0, 1, 0, 1]))
    fitted = fit_preprocessing(raw)
    assert fitted.offset == (8.0,)
    assert fitted.apply(raw).inputs.ravel().tolist() == [-127, 127, 0, -64]
    # Values outside the training range are clamped, never wrapped.
    assert fitted.quantise_inputs(np.array([[[[1000.0]]], [[[-1000.0]]]], np.float32)).ravel().tolist() == [127, -127]


def test_each_feature_has_its_own_scale_and_outliers_are_clamped() -> None:
    random = np.random.default_rng(0)
    small, large = random.normal(5, 0.001, 1000), random.normal(-3, 1000, 1000)
    outlier = random.normal(0, 1, 1000)
    outlier[0] = 1e6
    constant = np.full(1000, 7.0)
    raw = build_raw("a", np.stack([small, large, outlier, constant], axis=1), np.arange(1000) % 2)
    fitted = fit_preprocessing(raw)
    integers = fitted.apply(raw).inputs
    for column in (0, 1):
        assert np.abs(integers[:, column]).max() > 90
        assert 25 < integers[:, column].std() < 45
    assert integers[0, 2] == 127
    assert not integers[:, 3].any()


def test_fitting_looks_at_nothing_but_the_training_samples() -> None:
    raw = load_source("wine")
    train, test = split(raw, fraction=0.2, seed=1, stratify=True)
    changed = build_raw("b", test.inputs * 100, test.labels, classes=raw.classes)
    before = fit_preprocessing(train)
    before.apply(changed)
    assert fit_preprocessing(train) == before


def test_regression_labels_keep_a_thousandth_of_a_deviation() -> None:
    raw = load_source("diabetes")
    fitted = fit_preprocessing(raw)
    data = fitted.apply(raw)
    assert fitted.label_scale == 0.01
    np.testing.assert_allclose(fitted.label_value(data.labels), raw.labels, atol=fitted.label_scale / 2 + 1e-9)


def test_regression_labels_with_an_outlier_stay_within_24_bits() -> None:
    labels = np.concatenate([np.linspace(0, 1, 100_000), [1e9]])
    raw = build_raw("a", np.arange(100_001, dtype=np.float64)[:, np.newaxis], labels)
    data = fit_preprocessing(raw).apply(raw)
    assert np.abs(data.labels).max() < MAX_LABEL
    assert data.labels[-1] > data.labels[-2]


def test_labels_that_cannot_be_learnt_or_leave_the_range() -> None:
    inputs = np.arange(6, dtype=np.float64).reshape(3, 2)
    with pytest.raises(Rejected, match=r"every label is 2\.5"):
        fit_preprocessing(build_raw("a", inputs, np.full(3, 2.5)))
    fitted = fit_preprocessing(build_raw("a", inputs, np.array([0.5, 1.5, 2.25])))
    with pytest.raises(Rejected, match="row 2: label 1e\\+30 is far outside"):
        fitted.apply(build_raw("far", inputs, np.array([0.5, 1e30, 1.0])))


def test_preprocessing_travels_as_json_and_refuses_nonsense() -> None:
    fitted = fit_preprocessing(load_source("wine"))
    assert Quantiser.model_validate_json(fitted.model_dump_json()) == fitted
    for bad in (
        '{"offset": [0], "scale": [0]}',
        '{"offset": [0], "scale": [-1]}',
        '{"offset": [0], "scale": [NaN]}',
        '{"offset": [0, 1], "scale": [1]}',
        '{"offset": [], "scale": []}',
        '{"offset": [0], "scale": [1], "more": 1}',
    ):
        with pytest.raises(ValidationError):
            Quantiser.model_validate_json(bad)
    with pytest.raises(Rejected, match="is for 13 features"):
        fitted.quantise_inputs(np.zeros((1, 12), np.float32))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=300), st.floats(0.01, 0.99), st.integers(0, 2**32))
def test_split_is_a_stratified_partition(labels: list[int], fraction: float, seed: int) -> None:
    values = np.array(labels, dtype=np.int32)
    rest, held = split_indices(values, fraction=fraction, seed=seed, stratify=True)
    assert sorted([*rest, *held]) == list(range(len(labels)))
    assert abs(len(held) - fraction * len(labels)) <= 6
    for label in np.unique(values):
        count = int((values == label).sum())
        assert int((values[rest] == label).sum()) >= 1
        assert abs(int((values[held] == label).sum()) - fraction * count) <= 6
    again = split_indices(values, fraction=fraction, seed=seed, stratify=True)
    np.testing.assert_array_equal(again[0], rest)


def test_split_refuses_what_cannot_be_split() -> None:
    raw = build_raw("a", np.eye(2), np.array([0, 1]))
    with pytest.raises(Rejected, match="cannot be split"):
        split(raw, fraction=0.2, seed=0, stratify=True)
    with pytest.raises(Rejected, match=r"held-out fraction 1\.5"):
        split(raw, fraction=1.5, seed=0, stratify=True)
    rest, held = split(load_source("diabetes"), fraction=0.25, seed=0, stratify=False)
    assert (len(rest), len(held)) == (332, 110)
