"""UltraHonk with the real tools: Noir, Barretenberg, the Solidity compiler, and the EVM that says the last word."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offchain.chain.client import ChainClient
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.data.dataset import Dataset
from offchain.errors import Rejected
from offchain.model.export import write_files
from offchain.model.files import GRAPH_FILE, WEIGHTS_FILE, encode_graph, encode_weights
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.proofs.circuit import Circuit
from offchain.proofs.field import ORDER, Element
from offchain.proofs.local_evm import ask_verifier, call_data
from offchain.proofs.noir.barretenberg import TARGET
from offchain.proofs.noir.reference_string import IGNITION_G2, IgnitionString, points_for
from offchain.proofs.noir.system import UltraHonk, open_ultrahonk
from offchain.proofs.noir.tools import run_program
from offchain.proofs.noir.verifier import MAX_CODE_BYTES, proof_bytes, wrap
from offchain.proofs.proof_file import decode_proof, encode_proof
from offchain.proofs.prove import open_system, prove_accuracy
from offchain.proofs.statement import Chunk, correct_count
from offchain.proofs.system import CompiledVerifier, Proof
from tests.integration.cli.support import Answer, assert_refused, call

PROVER, SALT = Element(2**200 + 7), Element(ORDER - 3)
GAS_BAR = 900_000


def tiny_network() -> IntegerNetwork:
    """Three inputs, two classes: right about two of the three samples below, one of them by a tie."""
    scale = Requantisation(np.array([1 << 20, 1 << 20], np.int32), np.array([20, 20], np.uint8))
    weight = np.array([[3, -2, 5], [1, 1, -128]], np.int8)
    dense = Node(
        Op.DENSE, (0,), (2,), -1000, 1000, weight=weight, bias=np.array([-4, 0], np.int32), requantisation=scale
    )
    return IntegerNetwork((3,), (dense,), 1.0)


CHUNK = Chunk(np.array([[2, 0, 0], [127, 0, -128], [-128, 1, 1]], np.int8), np.array([0, 0, 0], np.int32))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def system(home: Path) -> UltraHonk:
    return open_ultrahonk(home / "proofs")


@pytest.fixture(scope="module")
def circuit() -> Circuit:
    return Circuit.of(tiny_network(), len(CHUNK))


@pytest.fixture(scope="module")
def proof(system: UltraHonk, circuit: Circuit) -> Proof:
    return prove_accuracy(tiny_network(), CHUNK, PROVER, SALT, system, circuit=circuit)


@pytest.fixture(scope="module")
def verifier(system: UltraHonk, circuit: Circuit) -> CompiledVerifier:
    return system.verifier(circuit)


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil.start(AnvilOptions(accounts=1)) as started:
        yield started


def deploy(client: ChainClient, verifier: CompiledVerifier) -> Any:
    """The deployed verifier; raises the node's refusal."""
    sender = dev_accounts(1)[0].address
    fields = {"from": sender, "data": "0x" + verifier.creation.hex(), "gas": hex(8_000_000)}
    client.request("eth_call", fields, "latest")
    made = client.request("eth_sendTransaction", fields)
    address = client.web3.eth.wait_for_transaction_receipt(made)["contractAddress"]
    abi = [item for item in verifier.abi if item.get("name") != "verify" or len(item["inputs"]) == 5]
    return client.web3.eth.contract(address=address, abi=abi)


def test_a_proof_says_what_the_evaluator_counts(system: UltraHonk, circuit: Circuit, proof: Proof) -> None:
    assert proof.statement.correct == correct_count(circuit, tiny_network(), CHUNK) == 1
    assert proof.statement.prover == PROVER
    assert system.verify(circuit, proof)


def test_two_proofs_of_one_statement_differ(system: UltraHonk, circuit: Circuit, proof: Proof) -> None:
    again = system.prove(circuit, tiny_network(), CHUNK, PROVER, SALT)
    assert again.statement == proof.statement
    pairs = list(enumerate(zip(_words(again.data), _words(proof.data), strict=True)))
    # What is the same is zero: no recursion, and gates that the circuit has none of. All else is masked.
    assert {one for _, (one, other) in pairs if one == other} == {bytes(32)}


def _words(data: bytes) -> list[bytes]:
    return [data[start : start + 32] for start in range(0, len(data), 32)]


