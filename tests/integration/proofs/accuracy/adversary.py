"""A prover that may say anything: a witness in Python integers, every value open to change on the way.

What follows from a changed value is computed from it, so that a forgery breaks the constraint that it is about and no
other. The network: (1, 2, 1) → two 1x1 filters, ReLU → the larger of two columns → two classes, clamped to -50 .. 60.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.proofs.bounds import accumulator_bound
from offchain.proofs.circuit import Circuit
from offchain.proofs.field import ORDER, Element
from offchain.proofs.noir.groups import Group
from offchain.proofs.poseidon2 import CHUNK, MODEL, hash_elements
from offchain.proofs.statement import Chunk
from tests.integration.proofs.accuracy.solving import challenge_of

SHIFT, SAMPLES, CLASSES = 14, 2, 2
LOW, HIGH = -50, 60
PROVER, SALT = Element(2**247 + 3), Element(ORDER - 9)
STEP = 1 << SHIFT

Change = Callable[[Any], Any]


@dataclass(frozen=True)
class Model:
    """Parameters; of units [filter 0, filter 1] and [class 0, class 1]. `multipliers` are scaled (M)."""

    filters: tuple[int, int] = (3, 7)
    filter_biases: tuple[int, int] = (0, 5)
    filter_multipliers: tuple[int, int] = (12_900, 43)
    weights: tuple[int, int, int, int] = (0, 0, 1, 0)
    biases: tuple[int, int] = (20, 0)
    multipliers: tuple[int, int] = (STEP, STEP)

    def network(self) -> IntegerNetwork:
        """The integer network, if these are numbers that one can have."""
        convolution = Node(
            Op.CONV2D, (0,), (1, 2, 2), 0, 127, weight=np.array(self.filters, np.int8).reshape(2, 1),
            bias=np.array(self.filter_biases, np.int32), requantisation=_scale(self.filter_multipliers),
        )  # fmt: skip
        pool = Node(Op.MAX_POOL2D, (1,), (1, 1, 2), -128, 127, kernel=(1, 2), stride=(1, 2))
        dense = Node(
            Op.DENSE, (2,), (2,), LOW, HIGH, weight=np.array(self.weights, np.int8).reshape(2, 2),
            bias=np.array(self.biases, np.int32), requantisation=_scale(self.multipliers),
        )  # fmt: skip
        return IntegerNetwork((1, 2, 1), (convolution, pool, dense), 1.0)


@dataclass(frozen=True)
class Claim:
    """What the adversary says: parameters and data as it uses them, and changes by the name of what they change.

    Changes to a sample's values are of the first sample, or of all of them (`everywhere`).
    """

    model: Model = field(default_factory=Model)
    samples: tuple[tuple[int, int], ...] = ((10, 5), (3, 2))
    labels: tuple[int, int] = (0, 0)
    changes: dict[str, Change] = field(default_factory=dict)
    everywhere: bool = False

    def chunk(self) -> Chunk:
        """The chunk, if these are numbers that one can have."""
        return Chunk(np.array(self.samples, np.int8).reshape(SAMPLES, 1, 2, 1), np.array(self.labels, np.int32))

    def witness(self, *off: Group) -> dict[str, Any]:
        """Inputs of the switched circuit with these groups left out."""
        made = self._model() | self._chunk()
        right = []
        for place in range(SAMPLES):
            for name, value in self._sample(place).items():
                made.setdefault(name, []).append(value)
            right.append(made["right"][place])
        made |= {"correct": sum(right), "prover": PROVER, "salt": SALT}
        made["on"] = [int(group not in off) for group in Group]
        for name in ("model_hash", "chunk_hash", "correct"):
            made[name] = self._changed(name, made[name])
        made["challenge"] = self._changed("challenge", challenge_of(CIRCUIT, made))
        return made

    def _changed(self, name: str, value: Any, place: int = 0) -> Any:
        return self.changes[name](value) if name in self.changes and (place == 0 or self.everywhere) else value

    def _model(self) -> dict[str, Any]:
        m, elements = self.model, list[int]()
        filters, weights = [w + 128 for w in m.filters], [w + 128 for w in m.weights]
        for rows, biases, multipliers in (
            (filters, m.filter_biases, m.filter_multipliers),
            (weights, m.biases, m.multipliers),
        ):
            elements += [_joined(8, rows), _joined(32, [b + 2**31 for b in biases]), _joined(36, multipliers)]
        return {
            "model_hash": hash_elements(MODEL, [*elements, SALT, PROVER]),
            "weight0": filters,
            "bias0": [b + 2**13 for b in m.filter_biases],
            "multiplier0": list(m.filter_multipliers),
            "weight2": weights,
            "bias2": [b + 2**13 for b in m.biases],
            "multiplier2": list(m.multipliers),
        }

    def _chunk(self) -> dict[str, Any]:
        samples = [[x + 128 for x in sample] for sample in self.samples]
        elements = [*(_joined(8, sample) for sample in samples), _joined(16, self.labels)]
        return {"samples": samples, "labels": list(self.labels), "chunk_hash": hash_elements(CHUNK, elements)}

    def _sample(self, place: int) -> dict[str, Any]:
        m, made = self.model, dict[str, Any]()
        sums = [[w * x + b for w, b in zip(m.filters, m.filter_biases, strict=True)] for x in self.samples[place]]
        largest = self._changed("sums", [max(column) for column in zip(*sums, strict=True)], place)
        made["largest1"] = [one + accumulator_bound(CIRCUIT, 0) for one in largest]
        gaps = [one - value for row in sums for one, value in zip(largest, row, strict=True)]
        made["gap1"] = self._changed("gaps", gaps, place)
        values = [_signed(a * k) + STEP // 2 for a, k in zip(largest, m.filter_multipliers, strict=True)]
        hidden = self._requantised(place, 1, made, self._changed("values", values, place))
        rows = (m.weights[:2], m.weights[2:])
        totals = [sum(w * h for w, h in zip(row, hidden, strict=True)) for row in rows]
        biased = [(total + b) * k + STEP // 2 for total, b, k in zip(totals, m.biases, m.multipliers, strict=True)]
        outputs = self._requantised(place, 2, made, self._changed("logits", biased, place))
        made["best"] = max(outputs) - LOW
        made["winner"] = outputs.index(max(outputs))
        made["right"] = int(made["winner"] == self.labels[place])
        scored: dict[str, Any] = self._changed("score", made, place)
        return scored

    def _requantised(self, place: int, node: int, made: dict[str, Any], values: Sequence[int]) -> list[int]:
        """Adds out, below, above and rest of the node; what goes on to the next one is returned."""
        low, high = (0, 127) if node == 1 else (LOW, HIGH)
        split = self._changed(f"split{node}", [_split(value, low, high) for value in values], place)
        for name, numbers in zip(("out", "below", "above", "rest"), zip(*split, strict=True), strict=True):
            made[f"{name}{node}"] = list(numbers)
        return [out + low for out in made[f"out{node}"]]


def _signed(value: int) -> int:
    """The integer of least magnitude that is this element of the field."""
    return (value + ORDER // 2) % ORDER - ORDER // 2


def _split(value: int, low: int, high: int) -> tuple[int, int, int, int]:
    quotient, rest = divmod(value, STEP)
    return min(max(quotient, low), high) - low, max(low - quotient, 0), max(quotient - high, 0), rest


def _joined(bits: int, values: Sequence[int]) -> int:
    """One packed element; values too wide run into their neighbours."""
    total = 0
    for value in values:
        total = total * 2**bits + value
    return total


def _scale(multipliers: Sequence[int]) -> Requantisation:
    """m and shift of scaled multipliers: the smallest shift, at least 1, that leaves m an integer of 22 bits."""
    pairs = []
    for scaled in multipliers:
        shift = next(s for s in range(SHIFT, 0, -1) if scaled % 2 ** (SHIFT - s) == 0 and scaled >> (SHIFT - s) < 2**22)
        pairs.append((scaled >> (SHIFT - shift), shift))
    return Requantisation(np.array([m for m, _ in pairs], np.int32), np.array([s for _, s in pairs], np.uint8))


CIRCUIT = Circuit.of(Model().network(), SAMPLES, SHIFT, multiplier_bits=16, bias_bits=13)
WIDE = replace(
    CIRCUIT,
    nodes=tuple(replace(n, multiplier_bits=36, bias_bits=31) if n.units else n for n in CIRCUIT.nodes),
)
"""For hashes of networks that are valid but too wide for the circuit."""
