"""Shamir's secret sharing (CACM 1979) over the prime field of 2**256 + 297, so that any 32 bytes are a secret.

A secret is f(0) of a polynomial of degree threshold − 1; the share of the member at position i is f(i + 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from offchain.errors import Bug

PRIME: Final = 2**256 + 297
"""The least prime above 2**256."""

SHARE_BYTES: Final = 33
"""Of a share, big-endian."""

_WIDE: Final = 64
"""Bytes for each coefficient: reduced mod a 257-bit prime they are uniform up to 2**-255."""


def polynomial(secret: bytes, threshold: int, seed: bytes) -> tuple[int, ...]:
    """Coefficients, the secret's 32 bytes (big-endian) first; the others from `seed`'s stream (32 bytes, used once)."""
    if len(secret) != 32 or len(seed) != 32 or threshold < 1:
        raise Bug(f"a secret of {len(secret)} bytes, a seed of {len(seed)}, threshold {threshold}")
    stream = Cipher(ChaCha20(seed, bytes(16)), mode=None).encryptor().update(bytes(_WIDE * (threshold - 1)))
    wide = (stream[at : at + _WIDE] for at in range(0, len(stream), _WIDE))
    return (int.from_bytes(secret, "big"), *(int.from_bytes(part, "big") % PRIME for part in wide))


def share_of(coefficients: Sequence[int], position: int) -> int:
    """f(position + 1)."""
    x, value = position + 1, 0
    for coefficient in reversed(coefficients):
        value = (value * x + coefficient) % PRIME
    return value


def reconstruct(shares: Mapping[int, int], threshold: int) -> tuple[int, bool]:
    """f(0) from the shares (by position, at least `threshold`) of the lowest positions; whether all lie on that f."""
    positions = tuple(sorted(shares))
    if len(positions) < threshold:
        raise Bug(f"{len(positions)} shares where {threshold} are needed")
    base, rest = positions[:threshold], positions[threshold:]
    values = [shares[position] for position in base]
    secret = _combine(values, lagrange(base, -1))
    return secret, all(_combine(values, lagrange(base, position)) == shares[position] for position in rest)


@lru_cache(maxsize=512)
def lagrange(base: tuple[int, ...], position: int) -> tuple[int, ...]:
    """Weights of the values at `base` for the value at `position` (−1: the secret). Cached: a group's are all alike."""
    x, points = position + 1, [place + 1 for place in base]
    weights = []
    for own in points:
        above, below = 1, 1
        for other in points:
            if other != own:
                above = above * (x - other) % PRIME
                below = below * (own - other) % PRIME
        weights.append(above * pow(below, -1, PRIME) % PRIME)
    return tuple(weights)


def _combine(values: Sequence[int], weights: Sequence[int]) -> int:
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) % PRIME
