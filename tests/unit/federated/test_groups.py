"""Groups: everybody in one, drawn by what nobody chose; a rule over their means; what their size costs, exactly."""

from collections import Counter
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Bug, Rejected
from offchain.federated.aggregation.rule import Rule, RuleId
from offchain.federated.group_tradeoff import hostile_groups, sizes_of, tradeoff
from offchain.federated.groups import aggregate_groups, assign, columns, mean_of
from offchain.federated.secure.terms import Stage
from offchain.federated.secure.unmask import unmask
from offchain.protocol.hashing import keccak
from tests.unit.federated.secure.play import Play, random_updates, session_of

QUICK = settings(max_examples=60, deadline=None)
ASSIGNMENTS = "ad9322173eaeb09e2be779c067772da850057dcbb7f93cf4f6711c581b0ec271"
"""keccak256 over 60 assignments; `SecureGroups.t.sol` has it too."""


@QUICK
@given(
    seed=st.binary(min_size=32, max_size=32), roster=st.sets(st.integers(0, 127), min_size=1), size=st.integers(1, 20)
)
def test_everybody_is_in_one_group_of_the_size(seed: bytes, roster: set[int], size: int) -> None:
    groups = assign(seed, 3, roster, size)
    assert sorted(index for group in groups for index in group) == sorted(roster)
    assert tuple(map(len, groups)) == sizes_of(len(roster), size)
    assert min(map(len, groups)) >= min(size, len(roster))
    assert groups == assign(seed, 3, sorted(roster, reverse=True), size)


def test_the_contract_draws_the_same() -> None:
    digests = []
    for k in range(60):
        seed = keccak(k.to_bytes(32, "big"))
        bits = int.from_bytes(keccak(seed)[16:], "big") | 1
        groups = assign(seed, k, [index for index in range(128) if bits >> index & 1], 3 + k % 20)
        sets = (sum(1 << index for index in group) for group in groups)
        digests.append(keccak(b"".join(group.to_bytes(32, "big") for group in sets)))
    assert keccak(b"".join(digests)).hex() == ASSIGNMENTS


def test_draws_are_uniform_enough() -> None:
    """Of 6 in groups of 3, every one of the 20 first groups; 2000 draws, chi-squared below its 99.9th percentile."""
    counted = Counter(assign(keccak(bytes((k % 256, k // 256))), 0, range(6), 3)[0] for k in range(2000))
    assert len(counted) == 20
    assert sum((count - 100) ** 2 / 100 for count in counted.values()) < 43.8


def test_a_group_counts_from_its_threshold_on() -> None:
    groups = ((0, 1, 2, 3), (4, 5, 6, 7))
    everybody = range(8)
    assert columns(groups, everybody, everybody) == groups
    assert columns(groups, [0, 1, 2, 4, 5], everybody) == ((0, 1, 2),)
    assert columns(groups, everybody, [0, 1, 2, 3, 4, 5]) == ((0, 1, 2, 3),)
    assert columns(groups, [0, 1, 2, 4, 5, 6], [3, 0, 1, 4, 5, 6]) == ((4, 5, 6),)


def test_means_are_rounded_and_clamped() -> None:
    totals = np.array([3, -3, 4, -4, 7, 2**31 - 1, -(2**31)], dtype=np.int32)
    assert mean_of(totals, 2).tolist() == [2, -1, 2, -2, 4, 2**15 - 1, -(2**15)]
    with pytest.raises(Bug):
        mean_of(totals, 0)


def test_a_hostile_member_costs_its_group_and_not_the_rule() -> None:
    """Twelve in four groups, one of which sums up to noise: the median of means stays within the honest means."""
    groups = assign(b"g" * 32, 1, range(12), 3)
    totals, honest = [], []
    for number, group in enumerate(groups):
        session = session_of(3, 50, group=number)
        updates = random_updates(session, seed=number) // 16
        play = Play(session, updates, seed=number)
        noise = np.random.default_rng(9).integers(0, 2**32, 50).astype(np.uint32)
        tamper = {1: lambda sent, noise=noise: type(sent)(sent.vector + noise)} if number == 2 else {}
        for stage in Stage:
            play.stage(stage, range(3), tamper if stage is Stage.MASKED else None)
        totals.append(unmask(play.transcript))
        if number != 2:
            assert np.array_equal(totals[-1], play.plain_sum(range(3)))
            honest.append(mean_of(totals[-1], len(group)))
    outcome = aggregate_groups(Rule(RuleId.MEDIAN), totals, [len(group) for group in groups])
    assert np.all(outcome.aggregate >= np.min(honest, axis=0))
    assert np.all(outcome.aggregate <= np.max(honest, axis=0))
    with pytest.raises(Rejected):
        aggregate_groups(Rule(RuleId.KRUM, 300_000), totals[:1], [3])


@pytest.mark.parametrize(("participants", "hostile", "size"), [(7, 2, 2), (8, 3, 3), (9, 4, 4), (6, 0, 2), (5, 5, 2)])
def test_chances_are_those_of_counting(participants: int, hostile: int, size: int) -> None:
    groups, place = [], 0
    for members in sizes_of(participants, size):
        groups.append(set(range(place, place + members)))
        place += members
    counted = Counter(
        sum(bool(group & set(chosen)) for group in groups) for chosen in combinations(range(participants), hostile)
    )
    every = sum(counted.values())
    chances = hostile_groups(participants, hostile, size)
    assert chances == tuple(Fraction(counted[spoilt], every) for spoilt in range(len(groups) + 1))


def test_the_price_of_a_group_size() -> None:
    """A hundred participants, ten hostile: the figures in docs/secure-aggregation.md."""
    rows = [tradeoff(100, 10, size, Fraction(99, 100)) for size in (1, 2, 3, 5)]
    assert [(row.groups, row.tolerate, round(float(row.clean), 3)) for row in rows] == [
        (100, 10, 0.9),
        (50, 10, 0.809),
        (33, 10, 0.724),
        (20, 10, 0.584),
    ]
    assert rows[2].tolerated_part == Fraction(10, 33)
