"""What explorers are given compiles to what was deployed, byte for byte."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.addresses import Addresses
from offchain.chain.artifacts import ALL_CONTRACTS
from offchain.chain.client import ChainClient
from offchain.chain.deploy import deploy
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.sender import open_sender
from offchain.chain.verification import ROOT, verifications, write_verifications
from offchain.errors import Rejected
from tests.integration.chain.test_deploy import GOVERNED

QUICK = ("TestTokenFaucet",)
NAMES = (*ALL_CONTRACTS, "AggregateVerifier")


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ChainClient, Addresses, Path]]:
    """A chain with the contracts, and the folder that `assay verification` writes."""
    folder = tmp_path_factory.mktemp("verification")
    with Anvil.start(AnvilOptions()) as anvil:
        client = anvil.client()
        sender = open_sender(client, dev_accounts(1)[0], folder)
        addresses = deploy(sender, folder / "addresses.json", terms=GOVERNED)
        sender.close()
        write_verifications(verifications(addresses), client.chain_id, folder / "out")
        yield client, addresses, folder / "out"


def compiled(file: Path, contract: str) -> Any:
    """The compiler's output for one contract, from exactly what is in the file."""
    done = subprocess.run(
        [str(ROOT / "scripts" / "solc"), "--standard-json"],
        input=file.read_text(),
        cwd=file.parent,  # nothing but the input can be read from there
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    output = json.loads(done.stdout)
    assert [error["message"] for error in output.get("errors", []) if error["severity"] == "error"] == []
    path, name = contract.split(":")
    return output["contracts"][path][name]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.long]) for name in NAMES]
)
def test_the_input_compiles_to_what_was_deployed(handed_in: tuple[ChainClient, Addresses, Path], name: str) -> None:
    client, addresses, folder = handed_in
    index = json.loads((folder / "index.json").read_text())
    assert index["chain_id"] == client.chain_id
    (entry,) = [entry for entry in index["contracts"] if entry["contract"].endswith(f":{name}")]
    output = compiled(folder / entry["standard_json"], entry["contract"])
    assert entry["compiler"] == "v" + json.loads(output["metadata"])["compiler"]["version"]
    creation = output["evm"]["bytecode"]["object"] + entry["constructor_arguments"]
    if name == "AggregateVerifier":  # made by FederatedCourt, without arguments or immutables
        assert client.code(entry["address"]).hex() == output["evm"]["deployedBytecode"]["object"]
        court = client.web3.eth.contract(address=addresses.federated_court, abi=[VERIFIER])
        assert client.call(court.functions.verifier()) == entry["address"]
        return
    assert entry["address"] == addresses.of(name)
    made = client.request("eth_getTransactionByHash", "0x" + addresses.creations[name].tx_hash.hex())
    assert made["input"] == "0x" + creation


VERIFIER = {
    "type": "function",
    "name": "verifier",
    "inputs": [],
    "outputs": [{"name": "", "type": "address", "internalType": "address"}],
    "stateMutability": "view",
}


def test_every_contract_has_its_input(handed_in: tuple[ChainClient, Addresses, Path]) -> None:
    _, _, folder = handed_in
    assert {path.name for path in folder.iterdir()} == {f"{name}.standard.json" for name in NAMES} | {"index.json"}
    for name in NAMES:
        whole = json.loads((folder / f"{name}.standard.json").read_text())
        assert not any(path.startswith(("/", "..", "tests")) for path in whole["sources"])
        assert whole["settings"]["metadata"]["bytecodeHash"] == "none"


def test_a_deployment_of_an_older_version_says_where_its_arguments_are(
    handed_in: tuple[ChainClient, Addresses, Path],
) -> None:
    _, addresses, _ = handed_in
    with pytest.raises(Rejected, match="an older version wrote it; read them from the transaction that made it"):
        verifications(replace(addresses, creations={}))


def test_without_the_sources_it_says_what_is_needed(
    handed_in: tuple[ChainClient, Addresses, Path], tmp_path: Path
) -> None:
    _, addresses, _ = handed_in
    with pytest.raises(Rejected, match="holds no source of ParametersTimelock; run it in a clone of the repository"):
        verifications(addresses, tmp_path)
