"""Arithmetic of BN254's two prime fields in 64-bit limbs, for compiled loops.

An element is four limbs, the least significant first, in Montgomery form (z is held as z * 2^256 mod p): in a loop a
tuple, in an array a row of 4 (Montgomery 1985; the loop is the one without a carry word of gnark, for moduli below
2^254). An element of the quadratic extension Fq[u] / (u^2 + 1) is a pair of tuples, in an array 8 limbs. `fmul` and
the others take either, so a curve's formulas are written once for G1 and G2. The modulus is an argument: four limbs
and -p^-1 mod 2^64.

Import this module late: it brings in numba, and compiles on first use (the result is cached on disk).
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

Words = npt.NDArray[np.uint64]
Modulus = tuple[Any, Any, Any, Any, Any]
Function = TypeVar("Function", bound=Callable[..., Any])

SCALAR_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617
BASE_ORDER = 21888242871839275222246405745257275088696311157297823662689037894645226208583
MASK = (1 << 64) - 1


def compiled(function: Function) -> Function:
    """Compiled without the interpreter's lock, so that threads share the work."""
    return cast(Function, numba.njit(nogil=True, cache=True, boundscheck=False, error_model="numpy")(function))


def limbs_of(value: int) -> tuple[Any, Any, Any, Any]:
    """The four limbs of a number below 2^256."""
    low, second, third, high = (np.uint64((value >> (64 * i)) & MASK) for i in range(4))
    return low, second, third, high


def modulus_of(order: int) -> Modulus:
    """What the compiled loops need of a prime: its limbs and -p^-1 mod 2^64."""
    return (*limbs_of(order), np.uint64(-pow(order, -1, 1 << 64) % (1 << 64)))


FR = modulus_of(SCALAR_ORDER)
FQ = modulus_of(BASE_ORDER)


def _multiply_and_add(_typing: Any, _a: Any, _b: Any, _c: Any, _d: Any) -> Any:
    """a * b + c + d of 64-bit words, which never exceeds 128 bits: (low word, high word)."""
    word: Any = types.uint64
    pair: Any = types.UniTuple
    signature = pair(word, 2)(word, word, word, word)

    def generate(context: Any, builder: Any, signed: Any, arguments: Any) -> Any:
        wide, narrow = ir.IntType(128), ir.IntType(64)
        a, b, c, d = (builder.zext(argument, wide) for argument in arguments)
        total = builder.add(builder.add(builder.mul(a, b), c), d)
        high = builder.lshr(total, ir.Constant(wide, 64))
        return context.make_tuple(
            builder, signed.return_type, [builder.trunc(total, narrow), builder.trunc(high, narrow)]
        )

    return signature, generate


_mac: Any = intrinsic(_multiply_and_add)


@compiled
def _difference(a: Any, b: Any) -> Any:
    """a - b mod 2^256 as four limbs, and 1 if b was more."""
    r0 = a[0] - b[0]
    borrow = np.uint64(a[0] < b[0])
    x = a[1] - b[1]
    r1 = x - borrow
    borrow = np.uint64(a[1] < b[1]) | np.uint64(x < borrow)
    x = a[2] - b[2]
    r2 = x - borrow
    borrow = np.uint64(a[2] < b[2]) | np.uint64(x < borrow)
    x = a[3] - b[3]
    r3 = x - borrow
    borrow = np.uint64(a[3] < b[3]) | np.uint64(x < borrow)
    return r0, r1, r2, r3, borrow


@compiled
def _reduced(a: Any, m: Any) -> Any:
    """`a` below 2 p, made less than p."""
    r0, r1, r2, r3, borrow = _difference(a, m)
    # Which of the two it is nobody can predict, so it is chosen without a branch.
    keep = np.uint64(0) - borrow
    return r0 ^ ((r0 ^ a[0]) & keep), r1 ^ ((r1 ^ a[1]) & keep), r2 ^ ((r2 ^ a[2]) & keep), r3 ^ ((r3 ^ a[3]) & keep)


@compiled
def mul(a: Any, b: Any, m: Any) -> Any:
    """a * b / 2^256 mod p."""
    zero = np.uint64(0)
    t0, t1, t2, t3 = zero, zero, zero, zero
    for i in range(4):
        word = a[i]
        t0, carry = _mac(word, b[0], t0, zero)
        q = t0 * m[4]
        _, over = _mac(q, m[0], t0, zero)
        t1, carry = _mac(word, b[1], t1, carry)
        t0, over = _mac(q, m[1], t1, over)
        t2, carry = _mac(word, b[2], t2, carry)
        t1, over = _mac(q, m[2], t2, over)
        t3, carry = _mac(word, b[3], t3, carry)
        t2, over = _mac(q, m[3], t3, over)
        t3 = over + carry
    return _reduced((t0, t1, t2, t3), m)


@compiled
def add(a: Any, b: Any, m: Any) -> Any:
    """a + b mod p."""
    one = np.uint64(1)
    zero = np.uint64(0)
    r0, carry = _mac(a[0], one, b[0], zero)
    r1, carry = _mac(a[1], one, b[1], carry)
    r2, carry = _mac(a[2], one, b[2], carry)
    r3, carry = _mac(a[3], one, b[3], carry)
    return _reduced((r0, r1, r2, r3), m)


