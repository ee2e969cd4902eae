"""The groups on arrays, against zksnake's points, and the field's vectors, against Python's integers."""

import random

import numpy as np
import pytest
from zksnake._algebra import ec_bn254

from offchain.proofs.groth16 import curve, vectors
from offchain.proofs.groth16.curve import G1, G2, Affine, Group, to_points, to_rows

ORDER = vectors.SCALAR_ORDER


def theirs(group: Group, factors: list[int]) -> list[Affine]:
    generator = ec_bn254.g1() if group is G1 else ec_bn254.g2()
    made = [generator * factor for factor in factors]
    if group is G1:
        return [((int(p.x),), (int(p.y),)) for p in made]
    return [(tuple(int(v) for v in p.x), tuple(int(v) for v in p.y)) for p in made]


@pytest.mark.parametrize("group", [G1, G2], ids=["G1", "G2"])
def test_multiples_and_sums_are_zksnakes(group: Group) -> None:
    draw = random.Random(5)
    factors = [draw.randrange(1, ORDER) for _ in range(300)]
    # twice the same point, opposite points, small and large scalars, none
    factors[7], factors[8] = factors[6], ORDER - factors[6]
    rows = curve.multiples(group, to_rows(group, [group.generator])[0], curve.scalar_rows(factors))
    assert to_points(group, rows[:20]) == theirs(group, factors[:20])
    scalars = [draw.randrange(ORDER) for _ in factors]
    scalars[:10] = [0, 1, 2, 1, ORDER - 1, 3, 5, 5, 5, 0]
    total = sum(a * b for a, b in zip(factors, scalars, strict=True)) % ORDER
    plain = curve.scalar_rows(scalars)
    assert to_points(group, curve.multi_scalar(group, rows, plain)[np.newaxis]) == theirs(group, [total])
    each = to_points(group, curve.scaled(group, rows[:12], plain[:12]))
    expected = theirs(group, [a * b % ORDER or 1 for a, b in zip(factors[:12], scalars[:12], strict=True)])
    assert each == [None if scalars[i] == 0 else point for i, point in enumerate(expected)]
    both = to_points(group, curve.sums(group, rows[6:8], rows[7:9]))
    assert both == [theirs(group, [2 * factors[6] % ORDER])[0], None]


def test_one_wrong_coordinate_is_no_point() -> None:
    rows = curve.multiples(G1, to_rows(G1, [G1.generator])[0], curve.scalar_rows([3, 4, 5]))
    assert curve.are_points(G1, rows)
    for edit in (1, 1 << 63):
        wrong = rows.copy()
        wrong[1, 5] ^= np.uint64(edit)
        assert not curve.are_points(G1, wrong)
    over = rows.copy()
    over[2, :4] = curve.limbs_of(int.from_bytes(rows[2, :4].tobytes(), "little") + curve.BASE_ORDER)
    assert not curve.are_points(G1, over)  # the same number, not canonical
    assert not curve.are_points(G1, np.zeros((1, 8), dtype=np.uint64))


@pytest.mark.parametrize("size", [2, 16, 24])
def test_transforms_and_quotients_are_what_they_say(size: int) -> None:
    draw = random.Random(size)
    a, b = ([draw.randrange(ORDER) for _ in range(size)] for _ in range(2))
    root = vectors.root_of_unity(size)
    expected = [sum(v * pow(root, i * k, ORDER) for i, v in enumerate(a)) % ORDER for k in range(size)]
    assert vectors.to_integers(vectors.transform(vectors.to_montgomery(a), root)) == expected
    quotient = vectors.to_integers(vectors.quotient(vectors.to_montgomery(a), vectors.to_montgomery(b), size))
    x = draw.randrange(ORDER)
    product = [p * q % ORDER for p, q in zip(a, b, strict=True)]
    left = _at(a, x) * _at(b, x) - _at(product, x)
    assert (left - _horner(quotient, x) * (pow(x, size, ORDER) - 1)) % ORDER == 0
    assert quotient[-1] == 0


def test_inverses_leave_zero_alone() -> None:
    values = [5, 0, ORDER - 1, 1]
    assert vectors.to_integers(vectors.inverses(vectors.to_montgomery(values))) == [pow(5, -1, ORDER), 0, ORDER - 1, 1]


def test_domains_are_small() -> None:
    sizes = {n: vectors.domain_size(n) for n in (1, 2, 3, 5, 6, 7, 9, 12, 13, 300_000)}
    assert sizes == {1: 2, 2: 2, 3: 4, 5: 6, 6: 6, 7: 8, 9: 12, 12: 12, 13: 16, 300_000: 393_216}


def _at(values: list[int], x: int) -> int:
    """The polynomial with these values on the roots of unity, at x."""
    size = len(values)
    root = vectors.root_of_unity(size)
    height = (pow(x, size, ORDER) - 1) * pow(size, -1, ORDER)
    powers = [pow(root, i, ORDER) for i in range(size)]
    return sum(v * w * height * pow(x - w, -1, ORDER) for v, w in zip(values, powers, strict=True)) % ORDER


def _horner(coefficients: list[int], x: int) -> int:
    total = 0
    for coefficient in reversed(coefficients):
        total = (total * x + coefficient) % ORDER
    return total
