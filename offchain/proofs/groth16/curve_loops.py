"""The compiled loops of `curve.py`: points of G1 and G2 in rows of limbs.

XYZZ rows have four elements: x = X / ZZ, y = Y / ZZZ, ZZ^3 = ZZZ^2 (Explicit-Formulas Database, "xyzz", whose names the
formulas bear); ZZ = 0 is infinity. `one` is the field's 1 in Montgomery form, whose kind says which group it is.
"""

from typing import Any

import numpy as np

from offchain.proofs.groth16.limbs import compiled, fadd, finverse, fload, fmul, fstore, fsub, fzero


@compiled
def double(p: Any, m: Any) -> Any:
    """Twice a point in XYZZ (dbl-2008-s-1); infinity stays."""
    x, y, zz, zzz = p
    u = fadd(y, y, m)
    v = fmul(u, u, m)
    w = fmul(u, v, m)
    s = fmul(x, v, m)
    square = fmul(x, x, m)
    slope = fadd(fadd(square, square, m), square, m)
    x3 = fsub(fmul(slope, slope, m), fadd(s, s, m), m)
    y3 = fsub(fmul(slope, fsub(s, x3, m), m), fmul(w, y, m), m)
    return x3, y3, fmul(v, zz, m), fmul(w, zzz, m)


@compiled
def add_sums(p: Any, q: Any, m: Any) -> Any:
    """p + q in XYZZ (add-2008-s), complete: infinity, equal and opposite points as well."""
    if fzero(p[2]):
        return q
    if fzero(q[2]):
        return p
    u = fmul(p[0], q[2], m)
    s = fmul(p[1], q[3], m)
    dx = fsub(fmul(q[0], p[2], m), u, m)
    dy = fsub(fmul(q[1], p[3], m), s, m)
    if fzero(dx) and fzero(dy):
        return double(p, m)
    square = fmul(dx, dx, m)
    cube = fmul(dx, square, m)
    v = fmul(u, square, m)
    x3 = fsub(fsub(fmul(dy, dy, m), cube, m), fadd(v, v, m), m)
    y3 = fsub(fmul(dy, fsub(v, x3, m), m), fmul(s, cube, m), m)
    # opposite points: dx = 0, so ZZ becomes 0, infinity
    return x3, y3, fmul(fmul(p[2], q[2], m), square, m), fmul(fmul(p[3], q[3], m), cube, m)


@compiled
def add_affine(p: Any, x: Any, y: Any, one: Any, m: Any) -> Any:
    """p + (x, y) in XYZZ (madd-2008-s), complete; (0, 0) is infinity."""
    if fzero(y) and fzero(x):
        return p
    if fzero(p[2]):
        return x, y, one, one
    dx = fsub(fmul(x, p[2], m), p[0], m)
    dy = fsub(fmul(y, p[3], m), p[1], m)
    if fzero(dx) and fzero(dy):
        return double(p, m)
    square = fmul(dx, dx, m)
    cube = fmul(dx, square, m)
    v = fmul(p[0], square, m)
    x3 = fsub(fsub(fmul(dy, dy, m), cube, m), fadd(v, v, m), m)
    y3 = fsub(fmul(dy, fsub(v, x3, m), m), fmul(p[1], cube, m), m)
    return x3, y3, fmul(p[2], square, m), fmul(p[3], cube, m)


@compiled
def load_sum(array: Any, row: Any, one: Any) -> Any:
    """An XYZZ row."""
    return fload(array, row, 0, one), fload(array, row, 1, one), fload(array, row, 2, one), fload(array, row, 3, one)


@compiled
def store_sum(array: Any, row: Any, p: Any) -> None:
    """Writes an XYZZ row."""
    fstore(array, row, 0, p[0])
    fstore(array, row, 1, p[1])
    fstore(array, row, 2, p[2])
    fstore(array, row, 3, p[3])


