"""A proof for a round and an account, from the command line: bound as the contract binds it."""

import json
from pathlib import Path

import pytest

from offchain.data.dataset import Dataset
from offchain.model.export import write_files
from offchain.model.files import GRAPH_FILE, WEIGHTS_FILE, encode_graph, encode_weights
from tests.integration.cli.support import Cli
from tests.integration.proofs.test_ultrahonk import CHUNK, tiny_network

ROUND = bytes(range(32))


@pytest.mark.long
@pytest.mark.parametrize("system", ["ultrahonk", "groth16"])
def test_a_proof_is_bound_to_round_and_account(cli: Cli, tmp_path: Path, system: str) -> None:
    model = tmp_path / "model"
    write_files({GRAPH_FILE: encode_graph(tiny_network()), WEIGHTS_FILE: encode_weights(tiny_network())}, model)
    data, out = tmp_path / "test.safetensors", tmp_path / "proof.json"
    data.write_bytes(Dataset(CHUNK.inputs, CHUNK.labels).to_bytes())
    words = ("prove", "accuracy", str(model), "--data", str(data), "--out", str(out), "--system", system, "--json")
    made = cli(*words, "--round", "0x" + ROUND.hex(), "--account", "dev1")
    assert made.code == 0, made
    account = json.loads(cli("keys", "list", "--json").out)[1]["address"]
    binding = cli.contracts.accuracy_proofs.functions.binding(ROUND, account).call()
    assert int(json.loads(made.out)["prover"], 16) == binding
    checked = cli("verify-proof", str(out), "--json")
    assert checked.code == 0, checked
    assert json.loads(checked.out)["system"] == system
