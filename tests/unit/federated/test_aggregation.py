"""Every rule beside plain Python integers that follow its definition word for word."""

from collections.abc import Sequence
from math import isqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from offchain.errors import Rejected
from offchain.federated.aggregation import blocks
from offchain.federated.aggregation.distances import gram, squared_distances
from offchain.federated.aggregation.networks import network
from offchain.federated.aggregation.rounding import round_div
from offchain.federated.aggregation.rule import Outcome, Rule, RuleId, aggregate, rule_id

LOW, HIGH = -(2**15), 2**15 - 1
Rows = list[list[int]]


def oracle(rule: Rule, rows: Rows, weights: Sequence[int]) -> tuple[list[int], tuple[int, ...]]:
    """The definitions in the docstrings, without a thought for speed."""
    n = len(rows)
    share = n * rule.parameter // 10**6
    everyone = tuple(range(n))
    match rule.id:
        case RuleId.MEAN:
            return mean_of(rows, weights), everyone
        case RuleId.MEDIAN:
            return [middle(sorted(column)) for column in zip(*rows, strict=True)], everyone
        case RuleId.TRIMMED_MEAN:
            kept = [sorted(column)[share : n - share] for column in zip(*rows, strict=True)]
            return [round_div(sum(values), len(values)) for values in kept], everyone
        case RuleId.CLIPPED_MEAN:
            return mean_of([clipped(row, rule.parameter) for row in rows], [1] * n), everyone
        case RuleId.KRUM | RuleId.MULTI_KRUM:
            kept_count = max(1, n * rule.selected // 10**6)
            best = sorted(sorted(everyone, key=lambda i: (score(rows, everyone, i, share), i))[:kept_count])
            return mean_of([rows[i] for i in best], [1] * kept_count), tuple(best)
        case RuleId.GEOMETRIC_MEDIAN:
            z = mean_of(rows, [1] * n)
            for _ in range(rule.selected):
                lengths = [max(1, isqrt(distance(row, z))) for row in rows]
                z = mean_of(rows, [2**30 * min(lengths) // length for length in lengths])
            return z, everyone
        case RuleId.BULYAN:
            chosen = iterated(rows, share)
            columns = zip(*(rows[i] for i in chosen), strict=True)
            return [nearest_mean(sorted(column), n - 4 * share) for column in columns], tuple(sorted(chosen))


def mean_of(rows: Rows, weights: Sequence[int]) -> list[int]:
    pairs = list(zip(rows, weights, strict=True))
    return [round_div(sum(w * row[k] for row, w in pairs), sum(weights)) for k in range(len(rows[0]))]


def middle(column: list[int]) -> int:
    n = len(column)
    return column[n // 2] if n % 2 else round_div(column[n // 2 - 1] + column[n // 2], 2)


def nearest_mean(column: list[int], count: int) -> int:
    nearest = sorted(column, key=lambda x: (abs(x - middle(column)), x))[:count]
    return round_div(sum(nearest), count)


def clipped(row: list[int], norm: int) -> list[int]:
    squares = sum(q * q for q in row)
    length = isqrt(squares)
    length += length * length < squares
    return row if length <= norm else [round_div(q * norm, length) for q in row]


def distance(x: list[int], y: list[int]) -> int:
    return sum((a - b) ** 2 for a, b in zip(x, y, strict=True))


def score(rows: Rows, among: Sequence[int], i: int, hostile: int) -> int:
    others = sorted(distance(rows[i], rows[j]) for j in among if j != i)
    return sum(others[: max(1, len(among) - hostile - 2)])


def iterated(rows: Rows, hostile: int) -> list[int]:
    remaining, chosen = list(range(len(rows))), []
    for _ in range(len(rows) - 2 * hostile):
        best = min(remaining, key=lambda i: (score(rows, remaining, i, hostile), i))
        remaining.remove(best)
        chosen.append(best)
    return chosen


def compare(rule: Rule, rows: Rows, weights: Sequence[int], threads: int = 1) -> None:
    outcome = aggregate(rule, [np.array(row, np.int16) for row in rows], weights, threads=threads)
    values, chosen = oracle(rule, rows, weights)
    assert outcome.aggregate.dtype == np.int16
    assert outcome.aggregate.tolist() == values
    assert outcome.chosen == chosen


@st.composite
def cases(draw: st.DrawFn) -> tuple[Rule, Rows, list[int]]:
    """Rules that are valid for their updates; values tie often, or are as far apart as can be."""
    hostile = draw(st.integers(0, 3))
    kind = draw(st.sampled_from(list(RuleId)))
    least = {RuleId.TRIMMED_MEAN: 2 * hostile + 1, RuleId.BULYAN: 4 * hostile + 3}
    n = draw(st.integers(least.get(kind, 2 * hostile + 3), 17))
    value = st.integers(LOW, HIGH) | st.sampled_from([LOW, -1, 0, 1, HIGH]) | st.integers(-3, 3)
    d = draw(st.integers(1, 5))
    rows = draw(st.lists(st.lists(value, min_size=d, max_size=d), min_size=n, max_size=n))
    weights = draw(st.lists(st.integers(1, 2**20) | st.just(2**20), min_size=n, max_size=n))
    parameter, selected = 0, 0
    if kind in (RuleId.TRIMMED_MEAN, RuleId.KRUM, RuleId.MULTI_KRUM, RuleId.BULYAN):
        parameter = -(-hostile * 10**6 // n)
    if kind == RuleId.CLIPPED_MEAN:
        parameter = draw(st.integers(1, 2**17) | st.integers(1, 9))
    if kind == RuleId.MULTI_KRUM:
        selected = -(-draw(st.integers(1, n - hostile - 2)) * 10**6 // n)
    if kind == RuleId.GEOMETRIC_MEDIAN:
        selected = draw(st.integers(1, 6))
    return Rule(kind, parameter, selected), rows, weights


@settings(max_examples=150, deadline=None)
@given(case=cases())
@example(case=(Rule(RuleId.MEAN), [[HIGH, LOW]] * 128, [2**20] * 128))
@example(case=(Rule(RuleId.GEOMETRIC_MEDIAN, 0, 3), [[HIGH, LOW]] * 127 + [[LOW, HIGH]], [1] * 128))
@example(case=(Rule(RuleId.KRUM, 400_000), [[LOW], [HIGH], [LOW], [HIGH], [0]] * 25, [1] * 125))
@example(case=(Rule(RuleId.CLIPPED_MEAN, 3), [[4, 0], [0, 0], [-4, 3]], [1] * 3))
def test_rules_are_their_definitions(case: tuple[Rule, Rows, list[int]]) -> None:
    compare(*case)


@pytest.mark.parametrize(
    "rule",
    [
        Rule(RuleId.MEAN),
        Rule(RuleId.MEDIAN),
        Rule(RuleId.TRIMMED_MEAN, 200_000),
        Rule(RuleId.CLIPPED_MEAN, 500_000),
        Rule(RuleId.KRUM, 300_000),
        Rule(RuleId.MULTI_KRUM, 300_000, 500_000),
        Rule(RuleId.GEOMETRIC_MEDIAN, 0, 2),
        Rule(RuleId.BULYAN, 200_000),
    ],
    ids=lambda rule: rule.id.name,
)
def test_blocks_threads_and_files_change_nothing(rule: Rule, tmp_path: Path) -> None:
    """More coordinates than a block, two threads, read-only memory-mapped files, 23 updates of different lengths."""
    rng = np.random.default_rng(int(rule.id))
    n, d = 23, 70_001
    sizes = rng.integers(20, 9000, n)
    rows = [rng.normal(0, size, d).clip(LOW, HIGH).astype("<i2") for size in sizes]
    weights = [int(weight) for weight in rng.integers(1, 1000, n)]
    before = [row.copy() for row in rows]
    outcome = aggregate(rule, rows, weights)
    files = []
    for index, row in enumerate(rows):
        row.tofile(tmp_path / str(index))
        files.append(np.memmap(tmp_path / str(index), "<i2", "r"))
    same(outcome, aggregate(rule, files, weights, threads=2))
    assert all(np.array_equal(row, copy) for row, copy in zip(rows, before, strict=True))
    places = np.r_[0:3, 20_000:20_003, d - 130 : d]
    if rule.id in (RuleId.MEAN, RuleId.MEDIAN, RuleId.TRIMMED_MEAN):
        values, _ = oracle(rule, [row[places].tolist() for row in rows], weights)
        assert outcome.aggregate[places].tolist() == values


def same(a: Outcome, b: Outcome) -> None:
    assert np.array_equal(a.aggregate, b.aggregate)
    assert a.chosen == b.chosen


def test_distances_are_exact_where_floats_are_not() -> None:
    """The largest inner products there are: beyond 2**53 and odd, over many blocks of a matrix product."""
    d = 2**23 + 1001
    low, high = np.full(d, LOW, np.int16), np.full(d, HIGH, np.int16)
    high[0] = 1
    products = gram([low, high])
    expected = HIGH**2 * (d - 1) + 1
    assert products.tolist() == [
        [LOW**2 * d, LOW * (HIGH * (d - 1) + 1)],
        [LOW * (HIGH * (d - 1) + 1), expected],
    ]
    assert expected > 2**53
    assert expected % 2
    assert squared_distances([low, high])[0, 1] == (HIGH - LOW) ** 2 * (d - 1) + (1 - LOW) ** 2


def test_inner_products_of_short_and_long_updates() -> None:
    """Rows below and above the norm from which on they are two, in many blocks and by two threads."""
    rng = np.random.default_rng(2)
    rows = [rng.normal(0, size, 5003).clip(LOW, HIGH).astype(np.int16) for size in np.geomspace(1, 40_000, 23)]
    matrix = np.array(rows, np.int64)
    assert np.array_equal(gram(rows, threads=2), matrix @ matrix.T)


def test_networks_sort_all_zeros_and_ones() -> None:
    """The zero-one principle (Knuth 5.3.4, theorem Z), whole for few places and by random columns for many."""
    for places in (*range(1, 11), 60, 100, 127, 128):
        columns = zero_one(places)
        ranks = np.sort(columns, axis=0)
        assert np.array_equal(through(network(places, 0, places, sorted_throughout=True), columns), ranks)
        for cut in {0, places // 5, (places - 1) // 2}:
            window = through(network(places, cut, places - 2 * cut), columns)[cut : places - cut]
            assert np.array_equal(np.sort(window, axis=0), ranks[cut : places - cut])


def zero_one(places: int) -> NDArray[np.int64]:
    if places <= 10:
        return np.arange(2**places)[None, :] >> np.arange(places)[:, None] & 1
    rng = np.random.default_rng(places)
    return (rng.random((places, 2000)) < rng.random(2000)).astype(np.int64)


def through(comparators: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
    result = columns.copy()
    for a, b in comparators:
        result[a], result[b] = np.minimum(result[a], result[b]), np.maximum(result[a], result[b])
    return result


def test_what_hostile_updates_can_do() -> None:
    """Breakdown points with the worst values: 3 of 15 move the mean at will, and no other rule beyond the honest."""
    rng = np.random.default_rng(1)
    honest = [rng.integers(-50, 51, 300).astype(np.int16) for _ in range(12)]
    updates = [*honest, *[np.full(300, HIGH, np.int16)] * 3]
    low, high = np.min(honest, axis=0), np.max(honest, axis=0)
    assert aggregate(Rule(RuleId.MEAN), updates, [1] * 15).aggregate.min() > 6000
    for rule in (
        Rule(RuleId.MEDIAN),
        Rule(RuleId.TRIMMED_MEAN, 200_000),
        Rule(RuleId.KRUM, 200_000),
        Rule(RuleId.MULTI_KRUM, 200_000, 600_000),
        Rule(RuleId.BULYAN, 200_000),
    ):
        outcome = aggregate(rule, updates, [1] * 15)
        assert (outcome.aggregate >= low).all()
        assert (outcome.aggregate <= high).all()
        assert rule.id not in (RuleId.KRUM, RuleId.MULTI_KRUM) or max(outcome.chosen) < 12
    clipped_length = np.linalg.norm(aggregate(Rule(RuleId.CLIPPED_MEAN, 600), updates).aggregate.astype(float))
    assert clipped_length <= 600 * 3 / 15 + np.linalg.norm(np.mean(honest, axis=0)) * 12 / 15 + 20
    point = aggregate(Rule(RuleId.GEOMETRIC_MEDIAN, 0, 12), updates).aggregate.astype(float)
    assert np.abs(point).max() < 100


@pytest.mark.parametrize(
    ("rule", "count", "says"),
    [
        (Rule(RuleId.MEAN, 1), 3, "parameter of MEAN"),
        (Rule(RuleId.MEDIAN, 0, 1), 3, "selected of MEDIAN"),
        (Rule(RuleId.TRIMMED_MEAN, 500_000), 3, "parameter of TRIMMED_MEAN"),
        (Rule(RuleId.CLIPPED_MEAN), 3, "parameter of CLIPPED_MEAN"),
        (Rule(RuleId.KRUM, 400_000), 10, "needs 11, not 10"),
        (Rule(RuleId.MULTI_KRUM, 200_000, 700_000), 10, "select 1 to 6 of 10 updates, not 7"),
        (Rule(RuleId.GEOMETRIC_MEDIAN), 3, "selected of GEOMETRIC_MEDIAN"),
        (Rule(RuleId.BULYAN, 200_000), 10, "needs 11, not 10"),
        (Rule(RuleId.MEDIAN), 129, "takes 1 to 128"),
        (Rule(RuleId.MEAN), 0, "takes 1 to 128"),
    ],
)
def test_rules_that_do_not_fit_are_rejected(rule: Rule, count: int, says: str) -> None:
    with pytest.raises(Rejected, match=says):
        aggregate(rule, [np.zeros(2, np.int16)] * count, [1] * count)


def test_updates_that_do_not_fit_are_rejected() -> None:
    good = np.zeros(4, np.int16)
    bad: list[NDArray[np.int16]] = [np.zeros(5, np.int16), good.astype(np.int32), good.reshape(2, 2)]  # type: ignore[list-item]
    for other in bad:
        with pytest.raises(Rejected, match="update 1 is"):
            aggregate(Rule(RuleId.MEDIAN), [good, other, good], [1] * 3)
    for weights in ([1, 1], [0, 1, 1], [1, 1, 2**20 + 1]):
        with pytest.raises(Rejected, match="weights of 3 updates"):
            aggregate(Rule(RuleId.MEAN), [good] * 3, weights)


def test_names_and_the_least_number_of_updates() -> None:
    assert rule_id("trimmed-mean") == RuleId.TRIMMED_MEAN
    with pytest.raises(Rejected, match="choose one of mean, median"):
        rule_id("average")
    assert Rule(RuleId.MEAN).least() == 1
    assert Rule(RuleId.KRUM, 333_333).least() == 5
    rule = Rule(RuleId.BULYAN, 200_000)
    for count in range(rule.least(), blocks.MAX_UPDATES + 1):
        rule.check(count)
