"""Proof files from strangers: read within bounds, refused with the field at fault."""

import json
from typing import Any

import pytest

from offchain.errors import Rejected
from offchain.proofs.circuit import Circuit
from offchain.proofs.field import ORDER, Element
from offchain.proofs.proof_file import MAX_FILE_BYTES, MAX_PROOF_BYTES, decode_proof, encode_proof
from offchain.proofs.statement import Statement
from offchain.proofs.system import Proof
from tests.integration.proofs.test_ultrahonk import tiny_network

CIRCUIT = Circuit.of(tiny_network(), 3)
PROOF = Proof(
    "groth16", CIRCUIT.circuit_hash, Statement(Element(5), Element(ORDER - 1), 2, Element(0)), bytes(range(256))
)


def changed(**fields: Any) -> bytes:
    """The file with these fields instead; None leaves one away."""
    whole = json.loads(encode_proof(CIRCUIT, PROOF))
    for name, value in fields.items():
        place = whole if name in whole or name == "more" else whole["statement"]
        place[name] = value
        if value is None:
            del place[name]
    return json.dumps(whole).encode()


def test_what_is_written_is_read() -> None:
    assert decode_proof(encode_proof(CIRCUIT, PROOF)) == (CIRCUIT, PROOF)
    assert decode_proof(changed(correct=3))[1].statement.correct == 3


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not valid JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff", "not UTF-8"),
        (b" " * (MAX_FILE_BYTES + 1), "at most"),
        (b'{"a":{"b":{"c":1}}}', "nested deeper"),
        (changed(version=2), "version"),
        (changed(system="plonk"), "system"),
        (changed(more=1), "more"),
        (changed(proof="0x0"), "proof"),
        (changed(proof="0x" + "00" * (MAX_PROOF_BYTES + 1)), "proof"),
        (changed(proof=None), "proof"),
        (changed(correct=-1), "statement.correct"),
        (changed(correct=True), "statement.correct"),
        (changed(correct=65_536), "statement.correct"),
        (changed(prover="0x12"), "statement.prover"),
        (changed(prover=f"0x{ORDER:064x}"), "prover is not an element"),
        (changed(model_hash="0x" + "f" * 64), "model_hash is not an element"),
        (changed(circuit="{}"), "circuit"),
        (changed(circuit=CIRCUIT.description().decode() + " "), "circuit: not canonical"),
    ],
)
def test_anything_else_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(Rejected) as refused:
        decode_proof(data, "file")
    assert str(refused.value).startswith("file: ")
    assert said in str(refused.value)
