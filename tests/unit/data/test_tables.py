from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from offchain.data.source import load_source
from offchain.errors import Rejected

GOOD = "width,height,kind\n1.5,2,round\n3,4.25,flat\n-1,0,round\n2,2,flat\n"


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "things.csv"
    path.write_text(GOOD)
    return path


def test_csv_takes_text_labels_as_classes(csv: Path) -> None:
    raw = load_source(str(csv), label="kind")
    assert raw.task == "classification"
    assert raw.classes == ("flat", "round")
    assert raw.columns == ("width", "height")
    assert raw.inputs.dtype == np.float32
    assert raw.inputs.tolist() == [[1.5, 2.0], [3.0, 4.25], [-1.0, 0.0], [2.0, 2.0]]
    assert raw.labels.tolist() == [1, 0, 1, 0]


def test_csv_takes_real_labels_as_regression_and_whole_ones_as_classes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y,z\n1,0.5,0\n2,0.25,1\n3,1.5,0\n4,1,1\n")
    assert load_source(str(path), label="y").task == "regression"
    classes = load_source(str(path), label="z")
    assert (classes.task, classes.classes) == ("classification", ("0", "1"))
    forced = load_source(str(path), label="z", task="regression")
    assert (forced.task, forced.classes, forced.outputs) == ("regression", None, 1)


def test_float_labels_that_are_whole_are_named_without_decimal_point(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,3.0\n2,4.0\n3,3.0\n4,4.0\n")
    assert load_source(str(path), label="y").classes == ("3", "4")


@pytest.mark.parametrize(
    ("content", "label", "message"),
    [
        (GOOD, None, "things.csv: --label is missing; the columns are width, height, kind"),
        (GOOD, "colour", r"things.csv: no column 'colour' \(--label\); the columns are width, height, kind"),
        ("", "kind", "things.csv: is empty"),
        ("a,b\n", "b", "things.csv: has a header but no rows"),
        ("b\n1\n2\n", "b", "its only column"),
        ("a,b\n1,x\ntwo,y\n", "b", "column 'a', row 2: 'two' is no number"),
        ("a,b\n1,x\n,y\n", "b", "row 2, column 'a': value is missing"),
        ("a,b\n1,x\ninf,y\n", "b", "row 2, column 'a': value is infinite"),
        ("a,b\n1,x\n2,\n", "b", "row 2: label is missing"),
        ("a,b\n1,0.5\n2,\n3,1.5\n", "b", "row 2: label is missing"),
        ("a,b\n1,x\n2,x\n", "b", "every sample has the label x"),
        ("a,b\n1,x\n", "b", "has 1 samples"),
        ("a,b\n1,2,3,4\n1,2\n1,2,3,4,5,6\n", "b", "not a readable CSV file"),
    ],
)
def test_csv_that_cannot_be_used(tmp_path: Path, content: str, label: str | None, message: str) -> None:
    path = tmp_path / "things.csv"
    path.write_text(content)
    with pytest.raises(Rejected, match=message) as error:
        load_source(str(path), label=label)
    assert "\n" not in str(error.value)


def test_csv_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    path.write_bytes(b"a,b\n\xff\xfe\x00,1\n")
    with pytest.raises(Rejected, match=r"things\.csv: not a readable CSV file"):
        load_source(str(path), label="b")


def test_csv_text_labels_cannot_be_regression(csv: Path) -> None:
    with pytest.raises(Rejected, match="labels are not numbers"):
        load_source(str(csv), label="kind", task="regression")


def test_parquet_equals_csv(csv: Path, tmp_path: Path) -> None:
    path = tmp_path / "things.parquet"
    pd.read_csv(csv).to_parquet(path)
    a, b = load_source(str(csv), label="kind"), load_source(str(path), label="kind")
    assert a.classes == b.classes
    assert a.columns == b.columns
    np.testing.assert_array_equal(a.inputs, b.inputs)
    np.testing.assert_array_equal(a.labels, b.labels)


def test_parquet_nullable_and_boolean_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    frame = pd.DataFrame(
        {"flag": [True, False, True], "n": pd.array([1, None, 3], dtype="Int64"), "y": [0.5, 1.5, 2.5]}
    )
    frame.to_parquet(path)
    with pytest.raises(Rejected, match="row 2, column 'n': value is missing"):
        load_source(str(path), label="y")
    frame.assign(n=[1, 2, 3]).to_parquet(path)
    assert load_source(str(path), label="y").inputs.tolist() == [[1, 1], [0, 2], [1, 3]]


def test_parquet_truncated(csv: Path, tmp_path: Path) -> None:
    path = tmp_path / "things.parquet"
    pd.read_csv(csv).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(Rejected, match=r"things\.parquet: not a readable Parquet file"):
        load_source(str(path), label="kind")


def test_missing_and_unknown_files(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="no such file"):
        load_source(str(tmp_path / "none.csv"))
    other = tmp_path / "notes.txt"
    other.write_text("hello")
    with pytest.raises(Rejected, match=r"notes\.txt: unknown kind of file"):
        load_source(str(other))
    with pytest.raises(Rejected, match="a directory without"):
        load_source(str(tmp_path))


def test_own_test_set_gets_the_classes_of_the_training_set(tmp_path: Path, csv: Path) -> None:
    train = load_source(str(csv), label="kind")
    path = tmp_path / "test.csv"
    path.write_text("width,height,kind\n1,1,round\n2,2,flat\n3,3,round\n")
    test = load_source(str(path), label="kind").aligned_to(train)
    assert test.labels.tolist() == [1, 0, 1]
    path.write_text("width,height,kind\n1,1,round\n2,2,square\n")
    with pytest.raises(Rejected, match=r"test\.csv: class 'square' does not occur in things\.csv"):
        load_source(str(path), label="kind").aligned_to(train)
    path.write_text("height,width,kind\n1,1,round\n2,2,flat\n")
    with pytest.raises(Rejected, match="columns differ"):
        load_source(str(path), label="kind").aligned_to(train)
    path.write_text("width,kind\n1,round\n2,flat\n")
    with pytest.raises(Rejected, match=r"samples are \[1\]"):
        load_source(str(path), label="kind").aligned_to(train)