@compiled
def digits_of(scalars: Any, bits: Any, windows: Any) -> Any:
    """Signed digits int32 (windows, n), each within 2^(bits - 1), of scalars (n, 4)."""
    count = scalars.shape[0]
    digits = np.zeros((windows, count), np.int32)
    mask = (1 << bits) - 1
    half = 1 << (bits - 1)
    for i in range(count):
        carry = 0
        for k in range(windows):
            at = k * bits
            word, offset = at // 64, at % 64
            if word < 4:
                value = scalars[i, word] >> np.uint64(offset)
                if offset + bits > 64 and word < 3:
                    value |= scalars[i, word + 1] << np.uint64(64 - offset)
                digit = np.int64(value & np.uint64(mask)) + carry
            else:
                digit = np.int64(carry)
            carry = 0
            if digit > half:
                digit -= 1 << bits
                carry = 1
            digits[k, i] = digit
    return digits


@compiled
def pippenger(points: Any, scalars: Any, bits: Any, one: Any, m: Any) -> Any:
    """The sum of multiples in XYZZ, one row."""
    windows = 254 // bits + 1
    digits = digits_of(scalars, bits, windows)
    size = 1 << (bits - 1)
    zero = fsub(one, one, m)
    total = zero, zero, zero, zero
    buckets = np.zeros((size + 1, 2 * points.shape[1]), np.uint64)
    for k in range(windows - 1, -1, -1):
        for _ in range(bits):
            total = double(total, m)
        buckets[:] = 0
        largest = 0
        for i in range(points.shape[0]):
            digit = digits[k, i]
            if digit != 0:
                x, y = fload(points, i, 0, one), fload(points, i, 1, one)
                if digit < 0:
                    digit = -digit
                    y = fsub(zero, y, m)
                largest = max(largest, digit)
                store_sum(buckets, digit, add_affine(load_sum(buckets, digit, one), x, y, one, m))
        running = zero, zero, zero, zero
        window = zero, zero, zero, zero
        for b in range(largest, 0, -1):
            running = add_sums(running, load_sum(buckets, b, one), m)
            window = add_sums(window, running, m)
        total = add_sums(total, window, m)
    result = np.zeros((1, 2 * points.shape[1]), np.uint64)
    store_sum(result, 0, total)
    return result


