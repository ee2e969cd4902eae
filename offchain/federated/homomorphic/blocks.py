"""Ciphertexts as files hold them, and their sum. Pure, and without SEAL: who adds needs no key and no library.

A coefficient is below q < 2**bits and stands in bits / 8 bytes, little-endian; a block is the N of c0, then the N of
c1. To add ciphertexts is to add coefficients mod q (`Evaluator.add` does the same; a test compares them).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from offchain.errors import Rejected
from offchain.federated.homomorphic.parameters import Parameters

Coefficients = npt.NDArray[np.uint64]
"""(2N,) below q."""

Buffer: TypeAlias = "bytes | memoryview"


def block_to_bytes(coefficients: Coefficients, parameters: Parameters) -> bytes:
    """`parameters.block_bytes` bytes of uint64 (2N,)."""
    width = parameters.ring.word_bytes
    return coefficients.astype("<u8", copy=False).view(np.uint8).reshape(-1, 8)[:, :width].tobytes()


def block_from_bytes(data: Buffer, parameters: Parameters) -> Coefficients:
    """uint64 (2N,). Raises Rejected unless these are 2N coefficients below q: a stranger may have written them."""
    ring = parameters.ring
    if len(data) != parameters.block_bytes:
        raise Rejected(f"a ciphertext of {len(data)} bytes, not {parameters.block_bytes}")
    words = np.zeros((2 * ring.degree, 8), dtype=np.uint8)
    words[:, : ring.word_bytes] = np.frombuffer(data, dtype=np.uint8).reshape(-1, ring.word_bytes)
    coefficients = words.view("<u8").reshape(-1).astype(np.uint64, copy=False)
    if int(coefficients.max()) >= ring.prime:
        raise Rejected("a ciphertext with a coefficient that is not below the prime")
    return coefficients


class BlockSum:
    """Adds one block of each; at most 128 of them, so that a uint64 holds the sum of 56 bits before it is reduced."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._total = np.zeros(2 * parameters.ring.degree, dtype=np.uint64)

    def add(self, coefficients: Coefficients) -> None:
        """One more."""
        np.add(self._total, coefficients, out=self._total)

    @property
    def total(self) -> Coefficients:
        """The sum mod q."""
        return np.remainder(self._total, np.uint64(self._parameters.ring.prime))
