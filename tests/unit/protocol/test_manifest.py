"""Manifests: what is written reads back, and nothing but well-formed files is accepted."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from offchain.errors import Rejected
from offchain.model.spec import parse_spec
from offchain.protocol.manifest import (
    MAX_MANIFEST_BYTES,
    FileRef,
    ModelManifest,
    OrderManifest,
    Preprocessing,
)
from offchain.protocol.scores import ScoreFunction
from offchain.storage.cid import Cid
from offchain.types import CidDigest, Root

SPEC: dict[str, Any] = {"input_shape": [4], "layers": [{"kind": "dense", "name": "logits", "units": 3}]}

digests = st.binary(min_size=32, max_size=32)
cids = digests.map(lambda raw: Cid(CidDigest(raw)))
files = st.builds(FileRef, cid=cids, size=st.integers(0, 2**48))
finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
titles = st.text(min_size=1, max_size=200).filter(str.isprintable)


@st.composite
def order_manifests(draw: st.DrawFn) -> OrderManifest:
    regression = draw(st.booleans())
    length = draw(st.integers(1, 5))
    return OrderManifest(
        title=draw(titles),
        task="regression" if regression else "classification",
        spec=SPEC,
        score_function="mean_absolute_error" if regression else "accuracy",
        train=draw(files),
        classes=None if regression else draw(st.none() | st.just(("setosa", "versicolor", "日本"))),
        preprocessing=Preprocessing(
            offset=tuple(draw(st.lists(finite, min_size=length, max_size=length))),
            scale=tuple(draw(st.lists(positive, min_size=length, max_size=length))),
            label_offset=draw(finite) if regression else None,
            label_scale=draw(positive) if regression else None,
        ),
    )


def good(**changes: Any) -> dict[str, Any]:
    fields = {
        "version": 1,
        "title": "flowers",
        "task": "classification",
        "spec": SPEC,
        "score_function": "accuracy",
        "train": {"cid": str(Cid(CidDigest(bytes(32)))), "size": 10},
        "classes": ["a", "b", "c"],
        "preprocessing": {"offset": [0.0], "scale": [1.0]},
    }
    return {**fields, **changes}


def parse(fields: dict[str, Any]) -> OrderManifest:
    return OrderManifest.parse(json.dumps(fields).encode(), source="file.json")


@given(order_manifests())
def test_an_order_manifest_reads_back_and_has_one_encoding(manifest: OrderManifest) -> None:
    data = manifest.to_bytes()
    again = OrderManifest.parse(data, source="x")
    assert again == manifest
    assert again.to_bytes() == data


@given(files, files, files, digests)
def test_a_model_manifest_reads_back(graph: FileRef, weights: FileRef, floats: FileRef, root: bytes) -> None:
    manifest = ModelManifest(graph=graph, weights=weights, float_weights=floats, model_root=Root(root))
    again = ModelManifest.parse(manifest.to_bytes(), source="x")
    assert again == manifest
    assert again.model_root == root


def model_fields(**changes: Any) -> dict[str, Any]:
    part = {"cid": str(Cid(CidDigest(bytes(32)))), "size": 10}
    fields = {"version": 1, "graph": part, "weights": part, "float_weights": part, "model_root": "0x" + "00" * 32}
    return {**fields, **changes}


def written(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def test_a_model_manifest_without_an_account_keeps_the_bytes_it_always_had() -> None:
    data = written(model_fields())
    manifest = ModelManifest.parse(data, source="x")
    assert manifest.training is None
    assert manifest.to_bytes() == data
    with_account = written(model_fields(training={"cid": str(Cid(CidDigest(bytes(32)))), "size": 7}))
    again = ModelManifest.parse(with_account, source="x")
    assert again.training is not None
    assert again.training.size == 7
    assert again.to_bytes() == with_account


@pytest.mark.parametrize(
    "bad", [None, 3, "QmNope", [], {}, {"cid": "QmNope", "size": 1}, {"size": -1}, {"a": {"b": 1}}]
)
def test_what_is_wrong_with_an_account_is_not_wrong_with_the_model(bad: Any) -> None:
    manifest = ModelManifest.parse(written(model_fields(training=bad)), source="x")
    assert manifest.training is None
    assert manifest.to_bytes() == written(model_fields())


def test_the_encoding_is_canonical_whatever_the_order_of_keys() -> None:
    one = parse(good())
    other = parse(dict(reversed(list(good().items()))))
    assert one.to_bytes() == other.to_bytes()
    assert b" " not in one.to_bytes()


def test_the_spec_is_handed_on_to_the_model_room() -> None:
    manifest = parse(good())
    assert parse_spec(manifest.spec_json(), source="x").outputs == 3
    assert manifest.score_function_id is ScoreFunction.ACCURACY


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"extra": 1}, "extra"),
        ({"version": 2}, "version"),
        ({"version": True}, "version"),
        ({"version": 1.0}, "version"),
        ({"title": ""}, "title"),
        ({"title": "a\x1b[31mred"}, "printable"),
        ({"title": "two\nlines"}, "printable"),
        ({"title": "x" * 201}, "title"),
        ({"title": 3}, "title"),
        ({"task": "clustering"}, "task"),
        ({"score_function": "mean_absolute_error"}, "a classification is not scored by mean_absolute_error"),
        ({"task": "regression"}, "a regression is not scored by accuracy"),
        ({"spec": []}, "spec"),
        ({"train": {"cid": "QmNope", "size": 1}}, "train.cid"),
        ({"train": {"cid": 5, "size": 1}}, "train.cid"),
        ({"train": {"cid": "0x" + "00" * 32, "size": -1}}, "train.size"),
        ({"train": {"cid": "0x" + "00" * 32, "size": 1.0}}, "train.size"),
        ({"train": {"cid": "0x" + "00" * 32, "size": 2**48 + 1}}, "train.size"),
        ({"classes": ["a"]}, "classes"),
        ({"classes": ["a", "a"]}, "differ"),
        ({"classes": ["a", "b\u202e"]}, "printable"),
        ({"preprocessing": {"offset": [], "scale": []}}, "preprocessing.offset"),
        ({"preprocessing": {"offset": [0, 1], "scale": [1]}}, "as many"),
        ({"preprocessing": {"offset": [0], "scale": [0]}}, "preprocessing.scale"),
        ({"preprocessing": {"offset": [0], "scale": [-1]}}, "preprocessing.scale"),
        ({"preprocessing": {"offset": ["0"], "scale": [1]}}, "preprocessing.offset"),
        ({"preprocessing": {"offset": [0], "scale": [1], "label_offset": 1}}, "both"),
        ({"preprocessing": {"offset": [0], "scale": [1], "tokens": True}}, "tokens have the offset 128"),
        ({"score_function": "f1"}, "score_function"),
        ({"preprocessing": {"offset": [0], "scale": [1], "label_offset": 1, "label_scale": 1}}, "only for that"),
    ],
)
def test_a_bad_field_is_named_in_one_line(change: dict[str, Any], says: str) -> None:
    with pytest.raises(Rejected) as caught:
        parse(good(**change))
    line = str(caught.value)
    assert line.startswith("file.json: order manifest: ")
    assert says in line
    assert "\n" not in line
    assert "\x1b" not in line


def test_regression_has_labels_and_no_classes() -> None:
    labels = {"offset": [0], "scale": [1], "label_offset": 2.5, "label_scale": 0.01}
    fields = good(task="regression", score_function="mean_absolute_error", classes=None, preprocessing=labels)
    assert parse(fields).preprocessing.label_scale == 0.01
    with pytest.raises(Rejected, match="no classes"):
        parse({**fields, "classes": ["a", "b"]})
    with pytest.raises(Rejected, match="for regression"):
        parse({**fields, "preprocessing": {"offset": [0], "scale": [1]}})


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "JSON"),
        (b"null", "object"),
        (b"[]", "object"),
        (b"\xff{}", "UTF-8"),
        (b'{"version":1,"version":1}', "twice"),
        (b'{"spec":{"a":NaN}}', "NaN"),
        (b'{"spec":{"a":-Infinity}}', "Infinity"),
        (b'{"spec":{"a":1e999}}', "too large"),
        (b'{"title":"\\ud800"}', "escape"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, "nested"),
        (b'{"a":"' + b"x" * MAX_MANIFEST_BYTES + b'"}', "at most"),
        (b'{"a":' + b"9" * 5000 + b"}", "JSON"),
        (b'{"version":1} trailing', "JSON"),
    ],
)
def test_anything_but_a_small_plain_json_object_is_rejected(data: bytes, says: str) -> None:
    with pytest.raises(Rejected, match=says):
        OrderManifest.parse(data, source="peer")


def test_brackets_inside_strings_are_not_nesting() -> None:
    assert parse(good(title='[[[[{{{{"[[[[{{{{[[[[{{{{[[[[{{{{')).title.startswith("[[[[")


def test_a_text_of_escaped_quotes_costs_linear_time() -> None:
    data = b'"' + b'\\"' * (MAX_MANIFEST_BYTES // 2 - 1)
    with pytest.raises(Rejected, match="JSON"):  # quadratic time would be hours
        OrderManifest.parse(data, source="peer")


def test_preprocessing_must_fit_the_inputs() -> None:
    one = Preprocessing(offset=(0.0,), scale=(1.0,))
    four = Preprocessing(offset=(0.0,) * 4, scale=(1.0,) * 4)
    one.require((8, 8, 1))
    four.require((4,))
    with pytest.raises(Rejected, match="5 features"):
        four.require((5,))


def test_a_root_is_lower_case_hex() -> None:
    ref = {"cid": "0x" + "11" * 32, "size": 1}
    fields = {"version": 1, "graph": ref, "weights": ref, "float_weights": ref, "model_root": "0x" + "AB" * 32}
    with pytest.raises(Rejected, match="model_root"):
        ModelManifest.parse(json.dumps(fields).encode(), source="x")
    fields["model_root"] = "0x" + "ab" * 32
    assert ModelManifest.parse(json.dumps(fields).encode(), source="x").model_root == bytes.fromhex("ab" * 32)


def test_in_python_pydantic_checks_too() -> None:
    with pytest.raises(ValidationError):
        FileRef(cid=Cid(CidDigest(bytes(32))), size=-1)


def test_a_manifest_that_nobody_could_read_is_not_written() -> None:
    fields = good(spec={"padding": "x" * (MAX_MANIFEST_BYTES - 100)})
    manifest = OrderManifest.model_validate_json(json.dumps(fields))
    with pytest.raises(Rejected, match="at most"):
        manifest.to_bytes()
