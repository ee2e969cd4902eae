"""`assay private` from the order to the opened model, on Groth16, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest

from offchain.chain.devnet import travel
from offchain.data.dataset import Dataset
from offchain.model.export import write_files
from offchain.model.files import GRAPH_FILE, WEIGHTS_FILE, encode_graph, encode_weights
from offchain.proofs.circuit import Circuit
from tests.integration.cli.support import Answer, Cli, assert_refused
from tests.integration.proofs.private_stage import SAMPLES, chunks, network

WINDOW = 600


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A model, its circuit's description, and a test set of two chunks and a sample that is left over."""
    made = network()
    write_files({GRAPH_FILE: encode_graph(made), WEIGHTS_FILE: encode_weights(made)}, tmp_path / "model")
    (tmp_path / "circuit.json").write_bytes(Circuit.of(made, SAMPLES).description())
    parts = chunks(2)
    inputs = np.concatenate([*(part.inputs for part in parts), parts[0].inputs[:1]])
    labels = np.concatenate([*(part.labels for part in parts), parts[0].labels[:1]])
    (tmp_path / "test.safetensors").write_bytes(Dataset(inputs, labels).to_bytes())
    return tmp_path


def put(cli: Cli, files: Path, *words: str) -> Answer:
    windows = [f"--{name}-seconds" for name in ("claim", "release", "prove", "handover", "dispute", "answer")]
    times = [word for flag in windows for word in (flag, str(WINDOW))]
    what = ["--circuit", str(files / "circuit.json"), "--data", str(files / "test.safetensors"), "--system", "groth16"]
    terms = ["--reward", "50", "--minimum", "0.3", "--key", "dev1", "--title", "tiny", "--yes", "--json"]
    return cli("private", "put", *what, *terms, *times, *words)


def said(answer: Answer) -> str:
    assert answer.code == 0, answer
    return str(json.loads(answer.out.splitlines()[-1])["says"])


@pytest.mark.long
def test_a_private_order_from_the_command_line(cli: Cli, files: Path, tmp_path: Path) -> None:
    answer = put(cli, files)
    assert answer.code == 0, answer
    assert "1 samples are left over" in answer.err
    oid = str(json.loads(answer.out)["order_id"])
    assert_refused(cli("private", "run", oid, "--key", "dev2", "--once"), f"order {oid} is none that this key")
    claimed = cli("private", "claim", oid, str(files / "model"), "--key", "dev2", "--json")
    assert claimed.code == 0, claimed
    assert_refused(cli("private", "cancel", oid, "--key", "dev1"), "HasClaims")
    assert_refused(cli("private", "open", oid, "--key", "dev1", "--out", str(tmp_path / "early")), "no model handed")
    shown = json.loads(cli("private", "show", oid, "--json").out)
    assert (shown["phase"], shown["claims"], shown["title"]) == ("claim", 1, "tiny")
    assert 0 < shown["ends_in_seconds"] <= WINDOW
    assert f"Private order {oid}" in cli("private", "show", oid).out

    travel(cli.client, WINDOW)
    assert said(step(cli, oid, "dev1")) == "release: the test set is released"
    for _ in range(5):
        last = said(step(cli, oid, "dev2"))
        cli.client.request("evm_mine")
        if last.startswith("prove: proved"):
            break
    assert last == "prove: proved 2 chunks"
    assert said(step(cli, oid, "dev2")) == "award: advanced"
    assert said(step(cli, oid, "dev2")) == "handover: handed over"
    assert said(step(cli, oid, "dev1")) == "dispute: what was handed over is what was proven"
    opened = cli("private", "open", oid, "--key", "dev1", "--out", str(tmp_path / "opened"), "--json")
    assert opened.code == 0, opened
    found = json.loads(opened.out)
    assert found["correct"] == found["proven"] >= 2
    assert (tmp_path / "opened" / WEIGHTS_FILE).exists()
    travel(cli.client, WINDOW)
    assert said(step(cli, oid, "dev1")) == "payable: advanced"
    ended = cli("private", "run", oid, "--key", "dev2", "--json")
    assert said(ended) == "closed: waiting"
    listed = json.loads(cli("private", "list", "--json").out)
    assert next(row for row in listed if str(row["order"]) == oid)["outcome"] == "paid"
    assert "Private orders" in cli("private", "list").out


def test_cancelled_and_refused(cli: Cli, files: Path) -> None:
    oid = str(json.loads(put(cli, files, "--show-test").out)["order_id"])
    assert_refused(put(cli, files, "--draws", "3"), "--draws 3: --data has 2 chunks")
    assert_refused(put(cli, files, "--answer-seconds", "30"), "--answer-seconds 30: providers claim for 60")
    refused = put(cli, files, "--claim-seconds", "99999999")
    assert refused.code == 2
    assert "claimSeconds" in refused.err
    again = put(cli, files)
    assert again.code == 0, again
    assert "still refused, and left out" in again.err
    written = cli("private", "data", oid, "--out", str(files / "order"))
    assert written.code == 0, written
    assert (files / "order" / "circuit.json").read_bytes() == (files / "circuit.json").read_bytes()
    answer = cli("private", "cancel", oid, "--key", "dev1")
    assert answer.code == 0, answer
    assert json.loads(cli("private", "show", oid, "--json").out)["outcome"] == "cancelled"
    for command in ("show", "open", "run", "cancel"):
        key = [] if command == "show" else ["--key", "dev1"]
        assert_refused(cli("private", command, "999", *key), "no such private order")
    assert_refused(cli("private", "claim", oid, str(files), "--key", "dev2"), GRAPH_FILE)
    (files / "circuit.json").write_text("{}")
    assert_refused(put(cli, files), "circuit")


def step(cli: Cli, oid: str, key: str) -> Answer:
    return cli("private", "run", oid, "--key", key, "--once", "--json")


def test_a_model_circuit_and_samples_from_data(cli: Cli, files: Path) -> None:
    words = ["--model", "mlp:2", "--samples", "3", "--json"]
    first = cli("prove", "train", "iris", *words, "--out", str(files / "first"))
    assert first.code == 0, first
    circuit = files / "first" / "circuit.json"
    data = str(files / "first" / "train.safetensors")
    other = cli("prove", "train", data, *words, "--circuit", str(circuit), "--seed", "3", "--out", str(files / "other"))
    assert other.code == 0, other
    assert (files / "other" / "circuit.json").read_bytes() == circuit.read_bytes()
    assert (files / "other" / WEIGHTS_FILE).read_bytes() != (files / "first" / WEIGHTS_FILE).read_bytes()
    larger = ["--model", "mlp:3", "--circuit", str(circuit), "--out", str(files / "third")]
    assert_refused(cli("prove", "train", data, *larger), "node 0 is another than the circuit's")
    assert not (files / "third").exists()
