"""Who plays: the honest, by the solver alone, and adversaries of every kind."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import chain, islice

import numpy as np

from offchain.dispute.evidence import Evidence
from offchain.dispute.moves import (
    Compute,
    ComputePart,
    Contest,
    ContestPart,
    Move,
    PickHash,
    PickSum,
    PickTensor,
    PostParts,
    PostSums,
    PostTrace,
    TracePosting,
)
from offchain.dispute.operands import gather, plan_element, plan_part
from offchain.dispute.proofs import proof_of
from offchain.dispute.segments import CHUNK_BYTES, segment, segments
from offchain.dispute.solver import next_move
from offchain.dispute.state import Dispute, Posted, Side, Stage
from offchain.dispute.steps import DIVISIBLE, finished, terms_of
from offchain.model.graph import Op
from offchain.model.leaves import Descriptor, Unit
from offchain.model.roots import TraceTree
from tests.simulation.dispute_lies import disturb, true_tensors
from tests.simulation.dispute_mutations import mutate
from tests.simulation.dispute_worlds import Generator, World


class Habit(IntEnum):
    """How an adversary spoils a game, besides what it claims."""

    PLAIN = 0
    SILENT = 1
    LATE = 2
    LAST_SECOND = 3
    MALFORMED = 4
    REPLAYING = 5
    HOLLOW = 6


@dataclass(frozen=True, slots=True)
class Attempt:
    """A move and how many seconds after the last one it is sent."""

    move: Move
    delay: int


@dataclass
class Player:
    """One side. `history` is what others played in other games, for replays."""

    side: Side
    rng: Generator
    honest: bool = field(init=False, default=False)

    def attempts(self, dispute: Dispute, posted: Posted) -> Iterator[Attempt]:
        """What it tries on its turn, until something is accepted."""
        raise NotImplementedError

    def heckle(self, dispute: Dispute, posted: Posted) -> Iterator[Move]:
        """What it tries while it is the other's turn."""
        yield from ()


@dataclass
class Honest(Player):
    """Plays what the solver says."""

    evidence: Evidence

    def __post_init__(self) -> None:
        self.honest = True

    def attempts(self, dispute: Dispute, posted: Posted) -> Iterator[Attempt]:
        move = next_move(dispute, posted, self.evidence, self.side)
        if move is not None:
            delay = int(self.rng.choice([0, 1, dispute.move_seconds - 1]))
            yield Attempt(move, delay)


@dataclass
class Adversary(Player):
    """Claims what its evidence says, and improvises where that does not hold."""

    world: World
    evidence: Evidence
    habit: Habit
    history: Sequence[Move]
    moves: int = 0

    def attempts(self, dispute: Dispute, posted: Posted) -> Iterator[Attempt]:
        self.moves += 1
        if self.habit is Habit.SILENT and self.rng.integers(4) == 0:
            return
        good = self._good(dispute, posted)
        best = list(islice(good, 1))
        delay = self._delay(dispute)
        for move in chain(self._spoilt(best), best, good):
            yield Attempt(move, delay)

    def heckle(self, dispute: Dispute, posted: Posted) -> Iterator[Move]:
        if self.habit is Habit.MALFORMED and self.history:
            yield self.history[int(self.rng.integers(len(self.history)))]
        if self.habit is Habit.REPLAYING:
            move = next_move(dispute, posted, self.world.truth(), self.side.other)
            if move is not None:
                yield move

    def _delay(self, dispute: Dispute) -> int:
        if self.habit is Habit.LATE and self.rng.integers(4) == 0:
            return dispute.move_seconds
        return dispute.move_seconds - 1 if self.habit is Habit.LAST_SECOND else 0

    def _spoilt(self, good: Sequence[Move]) -> Iterator[Move]:
        if self.habit is Habit.MALFORMED:
            for move in good:
                for _ in range(int(self.rng.integers(4))):
                    yield mutate(self.rng, move)
        if self.habit is Habit.REPLAYING and self.history:
            same = [move for move in self.history if good and type(move) is type(good[0])]
            for moves in (same, self.history):
                if moves:
                    yield moves[int(self.rng.integers(len(moves)))]

    def _good(self, dispute: Dispute, posted: Posted) -> Iterator[Move]:
        """Well-formed moves, better ones first; each is worth trying if those before were refused."""
        raise NotImplementedError


