"""A prover that may say anything: a step's witness in the field, with every value open to change on the way.

What follows from a changed value is computed from it, so that a forgery breaks the constraint that it is about and no
other. Values are Python integers; nothing has bounds here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from offchain.proofs.field import ORDER
from offchain.proofs.poseidon2 import BATCH, TRAINING_STATE, hash_elements
from offchain.proofs.training.generator import GROUPS
from offchain.proofs.training.sgd import half
from offchain.proofs.training.shape import BIAS_BITS, LABEL_BITS, SCALE, StepShape

Matrix = npt.NDArray[np.object_]
Change = Callable[[Matrix], Any]


@dataclass
class Step:
    """The step that is pretended: parameters and data may be out of every range."""

    shape: StepShape
    weights: list[Matrix]
    biases: list[Matrix]
    inputs: Matrix
    labels: list[int]
    changes: Mapping[str, Change] = field(default_factory=dict)
    _witness: dict[str, Any] = field(default_factory=dict)

    def witness(self, *off: str) -> dict[str, Any]:
        """All inputs of the switched circuit, with these groups of constraints off."""
        shape, sums = self.shape, list[Matrix]()
        into = [self._put("inputs", self.inputs)]
        for i in range(shape.layers):
            sums.append(self._put(f"sums_{i}", residue(into[i] @ self.weights[i].T + self.biases[i])))
            if i < shape.layers - 1:
                into.append(self._relu(i, sums[i]))
        errors = self._errors(sums)
        new = [self._update(i, errors[i], into[i]) for i in range(shape.layers)]
        old = list(zip(self.weights, self.biases, strict=True))
        for when, state in (("old", old), ("new", new)):
            self._commit(when, state)
        self._witness["labels"] = self.labels
        rows = [(shape.input_bits, row) for row in into[0]]
        elements = [e for bits, row in [*rows, (LABEL_BITS, self.labels)] for e in packed(bits, row)]
        self._hash("batch", BATCH, elements)
        on = [int(group not in off) for group in GROUPS]
        return self._witness | {"prover": 77, "free_challenge": 0, "on": on}

    def _put(self, name: str, value: Matrix) -> Matrix:
        if name in self.changes:
            value = value.copy()
            replaced = self.changes[name](value)
            value = value if replaced is None else replaced
        if " " not in name:  # it is no input
            self._witness[name] = value
        return value

    def _relu(self, i: int, sums: Matrix) -> Matrix:
        sign = self._put(f"signs_{i}", np.where(sums >= 0, 1, 0).astype(object))
        magnitude = sign * (2 * sums + 1) - sums - 1
        # also of a sign that is none
        active: Matrix = sign * self._put(f"quotients_{i}", magnitude >> self.shape.scale_before(i))
        return active

    def _errors(self, sums: list[Matrix]) -> list[Matrix]:
        shape, last = self.shape, self.shape.layers - 1
        logits = self._raised(f"quotients_{last}", sums[last] >> shape.scale_before(last), shape.error_bits)
        hot = self._put("hot", np.eye(shape.sizes[-1], dtype=np.int64)[self.labels].astype(object))
        errors = [residue(logits - hot * 2**SCALE)]
        for i in range(last, 0, -1):
            returned = self._put(f"returned_{i}", residue(errors[0] @ self.weights[i]))
            quotient = self._raised(f"returned_quotients_{i}", returned + half(SCALE) >> SCALE, shape.error_bits)
            errors.insert(0, residue(quotient * self._witness[f"signs_{i - 1}"]))
        return errors

    def _raised(self, name: str, value: Matrix, bits: int) -> Matrix:
        """What is signed goes into the circuit with 2^bits added."""
        value = self._put(name, value)
        self._witness[name] = residue(value + 2**bits)
        return value

    def _update(self, i: int, errors: Matrix, into: Matrix) -> tuple[Matrix, Matrix]:
        shift, of_bias = self.shape.weight_shift(i), self.shape.bias_shift(i)
        gradient, total = residue(errors.T @ into), residue(errors.sum(0))
        gradient = gradient + half(shift)
        remainder = self._put(f"remainders_{i}", gradient % 2**shift)
        weights = self.weights[i] - residue((gradient - remainder) * pow(2, -shift, ORDER))
        if of_bias > 0:
            total = total + half(of_bias)
        left = total % 2**of_bias if of_bias > 0 and (abs(total) < 2**64).all() else 0
        change = residue((total - left) * pow(2, -of_bias, ORDER))
        return self._put(f"new weights {i}", weights), self._put(f"new biases {i}", self.biases[i] - change)

    def _commit(self, when: str, state: list[tuple[Matrix, Matrix]]) -> None:
        elements: list[int] = []
        for i, (weights, biases) in enumerate(state):
            weights, biases = weights + 2 ** (self.shape.weight_bits - 1), biases + 2 ** (BIAS_BITS - 1)
            self._witness |= {f"{when}_weights_{i}": weights, f"{when}_biases_{i}": biases}
            elements += packed(self.shape.weight_bits, weights.ravel()) + packed(BIAS_BITS, biases)
        self._hash(when, TRAINING_STATE, elements)

    def _hash(self, name: str, domain: int, elements: list[int]) -> None:
        salt = len(name)
        self._witness[f"{name}_salt"] = salt
        honest = np.array([hash_elements(domain, [*(e % ORDER for e in elements), salt])], dtype=object)
        self._witness[f"{name}_hash"] = int(self._put(f"{name}_hash", honest)[0])


def packed(bits: int, values: Any) -> list[int]:
    """`pack`, also of values that are out of range."""
    words, per = list(values), 248 // bits
    groups = [words[start : start + per] for start in range(0, len(words), per)]
    return [sum(int(value) << bits * (len(group) - 1 - i) for i, value in enumerate(group)) for group in groups]


def residue(values: Matrix) -> Matrix:
    """The residues of least size."""
    reduced: Matrix = (values + ORDER // 2) % ORDER - ORDER // 2
    return reduced