def test_whatever_is_changed_is_refused(system: UltraHonk, circuit: Circuit, proof: Proof) -> None:
    said = proof.statement
    statements = [
        replace(said, correct=said.correct + 1),
        replace(said, correct=said.correct - 1),
        replace(said, prover=Element(said.prover + 1)),
        replace(said, model_hash=Element(said.model_hash ^ 1)),
        replace(said, chunk_hash=Element(said.chunk_hash ^ 1)),
        replace(said, correct=said.correct + ORDER),
        replace(said, correct=-1),
    ]
    data = proof.data
    datas = [
        b"",
        data[:-32],
        data + bytes(32),
        bytes(len(data)),
        data[:-1] + bytes([data[-1] ^ 1]),
        b"\xff" * len(data),
    ]
    for forged in [replace(proof, statement=s) for s in statements] + [replace(proof, data=d) for d in datas]:
        assert not system.verify(circuit, forged)
    assert not system.verify(circuit, replace(proof, system="groth16"))
    assert not system.verify(circuit, replace(proof, circuit_hash=bytes(32)))


def test_a_false_count_cannot_be_proven(system: UltraHonk, circuit: Circuit) -> None:
    from offchain.proofs.noir.inputs import inputs

    witness = inputs(circuit, tiny_network(), CHUNK, SALT, PROVER, 1)
    with pytest.raises(Rejected, match="the statement is not true, so nothing proves it"):
        system.barretenberg.prove(system.program(circuit), {**witness, "correct": 2})


def test_the_contract_is_the_interface_and_the_key_is_its_code(
    anvil: Anvil, circuit: Circuit, proof: Proof, verifier: CompiledVerifier
) -> None:
    client = anvil.client()
    contract = deploy(client, verifier)
    code = bytes(client.web3.eth.get_code(contract.address))
    assert code == verifier.runtime
    assert len(code) <= MAX_CODE_BYTES
    assert contract.functions.circuitHash().call() == circuit.circuit_hash
    assert contract.functions.samples().call() == len(CHUNK)
    assert contract.functions.insecure().call() is True
    arguments = (proof.data, *proof.statement.elements())
    assert contract.functions.verify(*arguments).call() is True
    assert contract.functions.verify(*arguments).estimate_gas() < GAS_BAR
    overflowing = (*arguments[:3], proof.statement.correct + ORDER, PROVER)
    assert not ask_verifier(verifier.runtime, "verify", proof.data, overflowing[1:])
    assert len(proof.data) == proof_bytes(verifier.source)


def test_an_insecure_verifier_deploys_on_development_chains_only(verifier: CompiledVerifier) -> None:
    assert verifier.insecure
    assert f"{IGNITION_G2[0]:064x}" not in verifier.source
    with Anvil.start(AnvilOptions(accounts=1, chain_id=56)) as other, pytest.raises(Rejected, match="reverted"):
        deploy(other.client(), verifier)


def test_what_hides_nothing_is_refused(
    system: UltraHonk, circuit: Circuit, verifier: CompiledVerifier, proof: Proof, tmp_path: Path
) -> None:
    """Barretenberg's other flavour, made by the same program from the same key."""
    from offchain.proofs.noir.inputs import inputs

    barretenberg, program = system.barretenberg, system.program(circuit)
    witness = inputs(circuit, tiny_network(), CHUNK, SALT, PROVER, proof.statement.correct)
    barretenberg._solve(program, witness, tmp_path)
    key = barretenberg.verifying_key(program)
    points = {"CRS_PATH": str(barretenberg.reference.folder(points_for(program.gates)))}
    bb, bare = str(barretenberg.tools.bb), ("-t", f"{TARGET}-no-zk")
    words = ("-b", str(program.path), "-w", str(tmp_path / "witness.gz"), "-k", str(key), "-o", str(tmp_path))
    run_program([bb, "prove", *words, *bare], points, seconds=60).succeeded("proving")
    shown = (tmp_path / "proof").read_bytes()
    assert len(shown) < len(proof.data)
    assert not system.verify(circuit, replace(proof, data=shown))
    assert not ask_verifier(verifier.runtime, "verify", shown, proof.statement.elements())
    solidity = ("-k", str(key), "-o", str(tmp_path / "v.sol"), "--optimized")
    run_program([bb, "write_solidity_verifier", *solidity, *bare], points, seconds=60).succeeded("writing")
    with pytest.raises(Rejected, match="not of Barretenberg's zero-knowledge flavour"):
        wrap((tmp_path / "v.sol").read_text(), circuit.circuit_hash, len(CHUNK), barretenberg.reference)


def test_another_reference_string_makes_another_verifier(system: UltraHonk, circuit: Circuit, tmp_path: Path) -> None:
    """The text of Ignition's, for its points cannot be had here: no constructor, its own constants, not insecure."""
    ignition = IgnitionString(tmp_path, system.barretenberg.cache)
    text = wrap(system.barretenberg.solidity(system.program(circuit)), circuit.circuit_hash, 3, ignition)
    assert f"{IGNITION_G2[0]:064x}" in text
    assert "bool public constant insecure = false;" in text
    assert "InsecureOutsideDevelopment" not in text


