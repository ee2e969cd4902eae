"""How ranges are divided."""

from itertools import pairwise

import pytest

from offchain.dispute.gain import rounds
from offchain.dispute.segments import chunk_bounds, chunk_count, segment, segment_count, segments, subtree_width

LENGTHS = [2, 3, 31, 32, 33, 63, 64, 65, 1000, 1023, 1024, 1025, 32**3 - 1, 32**3, 32**3 + 1, 10**6, 2**32 - 1]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("low", [0, 7, 2**31])
def test_segments_cover_a_range_once(length: int, low: int) -> None:
    parts = segments(low, low + length)
    assert 2 <= len(parts) <= 32
    assert len(parts) == segment_count(low, low + length)
    assert parts[0][0] == low
    assert parts[-1][1] == low + length
    assert all(before[1] == after[0] for before, after in pairwise(parts))
    sizes = {high - start for start, high in parts[:-1]}
    assert len(sizes) <= 1
    assert all(high > start for start, high in parts)


def test_a_segment_is_found_without_the_others() -> None:
    assert segment(10, 110, 3) == segments(10, 110)[3] == (22, 26)
    assert segment(0, 33, 16) == (32, 33)


@pytest.mark.parametrize(("things", "expected"), [(1, 0), (2, 1), (32, 1), (33, 2), (1024, 2), (1025, 3), (10**6, 4)])
def test_rounds_until_one_is_left(things: int, expected: int) -> None:
    assert rounds(things) == expected


@pytest.mark.parametrize(("size", "count"), [(1, 1), (1024, 1), (1025, 2), (2**20, 1024)])
def test_chunks(size: int, count: int) -> None:
    assert chunk_count(size) == count
    assert chunk_bounds(size, count - 1)[1] == size


def test_hashes_cover_32_chunks_while_there_are_more() -> None:
    assert [subtree_width(count) for count in (2, 32, 33, 1024)] == [1, 1, 32, 32]
