"""A message of the sponge, sealed piece by piece so that one piece shows a fault: twin of `SealedPieces.sol`. Pure.

A piece is 28 words of 32 bytes: 24 elements, which take 8 permutations, and the state after the last of them. Words
count modulo the field's order, those past the message as 0. Each piece is encrypted with ChaCha20 under the file's key,
counter from 0, its number in the file as nonce (docs/private-orders.md, Pieces). Nothing here authenticates: the root
over the sealed pieces does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from offchain.errors import Bug
from offchain.model.keccak import keccak_rows
from offchain.model.merkle import MerkleTree
from offchain.proofs.field import ORDER
from offchain.proofs.poseidon2 import State, permute
from offchain.types import Root

PIECE_BYTES: Final = 896
ELEMENTS: Final = 24
"""Elements in a piece."""

MAX_ELEMENTS: Final = 1 << 20
"""Elements in a message of a private order."""

_LEAF = (11).to_bytes(32, "big")
_RATE = 3
_WORD = 32


@dataclass(frozen=True, slots=True)
class Message:
    """What a run of pieces must be: a message of the sponge.

    domain: of the sponge; elements: how many; digest: its hash; first: number of its first piece in the file.
    """

    domain: int
    elements: int
    digest: int
    first: int = 0

    @property
    def pieces(self) -> int:
        """How many pieces it takes."""
        return piece_count(self.elements)


def piece_count(elements: int) -> int:
    """Pieces of a message of so many elements; at least 1."""
    return max(1, -(-elements // ELEMENTS))


def seal(key: bytes, domain: int, elements: Sequence[int], first: int = 0) -> bytes:
    """The sealed pieces of a message, one after the other; `first` is the number of the first in its file.

    key: 32 bytes; elements: of the field.
    """
    words = [word for piece in _pieces(domain, elements) for word in piece]
    plain = b"".join(word.to_bytes(_WORD, "big") for word in words)
    return b"".join(
        _cipher(key, first + at, plain[at * PIECE_BYTES : (at + 1) * PIECE_BYTES])
        for at in range(len(plain) // PIECE_BYTES)
    )


def open_piece(key: bytes, number: int, piece: bytes) -> tuple[int, ...]:
    """The 28 words of a sealed piece, reduced. Raises Bug unless it has 896 bytes."""
    if len(piece) != PIECE_BYTES:
        raise Bug(f"a piece of {len(piece)} bytes")
    plain = _cipher(key, number, piece)
    return tuple(int.from_bytes(plain[at : at + _WORD], "big") % ORDER for at in range(0, PIECE_BYTES, _WORD))


def first_fault(key: bytes, message: Message, pieces: Sequence[bytes]) -> int | None:
    """The first piece, by its place in the message, that does not follow; None when all is as the digest says.

    pieces: the message's sealed pieces, all of them.
    """
    if len(pieces) != message.pieces:
        raise Bug(f"{len(pieces)} pieces of a message of {message.pieces}")
    state: State = (0, 0, 0, (message.domain << 64) + message.elements)
    for index, piece in enumerate(pieces):
        words = open_piece(key, message.first + index, piece)
        state = _after(state, words[: _own(message.elements, index)])
        last = index == len(pieces) - 1
        if state != words[ELEMENTS:] or (last and state[0] != message.digest):
            return index
    return None


def open_message(key: bytes, message: Message, pieces: Sequence[bytes]) -> list[int]:
    """The elements of a message whose pieces have no fault."""
    words = [
        word for index, piece in enumerate(pieces) for word in open_piece(key, message.first + index, piece)[:ELEMENTS]
    ]
    return words[: message.elements]


def cut(data: bytes) -> list[bytes]:
    """The pieces of a sealed file. What is left over at the end is a piece that is too short."""
    return [data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)]


class PieceTree:
    """The tree over a file's sealed pieces; the twin of `SealedPieces.leafOf` and `IndexedMerkle.sol`."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        rows = np.zeros((len(pieces), _WORD + PIECE_BYTES), dtype=np.uint8)
        rows[:, :_WORD] = np.frombuffer(_LEAF, dtype=np.uint8)
        rows[:, _WORD:] = np.frombuffer(b"".join(pieces), dtype=np.uint8).reshape(-1, PIECE_BYTES)
        self._tree = MerkleTree(keccak_rows(rows))

    @property
    def root(self) -> Root:
        """What is on chain."""
        return self._tree.root

    def prove(self, number: int) -> tuple[bytes, ...]:
        """The siblings from the piece up to the root, 32 bytes each."""
        return self._tree.prove(number)


def _pieces(domain: int, elements: Sequence[int]) -> Iterator[tuple[int, ...]]:
    state: State = (0, 0, 0, (domain << 64) + len(elements))
    for index in range(piece_count(len(elements))):
        some = elements[index * ELEMENTS : (index + 1) * ELEMENTS]
        padded = (*some, *(0,) * (ELEMENTS - len(some)))
        state = _after(state, some)
        yield (*padded, *state)


def _after(state: State, words: Sequence[int]) -> State:
    """The state after a piece's own words, at most 24. What is past the message counts as 0, whatever was sent: another
    padding leads to a hash that nobody can prove anything about."""
    a, b, c, d = state
    for at in range(0, max(len(words), 1), _RATE):
        block = words[at : at + _RATE]
        x, y, z = (*block, *(0,) * (_RATE - len(block)))
        a, b, c, d = permute(((a + x) % ORDER, (b + y) % ORDER, (c + z) % ORDER, d))
    return a, b, c, d


def _own(elements: int, index: int) -> int:
    """Words of piece `index` that are the message's."""
    return min(elements - index * ELEMENTS, ELEMENTS)


def _cipher(key: bytes, number: int, data: bytes) -> bytes:
    nonce = bytes(4) + number.to_bytes(12, "little")
    return Cipher(ChaCha20(key, nonce), mode=None).encryptor().update(data)