def test_a_proof_is_a_file_that_stands_alone(system: UltraHonk, circuit: Circuit, proof: Proof) -> None:
    read, found = decode_proof(encode_proof(circuit, proof))
    assert (read, found) == (circuit, proof)
    assert system.verify(read, found)


def test_what_is_made_once_is_there_for_the_next(
    system: UltraHonk, circuit: Circuit, verifier: CompiledVerifier
) -> None:
    said: list[str] = []
    again = open_system("ultrahonk", system.barretenberg.cache.folder, progress=said.append)
    assert again.verifier(circuit) == verifier
    assert said == []


def test_call_data_takes_words_only() -> None:
    with pytest.raises(Rejected, match="not within"):
        call_data("verify", b"", (1, 2, 2**256, 3))
    with pytest.raises(Rejected, match="expected ultrahonk or groth16"):
        open_system("plonk", Path("nowhere"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's directory, with the test samples beside it."""
    folder = tmp_path / "model"
    write_files({GRAPH_FILE: encode_graph(tiny_network()), WEIGHTS_FILE: encode_weights(tiny_network())}, folder)
    (tmp_path / "test.safetensors").write_bytes(Dataset(CHUNK.inputs, CHUNK.labels).to_bytes())
    return folder


def assay(home: Path, *words: str | Path) -> Answer:
    return call([str(word) for word in words], {"ASSAY_HOME": str(home)})


def test_prove_and_verify_by_hand(system: UltraHonk, home: Path, model: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "test.safetensors", tmp_path / "proof.json"
    made = assay(home, "prove", "accuracy", model, "--data", data, "--prover", str(PROVER), "-o", out, "--json")
    assert made.code == 0, made
    assert json.loads(made.out)["correct"] == 1
    assert (model / "salt").stat().st_mode & 0o777 == 0o600
    checked = assay(home, "verify-proof", out, "--json")
    assert checked.code == 0, checked
    shown = assay(home, "prove", "circuit", model, "--samples", "3", "--solidity", tmp_path / "v.sol", "--json")
    assert shown.code == 0, shown
    circuit = json.loads(shown.out)
    assert json.loads(checked.out)["registry_key"] == circuit["registry_key"]
    assert circuit["registry_key"] == "0x" + system.verifier(Circuit.of(tiny_network(), 3)).registry_key.hex()
    assert circuit["insecure"] is True
    assert "contract UltraHonkVerifier is HonkVerifier" in (tmp_path / "v.sol").read_text()
    fields = json.loads(out.read_text())
    fields["statement"]["correct"] += 1
    out.write_text(json.dumps(fields))
    assert_refused(assay(home, "verify-proof", out), "INVALID", "does not hold")


def test_bad_input_is_one_line(home: Path, model: Path, tmp_path: Path) -> None:
    data = tmp_path / "test.safetensors"
    prove = ("prove", "accuracy", model, "--data", data, "-o", tmp_path / "proof.json")
    beacon = "0x" + "11" * 32
    for words, said in (
        (prove, "for whom is the proof? Give --round and --account, or --prover"),
        ((*prove, "--prover", "x"), "--prover x: not a number"),
        ((*prove, "--prover", str(ORDER)), "--prover is not an element"),
        ((*prove, "--prover", "1", "--round", beacon), "leave one of them away"),
        ((*prove, "--round", "0x12", "--account", "me"), "--round 0x12: not 32 bytes"),
        ((*prove, "--prover", "1", "--chunk", "0"), "add --beacon"),
        ((*prove, "--prover", "1", "--beacon", beacon), "add --chunk"),
        ((*prove, "--prover", "1", "--beacon", beacon, "--chunk", "3", "--samples", "1"), "there are 3 chunks of 1"),
        ((*prove, "--prover", "1", "--system", "plonk"), "expected ultrahonk or groth16"),
        ((*prove, "--prover", "1", "--proof-tools", tmp_path), "run `npm install`"),
        (("prove", "circuit", tmp_path / "none"), "no such directory; give one with graph.json"),
        (("verify-proof", data), "nested deeper than 2 levels"),
        (("verify-proof", tmp_path / "none"), "No such file"),
    ):
        assert_refused(assay(home, *words), said)
    assert not (model / "salt").exists()
    assert not (tmp_path / "proof.json").exists()
    (model / "salt").write_text("not a number")
    assert_refused(assay(home, *prove, "--prover", "1"), "not a number in hexadecimal")


@pytest.mark.long
def test_anyone_gets_the_same_code(
    system: UltraHonk, circuit: Circuit, verifier: CompiledVerifier, tmp_path: Path
) -> None:
    other = open_ultrahonk(tmp_path)
    assert other.verifier(circuit).registry_key == verifier.registry_key
    assert other.verifier(replace(circuit, samples=4)).registry_key != verifier.registry_key
