"""Vectors over BN254's scalar field, uint64 (n, 4) in Montgomery form: solving, transforms, what a quotient needs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from offchain.proofs.groth16.limbs import FR, SCALAR_ORDER, Words, add, compiled, inverse, is_zero, limbs_of, mul, sub

if TYPE_CHECKING:
    from offchain.proofs.groth16.r1cs import Sparse, System

_MONT = 1 << 256
ONE = limbs_of(_MONT % SCALAR_ORDER)
_SQUARE = limbs_of(_MONT * _MONT % SCALAR_ORDER)
GENERATOR = 5
"""A generator of the multiplicative group."""
TWO_ADICITY = 28


def to_montgomery(values: list[int]) -> Words:
    """Rows of numbers."""
    data = b"".join((value * _MONT % SCALAR_ORDER).to_bytes(32, "little") for value in values)
    return np.frombuffer(data, dtype="<u8").reshape(len(values), 4).copy()


def to_integers(rows: Words) -> list[int]:
    """The opposite of `to_montgomery`."""
    plain = to_plain(rows)
    return [int.from_bytes(row.tobytes(), "little") for row in plain]


def to_plain(rows: Words) -> Words:
    """Scalars as they are, out of Montgomery form, for multiples of points."""
    result = np.empty_like(rows)
    _times(rows, limbs_of(1), FR, result)
    return result


def from_plain(rows: Words) -> Words:
    """The opposite of `to_plain`."""
    result = np.empty_like(rows)
    _times(rows, _SQUARE, FR, result)
    return result


def root_of_unity(size: int) -> int:
    """A primitive root of unity of order `size`, 2^k or 3 * 2^k with k up to 28."""
    return pow(GENERATOR, (SCALAR_ORDER - 1) // size, SCALAR_ORDER)


def powers(base: int, count: int, first: int = 1) -> Words:
    """first * base^i for i < count, Montgomery rows."""
    result = np.empty((count, 4), dtype=np.uint64)
    _powers(_element(first), _element(base), FR, result)
    return result


def product(a: Words, b: Words) -> Words:
    """a[i] * b[i]."""
    result = np.empty_like(a)
    _product(a, b, FR, result)
    return result


def times(a: Words, factor: int) -> Words:
    """a[i] * factor."""
    result = np.empty_like(a)
    _times(a, _element(factor), FR, result)
    return result


def plus(a: Words, b: Words) -> Words:
    """a[i] + b[i]."""
    result = np.empty_like(a)
    _plus(a, b, FR, result)
    return result


def inverses(a: Words) -> Words:
    """1 / a[i], 0 of 0; one inversion for all."""
    result = np.empty_like(a)
    _inverses(a, ONE, FR, result)
    return result


def solve(system: System, wires: Words) -> tuple[Words, Words]:
    """Sets the wires that constraints define, in place, constraint by constraint; (a . w, b . w) of each constraint.

    wires: Montgomery rows (wires, 4), the others assigned.
    """
    a = np.empty((system.constraints, 4), dtype=np.uint64)
    b = np.empty((system.constraints, 4), dtype=np.uint64)
    _solve(*_arrays(system.a), *_arrays(system.b), system.table, system.defines, wires, FR, a, b)
    return a, b


def broken(system: System, wires: Words, a: Words, b: Words) -> npt.NDArray[np.bool_]:
    """Which constraints don't hold; a and b are `solve`'s."""
    result = np.zeros(system.constraints, dtype=np.bool_)
    _broken(*_arrays(system.c), system.table, wires, a, b, FR, result)
    return result


def columns(matrix: Sparse, table: Words, weights: Words, wires: int) -> Words:
    """weights . matrix, Montgomery rows (wires, 4): each wire's coefficients, weighted by constraint and added."""
    result = np.zeros((wires, 4), dtype=np.uint64)
    _columns(*_arrays(matrix), table, weights, FR, result)
    return result


def domain_size(constraints: int) -> int:
    """The least 2^k or 3 * 2^k that holds them, at least 2."""
    whole = max(2, 1 << max(constraints - 1, 1).bit_length())
    return whole // 4 * 3 if whole >= 8 and whole // 4 * 3 >= constraints else whole