@compiled
def sub(a: Any, b: Any, m: Any) -> Any:
    """a - b mod p."""
    r0, r1, r2, r3, borrow = _difference(a, b)
    wrapped = np.uint64(0) - borrow
    one, zero = np.uint64(1), np.uint64(0)
    r0, carry = _mac(r0, one, m[0] & wrapped, zero)
    r1, carry = _mac(r1, one, m[1] & wrapped, carry)
    r2, carry = _mac(r2, one, m[2] & wrapped, carry)
    return r0, r1, r2, r3 + (m[3] & wrapped) + carry


@compiled
def is_zero(a: Any) -> Any:
    """Whether a base element is 0."""
    return (a[0] | a[1] | a[2] | a[3]) == np.uint64(0)


@compiled
def inverse(a: Any, one: Any, m: Any) -> Any:
    """1 / a by Fermat's little theorem, and 0 of 0; `one` is 2^256 mod p."""
    result = one
    for i in range(255, -1, -1):
        result = mul(result, result, m)
        word = m[i // 64]
        if i < 64:
            word = word - np.uint64(2)  # both orders end in more than 2
        if (word >> np.uint64(i % 64)) & np.uint64(1):
            result = mul(result, a, m)
    return result


def fmul(a: Any, b: Any, m: Any) -> Any:
    """Product in Fq or Fq2; compiled only."""
    raise NotImplementedError


def fadd(a: Any, b: Any, m: Any) -> Any:
    """Sum in Fq or Fq2; compiled only."""
    raise NotImplementedError


def fsub(a: Any, b: Any, m: Any) -> Any:
    """Difference in Fq or Fq2; compiled only."""
    raise NotImplementedError


def fzero(a: Any) -> Any:
    """Whether an element of Fq or Fq2 is 0; compiled only."""
    raise NotImplementedError


def finverse(a: Any, one: Any, m: Any) -> Any:
    """Inverse in Fq or Fq2; compiled only."""
    raise NotImplementedError


def fload(array: Any, row: Any, place: Any, like: Any) -> Any:
    """The `place`-th element of a row, of the kind of `like`; compiled only."""
    raise NotImplementedError


def fstore(array: Any, row: Any, place: Any, value: Any) -> Any:
    """Writes the `place`-th element of a row; compiled only."""
    raise NotImplementedError


# Typing by the arguments' kinds: numba wants the names of all of them, used or not.
# ruff: noqa: ARG001


def _is_pair(a: Any) -> bool:
    return isinstance(a, types.UniTuple) and isinstance(a.dtype, types.UniTuple)


@overload(fmul, strict=False)
def _fmul(a: Any, b: Any, m: Any) -> Any:
    if not _is_pair(a):
        return lambda a, b, m: mul(a, b, m)

    def pair(a: Any, b: Any, m: Any) -> Any:
        low, high = mul(a[0], b[0], m), mul(a[1], b[1], m)
        both = mul(add(a[0], a[1], m), add(b[0], b[1], m), m)
        return sub(low, high, m), sub(sub(both, low, m), high, m)

    return pair


@overload(fadd, strict=False)
def _fadd(a: Any, b: Any, m: Any) -> Any:
    if not _is_pair(a):
        return lambda a, b, m: add(a, b, m)
    return lambda a, b, m: (add(a[0], b[0], m), add(a[1], b[1], m))


@overload(fsub, strict=False)
def _fsub(a: Any, b: Any, m: Any) -> Any:
    if not _is_pair(a):
        return lambda a, b, m: sub(a, b, m)
    return lambda a, b, m: (sub(a[0], b[0], m), sub(a[1], b[1], m))


@overload(fzero, strict=False)
def _fzero(a: Any) -> Any:
    if not _is_pair(a):
        return lambda a: is_zero(a)
    return lambda a: is_zero(a[0]) and is_zero(a[1])


@overload(finverse, strict=False)
def _finverse(a: Any, one: Any, m: Any) -> Any:
    if not _is_pair(a):
        return lambda a, one, m: inverse(a, one, m)

    def pair(a: Any, one: Any, m: Any) -> Any:
        norm = inverse(add(mul(a[0], a[0], m), mul(a[1], a[1], m), m), one[0], m)
        zero = sub(norm, norm, m)
        return mul(a[0], norm, m), sub(zero, mul(a[1], norm, m), m)

    return pair


@overload(fload, strict=False)
def _fload(array: Any, row: Any, place: Any, like: Any) -> Any:
    if not _is_pair(like):

        def single(array: Any, row: Any, place: Any, like: Any) -> Any:
            k = 4 * place
            return array[row, k], array[row, k + 1], array[row, k + 2], array[row, k + 3]

        return single

    def pair(array: Any, row: Any, place: Any, like: Any) -> Any:
        k = 8 * place
        return (
            (array[row, k], array[row, k + 1], array[row, k + 2], array[row, k + 3]),
            (array[row, k + 4], array[row, k + 5], array[row, k + 6], array[row, k + 7]),
        )

    return pair


@overload(fstore, strict=False)
def _fstore(array: Any, row: Any, place: Any, value: Any) -> Any:
    if not _is_pair(value):

        def single(array: Any, row: Any, place: Any, value: Any) -> Any:
            for i in range(4):
                array[row, 4 * place + i] = value[i]

        return single

    def pair(array: Any, row: Any, place: Any, value: Any) -> Any:
        for i in range(4):
            array[row, 8 * place + i] = value[0][i]
            array[row, 8 * place + 4 + i] = value[1][i]

    return pair
