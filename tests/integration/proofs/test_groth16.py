"""Groth16 with the code that a chain runs, and a ceremony by the command line."""

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from offchain.chain.devnet import Anvil, AnvilOptions
from offchain.chain.errors import ContractRejected
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.proofs.circuit import Circuit
from offchain.proofs.field import ORDER, Element
from offchain.proofs.groth16.curve import G1, G2, multi_scalar, scalar_rows, scaled, to_points, to_rows
from offchain.proofs.groth16.keys import point_bytes
from offchain.proofs.groth16.setup import Secrets
from offchain.proofs.groth16.system import Groth16, open_groth16
from offchain.proofs.groth16.witness import public_inputs
from offchain.proofs.local_evm import ask_verifier
from offchain.proofs.proof_file import encode_proof
from offchain.proofs.prove import open_system, prove_accuracy
from offchain.proofs.statement import Chunk, Statement, correct_count
from offchain.proofs.system import Proof
from tests.integration.cli.support import Answer, assert_refused, call

PROVER, SALT = Element(2**200 + 7), Element(ORDER - 3)
CHUNK = Chunk(np.array([[2, 0, 0], [127, 0, -128], [-128, 1, 1]], np.int8), np.array([0, 0, 0], np.int32))
BEACON = "ab" * 32


def tiny_network() -> IntegerNetwork:
    scale = Requantisation(np.array([1 << 20, 1 << 20], np.int32), np.array([20, 20], np.uint8))
    weight = np.array([[3, -2, 5], [1, 1, -128]], np.int8)
    dense = Node(
        Op.DENSE, (0,), (2,), -1000, 1000, weight=weight, bias=np.array([-4, 0], np.int32), requantisation=scale
    )
    return IntegerNetwork((3,), (dense,), 1.0)


def assay(*words: str) -> Answer:
    """`assay ceremony …`, which goes well."""
    answer = call(["ceremony", *words], {})
    assert answer.code == 0, answer.err
    return answer


def refused(words: list[str], why: str) -> None:
    """`assay ceremony …`, which is one line that says why."""
    assert_refused(call(["ceremony", *words], {}), why)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Groth16:
    return open_groth16(tmp_path_factory.mktemp("home") / "proofs")


@pytest.fixture(scope="module")
def proof(system: Groth16) -> Proof:
    return prove_accuracy(tiny_network(), CHUNK, PROVER, SALT, system)


def test_a_proof_is_256_bytes_and_holds_here_and_on_chain(system: Groth16, proof: Proof) -> None:
    circuit = Circuit.of(tiny_network(), len(CHUNK))
    assert (proof.system, len(proof.data)) == ("groth16", 256)
    assert proof.statement.correct == correct_count(circuit, tiny_network(), CHUNK) > 0
    assert system.verify(circuit, proof)
    runtime = system.verifier(circuit).runtime
    assert ask_verifier(runtime, "verify", proof.data, proof.statement.elements())
    more = replace(proof.statement, correct=proof.statement.correct + 1)
    assert not system.verify(circuit, replace(proof, statement=more))
    assert not ask_verifier(runtime, "verify", proof.data, more.elements())
    spoilt = bytes([proof.data[0] ^ 1]) + proof.data[1:]
    assert not system.verify(circuit, replace(proof, data=spoilt))
    assert not ask_verifier(runtime, "verify", spoilt, proof.statement.elements())


def test_two_proofs_of_one_statement_differ_and_neither_shows_the_randomness(system: Groth16, proof: Proof) -> None:
    circuit = Circuit.of(tiny_network(), len(CHUNK))
    again, measured = system.prove_measured(circuit, tiny_network(), CHUNK, PROVER, SALT)
    assert again.statement == proof.statement
    # no point of one is in the other
    parts = [{each.data[:64], each.data[64:192], each.data[192:]} for each in (proof, again)]
    assert not parts[0] & parts[1]
    assert measured.witness_seconds > 0 < measured.proof_seconds
    seeded = [replace(system, random=random.Random(3).randrange) for _ in range(2)]
    same = [each.prove(circuit, tiny_network(), CHUNK, PROVER, SALT).data for each in seeded]
    assert same[0] == same[1]


@pytest.mark.parametrize("size", [0, 255, 257, 256])
def test_bytes_that_are_no_proof_are_none(size: int, system: Groth16, proof: Proof) -> None:
    circuit = Circuit.of(tiny_network(), len(CHUNK))
    assert not system.verify(circuit, replace(proof, data=bytes(size)))
    assert not system.verify(circuit, replace(proof, data=b"\xff" * size))
    assert not system.verify(circuit, replace(proof, system="ultrahonk"))
    assert not system.verify(circuit, replace(proof, circuit_hash=bytes(32)))
    assert not system.verify(circuit, replace(proof, statement=replace(proof.statement, prover=Element(ORDER + 1))))