def transform(values: Words, root: int) -> Words:
    """The sums over i of values[i] * root^(i k), k below their number, which is 2^k or 3 * 2^k."""
    third, rest = divmod(len(values), 3)
    if rest:
        result = np.ascontiguousarray(values).copy()
        _transform(result, powers(root, max(len(result) // 2, 1)), FR)
        return result
    # Three transforms of every third value, turned and put together.
    with ThreadPoolExecutor(2) as pool:
        cube = pow(root, 3, SCALAR_ORDER)
        parts = list(pool.map(lambda k: transform(values[k::3], cube), range(3)))
    first, second = (product(parts[k], powers(pow(root, k, SCALAR_ORDER), third)) for k in (1, 2))
    turn = pow(root, third, SCALAR_ORDER)
    turned = [(times(first, pow(turn, k, SCALAR_ORDER)), times(second, pow(turn, 2 * k, SCALAR_ORDER))) for k in (1, 2)]
    return np.concatenate([plus(plus(parts[0], a), b) for a, b in [(first, second), *turned]])


def quotient(a: Words, b: Words, size: int) -> Words:
    """Coefficients of (A B - C) / (x^size - 1), of the polynomials with values a, b, a * b on the roots of unity.

    size: of the domain, `domain_size`; a, b: Montgomery rows, filled up with zeros. The last coefficient is 0.
    Evaluated on a coset, where x^size - 1 is one number that is not 0.
    """
    root, shift = root_of_unity(size), GENERATOR

    def on_coset(values: Words) -> Words:
        filled = np.zeros((size, 4), dtype=np.uint64)
        filled[: len(values)] = values
        coefficients = transform(filled, pow(root, -1, SCALAR_ORDER))
        return transform(product(coefficients, powers(shift, size, pow(size, -1, SCALAR_ORDER))), root)

    with ThreadPoolExecutor(2) as pool:
        first, second, third = pool.map(on_coset, (a, b, product(a, b)))
    vanishing = pow(pow(shift, size, SCALAR_ORDER) - 1, -1, SCALAR_ORDER)
    _difference(first, second, third, FR, first)
    coefficients = transform(first, pow(root, -1, SCALAR_ORDER))
    scale = vanishing * pow(size, -1, SCALAR_ORDER) % SCALAR_ORDER
    return product(coefficients, powers(pow(shift, -1, SCALAR_ORDER), size, scale))


def _element(value: int) -> Any:
    return limbs_of(value * _MONT % SCALAR_ORDER)


def _arrays(matrix: Sparse) -> tuple[Any, Any, Any]:
    return matrix.starts, matrix.wires, matrix.coefficients


@compiled
def _load(rows: Any, i: Any) -> Any:
    return rows[i, 0], rows[i, 1], rows[i, 2], rows[i, 3]


@compiled
def _store(rows: Any, i: Any, value: Any) -> None:
    rows[i, 0], rows[i, 1], rows[i, 2], rows[i, 3] = value


@compiled
def _times(rows: Any, factor: Any, m: Any, result: Any) -> None:
    for i in range(rows.shape[0]):
        _store(result, i, mul(_load(rows, i), factor, m))


@compiled
def _product(a: Any, b: Any, m: Any, result: Any) -> None:
    for i in range(a.shape[0]):
        _store(result, i, mul(_load(a, i), _load(b, i), m))


@compiled
def _plus(a: Any, b: Any, m: Any, result: Any) -> None:
    for i in range(a.shape[0]):
        _store(result, i, add(_load(a, i), _load(b, i), m))


@compiled
def _difference(a: Any, b: Any, c: Any, m: Any, result: Any) -> None:
    for i in range(a.shape[0]):
        _store(result, i, sub(mul(_load(a, i), _load(b, i), m), _load(c, i), m))


@compiled
def _powers(first: Any, base: Any, m: Any, result: Any) -> None:
    current = first
    for i in range(result.shape[0]):
        _store(result, i, current)
        current = mul(current, base, m)


@compiled
def _inverses(a: Any, one: Any, m: Any, result: Any) -> None:
    current = one
    for i in range(a.shape[0]):
        _store(result, i, current)
        value = _load(a, i)
        if not is_zero(value):
            current = mul(current, value, m)
    rest = inverse(current, one, m)
    for i in range(a.shape[0] - 1, -1, -1):
        value = _load(a, i)
        if is_zero(value):
            _store(result, i, value)
        else:
            _store(result, i, mul(rest, _load(result, i), m))
            rest = mul(rest, value, m)


@compiled
def _row(starts: Any, wires: Any, coefficients: Any, table: Any, values: Any, i: Any, m: Any) -> Any:
    zero = np.uint64(0)
    total = zero, zero, zero, zero
    for k in range(starts[i], starts[i + 1]):
        value = _load(values, wires[k])
        if not is_zero(value):
            total = add(total, mul(_load(table, coefficients[k]), value, m), m)
    return total


@compiled
def _solve(
    a0: Any, a1: Any, a2: Any, b0: Any, b1: Any, b2: Any, table: Any, defines: Any, wires: Any, m: Any, a: Any, b: Any
) -> None:
    for i in range(len(defines)):
        left = _row(a0, a1, a2, table, wires, i, m)
        right = _row(b0, b1, b2, table, wires, i, m)
        _store(a, i, left)
        _store(b, i, right)
        if defines[i] >= 0:
            _store(wires, defines[i], mul(left, right, m))


@compiled
def _broken(c0: Any, c1: Any, c2: Any, table: Any, wires: Any, a: Any, b: Any, m: Any, result: Any) -> None:
    for i in range(a.shape[0]):
        difference = sub(mul(_load(a, i), _load(b, i), m), _row(c0, c1, c2, table, wires, i, m), m)
        result[i] = not is_zero(difference)


@compiled
def _columns(starts: Any, wires: Any, coefficients: Any, table: Any, weights: Any, m: Any, result: Any) -> None:
    for i in range(len(starts) - 1):
        weight = _load(weights, i)
        for k in range(starts[i], starts[i + 1]):
            wire = wires[k]
            _store(result, wire, add(_load(result, wire), mul(_load(table, coefficients[k]), weight, m), m))


@compiled
def _transform(values: Any, roots: Any, m: Any) -> None:
    """Cooley and Tukey (1965): bit-reversed order first, then butterflies; roots[i] = root^i, i < n / 2."""
    count = values.shape[0]
    j = 0
    for i in range(1, count):
        bit = count >> 1
        while j & bit:
            j ^= bit
            bit >>= 1
        j |= bit
        if i < j:
            low, high = _load(values, i), _load(values, j)
            _store(values, i, high)
            _store(values, j, low)
    half = 1
    while half < count:
        step = count // (2 * half)
        for start in range(0, count, 2 * half):
            for k in range(half):
                low = _load(values, start + k)
                high = mul(_load(values, start + k + half), _load(roots, k * step), m)
                _store(values, start + k, add(low, high, m))
                _store(values, start + k + half, sub(low, high, m))
        half *= 2
