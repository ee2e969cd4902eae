"""A forger's workbench: wires set by hand, the rest solved, and the groups of constraints that do not hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from offchain.model import oracle
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.proofs.circuit import Circuit
from offchain.proofs.field import ORDER, Element
from offchain.proofs.groth16 import vectors, witness
from offchain.proofs.groth16.layout import Layout
from offchain.proofs.groth16.limbs import Words
from offchain.proofs.groth16.r1cs import System, Wires
from offchain.proofs.groth16.synthesis import synthesise
from offchain.proofs.groth16.witness import Solved, assign, broken_groups, public_inputs
from offchain.proofs.statement import Chunk, Statement, statement_of

SALT, PROVER = Element(1234), Element(5678)


@dataclass
class Bench:
    """A circuit with a true statement about a network and a chunk."""

    network: IntegerNetwork
    chunk: Chunk

    def __post_init__(self) -> None:
        self.circuit = Circuit.of(self.network, len(self.chunk), multiplier_bits=30, bias_bits=16)
        self.system: System
        self.layout: Layout
        self.system, self.layout = synthesise(self.circuit)
        self.said = statement_of(self.circuit, self.network, self.chunk, PROVER, SALT)
        self.honest = self.assigned(self.network, self.chunk)
        self.solved = self.solve(self.honest)

    def assigned(self, network: IntegerNetwork, chunk: Chunk) -> Words:
        """What somebody would assign for another network or chunk, whose count is its own."""
        count = witness.oracle.trace(network, chunk.inputs)[-1].reshape(len(chunk), -1).argmax(axis=1) == chunk.labels
        said = Statement(self.said.model_hash, self.said.chunk_hash, int(count.sum()), PROVER)
        return assign(self.circuit, self.system, self.layout, network, chunk, said, SALT)

    def solve(self, wires: Words, forced: Mapping[int, int] | None = None) -> Solved:
        """Solves, but for `forced` wires, which keep the values given whatever defines them."""
        wires = wires.copy()
        forced = forced or {}
        put(wires, np.array(list(forced), dtype=np.int64), list(forced.values()))
        defines = np.where(np.isin(self.system.defines, list(forced)), -1, self.system.defines).astype(np.int32)
        a, b = vectors.solve(replace(self.system, defines=defines), wires)
        return Solved(wires, a, b)

    def solve_and_say(self, wires: Words, forced: Mapping[int, int] | None = None, more: int = 0) -> Solved:
        """The same, with the public inputs of whatever comes out; `more`: than the samples that are marked right."""
        solved = self.solve(wires, forced)
        model, chunk = (self.defined(group)[-1] for group in ("model hash", "chunk hash"))
        right = sum(get(solved.wires, self.layout.winner.right)) + more
        hashes = get(solved.wires, np.array([model, chunk]))
        said = Statement(Element(hashes[0]), Element(hashes[1]), right % ORDER, PROVER)
        wires = wires.copy()
        put(wires, self.layout.public, list(public_inputs(said)))
        return self.solve(wires, forced)

    def broken(self, wires: Words, forced: Mapping[int, int] | None = None, more: int = 0) -> set[str]:
        return set(broken_groups(self.system, self.solve_and_say(wires, forced, more)))

    def defined(self, group: str) -> list[int]:
        """The wires that a group's constraints define, in order."""
        spans = [self.system.defines[first:last] for name, first, last in self.system.groups if name == group]
        return [int(wire) for wire in np.concatenate(spans) if wire >= 0]

    def groups(self) -> set[str]:
        return {name for name, _, _ in self.system.groups}


def put(wires: Words, where: Wires, values: Iterable[int]) -> None:
    wires[where.reshape(-1)] = vectors.to_montgomery([value % ORDER for value in values])


def get(wires: Words, where: Wires) -> list[int]:
    return vectors.to_integers(np.ascontiguousarray(wires[where.reshape(-1)]))


def copied(wires: Words, source: Words, *places: Wires) -> Words:
    """`wires` with these places as `source` has them."""
    result = wires.copy()
    for place in places:
        result[place.reshape(-1)] = source[place.reshape(-1)]
    return result


def same_number(wires: Words, bits: Wires) -> Words:
    """The number of `bits` (two lowest) held by wires that are not bits: 2 more in the lowest, 1 less in the next."""
    result = wires.copy()
    low, high = get(wires, bits[:2])
    put(result, bits[:2], [low + 2, high - 1])
    return result


def weighted_bench() -> Bench:
    """CONV2D, MAX_POOL2D that clamps, ADD, AVERAGE_POOL2D, DENSE, with bounds that are no powers of two."""
    rng = np.random.default_rng(3)

    def scale(units: int, shift: int) -> Requantisation:
        multiplier = rng.integers(1 << 20, 1 << 21, units).astype(np.int32)
        return Requantisation(multiplier, np.full(units, shift, dtype=np.uint8))

    weights = [rng.integers(-128, 128, shape).astype(np.int8) for shape in ((2, 4), (3, 2))]
    network = IntegerNetwork(
        (3, 3, 1),
        (
            Node(
                Op.CONV2D,
                (0,),
                (2, 2, 2),
                -100,
                90,
                kernel=(2, 2),
                weight=weights[0],
                bias=np.array([100, -90], dtype=np.int32),
                requantisation=scale(2, 28),
            ),
            Node(Op.MAX_POOL2D, (1,), (2, 2, 2), -60, 70, kernel=(2, 2), padding=(1, 1, 0, 0)),
            Node(Op.ADD, (1, 2), (2, 2, 2), -100, 100, requantisation=Requantisation(*ADD_SCALE)),
            Node(
                Op.AVERAGE_POOL2D,
                (3,),
                (1, 1, 2),
                -128,
                127,
                kernel=(2, 2),
                requantisation=Requantisation(np.array([1 << 20], np.int32), np.array([22], np.uint8)),
            ),
            Node(
                Op.DENSE,
                (4,),
                (3,),
                -120,
                120,
                weight=weights[1],
                bias=np.array([2000, -1000, 500], dtype=np.int32),
                requantisation=scale(3, 28),
            ),
        ),
        1.0,
    )
    return labelled(network, rng.integers(-128, 128, (2, 3, 3, 1)).astype(np.int8), wrong=1)


def labelled(network: IntegerNetwork, inputs: np.ndarray, wrong: int) -> Bench:
    """All samples right but the last `wrong`, whose labels are the class after the winner."""
    outputs = oracle.evaluate_slowly(network, inputs).reshape(len(inputs), -1)
    labels = outputs.argmax(axis=1)
    if wrong:
        labels[-wrong:] = (labels[-wrong:] + 1) % prod(network.output_shape)
    return Bench(network, Chunk(inputs, labels.astype(np.int32)))


ADD_SCALE = (np.array([1 << 20, 3 << 19], np.int32), np.array([21], np.uint8))


def constant_network(outputs: list[int], low: int = -100, high: int = 120) -> IntegerNetwork:
    """One DENSE node without weights, whose outputs are its biases."""
    units = len(outputs)
    node = Node(
        Op.DENSE,
        (0,),
        (units,),
        low,
        high,
        weight=np.zeros((units, 2), dtype=np.int8),
        bias=np.array(outputs, dtype=np.int32) * 4,
        requantisation=Requantisation(np.full(units, 1 << 20, np.int32), np.full(units, 22, np.uint8)),
    )
    return IntegerNetwork((2,), (node,), 1.0)


def constant_bench(outputs: list[int], wrong: int = 0) -> Bench:
    return labelled(constant_network(outputs), np.array([[5, -7], [100, 3]], dtype=np.int8), wrong)
