"""What makes a wrong sum of ciphertexts visible to those who decrypt it: a linear one-time authenticator. Pure.

Whoever adds ciphertexts could shift the sum by anything it likes, count one twice or leave one out, without knowing the
key. So every member appends to its update u four words that carry

    χ_i = Σ_k ρ_k · u_k + τ_i   mod p,   p = 2**61 − 1

with ρ and τ of the group's secret, which who adds does not have. Σ χ_i over the set S that was added must be
Σ_k ρ_k · (Σ u)_k + Σ_{i in S} τ_i: another sum, or another set, passes with probability 1 / p. This is the
inner-product MAC of Agrawal and Boneh, "Homomorphic MACs: MAC-based integrity for network coding" (ACNS 2009), with a
pad of each sender that fixes who is in the sum. A secret is of one session and answers once.

It protects from who adds. A member knows ρ: with who adds it can make any sum pass, as it could by its own update.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from offchain.federated.secure.masking import derive
from offchain.federated.secure.terms import Position

TAG_WORDS: Final = 4
"""Integers of int16 behind an update: the limbs of χ, each less 2**15."""

_PRIME: Final = (1 << 61) - 1
_LIMB: Final = 16
_OFFSET: Final = 1 << 15
_STRIDE: Final = 1 << 14
"""Coordinates at a time: products of 16 and 23 bits, so many of them, are exact in float64."""


class Tags:
    """Of one session: `secret`, 32 bytes that its members know."""

    def __init__(self, secret: bytes, session: bytes) -> None:
        self._secret, self._session = secret, session

    def words(self, position: Position, update: npt.NDArray[Any]) -> npt.NDArray[np.int16]:
        """What a member appends to its update int16 (d,): int16 (4,)."""
        value = (self._product(update) + self._pad(position)) % _PRIME
        limbs = [(value >> (_LIMB * place) & 0xFFFF) - _OFFSET for place in range(TAG_WORDS)]
        return np.array(limbs, dtype=np.int16)

    def fits(self, total: npt.NDArray[Any], words: npt.NDArray[Any], added: Iterable[Position]) -> bool:
        """Whether a sum of updates, integers (d,) within 2**22, and of words (4,) is that of just these members."""
        members = tuple(added)
        claimed = sum(
            int(word) + len(members) * _OFFSET << (_LIMB * place) for place, word in enumerate(words.tolist())
        )
        return claimed % _PRIME == (self._product(total) + sum(map(self._pad, members))) % _PRIME

    def _product(self, vector: npt.NDArray[Any]) -> int:
        """Σ_k ρ_k · v_k mod p. ρ_k is 64 bits of the stream, little-endian in limbs of 16."""
        cipher = Cipher(ChaCha20(derive(self._secret, b"check" + self._session), bytes(16)), mode=None).encryptor()
        sums = [0] * TAG_WORDS
        for start in range(0, len(vector), _STRIDE):
            part = vector[start : start + _STRIDE].astype(np.float64)
            limbs = np.frombuffer(cipher.update(bytes(8 * len(part))), dtype="<u2").reshape(-1, TAG_WORDS)
            for place, product in enumerate((part @ limbs.astype(np.float64)).tolist()):
                sums[place] += int(product)
        return sum(value << (_LIMB * place) for place, value in enumerate(sums)) % _PRIME

    def _pad(self, position: Position) -> int:
        """τ of a member."""
        return int.from_bytes(derive(self._secret, b"pad" + self._session + bytes((position,))), "big") % _PRIME
