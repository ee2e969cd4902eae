"""The fast evaluator: equal to the oracle bit for bit, whatever the batch size, the threads and the CPU.

A batch runs through the network as int8 matrix products (`matmul.py`), each followed by one fused pass back to int8
(`kernels.py`), in tiles that stay in the core's cache. Threads take whole batches, so no sum is ever split.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug, Rejected
from offchain.model import matmul
from offchain.model.graph import Int8Array, Int32Array, IntegerNetwork, Op
from offchain.model.plan import SLACK, Plan, Step, kept, make_plan

MEMORY_BYTES = 256 << 20
"""Default bound on what one evaluation allocates beside weights, inputs and outputs."""

_TILE_BYTES = 512 << 10
_BATCH_BYTES = 4 << 20
_MAX_BATCH = 4096

Buffer = npt.NDArray[Any]


def evaluate(
    network: IntegerNetwork,
    inputs: Int8Array,
    *,
    batch_size: int | None = None,
    threads: int | None = None,
    memory_bytes: int = MEMORY_BYTES,
    int8: bool | None = None,
) -> Int32Array:
    """Outputs int32 (n, *output_shape) of a valid network for inputs int8 (n, *input_shape).

    Inputs of another shape with as many elements are read row-major: the protocol knows sizes, not shapes.

    batch_size: samples at a time; chosen from `memory_bytes` when None. threads: torch's number when None. int8: False
    forces the floating-point engine; None uses int8 instructions where they are exact. None of them changes the result.
    Raises Rejected when the inputs don't have the network's size.
    """
    return Evaluator(network, threads=threads, memory_bytes=memory_bytes, int8=int8)(inputs, batch_size=batch_size)


def trace_sample(network: IntegerNetwork, sample: Int8Array) -> list[Buffer]:
    """Every tensor by id for one sample; see `Evaluator.trace`."""
    return Evaluator(network, threads=1).trace(sample)


class Evaluator:
    """A network made ready once, to be evaluated many times."""

    def __init__(
        self,
        network: IntegerNetwork,
        *,
        threads: int | None = None,
        memory_bytes: int = MEMORY_BYTES,
        int8: bool | None = None,
    ) -> None:
        self._threads = threads if threads is not None else _torch_threads()
        self._memory_bytes = memory_bytes
        usable = int8 is not False and matmul.int8_is_exact()
        if int8 and not usable:
            raise Rejected("int8=True: this CPU has no exact int8 product; leave it to None")
        self._plan = make_plan(network, int8=usable)

    def __call__(self, inputs: Int8Array, *, batch_size: int | None = None) -> Int32Array:
        """Like `evaluate`."""
        network = self._plan.network
        count, flat = len(inputs), self._flattened(inputs)
        output = np.empty((count, prod(network.output_shape)), dtype=np.int32)
        size = min(batch_size or self._batch_size(count), max(count, 1))
        starts = range(0, count, size)
        with _one_torch_thread():
            self._run(flat, output, starts, size)
        return output.reshape(count, *network.output_shape)

    def trace(self, sample: Int8Array) -> list[Buffer]:
        """Every tensor by id for one sample int8 (*input_shape): int8 (*shape) each, the last int32 (*shape).

        Equal to `oracle.trace`. Memory: one byte an element, of all tensors at once.
        """
        network, plan = self._plan.network, kept(self._plan)
        flat = self._flattened(np.asarray(sample)[np.newaxis])[0]
        output = np.empty(prod(network.output_shape), dtype=np.int32)
        space = _workspace(plan, 1)
        with _one_torch_thread():
            _run_batch(plan, space, flat if flat.flags.writeable else flat.copy(), output, 1)
        tensors = [flat, *space.slots, output]
        return [array.reshape(network.shape_of(tensor)) for tensor, array in enumerate(tensors)]

    def _flattened(self, inputs: Int8Array) -> Int8Array:
        network = self._plan.network
        if inputs.dtype != np.int8 or prod(inputs.shape[1:]) != prod(network.input_shape):
            raise Rejected(
                f"inputs: {inputs.dtype} of shape {list(inputs.shape[1:])} a sample; the model takes int8 of "
                f"{list(network.input_shape)}"
            )
        return np.ascontiguousarray(inputs).reshape(len(inputs), prod(network.input_shape))

    def _run(self, inputs: Int8Array, output: Int32Array, starts: range, size: int) -> None:
        workers = min(self._threads, len(starts))
        if workers <= 1:
            _work(self._plan, inputs, output, starts, size)
            return
        import torch

        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            shares = [starts[worker::workers] for worker in range(workers)]
            for future in [pool.submit(_work, self._plan, inputs, output, share, size) for share in shares]:
                future.result()

    def _batch_size(self, count: int) -> int:
        per_sample = self._plan.bytes_per_sample
        cached = max(1, _BATCH_BYTES // per_sample)
        allowed = max(1, self._memory_bytes // (self._threads * per_sample))
        even = -(-count // self._threads)
        return max(1, min(cached, allowed, even, _MAX_BATCH))


@dataclass(frozen=True, slots=True)
class _Workspace:
    """One thread's memory, used again for each batch."""

    slots: list[Int8Array]
    padded: Int8Array
    columns: Int8Array
    accumulators: dict[np.dtype[np.generic], Buffer]


