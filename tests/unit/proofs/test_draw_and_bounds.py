"""The pure rules of rounds: draws against a real shuffle, bounds against SciPy's beta distribution and exact sums."""

import math
import random
from fractions import Fraction

import pytest
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta  # type: ignore[import-untyped]

from offchain.proofs.confidence import PPM, lower_bound_ppm, worst_case_ppm
from offchain.proofs.draw import chunk_of, drawn_chunks, seed_of


@settings(max_examples=25)
@given(st.binary(min_size=32, max_size=32), st.integers(1, 200))
def test_draws_are_a_shuffle(seed: bytes, chunks: int) -> None:
    row = list(range(chunks))
    for i in range(min(chunks, 64)):
        j = i + int.from_bytes(keccak(seed + i.to_bytes(32, "big")), "big") % (chunks - i)
        row[i], row[j] = row[j], row[i]
    draws = min(chunks, 64)
    assert list(drawn_chunks(seed, draws, chunks)) == row[:draws]


def test_each_chunk_is_drawn_as_often_as_another() -> None:
    counts = [0] * 10
    for number in range(3000):
        counts[chunk_of(seed_of(number.to_bytes(32, "big"), bytes(32)), 2, 10)] += 1
    assert sum((count - 300) ** 2 / 300 for count in counts) < 27.9, "chi-squared, 9 degrees of freedom, 0.1 %"


def test_a_draw_is_one_of_the_chunks() -> None:
    for draw, chunks in ((3, 3), (-1, 3), (0, 0)):
        with pytest.raises(ValueError, match="draw"):
            chunk_of(bytes(32), draw, chunks)


@pytest.mark.parametrize(
    ("correct", "out_of", "share"), [(63, 64, 0.928), (121, 128, 0.900), (247, 256, 0.939), (584, 600, 0.960)]
)
def test_the_bounds_of_known_counts(correct: int, out_of: int, share: float) -> None:
    assert lower_bound_ppm(correct, out_of) / PPM == pytest.approx(share, abs=0.0006)


def test_the_bound_is_scipys_rounded_down() -> None:
    generator = random.Random(7)
    for _ in range(400):
        out_of = generator.choice([generator.randint(1, 200), generator.randint(1, 5_000)])
        correct = generator.randint(1, out_of)
        exact = PPM * float(beta.ppf(0.05, correct, out_of - correct + 1))
        # floating point may put a number beside the integer that it is
        assert lower_bound_ppm(correct, out_of) in {math.floor(exact - 1e-6), math.floor(exact + 1e-6)}


@settings(max_examples=60)
@given(st.integers(1, 40), st.data())
def test_the_bound_is_the_largest_that_holds(out_of: int, data: st.DataObject) -> None:
    """In exact fractions, without the rounding that the sums have."""
    correct = data.draw(st.integers(1, out_of))

    def chance(ppm: int) -> Fraction:
        p = Fraction(ppm, PPM)
        return sum(
            (math.comb(out_of, i) * p**i * (1 - p) ** (out_of - i) for i in range(correct, out_of + 1)), Fraction(0)
        )

    bound = lower_bound_ppm(correct, out_of)
    assert chance(bound) <= Fraction(1, 20) < chance(bound + 1)


def test_bounds_know_their_range() -> None:
    assert lower_bound_ppm(0, 9) == lower_bound_ppm(0, 0) == 0
    for correct, out_of in ((6, 5), (-1, 5), (1, 2**32)):
        with pytest.raises(ValueError, match="samples"):
            lower_bound_ppm(correct, out_of)
    for arguments in ((6, 5, 1), (-1, 5, 1), (0, 0, 1), (1, 5, 0)):
        with pytest.raises(ValueError, match="samples"):
            worst_case_ppm(*arguments)


def test_the_worst_case_holds_for_a_model_that_is_right_about_some_chunks_only() -> None:
    """Right about every sample of half of 64 chunks: the samples' bound is wrong for it, the chunks' bound is not."""
    generator, wrong_by_samples, wrong_by_chunks = random.Random(11), 0, 0
    for _ in range(1_000):
        right = sum(chunk < 32 for chunk in generator.sample(range(64), 4))
        wrong_by_samples += lower_bound_ppm(64 * right, 64 * 4) > PPM // 2
        wrong_by_chunks += worst_case_ppm(64 * right, 64 * 4, 4) > PPM // 2
    assert wrong_by_chunks <= 1_000 * 0.05
    assert wrong_by_samples > 1_000 * 0.2, "what the bound does not promise"
    assert worst_case_ppm(64, 64, 1) == pytest.approx(50_000, abs=1), "one perfect chunk: 5 %"
    assert worst_case_ppm(64 * 9, 64 * 9, 9) == pytest.approx(PPM * 0.05 ** (1 / 9), abs=1)