@dataclass
class Liar(Adversary):
    """A defendant of a score that its own evidence may or may not bear out."""

    def _good(self, dispute: Dispute, posted: Posted) -> Iterator[Move]:
        move = next_move(dispute, posted, self.evidence, self.side)
        if isinstance(move, PostTrace) and self.habit is Habit.HOLLOW:
            yield self._hollow(move)
        if move is not None:
            yield move
        match dispute.stage:
            case Stage.SUMS:
                yield self._forged_sums(dispute)
            case Stage.TRACE:
                yield from self._forged_traces(dispute)
            case Stage.PARTS:
                yield from self._forged_parts(dispute)

    def _hollow(self, move: PostTrace) -> PostTrace:
        """The trace with the root of a tensor that nobody has, not even the liar."""
        roots = list(move.posting.roots)
        roots[int(self.rng.integers(len(roots)))] = self.rng.bytes(32)
        return PostTrace(dataclasses.replace(move.posting, roots=tuple(roots)))

    def _forged_sums(self, dispute: Dispute) -> PostSums:
        sums = [self.evidence.total(*bounds) for bounds in segments(dispute.low, dispute.high)]
        return PostSums(_adjusted(self.rng, sums, dispute.value))

    def _forged_traces(self, dispute: Dispute) -> Iterator[PostTrace]:
        """True tensors and an output that may score what is claimed."""
        network = self.world.work.network
        tensors = true_tensors(self.world, dispute.low)
        sample, proof = self.evidence.sample(dispute.low)
        for _ in range(8):
            output = disturb(self.rng, network, len(network.nodes), tensors[-1])
            trace = TraceTree(network, [*tensors[:-1], output])
            header = self.evidence.open_node(0).header
            yield PostTrace(TracePosting(header, trace.roots[1:], trace.data(len(network.nodes)), sample, proof))

    def _forged_parts(self, dispute: Dispute) -> Iterator[PostParts]:
        node = self.evidence.node(dispute.node)
        opening = self.evidence.open_node(dispute.node)
        unit = self.evidence.open_unit(dispute.node, dispute.element)
        bounds = segments(dispute.from_, dispute.to) if dispute.to else segments(0, terms_of(node))
        true = self.evidence.parts(dispute.low, dispute.node, dispute.element, bounds)
        for target in (dispute.value,) if dispute.to else _accumulators(node, unit.unit, dispute.value):
            if node.op == Op.MAX_POOL2D:
                capped = [min(part, target) for part in true]
                capped[int(self.rng.integers(len(capped)))] = target
                yield PostParts(tuple(capped), opening, unit)
            else:
                yield PostParts(_adjusted(self.rng, true, target), opening, unit)


@dataclass
class Accuser(Adversary):
    """A challenger that follows its evidence where it leads somewhere, and picks at random where not."""

    whim: float = 0.0

    def _good(self, dispute: Dispute, posted: Posted) -> Iterator[Move]:
        if self.rng.random() >= self.whim:
            move = next_move(dispute, posted, self.evidence, self.side)
            if move is not None:
                yield move
        yield from self._whimsical(dispute, posted)

    def _whimsical(self, dispute: Dispute, posted: Posted) -> Iterator[Move]:
        match dispute.stage:
            case Stage.PICK_SUM:
                yield PickSum(posted.sums, int(self.rng.integers(len(posted.sums))))
            case Stage.PICK_TENSOR:
                node = int(self.rng.integers(dispute.nodes))
                opening = self.evidence.open_node(node)
                yield PickTensor(opening, posted.roots[node + 1], proof_of(posted.roots, node + 1))
            case Stage.PICK_HASH:
                yield PickHash(posted.hashes, int(self.rng.integers(len(posted.hashes))))
            case Stage.PICK_ELEMENT:
                yield from self._element(dispute, posted)
            case Stage.PICK_PART:
                yield from self._part(dispute, posted)

    def _element(self, dispute: Dispute, posted: Posted) -> Iterator[Move]:
        size = dispute.element_bytes
        place = int(self.rng.integers(len(posted.chunk) // size))
        element = dispute.base * CHUNK_BYTES // size + place
        node = self.evidence.node(dispute.node)
        if node.op in DIVISIBLE and self.rng.integers(2):
            yield Contest(element, posted.chunk, self.evidence.open_node(dispute.node))
        for evidence in (self.evidence, self.world.truth()):
            data = evidence.trace(dispute.low).data(node.inputs[0])
            plan = plan_element(node, element, data)
            operands = gather(evidence, dispute.low, dispute.node, plan, posted.roots)
            yield Compute(element, posted.chunk, operands)

    def _part(self, dispute: Dispute, posted: Posted) -> Iterator[Move]:
        index = int(self.rng.integers(len(posted.parts)))
        bounds = segment(dispute.from_, dispute.to, index)
        if self.rng.integers(2):
            yield ContestPart(posted.parts, index)
        node = self.evidence.node(dispute.node)
        plan = plan_part(node, dispute.element, *bounds)
        for evidence in (self.evidence, self.world.truth()):
            operands = gather(evidence, dispute.low, dispute.node, plan, posted.roots)
            yield ComputePart(posted.parts, index, operands)


def _adjusted(rng: Generator, values: Sequence[int], target: int) -> tuple[int, ...]:
    """The values with one of them, or two, changed so that they add up to the target."""
    found = list(values)
    if len(found) > 1 and rng.integers(3) == 0:
        place, shift = int(rng.integers(len(found))), int(rng.integers(-1000, 1000))
        found[place] += shift
    place = int(rng.integers(len(found)))
    found[place] += target - sum(found)
    return tuple(int(np.clip(value, -(2**63), 2**63 - 1)) for value in found)


def _accumulators(node: Descriptor, unit: Unit, value: int) -> Iterator[int]:
    """Combined terms that may finish to `value`."""
    if node.op == Op.MAX_POOL2D:
        yield value
        return
    average = node.op == Op.AVERAGE_POOL2D
    multiplier, shift = (node.multipliers[0], node.shift) if average else (unit.multiplier, unit.shift)
    bias = 0 if average else unit.bias
    exact = -(-((value << shift) - (1 << shift >> 1)) // multiplier) - bias
    for candidate in (exact, exact + 1, exact - 1):
        if finished(node, unit, candidate) == value:
            yield candidate
