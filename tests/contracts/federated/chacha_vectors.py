"""Writes `ChaCha20Vectors.sol` from the library that masks with: python -m tests.contracts.federated.chacha_vectors."""

from pathlib import Path

from offchain.federated.secure.masking import word_at
from offchain.federated.secure.terms import Seed
from offchain.protocol.hashing import keccak

FILE = Path(__file__).with_name("ChaCha20Vectors.sol")
COUNT = 256
PER_LINE = 25


def vectors() -> bytes:
    """Four bytes for each k below COUNT: the word of key keccak(k) at a coordinate of 32 − k mod 29 bits."""
    words = []
    for k in range(COUNT):
        key = Seed(keccak(k.to_bytes(32, "big")))
        coordinate = int.from_bytes(keccak(key)[-4:], "big") >> k % 29
        words.append(word_at(key, coordinate).to_bytes(4, "big"))
    return b"".join(words)


def source() -> str:
    """The file."""
    text = vectors().hex()
    step = 8 * PER_LINE // 2
    lines = "\n    ".join(f'hex"{text[at : at + step]}"' for at in range(0, len(text), step))
    return f"""// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

// Made by chacha_vectors.py; four bytes for each k: the word of key keccak256(k) at coordinate
// uint32(uint256(keccak256(key))) >> (k % 29).
bytes constant CHACHA20_WORDS = {lines};
"""


if __name__ == "__main__":
    FILE.write_text(source(), encoding="utf-8")
