"""What `assay put` refuses, before anything is escrowed or stored."""

import json
from pathlib import Path

import pytest

from tests.integration.cli.support import Cli, assert_refused

PUT = ("put", "--key", "dev1", "--yes")


def put(cli: Cli, table: Path, *words: str, **changes: str | None) -> tuple[str, ...]:
    """The words of a good order, with some options changed or (None) left out."""
    options: dict[str, str | None] = {"train": str(table), "label": "kind", "model": "mlp:8", "reward": "10", **changes}
    named = [part for name, value in options.items() if value for part in ("--" + name.replace("_", "-"), value)]
    return (*PUT, *named, *words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"label": "colour"}, ["points.csv", "colour", "height, width, kind"]),
        ({"label": None}, ["points.csv", "--label"]),
        ({"train": "nowhere.csv"}, ["nowhere.csv", "no such file"]),
        ({"train": "sklearn:roses"}, ["roses", "digits"]),
        ({"task": "guessing"}, ["--task", "regression"]),
        ({"task": "regression"}, ["points.csv", "labels are not numbers"]),
        ({"reward": "5000"}, ["--reward", "5,000 tokens but", "assay keys fund"]),
        ({"reward": "0"}, ["--reward", "positive"]),
        ({"reward": "ten"}, ["--reward", "ten"]),
        ({"reward": "-3"}, ["--reward", "positive"]),
        ({"reward": "nan"}, ["--reward", "nan"]),
        ({"reward": "0.0000000000000000001"}, ["--reward", "decimals"]),
        ({"reward": "0.5"}, ["--reward", "at least"]),
        ({"model": "mlp:eight"}, ["--model", "mlp:eight"]),
        ({"model": "cnn:8"}, ["--model"]),
        ({"model": "transformer:8"}, ["--model", "transformer"]),
        ({"model": "mlp:99999999"}, ["--model"]),
        ({"model": None}, ["--model", "--spec"]),
        ({"spec": "also.json"}, ["--model", "--spec"]),
        ({"train_seconds": "soon"}, ["--train-seconds", "soon"]),
        ({"train_seconds": "0"}, ["--train-seconds"]),
        ({"validate_seconds": "9999d"}, ["--validate-seconds"]),
        ({"min_validators": "0"}, ["--min-validators"]),
        ({"min_validators": "17"}, ["--min-validators"]),
        ({"minimum_score": "1.5"}, ["--minimum-score", "0 and 1"]),
        ({"minimum_score": "nan"}, ["--minimum-score"]),
        ({"score": "f1"}, ["--score", "f1", "cross-entropy"]),
        ({"score": "mse"}, ["--score", "classification", "accuracy"]),
        ({"score": "top5"}, ["--score", "classes"]),
        ({"score": "cross-entropy", "minimum_score": "-1"}, ["--minimum-score", "mean error"]),
        ({"text": "colour"}, ["points.csv", "--text colour", "height, width, kind"]),
        ({"text": "height", "text_length": "0"}, ["--text-length"]),
        ({"text": "height", "text_length": "64", "model": "embedding:4+gru:8"}, ["512", "at most 34"]),
        ({"model": "embedding:4+lstm:8"}, ["points.csv", "tokens", "--text"]),
        ({"test_fraction": "1"}, ["--test-fraction"]),
        ({"test_fraction": "0.001"}, ["60 samples"]),
        ({"max_model_bytes": "0"}, ["--max-model-bytes"]),
        ({"max_tensor_bytes": "999999999999"}, ["--max-tensor-bytes"]),
        ({"test": "nowhere.csv"}, ["nowhere.csv"]),
        ({"key": "dev99"}, ["dev99", "assay keys create"]),
        ({"key": "Dev 1"}, ["Dev 1", "lower-case"]),
        ({"store": "kubo:http://127.0.0.1:1"}, ["kubo:http://127.0.0.1:1"]),
        ({"store": "cupboard"}, ["--store", "cupboard", "local:PATH"]),
        ({"rpc": "http://127.0.0.1:1"}, ["--rpc http://127.0.0.1:1", "assay devnet"]),
        ({"rpc": "here"}, ["--rpc here"]),
        ({"chain_id": "97"}, ["--rpc", "31337", "97"]),
        ({"password_file": "/nonexistent"}, ["--password-file /nonexistent"]),
    ],
    ids=lambda value: "-".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else "",
)
def test_bad_options(cli: Cli, table: Path, changes: dict[str, str | None], words: list[str]) -> None:
    with cli.unchanged():
        assert_refused(cli(*put(cli, table, **changes)), *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["data.csv", "empty"]),
        ("x,kind\n", ["data.csv", "no rows"]),
        ("x,kind\n1,a\nnot a number,b\n3,a\n", ["data.csv", "column 'x'", "row 2"]),
        ("x,kind\n1,a\n,b\n3,a\n", ["data.csv", "row 2"]),
        ("x,kind\n1,a\ninf,b\n3,a\n", ["data.csv", "row 2"]),
        ("x,kind\n1,a\n2,a\n3,a\n", ["data.csv", "two classes"]),
        ("kind\na\nb\n", ["data.csv", "only column"]),
        ("x,x,kind\n1,2\n", ["data.csv"]),
        ("\x00\x01\x02", ["data.csv"]),
    ],
    ids=["empty", "header-only", "text", "missing", "infinite", "one-class", "no-features", "ragged", "binary"],
)
def test_bad_tables(cli: Cli, tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "data.csv"
    path.write_text(text)
    with cli.unchanged():
        assert_refused(cli(*put(cli, path)), *words)


@pytest.mark.parametrize("name", ["data.npz", "data.parquet", "train-images-idx3-ubyte", "data_batch_1", "data.txt"])
def test_files_that_are_not_what_their_name_says(cli: Cli, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x80certainly nothing useful")
    with cli.unchanged():
        assert_refused(cli(*put(cli, path, label=None)), name)


def test_a_test_set_that_does_not_fit(cli: Cli, table: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("height,kind\n1,a\n2,b\n")
    with cli.unchanged():
        assert_refused(cli(*put(cli, table, test=str(other))), "other.csv", "points.csv")


def dense(name: str, units: int) -> dict[str, object]:
    return {"name": name, "kind": "dense", "units": units}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"input_shape": [3], "layers": [dense("out", 3)]}, ["[3]", "[2]"]),
        ({"input_shape": [2], "layers": [dense("out", 4)]}, ["4", "3"]),
        ({"input_shape": [2], "layers": []}, ["layers"]),
        ({"input_shape": [2], "layers": [dense("a", 3), {"name": "b", "kind": "add", "other": "z"}]}, ["z"]),
        ({"input_shape": [2], "layers": [{"name": "a", "kind": "conv2d", "filters": 2}]}, ["a"]),
        ({"input_shape": [2], "layers": [{"name": "a", "kind": "exec"}]}, ["exec"]),
        ({"input_shape": [2], "layers": [dense("out", -3)]}, ["units"]),
        ("not even JSON", ["JSON"]),
        (None, ["No such file"]),
    ],
    ids=[
        "inputs",
        "outputs",
        "no-layers",
        "unknown-layer",
        "conv-on-vector",
        "unknown-kind",
        "units",
        "text",
        "absent",
    ],
)
def test_specs_that_do_not_fit(cli: Cli, table: Path, tmp_path: Path, spec: object, words: list[str]) -> None:
    path = tmp_path / "spec.json"
    if spec is not None:
        path.write_text(spec if isinstance(spec, str) else json.dumps(spec))
    with cli.unchanged():
        assert_refused(cli(*put(cli, table, model=None, spec=str(path))), "--spec", "spec.json", *words)


