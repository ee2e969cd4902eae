"""Random questions to the AggregateVerifier, with the oracle's answers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from eth_utils.address import to_checksum_address

from offchain.federated.server_optimizer import MAX_LR, MAX_TAU, ONE
from offchain.federated.task_state import Posting, bitmap_of
from offchain.federated.terms import AggregationRule, Mode, OptimizerKind, OptimizerTerms, RuleTerms
from offchain.types import Root, Seconds

POSTING_ABI = (
    "(uint32,address,uint64,uint16,uint32,uint8,(uint8,uint32,uint32),(uint8,uint32,uint32,uint32,uint32),uint32,"
    "bytes32,bytes32,bytes32,uint128)"
)
EVIDENCE_ABI = "(uint32,bytes,bytes,bytes,bytes)"
RULES = tuple(rule for rule in AggregationRule if rule is not AggregationRule.NONE)
LEADER = to_checksum_address("0x" + "11" * 20)

Generator = np.random.Generator


@dataclass(frozen=True, slots=True)
class Question:
    """What one coordinate is made of: leaves of the new and the old result, the column as a leader shows it, norms."""

    posting: Posting
    place: int
    leaves: tuple[bytes, bytes]
    column: bytes
    norms: bytes

    def evidence(self) -> tuple[Any, ...]:
        """The contract's `CoordinateEvidence`."""
        return (self.place, *self.leaves, self.column, self.norms)


def plain(posting: Posting) -> tuple[Any, ...]:
    """The contract's `Posting`."""
    return dataclasses.astuple(posting)


def draw_posting(rule: AggregationRule, rng: Generator, columns: int, dimension: int) -> Posting:
    """A posting with terms that a task may have; roots say nothing."""
    parameter, selected, selection = 0, 0, 0
    if rule is AggregationRule.TRIMMED_MEAN:
        parameter = int(rng.integers(0, 500_000))
    elif rule is AggregationRule.CLIPPED_MEAN:
        parameter = int(rng.integers(1, 1 << int(rng.integers(1, 33))))
    elif rule in (AggregationRule.KRUM, AggregationRule.MULTI_KRUM):
        parameter = int(rng.integers(0, 300_000))
        count = 1
        if rule is AggregationRule.MULTI_KRUM:
            selected = int(rng.integers(0, 1_000_001))
            count = max(1, columns * selected // 1_000_000)
        selection = bitmap_of([int(i) for i in rng.choice(columns, count, replace=False)])
    return Posting(
        posting=1,
        leader=LEADER,
        challenge_ends=Seconds(1),
        columns=columns,
        dimension=dimension,
        mode=Mode.PLAIN,
        rule=RuleTerms(rule, parameter, selected),
        optimizer=draw_optimizer(rng),
        move_seconds=Seconds(1),
        previous_root=Root(bytes(32)),
        result_root=Root(bytes(32)),
        measures_root=Root(bytes(32)),
        selection=selection,
    )


def draw_optimizer(rng: Generator) -> OptimizerTerms:
    """Any of the three, rates of every size."""
    kind = OptimizerKind(int(rng.integers(1, 4)))
    rate = int(rng.choice([1, ONE, MAX_LR, int(rng.integers(1, MAX_LR + 1))]))
    momentum = kind is not OptimizerKind.FED_AVG
    adam = kind is OptimizerKind.FED_ADAM
    return OptimizerTerms(
        kind,
        rate,
        int(rng.integers(0, ONE)) if momentum else 0,
        int(rng.integers(0, ONE)) if adam else 0,
        int(rng.integers(1, MAX_TAU + 1)) if adam else 0,
    )


def draw_question(rule: AggregationRule, rng: Generator) -> Question:
    """Any numbers, extremes among them; leaves and column are sometimes short, as a malformed commitment may be."""
    columns = int(rng.choice([2, 3, 10, int(rng.integers(2, 129))]))
    dimension = int(rng.integers(1, 600))
    posting = draw_posting(rule, rng, columns, dimension)
    place = int(rng.integers(0, dimension))
    size = min(256, dimension - place // 256 * 256) * (2 + 4 * posting.optimizer.definition.words)
    leaves = (_bytes(rng, size), _bytes(rng, size))
    values = rng.choice([-32768, 32767, 0, 1, -1], columns)
    if rng.random() < 0.8:
        values = rng.integers(-32768, 32768, columns)
    norms = (rng.integers(0, 2**54, columns) >> rng.integers(0, 54, columns)).astype(">i8")
    weights = rng.integers(1, 1 << int(rng.integers(1, 21)), columns)
    column = values.astype("<i2").tobytes() + (weights.astype("<u4").tobytes() if rule is AggregationRule.MEAN else b"")
    return Question(posting, place, leaves, column, norms.tobytes())


def _bytes(rng: Generator, size: int) -> bytes:
    """Words of every magnitude; one time in ten cut off somewhere."""
    content = rng.bytes(size) if rng.random() < 0.5 else bytes([int(rng.choice([0, 127, 128, 255]))]) * size
    return content[: int(rng.integers(0, size))] if rng.random() < 0.1 else content
