"""Tokens: bytes as they are, and text as bytes."""

from pathlib import Path

import numpy as np
import pytest

from offchain.data.dataset import Dataset
from offchain.data.preprocessing import Quantiser, fit_preprocessing
from offchain.data.raw import build_raw
from offchain.data.source import load_source
from offchain.data.text import TextColumn, encode
from offchain.errors import Rejected


def test_every_token_has_its_own_integer() -> None:
    raw = build_raw("t", np.arange(256).reshape(128, 2), np.arange(128) % 2)
    fitted = fit_preprocessing(raw, tokens=True)
    assert (fitted.offset, fitted.scale, fitted.tokens) == ((128.0,), (1.0,), True)
    data = fitted.apply(raw)
    assert data.inputs.dtype == np.int8
    np.testing.assert_array_equal(data.inputs.reshape(-1).astype(int) + 128, np.arange(256))
    again = Quantiser.model_validate_json(fitted.model_dump_json())
    assert again == fitted
    assert Dataset.from_bytes(data.to_bytes(), max_bytes=10**6).inputs.tobytes() == data.inputs.tobytes()


@pytest.mark.parametrize("value", [-1, 256, 0.5, 1e9])
def test_what_is_no_token_is_named(value: float) -> None:
    inputs = np.zeros((4, 3))
    inputs[2, 1] = value
    raw = build_raw("t", inputs, np.array([0, 1, 0, 1]))
    with pytest.raises(Rejected, match=r"t: row 3, column 2 is .*; a spec with an embedding reads tokens"):
        fit_preprocessing(raw, tokens=True).apply(raw)


def test_text_ends_where_its_sample_ends() -> None:
    found = encode(["", "ab", "abcdef", "é"], 4)
    assert found.dtype == np.uint8
    assert [bytes(row) for row in found] == [b"\0\0\0\0", b"\0\0ab", b"abcd", b"\0\0\xc3\xa9"]


def test_a_column_of_text_is_read(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text('review,stars,good\n"fine, thanks",4,yes\nbad,1,no\nnice,5,yes\nno!,2,no\n')
    raw = load_source(str(path), label="good", text=TextColumn("review", 6))
    assert (raw.shape, raw.classes) == ((6,), ("no", "yes"))
    assert bytes(raw.inputs[0].astype(np.uint8)) == b"fine, "
    assert bytes(raw.inputs[1].astype(np.uint8)) == b"\0\0\0bad"


def test_a_column_of_text_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text("review,good\nfine,yes\n,no\n")
    with pytest.raises(Rejected, match="--text word: not the name of one column; the columns are review, good"):
        load_source(str(path), label="good", text=TextColumn("word"))
    with pytest.raises(Rejected, match="column 'review', row 2: the text is missing"):
        load_source(str(path), label="good", text=TextColumn("review"))
    with pytest.raises(Rejected, match="--text word: digits is no table"):
        load_source("digits", text=TextColumn("word"))
