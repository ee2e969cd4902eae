"""Barretenberg proves whatever witness it is given; the verifier's code says what that is worth."""

import gzip
import json
from pathlib import Path

import pytest

from offchain.proofs.field import ORDER, Element
from offchain.proofs.noir.barretenberg import TARGET, Barretenberg, Program, hexadecimal
from offchain.proofs.noir.inputs import inputs
from offchain.proofs.noir.reference_string import points_for
from offchain.proofs.noir.system import NAME, UltraHonk
from offchain.proofs.noir.tools import run_program
from offchain.proofs.statement import Statement, statement_of
from offchain.proofs.system import Proof
from tests.integration.proofs.accuracy.adversary import CIRCUIT, PROVER, SALT, Claim

CORRECT, FIRST_WEIGHT = 2, 5
"""Places in the witness: the public inputs come first, then the salt, then node 0's weights."""


@pytest.mark.long
def test_the_verifier_refuses_what_is_proven_of_an_edited_witness(barretenberg: Barretenberg, tmp_path: Path) -> None:
    system = UltraHonk(barretenberg)
    network, chunk = Claim().model.network(), Claim().chunk()
    said = statement_of(CIRCUIT, network, chunk, PROVER, SALT)
    made = inputs(CIRCUIT, network, chunk, SALT, PROVER, said.correct)
    (tmp_path / "inputs.json").write_text(json.dumps(hexadecimal(made)))
    program, witness = system.program(CIRCUIT), tmp_path / "witness.gz"
    solved = barretenberg.tools.script("witness.mjs", program.path, tmp_path / "inputs.json", witness)
    assert solved.code == 0
    honest = witness.read_bytes()
    last = len(flat(made)) - 1
    # in the order of `main`: the last input is the last sample's `right`
    for place in (None, CORRECT, FIRST_WEIGHT, last):
        witness.write_bytes(honest if place is None else edited(honest, place))
        data, public = proven(barretenberg, program, witness, tmp_path)
        statement = Statement(Element(public[0]), Element(public[1]), public[2], Element(public[3]))
        assert (statement == said) == (place != CORRECT)
        assert system.verify(CIRCUIT, Proof(NAME, CIRCUIT.circuit_hash, statement, data)) == (place is None), place


def proven(barretenberg: Barretenberg, program: Program, witness: Path, folder: Path) -> tuple[bytes, list[int]]:
    """The proof that Barretenberg makes of a witness without asking, and its public inputs."""
    environment = {"CRS_PATH": str(barretenberg.reference.folder(points_for(program.gates)))}
    words = ["prove", "-b", program.path, "-w", witness, "-k", barretenberg.verifying_key(program), "-o", folder]
    line = [str(barretenberg.tools.bb), *map(str, words), "-t", TARGET]
    run_program(line, environment, seconds=600).succeeded("proving")
    public = (folder / "public_inputs").read_bytes()
    return (folder / "proof").read_bytes(), [int.from_bytes(public[i : i + 32], "big") for i in range(0, 128, 32)]


def edited(witness: bytes, place: int) -> bytes:
    """The witness file with one element more by 1: MessagePack, a place and then 32 bytes each."""
    data = bytearray(gzip.decompress(witness))
    assert place < 128, "larger numbers have a tag"
    at = data.index(bytes([place, 0xC4, 32])) + 3
    data[at : at + 32] = ((int.from_bytes(data[at : at + 32], "big") + 1) % ORDER).to_bytes(32, "big")
    return gzip.compress(bytes(data))


def flat(value: object) -> list[int]:
    """All numbers in their order."""
    if isinstance(value, dict):
        return [number for item in value.values() for number in flat(item)]
    if isinstance(value, list):
        return [number for item in value for number in flat(item)]
    assert isinstance(value, int)
    return [value]