def test_nobody_to_ask(cli: Cli, table: Path) -> None:
    with cli.unchanged():
        words = [word for word in put(cli, table) if word != "--yes"]
        assert_refused(cli(*words), "--yes")


def test_an_empty_password_file_and_a_wrong_password(cli: Cli, table: Path, tmp_path: Path) -> None:
    file = tmp_path / "password"
    for text, words in (("", "first line is empty"), ("wrong\n", "wrong password")):
        file.write_text(text)
        with cli.unchanged():
            assert_refused(cli(*put(cli, table, password_file=str(file))), words)


def test_no_allowance_is_missing_and_none_is_left(cli: Cli, table: Path) -> None:
    """A client never has to approve anything: `put` approves the reward, exactly, and the escrow takes it."""
    token, book = cli.contracts.token, cli.contracts.addresses.order_book
    dev1 = json.loads(cli("keys", "list", "--json").out)[1]["address"]

    def allowance() -> int:
        return int(cli.contracts.read(token.functions.allowance(dev1, book)))

    def money() -> tuple[int, int]:
        return cli.contracts.token_balance(dev1), cli.contracts.token_balance(book)

    (tokens, escrow), orders = money(), cli.contracts.order_count()
    assert allowance() == 0
    answer = cli(*put(cli, table, "--json"))
    assert answer.code == 0, answer
    assert json.loads(answer.out)["order_id"] == orders + 1 == cli.contracts.order_count()
    assert money() == (tokens - 10 * 10**18, escrow + 10 * 10**18)
    assert allowance() == 0
    assert cli("cancel", str(orders + 1), "--key", "dev1").code == 0
    assert money() == (tokens, escrow)
