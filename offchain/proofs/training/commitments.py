"""Hashes of states and batches, and the salts that hide what is behind them (docs/training-proofs.md, Statement)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from offchain.proofs.field import Element
from offchain.proofs.poseidon2 import BATCH, TRAINING_STATE, hash_elements
from offchain.proofs.training.sgd import Batch, Ints, State, check_batch, check_state
from offchain.proofs.training.shape import BIAS_BITS, LABEL_BITS, StepShape
from offchain.protocol.hashing import keccak


def state_hash(shape: StepShape, state: State, salt: int) -> Element:
    """`hash(4, …)` of the packed weights and biases, layer by layer, and the salt. Raises Rejected: a wrong shape."""
    check_state(shape, state)
    elements: list[int] = []
    for weights, biases in zip(state.weights, state.biases, strict=True):
        elements += packed(shape.weight_bits, weights + 2 ** (shape.weight_bits - 1))
        elements += packed(BIAS_BITS, biases + 2 ** (BIAS_BITS - 1))
    return hash_elements(TRAINING_STATE, [*elements, salt])


def batch_hash(shape: StepShape, batch: Batch, salt: int) -> Element:
    """`hash(5, …)` of the packed samples, each beginning a new element, all labels and the salt. Raises Rejected."""
    check_batch(shape, batch)
    elements: list[int] = []
    for sample in batch.inputs:
        elements += packed(shape.input_bits, sample)
    return hash_elements(BATCH, [*elements, *packed(LABEL_BITS, batch.labels), salt])


def packed(bits: int, values: Ints) -> Sequence[int]:
    """`pack(bits, values)` of docs/proofs.md, row after row; `values` in [0, 2**bits)."""
    return tuple(_packed(bits, np.ravel(values).tolist()))


def derived_salt(secret: bytes, kind: str, index: int) -> Element:
    """The salt of one state or batch: 248 bits that nobody without the secret can tell from random ones.

    :param secret: 32 bytes
    :param kind: what it is for, so that no two kinds share salts
    """
    return Element(int.from_bytes(keccak(secret + kind.encode() + index.to_bytes(8, "big"))[1:], "big"))


def _packed(bits: int, values: list[int]) -> Iterable[int]:
    per = 248 // bits
    for start in range(0, len(values), per):
        word = 0
        for value in values[start : start + per]:
            word = word << bits | value
        yield word
