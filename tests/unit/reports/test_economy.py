"""The economy's arithmetic, and how often winners win."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.protocol.manifest import Preprocessing
from offchain.reports.checking import confusion, most_confused, residuals
from offchain.reports.economy import Track, herfindahl, sampled, shares
from offchain.reports.words import coins, lasting, tokens, when
from offchain.types import TOKEN


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(-5, 5)), max_size=30), st.lists(st.integers(0, 60), max_size=9)
)
def test_a_track_is_the_sum_of_its_changes(changes: list[tuple[int, int]], times: list[int]) -> None:
    track = Track()
    for at, change in sorted(changes):
        track.add(at, change)
    found = sampled(track, sorted(times))
    assert found == [sum(change for at, change in changes if at <= time) for time in sorted(times)]
    assert [at for at, _ in track.points] == sorted({at for at, _ in track.points})


@given(st.lists(st.integers(0, 10**30), max_size=20))
def test_shares_add_up_and_concentration_lies_between_its_bounds(amounts: list[int]) -> None:
    parts = shares(amounts)
    if not parts:
        assert not any(amounts)
        return
    assert sum(parts) == pytest.approx(1)
    assert parts == sorted(parts, reverse=True)
    assert 1 / len(parts) - 1e-9 <= herfindahl(parts) <= 1 + 1e-9


@given(st.lists(st.tuples(st.integers(-2, 5), st.integers(0, 3)), min_size=1, max_size=40))
def test_a_confusion_matrix_counts_every_sample(pairs: list[tuple[int, int]]) -> None:
    labels, said = (np.array(part, dtype=np.int32) for part in zip(*pairs, strict=True))
    found = confusion(said, labels, 4, 7)
    for label in range(4):
        for word in range(4):
            assert found.counts[label][word] == sum(pair == (label, word) for pair in pairs)
    assert found.outside + sum(map(sum, found.counts)) == found.samples == len(pairs)
    mistakes = most_confused(found.counts, 100)
    assert sum(count for count, _, _ in mistakes) == sum(x != y for x, y in pairs if 0 <= x < 4)


def test_residuals_are_in_the_clients_own_units() -> None:
    said, labels = np.array([10, 20, 30], dtype=np.int32), np.array([12, 20, 26], dtype=np.int32)
    scaled = Preprocessing(offset=(0.0,), scale=(1.0,), label_offset=5.0, label_scale=0.5)
    found = residuals(said, labels, scaled, -6)
    assert (found.mean, found.mean_absolute, found.largest, found.unit) == (
        pytest.approx(1 / 3),
        pytest.approx(1.0),
        2.0,
        "label units",
    )
    assert sum(found.counts) == found.samples == 3
    assert residuals(said, labels, None, -6).largest == 4.0
    extreme = np.array([2**31 - 1], dtype=np.int32)
    assert residuals(extreme, -extreme, None, 0).largest == 2.0**32 - 2


def test_amounts_are_told_to_the_wei() -> None:
    assert tokens(1) == "0.000000000000000001"
    assert tokens(-TOKEN * 1234 - 5 * 10**17) == "−1,234.5"
    assert tokens(0) == "0"
    assert coins(3_602_790_000_000_000) == "0.00360279"
    assert lasting(90_061) == "1 d 1 h"
    assert lasting(0) == "0 s"
    assert lasting(-61) == "−1 min 1 s"
    assert when(0) == "1970-01-01 00:00:00"
    assert when(2**62).endswith(" s")
