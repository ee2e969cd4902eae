"""Writes contracts/proofs/Poseidon2Constants.sol: python -m scripts.poseidon2_constants."""

from itertools import chain
from pathlib import Path

from offchain.proofs.poseidon2 import round_constants

FILE = Path(__file__).parent.parent / "contracts" / "proofs" / "Poseidon2Constants.sol"


def source() -> str:
    """The file: the rounds' numbers in the order in which the permutation reads them, and the diagonal."""
    before, between, after, diagonal = round_constants()
    numbers = (*chain(*before), *between, *chain(*after))
    words = "\n    ".join(f'hex"{number:064x}"' for number in numbers)
    matrix = "\n".join(
        f"uint256 constant POSEIDON2_DIAGONAL_{i} = 0x{number:064x};" for i, number in enumerate(diagonal)
    )
    return f"""// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

// Made by scripts/poseidon2_constants.py, 32 bytes each: four full rounds of 4, 56 partial rounds of 1, four full
// rounds of 4.
bytes constant POSEIDON2_CONSTANTS = {words};

// The internal matrix's diagonal less 1.
{matrix}
"""


if __name__ == "__main__":
    FILE.write_text(source(), encoding="utf-8")