def _work(plan: Plan, inputs: Int8Array, output: Int32Array, starts: range, size: int) -> None:
    space = _workspace(plan, size)
    for start in starts:
        stop = min(start + size, len(inputs))
        batch = inputs[start:stop].reshape(-1)
        # Kernels are compiled for writable memory; what was read from a file is not.
        batch = batch if batch.flags.writeable else batch.copy()
        _run_batch(plan, space, batch, output[start:stop].reshape(-1), stop - start)


def _workspace(plan: Plan, size: int) -> _Workspace:
    columns = max((_tile_rows(step) * step.fan_in for step in plan.steps if step.gathering), default=0)
    padded = max((step.gathering.padded_elements for step in plan.steps if step.gathering), default=0)
    accumulators: dict[np.dtype[np.generic], int] = {}
    for step in plan.steps:
        if step.product is not None:
            dtype = np.dtype(step.product.accumulator_dtype)
            elements = min(_tile_rows(step), size * step.positions) * step.node.output_shape[-1]
            accumulators[dtype] = max(accumulators.get(dtype, 0), elements)
    return _Workspace(
        slots=[np.empty(elements * size, dtype=np.int8) for elements in plan.slot_elements],
        padded=np.zeros(padded * size + SLACK, dtype=np.int8),
        columns=np.empty(columns, dtype=np.int8),
        accumulators={dtype: np.empty(elements, dtype=dtype) for dtype, elements in accumulators.items()},
    )


def _run_batch(plan: Plan, space: _Workspace, inputs: Int8Array, output: Int32Array, count: int) -> None:
    def tensor(index: int) -> Buffer:
        if index == 0:
            return inputs
        if index == len(plan.steps):
            return output
        return space.slots[plan.slots[index]][: plan.steps[index - 1].target_elements * count]

    for index, step in enumerate(plan.steps):
        _run_step(step, space, [tensor(source) for source in step.node.inputs], tensor(index + 1), count)


def _run_step(step: Step, space: _Workspace, sources: list[Buffer], out: Buffer, count: int) -> None:
    from offchain.model import kernels

    node, x = step.node, sources[0]
    match node.op:
        case Op.DENSE | Op.CONV2D:
            _run_product(step, space, x, out, count)
        case Op.MAX_POOL2D:
            kernels.max_pool(x, step.geometry, node.low, node.high, out)
        case Op.LOOKUP | Op.EMBEDDING:
            kernels.look_up(x, step.table, step.target_elements // step.source_elements[0], out)
        case Op.SLICE:
            kernels.move(
                x,
                step.source_elements[0],
                node.offset,
                node.low,
                node.high,
                out,
                step.target_elements,
                0,
                step.target_elements,
            )
        case Op.CONCAT:
            place = 0
            for source, elements in zip(sources, step.source_elements, strict=True):
                kernels.move(source, elements, 0, node.low, node.high, out, step.target_elements, place, elements)
                place += elements
        case _:
            _run_scaled(step, sources, out)


def _run_scaled(step: Step, sources: list[Buffer], out: Buffer) -> None:
    """The operations that are requantised without a matrix product."""
    from offchain.model import kernels

    node, x, scale = step.node, sources[0], step.rescaling
    if scale is None:
        raise Bug(f"{node.op.name} without requantisation")
    if node.op is Op.DEPTHWISE_CONV2D:
        per_unit = (step.taps, scale.bias, scale.multiplier, scale.half, scale.shift)
        kernels.depthwise(x, step.geometry, *per_unit, node.low, node.high, out)
        return
    factor, half, shift = int(scale.multiplier[0]), int(scale.half[0]), int(scale.shift[0])
    if node.op is Op.AVERAGE_POOL2D:
        kernels.average_pool(x, step.geometry, factor, half, shift, node.low, node.high, out)
    elif node.op is Op.MULTIPLY:
        kernels.multiply(x, sources[1], factor, half, shift, node.low, node.high, out)
    else:
        kernels.add(x, sources[1], factor, int(scale.multiplier[1]), half, shift, node.low, node.high, out)


def _run_product(step: Step, space: _Workspace, x: Buffer, out: Buffer, count: int) -> None:
    from offchain.model import gathering, kernels

    node, scale, product = step.node, step.rescaling, step.product
    if scale is None or product is None:
        raise Bug(f"{node.op.name} without weights")
    units, fan_in = node.output_shape[-1], step.fan_in
    rows = step.positions * count
    requantise = kernels.requantise_wide if scale.is_wide else kernels.requantise
    tile = _tile_rows(step)
    whole = space.accumulators[np.dtype(product.accumulator_dtype)]
    if step.gathering is not None:
        gathering.pad(x, step.gathering.image, node.padding, space.padded)
    for first in range(0, rows, tile):
        some = min(tile, rows - first)
        left: Buffer
        if step.gathering is not None:
            gathering.gather(space.padded, step.gathering.geometry, first, some, space.columns)
            left = space.columns[: some * fan_in]
        else:
            left = x[first * fan_in : (first + some) * fan_in]
        accumulator = whole[: some * units]
        product.multiply(left.reshape(some, fan_in), accumulator.reshape(some, units))
        target = out[first * units : (first + some) * units]
        requantise(accumulator, scale.bias, scale.multiplier, scale.half, scale.shift, node.low, node.high, target)


def _tile_rows(step: Step) -> int:
    return max(1, _TILE_BYTES // max(step.fan_in, 4 * step.node.output_shape[-1]))


def _torch_threads() -> int:
    import torch

    return torch.get_num_threads()


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    """Batches are the unit of parallel work; torch must not split them further."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
