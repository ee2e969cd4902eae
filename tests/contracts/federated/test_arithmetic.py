"""Every rule and optimiser, on chain and by two oracles: `game/arithmetic.py`, and the vectorised rules themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from offchain.federated.aggregation.distances import squared_distances
from offchain.federated.aggregation.krum import scores
from offchain.federated.game import arithmetic
from offchain.federated.game.material import compute, right_selection
from offchain.federated.results import initial_result
from offchain.federated.server_optimizer import ONE
from offchain.federated.task_state import Posting
from offchain.federated.terms import AggregationRule, OptimizerKind, OptimizerTerms
from tests.contracts.federated.drawing import (
    EVIDENCE_ABI,
    POSTING_ABI,
    RULES,
    Question,
    draw_posting,
    draw_question,
    plain,
)
from tests.simulation.evm import Evm, account

QUESTIONS = 6
LONG_QUESTIONS = 500


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    """The AggregateVerifier that a FederatedCourt made."""
    evm = Evm.empty(1)
    court = evm.deploy(account(1), "FederatedCourt", ("address",) * 3, *[account(2)] * 3)
    return Verifier(evm, bytes.fromhex(court.read("verifier")[2:]))


@dataclass(frozen=True, slots=True)
class Verifier:
    """Where the contract is."""

    evm: Evm
    address: bytes

    def coordinate(self, asked: Question) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What the leaf says, and what the contract computes."""
        values = (plain(asked.posting), asked.evidence())
        claimed, computed = self._ask("coordinate", (POSTING_ABI, EVIDENCE_ABI), values, ("int256[]", "int256[]"))
        return tuple(claimed), tuple(computed)

    def score(self, posting: Posting, own: int, row: bytes) -> int:
        """Krum's."""
        return int(self._ask("score", (POSTING_ABI, "uint16", "bytes"), (plain(posting), own, row), ("int256",))[0])

    def sums(self, left: bytes, right: bytes, length: int) -> tuple[int, int]:
        """Of products and of squared differences."""
        types = ("bytes", "bytes", "uint256")
        dot = self._ask("dot", types, (left, right, length), ("int256",))
        return int(dot[0]), int(self._ask("distance", types, (left, right, length), ("int256",))[0])

    def _ask(self, name: str, types: Sequence[str], values: Sequence[object], result: Sequence[str]) -> Any:
        data = keccak(text=f"{name}({','.join(types)})")[:4] + encode(types, values)
        return decode(result, self.evm.call(account(1), self.address, data))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_coordinates(verifier: Verifier, rule: AggregationRule) -> None:
    check_coordinates(verifier, rule, QUESTIONS, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_many_coordinates(verifier: Verifier, rule: AggregationRule) -> None:
    check_coordinates(verifier, rule, LONG_QUESTIONS, seed=2)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_single_coordinates_are_those_of_the_vectorised_rules(rule: AggregationRule) -> None:
    """The contract's twin, coordinate by coordinate, against what a leader computes for all at once."""
    rng = np.random.default_rng([3, rule])
    for _ in range(5):
        columns, dimension = int(rng.integers(9, 14)), int(rng.integers(1, 300))
        posting = draw_posting(rule, rng, columns, dimension)
        updates = [rng.integers(-32768, 32768, dimension).astype(np.int16) for _ in range(columns)]
        weights = [int(weight) for weight in rng.integers(1, 1 << 20, columns)]
        previous = initial_result(posting.optimizer.definition, rng.integers(-(2**31), 2**31, dimension, np.int32))
        made = compute(posting.rule, posting.optimizer, updates, weights, previous, selection=posting.selection)
        norms = made.measures.rows[1] if rule is AggregationRule.CLIPPED_MEAN else b""
        for place in {0, dimension - 1, int(rng.integers(0, dimension))}:
            leaves = (made.result.tree.content(place // 256), previous.tree.content(place // 256))
            claimed, computed = arithmetic.coordinate(posting, place, leaves, made.column(posting, place), norms)
            assert claimed == computed


def test_krum_scores(verifier: Verifier) -> None:
    rng = np.random.default_rng(4)
    for rule in (AggregationRule.KRUM, AggregationRule.MULTI_KRUM):
        columns = int(rng.integers(5, 30))
        posting = draw_posting(rule, rng, columns, 50)
        updates = [rng.integers(-32768, 32768, 50).astype(np.int16) for _ in range(columns)]
        updates[3] = updates[1].copy()
        distances = squared_distances(updates)
        rows = [row.astype(">i8").tobytes() for row in distances]
        expected = [int(score) for score in scores(distances, posting.rule.definition.part(columns))]
        assert [arithmetic.score(posting, index, row) for index, row in enumerate(rows)] == expected
        assert [verifier.score(posting, index, row) for index, row in enumerate(rows)] == expected
        if rule is AggregationRule.KRUM and posting.rule.definition.part(columns) * 2 + 3 <= columns:
            best = min((score, index) for index, score in enumerate(expected))[1]
            assert right_selection(posting.rule, updates) == 1 << best


def test_sums_over_chunks(verifier: Verifier) -> None:
    """Short contents count as zeros beyond their end, and long ones no further than the chunk."""
    rng = np.random.default_rng(5)
    lengths = [256, 256, 255, 1, 17, 256, 256]
    left = [rng.bytes(2 * length) for length in lengths]
    right = [rng.bytes(2 * length) for length in lengths]
    left[1], right[1] = b"\x00\x80" * 256, b"\xff\x7f" * 256
    left[4], right[5], left[6] = left[4][:9], b"", left[6] + b"\x01\x01\x01"
    sides = list(zip(left, right, lengths, strict=True))
    found = [verifier.sums(*side) for side in sides]
    assert found == [(arithmetic.dot(*side), arithmetic.distance(*side)) for side in sides]
    assert found[1][1] == 256 * 65535**2


def test_ties_round_upwards(verifier: Verifier) -> None:
    """Half of an odd aggregate, above and below zero: a step of FedAvg at the rate 1/2."""
    rng = np.random.default_rng(6)
    posting = draw_posting(AggregationRule.MEDIAN, rng, 3, 1)
    posting = dataclasses.replace(posting, optimizer=OptimizerTerms(OptimizerKind.FED_AVG, ONE // 2))
    for value in (-32767, -3, -1, 1, 3, 32767):
        asked = Question(posting, 0, (b"", b""), np.full(3, value, "<i2").tobytes(), b"")
        assert verifier.coordinate(asked) == ((0, 0), (value, (value + 1) // 2))


def check_coordinates(verifier: Verifier, rule: AggregationRule, count: int, seed: int) -> None:
    """Asks the contract for `count` coordinates, and compares with the twin."""
    rng = np.random.default_rng([seed, rule])
    for _ in range(count):
        asked = draw_question(rule, rng)
        expected = arithmetic.coordinate(asked.posting, asked.place, asked.leaves, asked.column, asked.norms)
        assert verifier.coordinate(asked) == expected, asked
