"""What `assay get` refuses: models that are not what was revealed or cannot be had, and orders that have none."""

import json
from pathlib import Path

import pytest

from offchain.types import OrderId
from tests.integration.cli.revealing import BAD, MAX_MODEL_BYTES, Revealed, reveal_all
from tests.integration.cli.support import Cli, assert_refused
from tests.integration.cli.test_put_refuses import put


@pytest.fixture(scope="module")
def revealed(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Revealed:
    table = tmp_path_factory.mktemp("data") / "points.csv"
    table.write_text("x,y,kind\n" + "".join(f"{i % 3},{i % 5},{'abc'[i % 3]}\n" for i in range(60)))
    limit = str(MAX_MODEL_BYTES)
    answer = cli(*put(cli, table, "--json", train_seconds="1h", reveal_seconds="1h", max_model_bytes=limit))
    assert answer.code == 0, answer
    return reveal_all(cli, OrderId(json.loads(answer.out)["order_id"]))


@pytest.mark.parametrize("form", ["files", "torch", "safetensors", "onnx"])
def test_a_good_model_comes_in_every_format(cli: Cli, revealed: Revealed, tmp_path: Path, form: str) -> None:
    with cli.unchanged():
        answer = cli("get", str(revealed.oid), "--provider", "dev2", "--format", form, "--out", str(tmp_path / "m"))
    assert answer.code == 0, answer
    assert "0x" + revealed.good.root.hex() in answer.out
    assert len(list((tmp_path / "m").iterdir())) == 2
    if form == "files":
        assert (tmp_path / "m" / "weights.safetensors").read_bytes() == revealed.good.weights


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_model_is_refused_and_nothing_is_written(cli: Cli, revealed: Revealed, tmp_path: Path, kind: str) -> None:
    words = ("get", str(revealed.oid), "--provider", revealed.providers[kind], "--out", str(tmp_path / "m"))
    with cli.unchanged():
        assert_refused(cli(*words), *BAD[kind][1])
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_in_the_store_counts_as_missing(cli: Cli, revealed: Revealed, tmp_path: Path) -> None:
    name = str(revealed.cids["another root"])  # nobody else's file
    path = cli.home / "store" / name[-2:] / name
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    answer = cli(
        *("get", str(revealed.oid), "--provider", revealed.providers["another root"], "--out", str(tmp_path / "m"))
    )
    assert_refused(answer, name, "damaged")
    assert not (tmp_path / "m").exists()


def test_content_that_is_nowhere(cli: Cli, revealed: Revealed, tmp_path: Path) -> None:
    empty = f"local:{tmp_path / 'empty'}"
    out = tmp_path / "m"
    answer = cli("get", str(revealed.oid), "--provider", "dev2", "--store", empty, "--out", str(out))
    assert_refused(answer, str(revealed.cids["good"]), empty)
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], ["not sealed", "reveal", "--provider"]),
        (["--provider", "dev1"], ["--provider", "has revealed no model"]),
        (["--provider", "nobody"], ["--provider nobody", "dev1"]),
        (["--format", "pickle"], ["--format", "safetensors"]),
        (["--provider", "dev2", "--store", "kubo:http://127.0.0.1:1"], ["kubo:http://127.0.0.1:1"]),
        (["--provider", "dev2", "--rpc", "http://127.0.0.1:1"], ["--rpc http://127.0.0.1:1"]),
        (["--provider", "dev2", "--chain-id", "1"], ["--rpc", "31337"]),
    ],
    ids=["unsealed", "no-model", "nobody", "format", "kubo-down", "rpc-down", "other-chain"],
)
def test_bad_options(cli: Cli, revealed: Revealed, tmp_path: Path, words: list[str], said: list[str]) -> None:
    with cli.unchanged():
        assert_refused(cli("get", str(revealed.oid), "--out", str(tmp_path / "m"), *words), *said)
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_the_directory_should_be(cli: Cli, revealed: Revealed, tmp_path: Path) -> None:
    (tmp_path / "m").write_text("mine")
    answer = cli("get", str(revealed.oid), "--provider", "dev2", "--out", str(tmp_path / "m"))
    assert_refused(answer, "--out", "a file")
    assert (tmp_path / "m").read_text() == "mine"


@pytest.mark.parametrize("command", ["get", "show", "cancel"])
def test_an_order_that_does_not_exist(cli: Cli, command: str, tmp_path: Path) -> None:
    key = ["--key", "dev1"] if command == "cancel" else []
    out = ["--out", str(tmp_path / "m")] if command == "get" else []
    with cli.unchanged():
        assert_refused(cli(command, "4711", *key, *out), "4711", "no such order")


def test_cancelling_what_cannot_be_cancelled(cli: Cli, revealed: Revealed, table: Path) -> None:
    with cli.unchanged():
        assert_refused(cli("cancel", str(revealed.oid), "--key", "dev1"), "reveal")
    oid = str(json.loads(cli(*put(cli, table, "--json")).out)["order_id"])
    with cli.unchanged():
        assert_refused(cli("cancel", oid, "--key", "dev0"), "is not of")
    assert cli("cancel", oid, "--key", "dev1").code == 0
    with cli.unchanged():
        assert_refused(cli("cancel", oid, "--key", "dev1"), "cancelled")
        assert_refused(cli("get", oid, "--out", "m"), "cancelled")
