"""Exact products of int8 matrices at the speed of the machine.

Three engines, all exact:

- INT8: oneDNN's int8 product through torch, where the CPU multiplies and adds int8 into int32 in one instruction
  (AVX512-VNNI, AVX-VNNI, AMX). Without these, oneDNN uses an instruction that saturates at 16 bits and the result is
  wrong for large operands; so the CPU's flags are asked *and* the worst cases are tried before it is used at all.
- FLOAT32: a BLAS product, where every partial sum of a row stays below 2**24 and so is an integer that float32 holds;
  in whatever order it is summed, and with or without fused multiply-add, nothing is ever rounded.
- FLOAT64: the same below 2**53, which every valid network keeps: a sum of at most 2**20 products stays below 2**35.

torch is imported where it is first needed: it takes a second, and many a worker's process never evaluates anything.
"""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

FLOAT32_BOUND = 1 << 24
"""Integers of this magnitude and below are exact in float32."""

INT32_BOUND = 1 << 31
"""Integers below this magnitude fit int32."""

_INT8_FEATURES = ("avx512vnni", "avxvnni", "amx-int8")


class Engine(enum.Enum):
    """How int8 matrices are multiplied."""

    INT8 = "int8"
    FLOAT32 = "float32"
    FLOAT64 = "float64"


@dataclass(frozen=True, slots=True)
class Multiplier:
    """A right-hand matrix, made ready once: `weight` is (fan_in, units) in the engine's dtype."""

    engine: Engine
    weight: torch.Tensor

    @property
    def accumulator_dtype(self) -> npt.DTypeLike:
        """The dtype in which the product is returned; every value is an exact integer."""
        match self.engine:
            case Engine.INT8:
                return np.int32
            case Engine.FLOAT32:
                return np.float32
            case Engine.FLOAT64:
                return np.float64

    def multiply(self, x: npt.NDArray[np.int8], out: npt.NDArray[np.generic]) -> None:
        """out (rows, units) = x (rows, fan_in) times the matrix; `out` has `accumulator_dtype`."""
        import torch

        left, target = torch.from_numpy(x), torch.from_numpy(out)
        if self.engine is Engine.INT8:
            torch._int_mm(left, self.weight, out=target)
        else:
            torch.mm(left.to(self.weight.dtype), self.weight, out=target)


def prepare(weight: npt.NDArray[np.int8], bound: int, *, int8: bool) -> Multiplier:
    """Readies weight int8 (units, fan_in).

    bound: the largest magnitude of any partial sum; int8: whether the INT8 engine may be used.
    """
    import torch

    transposed = torch.from_numpy(np.ascontiguousarray(weight.T))
    # torch 2.13 mistakes the layout of a matrix with one row: _int_mm is wrong for a fan-in of 1.
    if int8 and weight.shape[1] > 1 and bound < INT32_BOUND:
        return Multiplier(Engine.INT8, transposed)
    # torch may be told to compute float32 products with fewer bits; then they are no longer exact.
    if bound <= FLOAT32_BOUND and torch.get_float32_matmul_precision() == "highest":
        return Multiplier(Engine.FLOAT32, transposed.to(torch.float32))
    return Multiplier(Engine.FLOAT64, transposed.to(torch.float64))


@functools.cache
def int8_is_exact() -> bool:
    """Whether this machine's int8 product is exact: by the CPU's flags, and by trying what saturates elsewhere."""
    return _has_int8_instructions() and _worst_cases_are_exact()


def _has_int8_instructions() -> bool:
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    return any(features.get(name, False) for name in _INT8_FEATURES)


def _worst_cases_are_exact() -> bool:
    import torch

    generator = torch.Generator().manual_seed(0)
    for rows, fan_in, units in ((1, 64, 1), (7, 4096, 10), (64, 784, 64), (513, 25, 6), (100, 150, 16)):
        for left, right in ((127, 127), (-128, 127), (127, -128), (-128, -128)):
            x = torch.full((rows, fan_in), left, dtype=torch.int8)
            weight = torch.full((fan_in, units), right, dtype=torch.int8)
            if not bool((torch._int_mm(x, weight) == left * right * fan_in).all()):
                return False
        x = (torch.randint(0, 2, (rows, fan_in), generator=generator) * 255 - 128).to(torch.int8)
        weight = (torch.randint(0, 2, (fan_in, units), generator=generator) * 255 - 128).to(torch.int8)
        if not torch.equal(torch._int_mm(x, weight).double(), x.double() @ weight.double()):
            return False
    return True
