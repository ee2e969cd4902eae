"""A proof as a file that stands alone: the circuit's description, the statement, and the proof, as JSON."""

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offchain.errors import Rejected
from offchain.proofs.circuit import MAX_DESCRIPTION_BYTES, MAX_SAMPLES, Circuit, parse_circuit
from offchain.proofs.field import check_element
from offchain.proofs.statement import Statement
from offchain.proofs.system import Proof
from offchain.protocol.strict_json import check_json

MAX_PROOF_BYTES = 2**15
"""UltraHonk's for a circuit of 2^28 gates are 13 KiB."""
MAX_FILE_BYTES = 2 * MAX_DESCRIPTION_BYTES + 2 * MAX_PROOF_BYTES + 2**12
_MAX_DEPTH = 2

_Element = Annotated[str, Field(pattern="^0x[0-9a-f]{64}$")]


class _StatementFields(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    model_hash: _Element
    chunk_hash: _Element
    correct: Annotated[int, Field(ge=0, le=MAX_SAMPLES)]
    prover: _Element


class _ProofFields(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    version: Literal[1]
    system: Literal["ultrahonk", "groth16"]
    circuit: Annotated[str, Field(max_length=MAX_DESCRIPTION_BYTES)]
    statement: _StatementFields
    proof: Annotated[str, Field(pattern="^0x([0-9a-f]{2})*$", max_length=2 + 2 * MAX_PROOF_BYTES)]


def encode_proof(circuit: Circuit, proof: Proof) -> bytes:
    """The file of a proof."""
    statement = proof.statement
    fields = {
        "version": 1,
        "system": proof.system,
        "circuit": circuit.description().decode("ascii"),
        "statement": {
            "model_hash": f"0x{statement.model_hash:064x}",
            "chunk_hash": f"0x{statement.chunk_hash:064x}",
            "correct": statement.correct,
            "prover": f"0x{statement.prover:064x}",
        },
        "proof": "0x" + proof.data.hex(),
    }
    return json.dumps(fields, indent=1).encode("ascii") + b"\n"


def decode_proof(data: bytes, name: str = "proof") -> tuple[Circuit, Proof]:
    """Reads what `encode_proof` wrote, from anyone; nothing says yet that the proof holds.

    Raises Rejected, beginning with `name` and naming the field, for anything else.
    """
    try:
        check_json(data, max_bytes=MAX_FILE_BYTES, max_depth=_MAX_DEPTH)
        fields = _ProofFields.model_validate_json(data)
        circuit = parse_circuit(fields.circuit.encode())
        said = fields.statement
        hashes = [
            check_element(field, int(getattr(said, field), 16)) for field in ("model_hash", "chunk_hash", "prover")
        ]
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "top level"
        raise Rejected(f"{name}: {place[:80]}: {first['msg'][:160]}") from None
    except Rejected as error:
        raise Rejected(f"{name}: {error}") from None
    statement = Statement(hashes[0], hashes[1], said.correct, hashes[2])
    return circuit, Proof(fields.system, circuit.circuit_hash, statement, bytes.fromhex(fields.proof[2:]))
