"""im2col for int8 images: the rows of a convolution's matrix product, copied in 8-byte words.

The image is first copied into a frame of zeros (`pad`), so that no window needs a bounds check. Each kernel row covers
`span` = kernel width * channels neighbouring bytes; it is copied as whole words, so a row of the matrix is kernel
height * words * 8 long. The surplus bytes are whatever lies next in memory, and the weights they meet are zero
(`plan.expanded`): the sum is exact. The images end with `SLACK` bytes so that nothing is read outside them.

numba checks signed indices for negative values, which keeps its compiler from copying in words; hence the two
pointer accesses below.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from llvmlite import ir
from numba.core import cgutils as _cgutils
from numba.core import types
from numba.extending import intrinsic

from offchain.model.plan import WORD

Array = Any
cgutils: Any = _cgutils
Function = TypeVar("Function", bound=Callable[..., None])


def _compiled(function: Function) -> Function:
    return cast(Function, numba.njit(nogil=True, cache=True, boundscheck=False)(function))


def _pointer(context: Any, builder: Any, kind: Any, array: Any, offset: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(builder.bitcast(data, ir.IntType(8).as_pointer()), [offset])


def _word_copy(_: Any, target: Any, _at: Any, source: Any, _start: Any) -> Any:
    """Copy 8 bytes at any alignment: target[at : at + 8] = source[start : start + 8]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(64).as_pointer()
        there = _pointer(context, builder, signature.args[0], arguments[0], arguments[1])
        here = _pointer(context, builder, signature.args[2], arguments[2], arguments[3])
        value = builder.load(builder.bitcast(here, word), align=1)
        builder.store(value, builder.bitcast(there, word), align=1)
        return context.get_dummy_value()

    return types.void(target, types.intp, source, types.intp), generate


def _bytes_copy(_: Any, target: Any, _at: Any, source: Any, _start: Any, _count: Any) -> Any:
    """target[at : at + count] = source[start : start + count]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        there = _pointer(context, builder, signature.args[0], arguments[0], arguments[1])
        here = _pointer(context, builder, signature.args[2], arguments[2], arguments[3])
        cgutils.raw_memcpy(builder, there, here, arguments[4], 1)
        return context.get_dummy_value()

    return types.void(target, types.intp, source, types.intp, types.intp), generate


def _bytes_zero(_: Any, target: Any, _at: Any, _count: Any) -> Any:
    """target[at : at + count] = 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        there = _pointer(context, builder, signature.args[0], arguments[0], arguments[1])
        cgutils.memset(builder, there, arguments[2], 0)
        return context.get_dummy_value()

    return types.void(target, types.intp, types.intp), generate


_copy_word: Any = intrinsic(_word_copy)
_copy_bytes: Any = intrinsic(_bytes_copy)
_zero_bytes: Any = intrinsic(_bytes_zero)


@_compiled
def pad(x: Array, image: tuple[int, int, int], padding: tuple[int, int, int, int], out: Array) -> None:
    """Copies int8 images (n, height, width, channels) into frames of zeros.

    x, out: flat int8; image: height, width, channels; padding: top, left, bottom, right.
    """
    height, width, channels = image
    top, left, bottom, right = padding
    row = width * channels
    before, after = left * channels, right * channels
    framed = before + row + after
    source = target = 0
    for _ in range(x.size // (height * row)):
        _zero_bytes(out, target, top * framed)
        target += top * framed
        for _ in range(height):
            _zero_bytes(out, target, before)
            _copy_bytes(out, target + before, x, source, row)
            _zero_bytes(out, target + before + row, after)
            source += row
            target += framed
        _zero_bytes(out, target, bottom * framed)
        target += bottom * framed


@_compiled
def gather(padded: Array, geometry: tuple[int, ...], first: int, count: int, out: Array) -> None:
    """What the kernel covers at output positions first .. first + count of the batch.

    padded: int8 from `pad`, with SLACK bytes beyond the images; out: int8, count rows of kernel height * words * 8
    bytes; geometry: padded height, padded width, channels, rows, columns, kernel height, stride down,
    stride across, words.
    """
    height, width, channels, rows, columns, tall, down, across, words = geometry
    line = width * channels
    step = across * channels
    column = first % columns
    row = (first // columns) % rows
    start = (first // (columns * rows)) * height * line + row * down * line
    target = 0
    for _ in range(count):
        source = start + column * step
        if words == 1:
            for _ in range(tall):
                _copy_word(out, target, padded, source)
                target += WORD
                source += line
        else:
            for _ in range(tall):
                for word in range(words):
                    _copy_word(out, target + word * WORD, padded, source + word * WORD)
                target += words * WORD
                source += line
        column += 1
        if column == columns:
            column = 0
            row += 1
            start += down * line
            if row == rows:
                row = 0
                start += (height - rows * down) * line