def test_anyone_makes_the_same_code_and_it_stays_on_development_chains(system: Groth16, tmp_path: Path) -> None:
    circuit = Circuit.of(tiny_network(), len(CHUNK))
    mine, theirs = system.verifier(circuit), open_system("groth16", tmp_path).verifier(circuit)
    assert mine == theirs
    assert mine.insecure
    creation = {"data": "0x" + mine.creation.hex()}
    with Anvil.start(AnvilOptions(accounts=1)) as anvil:
        assert anvil.client().request("eth_call", creation, "latest") == "0x" + mine.runtime.hex()
    with Anvil.start(AnvilOptions(accounts=1, chain_id=5)) as anvil, pytest.raises(ContractRejected):
        anvil.client().request("eth_call", creation, "latest")


def forged(system: Groth16, circuit: Circuit, statement: Statement) -> Proof:
    """A proof of anything, from the secrets of the insecure key: A = a, B = b, C = (a b - alpha beta - X) / delta."""
    secret, key = Secrets.public_knowledge(circuit.circuit_hash), system.verifying_key(circuit)
    a, b, inverse = 5, 7, pow(secret.delta, -1, ORDER)
    factors = [a * b - secret.alpha * secret.beta, *(-x for x in (1, *public_inputs(statement)))]
    rows = to_rows(G1, [G1.generator, *key.public])
    c = to_points(G1, multi_scalar(G1, rows, scalar_rows([f * inverse % ORDER for f in factors]))[np.newaxis])[0]
    pairs = [
        (to_points(g, scaled(g, to_rows(g, [g.generator]), scalar_rows([k])))[0], g) for g, k in [(G1, a), (G2, b)]
    ]
    data = b"".join(point_bytes(point, group) for point, group in [*pairs, (c, G1)])
    return Proof("groth16", circuit.circuit_hash, statement, data)


def test_anyone_forges_proofs_under_the_insecure_key_and_who_reads_one_is_told(system: Groth16, tmp_path: Path) -> None:
    circuit = Circuit.of(tiny_network(), len(CHUNK))
    proof = forged(system, circuit, Statement(Element(1), Element(2), 3, Element(4)))
    assert system.verify(circuit, proof)
    file, home = tmp_path / "proof.json", {"ASSAY_HOME": str(system.cache.folder.parent)}
    file.write_bytes(encode_proof(circuit, proof))
    assert json.loads(call(["verify-proof", str(file), "--json"], home).out)["insecure"] is True
    assert "INSECURE" in call(["verify-proof", str(file)], home).out


def test_powers_of_a_ceremony_by_the_command_line(tmp_path: Path) -> None:
    folders = [str(tmp_path / name) for name in ("begun", "ada", "bob", "done")]
    assay("new", folders[0], "--size", "3")
    for before, after, name in [(0, 1, "ada"), (1, 2, "bob")]:
        assay("contribute", folders[before], "--to", folders[after], "--name", name)
    description = tmp_path / "circuit.json"
    description.write_bytes(Circuit.of(tiny_network(), len(CHUNK)).description())
    refused(["new", str(tmp_path / "key"), "--circuit", str(description), "--powers", folders[2]], "finish phase 1")
    assay("finish", folders[2], "--to", folders[3], "--beacon", BEACON)
    facts = json.loads(assay("verify", folders[3], "--json").out)
    assert (facts["contributors"], facts["finished"]) == ("ada, bob", True)
    refused(["contribute", folders[3], "--to", folders[0] + "x", "--name", "eve"], "finished")
    refused(["contribute", folders[0], "--to", folders[1], "--name", "eve"], "new folder")
    # the arrays of one state with the transcript of another
    (tmp_path / "bob" / "transcript.json").write_bytes((tmp_path / "ada" / "transcript.json").read_bytes())
    refused(["verify", folders[2]], "last entry")


@pytest.mark.long
def test_a_circuits_ceremony_by_the_command_line_and_proofs_with_its_key(tmp_path: Path) -> None:
    home, circuit = tmp_path / "home", Circuit.of(tiny_network(), len(CHUNK))
    description = tmp_path / "circuit.json"
    description.write_bytes(circuit.description())
    names = {name: str(tmp_path / name) for name in ("p0", "p1", "p2", "c0", "c1", "c2")}
    assay("new", names["p0"], "--size", "12")
    assay("contribute", names["p0"], "--to", names["p1"], "--name", "ada")
    assay("finish", names["p1"], "--to", names["p2"], "--beacon", BEACON)
    assay("new", names["c0"], "--circuit", str(description), "--powers", names["p2"])
    assay("contribute", names["c0"], "--to", names["c1"], "--name", "bob")
    unfinished = ["verify", names["c1"], "--powers", names["p2"], "--install", "--home", str(home)]
    refused(unfinished, "finish it")
    assay("finish", names["c1"], "--to", names["c2"], "--beacon", BEACON[::-1])
    assay("verify", names["c2"], "--powers", names["p2"], "--install", "--home", str(home))
    refused(["verify", names["c2"], "--powers", names["p2"], "--install", "--home", str(home)], "already")
    system = open_groth16(home / "proofs")
    assert not system.verifier(circuit).insecure
    proof = system.prove(circuit, tiny_network(), CHUNK, PROVER, SALT)
    assert ask_verifier(system.verifier(circuit).runtime, "verify", proof.data, proof.statement.elements())
