"""Every rule and optimiser, on chain and by two oracles: `game/arithmetic.py`, and the vectorised rules themselves."""

from __future__ import annotations

import numpy as np
import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from offchain.federated.aggregation.distances import squared_distances
from offchain.federated.aggregation.krum import scores
from offchain.federated.aggregation.rounding import round_div
from offchain.federated.game import arithmetic
from offchain.federated.game.material import compute, right_selection
from offchain.federated.results import initial_result
from offchain.federated.terms import AggregationRule
from tests.contracts.federated.drawing import (
    EVIDENCE_ABI,
    POSTING_ABI,
    RULES,
    draw_posting,
    draw_question,
    plain,
)
from tests.contracts.support.solidity import compile_harness
from tests.simulation.evm import Abi, Contract, Evm, account

QUESTIONS = 6
LONG_QUESTIONS = 400


@pytest.fixture(scope="module")
def harness() -> Contract:
    """AggregateHarness.sol, deployed."""
    compiled = compile_harness("AggregateHarness")
    return Evm.empty(1).create(account(1), compiled.creation, Abi(compiled.abi))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_coordinates(harness: Contract, rule: AggregationRule) -> None:
    check_coordinates(harness, rule, QUESTIONS, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_many_coordinates(harness: Contract, rule: AggregationRule) -> None:
    check_coordinates(harness, rule, LONG_QUESTIONS, seed=2)


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


def test_krum_scores(harness: Contract) -> None:
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
        data = _call(harness, "scores", (POSTING_ABI, "bytes[]"), (plain(posting), rows))
        assert list(decode(["int256[]"], data)[0]) == expected
        if rule is AggregationRule.KRUM and posting.rule.definition.part(columns) * 2 + 3 <= columns:
            best = min((score, index) for index, score in enumerate(expected))[1]
            assert right_selection(posting.rule, updates) == 1 << best


def test_sums_over_chunks(harness: Contract) -> None:
    """Short contents count as zeros beyond their end, and long ones no further than the chunk."""
    rng = np.random.default_rng(5)
    lengths = [256, 256, 255, 1, 17, 256, 256]
    left = [rng.bytes(2 * length) for length in lengths]
    right = [rng.bytes(2 * length) for length in lengths]
    left[1], right[1] = b"\x00\x80" * 256, b"\xff\x7f" * 256
    left[4], right[5], left[6] = left[4][:9], b"", left[6] + b"\x01\x01\x01"
    data = _call(harness, "sums", ("bytes[]", "bytes[]", "uint256[]"), (left, right, lengths))
    dots, distances = decode(["int256[]", "int256[]"], data)
    sides = list(zip(left, right, lengths, strict=True))
    assert list(dots) == [arithmetic.dot(*side) for side in sides]
    assert list(distances) == [arithmetic.distance(*side) for side in sides]
    assert distances[1] == 256 * 65535**2


def test_rounding(harness: Contract) -> None:
    rng = np.random.default_rng(6)
    divisors = [1, 2, 3, 4, 65536, *(int(y) for y in rng.integers(1, 2**62, 60))]
    pairs = [
        (x, y) for y in divisors for x in (0, -y, y // 2, -(y // 2), -(y // 2) - 1, int(rng.integers(-(2**62), 2**62)))
    ]
    data = _call(harness, "quotients", ("int256[]", "int256[]"), ([x for x, _ in pairs], [y for _, y in pairs]))
    assert list(decode(["int256[]"], data)[0]) == [round_div(*pair) for pair in pairs]
    assert all(round_div(x, y) == (2 * x + y) // (2 * y) for x, y in pairs)


def check_coordinates(harness: Contract, rule: AggregationRule, count: int, seed: int) -> None:
    """Asks the contract for `count` coordinates, and compares with the twin."""
    rng = np.random.default_rng([seed, rule])
    for start in range(0, count, 20):
        questions = [draw_question(rule, rng) for _ in range(min(20, count - start))]
        values = ([plain(asked.posting) for asked in questions], [asked.evidence() for asked in questions])
        data = _call(harness, "coordinates", (f"{POSTING_ABI}[]", f"{EVIDENCE_ABI}[]"), values)
        found = [[tuple(words) for words in many] for many in decode(["int256[][]", "int256[][]"], data)]
        for asked, claimed, computed in zip(questions, *found, strict=True):
            expected = arithmetic.coordinate(asked.posting, asked.place, asked.leaves, asked.column, asked.norms)
            assert (claimed, computed) == expected, asked


def _call(harness: Contract, name: str, types: tuple[str, ...], values: tuple[object, ...]) -> bytes:
    data = keccak(text=f"{name}({','.join(types)})")[:4] + encode(types, values)
    return harness.evm.call(account(1), harness.raw, data)