@compiled
def to_affine(sums: Any, one: Any, m: Any) -> Any:
    """Affine rows of XYZZ rows, with one inversion for all (Montgomery's trick)."""
    count, width = sums.shape[0], sums.shape[1] // 2
    result = np.zeros((count, width), np.uint64)
    prefix = np.zeros((count, width // 2), np.uint64)
    product = one
    for i in range(count):
        fstore(prefix, i, 0, product)
        zzz = fload(sums, i, 3, one)
        if not fzero(zzz):
            product = fmul(product, zzz, m)
    rest = finverse(product, one, m)
    for i in range(count - 1, -1, -1):
        zzz = fload(sums, i, 3, one)
        if not fzero(zzz):
            inverse = fmul(rest, fload(prefix, i, 0, one), m)
            rest = fmul(rest, zzz, m)
            root = fmul(inverse, fload(sums, i, 2, one), m)  # ZZ / ZZZ = 1 / Z
            fstore(result, i, 0, fmul(fload(sums, i, 0, one), fmul(root, root, m), m))
            fstore(result, i, 1, fmul(fload(sums, i, 1, one), inverse, m))
    return result


@compiled
def table_of(base: Any, one: Any, m: Any) -> Any:
    """XYZZ rows (32 * 256): row 256 k + d is d * 256^k * base."""
    width = base.shape[0]
    row = base.reshape(1, width)
    table = np.zeros((32 * 256, 2 * width), np.uint64)
    power = fload(row, 0, 0, one), fload(row, 0, 1, one), one, one
    for k in range(32):
        store_sum(table, 256 * k + 1, power)
        current = power
        for d in range(2, 256):
            current = add_sums(current, power, m)
            store_sum(table, 256 * k + d, current)
        power = add_sums(current, power, m)
    return table


@compiled
def fixed_base(table: Any, scalars: Any, one: Any, m: Any) -> Any:
    """XYZZ rows of multiples, by the affine table of `table_of`."""
    count = scalars.shape[0]
    result = np.zeros((count, 2 * table.shape[1]), np.uint64)
    zero = fsub(one, one, m)
    for i in range(count):
        total = zero, zero, zero, zero
        for k in range(32):
            digit = np.int64((scalars[i, k // 8] >> np.uint64(8 * (k % 8))) & np.uint64(255))
            if digit != 0:
                row = 256 * k + digit
                total = add_affine(total, fload(table, row, 0, one), fload(table, row, 1, one), one, m)
        store_sum(result, i, total)
    return result


@compiled
def each_times(points: Any, scalars: Any, one: Any, m: Any) -> Any:
    """XYZZ rows of scalars[i] * points[i], four bits at a time."""
    count, width = points.shape
    result = np.zeros((count, 2 * width), np.uint64)
    small = np.zeros((16, 2 * width), np.uint64)
    zero = fsub(one, one, m)
    for i in range(count):
        x, y = fload(points, i, 0, one), fload(points, i, 1, one)
        current = zero, zero, zero, zero
        for d in range(1, 16):
            current = add_affine(current, x, y, one, m)
            store_sum(small, d, current)
        total = zero, zero, zero, zero
        for k in range(63, -1, -1):
            for _ in range(4):
                total = double(total, m)
            digit = np.int64((scalars[i, k // 16] >> np.uint64(4 * (k % 16))) & np.uint64(15))
            if digit != 0:
                total = add_sums(total, load_sum(small, digit, one), m)
        store_sum(result, i, total)
    return result


@compiled
def negate(points: Any, one: Any, m: Any) -> None:
    """Turns affine rows around, in place."""
    zero = fsub(one, one, m)
    for i in range(points.shape[0]):
        fstore(points, i, 1, fsub(zero, fload(points, i, 1, one), m))


@compiled
def add_rows(a: Any, b: Any, one: Any, m: Any) -> Any:
    """XYZZ rows of a[i] + b[i], affine."""
    result = np.zeros((a.shape[0], 2 * a.shape[1]), np.uint64)
    zero = fsub(one, one, m)
    for i in range(a.shape[0]):
        first = add_affine((zero, zero, zero, zero), fload(a, i, 0, one), fload(a, i, 1, one), one, m)
        store_sum(result, i, add_affine(first, fload(b, i, 0, one), fload(b, i, 1, one), one, m))
    return result


@compiled
def take_negative(scalars: Any, order: Any) -> Any:
    """Takes those beyond half the order from it, in place; which ones."""
    minus = np.zeros(scalars.shape[0], np.bool_)
    for i in range(scalars.shape[0]):
        if scalars[i, 3] > order[3] >> np.uint64(1):
            minus[i] = True
            borrow = np.uint64(0)
            for k in range(4):
                value = order[k] - scalars[i, k]
                under = np.uint64(order[k] < scalars[i, k]) | np.uint64(value < borrow)
                scalars[i, k] = value - borrow
                borrow = under
    return minus


@compiled
def combine(
    points: Any, starts: Any, rows: Any, scalars: Any, minus: Any, first: Any, last: Any, one: Any, m: Any
) -> Any:
    """XYZZ rows of `curve.combinations` first .. last - 1."""
    result = np.zeros((last - first, 2 * points.shape[1]), np.uint64)
    zero = fsub(one, one, m)
    for k in range(first, last):
        total = zero, zero, zero, zero
        for bit in range(253, -1, -1):
            total = double(total, m)
            for i in range(starts[k], starts[k + 1]):
                if (scalars[i, bit // 64] >> np.uint64(bit % 64)) & np.uint64(1):
                    x, y = fload(points, rows[i], 0, one), fload(points, rows[i], 1, one)
                    if minus[i]:
                        y = fsub(zero, y, m)
                    total = add_affine(total, x, y, one, m)
        store_sum(result, k - first, total)
    return result


@compiled
def all_on_curve(rows: Any, constant: Any, one: Any, m: Any) -> Any:
    """See `curve.are_points`."""
    b = fload(constant, 0, 0, one)
    for i in range(rows.shape[0]):
        for k in range(0, rows.shape[1], 4):
            below = False
            for limb in range(3, -1, -1):
                if rows[i, k + limb] != m[limb]:
                    below = rows[i, k + limb] < m[limb]
                    break
            if not below:
                return False
        x, y = fload(rows, i, 0, one), fload(rows, i, 1, one)
        right = fadd(fmul(fmul(x, x, m), x, m), b, m)
        if not fzero(fsub(fmul(y, y, m), right, m)):
            return False
    return True
