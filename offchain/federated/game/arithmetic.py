"""One number of an aggregate, as the contract computes it: the twin of `contracts/federated/AggregateVerifier.sol`.

In Python's integers and apart from the vectorised rules (`offchain/federated/aggregation/`), so that neither copies the
other's mistakes. Reading is total: bytes beyond the end of a content are 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

from offchain.federated.aggregation.rounding import round_div
from offchain.federated.measures import MeasuresShape
from offchain.federated.server_optimizer import step_one
from offchain.federated.task_state import Posting
from offchain.federated.terms import AggregationRule, Mode
from offchain.federated.vector_tree import CHUNK, chunk_length

_LOWEST, _HIGHEST = -(1 << 15), (1 << 15) - 1


def shape_of(posting: Posting) -> MeasuresShape:
    """Which rows the posting's measures have."""
    return MeasuresShape(posting.columns, posting.rule.evidence, secure=posting.mode is Mode.SECURE)


def number_rows(posting: Posting) -> int:
    """How many rows of the measures hold numbers."""
    return shape_of(posting).rows - (posting.mode is Mode.SECURE)


def entries(posting: Posting, row: int) -> int:
    """How many entries a row has."""
    return posting.columns + (row == 0)


def combine(posting: Posting, values: Sequence[int], weights: Sequence[int], squares: Sequence[int]) -> int:
    """What the rule makes of the columns' values at one coordinate.

    weights: Mean; squares: of the columns' norms, ClippedMean.
    """
    rule, count = posting.rule, len(values)
    match rule.rule:
        case AggregationRule.MEAN:
            total = sum(weights)
            summed = sum(weight * value for weight, value in zip(weights, values, strict=True))
            return _clamped(round_div(summed, total)) if total else 0
        case AggregationRule.MEDIAN:
            return _trimmed(values, (count - 1) // 2)
        case AggregationRule.TRIMMED_MEAN:
            return _trimmed(values, rule.definition.part(count))
        case AggregationRule.CLIPPED_MEAN:
            scaled = [_clipped(value, norm, rule.parameter) for value, norm in zip(values, squares, strict=True)]
            return _clamped(round_div(sum(scaled), count))
        case _:
            chosen = [value for index, value in enumerate(values) if posting.selection >> index & 1]
            return _clamped(round_div(sum(chosen), len(chosen))) if chosen else 0


def coordinate(
    posting: Posting,
    place: int,
    leaves: tuple[bytes, bytes],
    column: bytes,
    norms: bytes = b"",
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What the new leaf says of a coordinate, the aggregate and the optimiser's words, and what they have to be.

    leaves: of the posted result, and of the one before. column: int16 little-endian, for Mean then the weights, uint32
    little-endian. norms: int64 big-endian.
    """
    weights = weights_in(posting, column)
    values = [int16_at(column, 2 * index) for index in range(posting.columns)]
    squares = [int64_at(norms, index) for index in range(posting.columns)] if norms else []
    aggregate = combine(posting, values, weights, squares)
    claimed = words_at(posting, place, leaves[0])
    old = words_at(posting, place, leaves[1])[1:]
    return claimed, (aggregate, *step_one(posting.optimizer.definition, old, aggregate))


def weights_in(posting: Posting, column: bytes) -> list[int]:
    """The weights that a leader says the columns have; none for rules that weigh nothing."""
    if posting.rule.rule is not AggregationRule.MEAN:
        return []
    start = 2 * posting.columns
    return [int.from_bytes(column[at : at + 4], "little") for at in range(start, start + 4 * posting.columns, 4)]


def column_bytes(posting: Posting) -> int:
    """How long the column is that a leader shows."""
    return posting.columns * (6 if posting.rule.rule is AggregationRule.MEAN else 2)


def words_at(posting: Posting, place: int, content: bytes) -> tuple[int, ...]:
    """What a leaf of a result says of a coordinate of the vector: the aggregate, then the optimiser's words."""
    length, within = chunk_length(posting.dimension, place // CHUNK), place % CHUNK
    starts = [(4 * word + 2) * length + 4 * within for word in range(posting.optimizer.definition.words)]
    return (int16_at(content, 2 * within), *(_little(content, start, 4) for start in starts))


def score(posting: Posting, own: int, row: bytes) -> int:
    """Krum's score of a column from its row of distances."""
    others = sorted(int64_at(row, index) for index in range(posting.columns) if index != own)
    nearest = max(1, posting.columns - posting.rule.definition.part(posting.columns) - 2)
    return sum(others[:nearest])


def dot(left: bytes, right: bytes, length: int) -> int:
    """The sum of the products of the first `length` numbers, int16 little-endian."""
    return sum(int16_at(left, 2 * k) * int16_at(right, 2 * k) for k in range(length))


def distance(left: bytes, right: bytes, length: int) -> int:
    """The sum of the squared differences of the first `length` numbers, int16 little-endian."""
    return sum((int16_at(left, 2 * k) - int16_at(right, 2 * k)) ** 2 for k in range(length))


def int16_at(content: bytes, start: int) -> int:
    """The int16, little-endian, whose first byte is at `start`."""
    return _little(content, start, 2)


def int64_at(row: bytes, index: int) -> int:
    """The int64, big-endian, at `index`."""
    return int.from_bytes(row[8 * index : 8 * index + 8], "big", signed=True)


def _little(content: bytes, start: int, size: int) -> int:
    return int.from_bytes(content[start : start + size].ljust(size, b"\0"), "little", signed=True)


def _trimmed(values: Sequence[int], cut: int) -> int:
    kept = sorted(values)[cut : len(values) - cut]
    return _clamped(round_div(sum(kept), len(kept))) if kept else 0


def _clipped(value: int, square: int, limit: int) -> int:
    length = isqrt(square - 1) + 1 if square > 0 else 0
    return value if length <= limit else round_div(value * limit, length)


def _clamped(value: int) -> int:
    return min(max(value, _LOWEST), _HIGHEST)
