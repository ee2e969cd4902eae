"""Write the Groth16 proofs that the contracts' tests check: real ones, of a tiny circuit, the same at every run.

python scripts/build_groth16_fixture.py            # write tests/contracts/proofs/support/Groth16Fixture.sol
python scripts/build_groth16_fixture.py --check    # exit 1 if it would differ
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from eth_utils.address import to_checksum_address

from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.proofs.circuit import Circuit
from offchain.proofs.field import Element
from offchain.proofs.groth16.curve import G2, TWIST, to_rows
from offchain.proofs.groth16.keys import in_subgroup
from offchain.proofs.groth16.limbs import BASE_ORDER
from offchain.proofs.groth16.prover import prove
from offchain.proofs.groth16.setup import Secrets, insecure_key
from offchain.proofs.groth16.synthesis import synthesise
from offchain.proofs.groth16.witness import make_witness
from offchain.proofs.rounds import round_id
from offchain.proofs.statement import Chunk, prover_binding, statement_of

PLACE = Path(__file__).resolve().parent.parent / "tests" / "contracts" / "proofs" / "support" / "Groth16Fixture.sol"
ROUNDS, OPENER = "0x" + "a55a" * 10, "0x" + "0e" * 20
"""Where `Groth16Rounds.t.sol` puts AccuracyProofs, on chain 31337, and who opens the round `key` there."""
ACCOUNTS = ("0x" + "0a" * 20, "0x" + "0b" * 20)
PROVERS = (
    0x0A11CE,
    0x0B0B,
    *(
        prover_binding(31337, ROUNDS, round_id(to_checksum_address(OPENER), b"key".ljust(32, b"\0")), a)
        for a in ACCOUNTS
    ),
)
"""The first two stand for any bindings, the others are those of accounts in that round."""
SALT = Element(20_261_122)


def tiny_network() -> IntegerNetwork:
    """Dense 3-2-3, of fixed weights."""
    first = Node(
        Op.DENSE,
        (0,),
        (2,),
        0,
        127,
        weight=np.array([[40, -90, 17], [-128, 127, 3]], dtype=np.int8),
        bias=np.array([500, -700], dtype=np.int32),
        requantisation=Requantisation(np.array([2_500_000, 3_000_000], np.int32), np.array([28, 29], np.uint8)),
    )
    second = Node(
        Op.DENSE,
        (1,),
        (3,),
        -128,
        127,
        weight=np.array([[90, -20], [-60, 70], [5, 6]], dtype=np.int8),
        bias=np.array([10, 20, 900], dtype=np.int32),
        requantisation=Requantisation(np.array([2_100_000] * 3, np.int32), np.array([28] * 3, np.uint8)),
    )
    return IntegerNetwork((3,), (first, second), 1.0)


def tiny_chunk() -> Chunk:
    """Four samples."""
    inputs = np.array([[100, -50, 3], [-100, 90, 7], [0, 0, 0], [127, 127, -128]], dtype=np.int8)
    return Chunk(inputs, np.array([0, 1, 2, 0], dtype=np.int32))


def fixture() -> str:
    """The Solidity library."""
    network, chunk = tiny_network(), tiny_chunk()
    circuit = Circuit.of(network, len(chunk))
    system, layout = synthesise(circuit)
    key = insecure_key(system, Secrets.public_knowledge(circuit.circuit_hash))
    statements, proofs = [], []
    for number, prover in enumerate(PROVERS):
        statement = statement_of(circuit, network, chunk, Element(prover), SALT)
        solved = make_witness(circuit, system, layout, network, chunk, statement, SALT)
        for again in range(2):
            counter = iter(range(1000 * (2 * number + again + 1), 10_000))
            proofs.append(prove(key, solved, system.public, lambda below, c=counter: 7 ** next(c) % below))  # type: ignore[misc]
        statements.append(statement)
    words = ",\n".join(f"            {word:#x}" for word in key.verifying_key().words())
    return TEXT.format(
        circuit_hash=circuit.circuit_hash.hex(),
        samples=circuit.samples,
        chunk_hash=hex(statements[0].chunk_hash),
        correct=statements[0].correct,
        words=words,
        models=_branches([hex(s.model_hash) for s in statements]),
        provers=_branches([hex(s.prover) for s in statements]),
        outside=",\n            ".join(hex(word) for word in outside_words()),
        proofs=_branches([f'hex"{proof.hex()}"' for proof in proofs], wide=True),
    )


def outside_words() -> list[int]:
    """The first point of the twist by its x = 1, 2, … that has not the groups' order."""
    for x in range(1, 100):
        y = _square_root(_sum(((x**3) % BASE_ORDER, 0), TWIST))
        if y is None:
            continue
        point = ((x, 0), y)
        if not in_subgroup(to_rows(G2, [point]), G2):
            return [0, x, y[1], y[0]]
    raise SystemExit("build_groth16_fixture: no such point")


def _sum(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return (a[0] + b[0]) % BASE_ORDER, (a[1] + b[1]) % BASE_ORDER


def _square_root(a: tuple[int, int]) -> tuple[int, int] | None:
    """In Fq2, by the norm's root: a = (c + d u)^2 with c^2 = (a0 + |a|) / 2."""
    p = BASE_ORDER
    norm = pow(a[0] * a[0] + a[1] * a[1], (p + 1) // 4, p)
    for sign in (1, -1):
        c = pow((a[0] + sign * norm) * pow(2, -1, p), (p + 1) // 4, p)
        d = a[1] * pow(2 * c, -1, p) % p if c else 0
        if ((c * c - d * d) % p, 2 * c * d % p) == a:
            return c, d
    return None


def _branches(values: list[str], wide: bool = False) -> str:
    form = (
        "        if (index == {}) {{\n            return {};\n        }}"
        if wide
        else "        if (index == {}) return {};"
    )
    lines = [form.format(i, value) for i, value in enumerate(values)]
    return "\n".join([*lines, '        revert("no such");'])


TEXT = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev Written by scripts/build_groth16_fixture.py; do not edit. The key's secrets are known to everybody.
library Groth16Fixture {{
    bytes32 internal constant CIRCUIT_HASH = 0x{circuit_hash};
    uint256 internal constant SAMPLES = {samples};
    uint256 internal constant CHUNK_HASH = {chunk_hash};
    uint256 internal constant CORRECT = {correct};

    function key() internal pure returns (uint256[20] memory) {{
        return [
{words}
        ];
    }}

    /// @dev Of provers 0 to 3, the same network.
    function modelHash(uint256 index) internal pure returns (uint256) {{
{models}
    }}

    function prover(uint256 index) internal pure returns (uint256) {{
{provers}
    }}

    /// @dev A point of the twist that is not in the group of prime order, as a proof has it.
    function outside() internal pure returns (uint256[4] memory) {{
        return [
            {outside}
        ];
    }}

    /// @dev 0 and 1 are two proofs of prover 0's statement; 2 and 3 of prover 1's, and so on.
    function proof(uint256 index) internal pure returns (bytes memory) {{
{proofs}
    }}
}}
"""


def main() -> int:
    """Entry point; the exit code is 0, or 1 when `--check` finds a difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing, exit 1 on any difference")
    text = fixture()
    if not parser.parse_args().check:
        PLACE.write_text(text)
        return 0
    if PLACE.read_text() == text:
        return 0
    print(f"{PLACE.name} differs; run scripts/build_groth16_fixture.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
