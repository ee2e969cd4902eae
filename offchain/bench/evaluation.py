"""How fast integer networks are evaluated: beside the same network in float32 torch, in one run.

Same CPU, same threads, same samples. Repetitions of both alternate, and the ratio is the median of the ratios of
neighbours, so that load on the machine hits both. Torch gets the better of two ways: all samples at once, and in
batches that fit its cache.

    assay bench evaluation --threads 2
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch

from offchain.bench.evaluation_networks import float_inputs, in_float, lenet, lstm, multilayer_perceptron, residual
from offchain.model.evaluator import Evaluator
from offchain.model.graph import Int8Array, IntegerNetwork
from offchain.model.matmul import int8_is_exact

_FLOAT_BATCH = 256
_KERNELS = ("requantise", "max_pool", "average_pool", "depthwise", "add", "multiply", "look_up", "move")


@dataclass(frozen=True, slots=True)
class Row:
    """One network. Times in milliseconds for all samples; `ratio` is float over integer, above 1 integer is faster.

    `engine`: int8, or float for the exact fallback. `float_batch`: torch's batch in its better way.
    """

    network: str
    engine: str
    samples: int
    threads: int
    integer_ms: float
    float_ms: float
    float_batch: int
    ratio: float


@dataclass(frozen=True, slots=True)
class Share:
    """Where one evaluation spent its time, on one thread."""

    network: str
    part: str
    milliseconds: float
    percent: float


def networks(seed: int) -> dict[str, tuple[IntegerNetwork, int]]:
    """What is measured, each with its number of samples."""
    return {
        "MLP 784-512-10": (multilayer_perceptron([784, 512, 10], seed), 10_000),
        "MLP 784-2048-2048-10": (multilayer_perceptron([784, 2048, 2048, 10], seed), 10_000),
        "LeNet-5": (lenet(seed), 10_000),
        "residual CNN 32x32x3": (residual(seed), 1_000),
        "LSTM 28x28, 64 units": (lstm(seed), 10_000),
    }


def run(threads: int | None = None, repetitions: int = 7, seed: int = 0, scale: float = 1.0) -> list[Row]:
    """Measures every network in every engine. `scale` multiplies the numbers of samples."""
    before = torch.get_num_threads()
    threads = before if threads is None else threads
    torch.set_num_threads(threads)
    try:
        rows = []
        for name, (network, count) in networks(seed).items():
            inputs = _inputs(network, max(1, int(count * scale)), seed)
            engines = [True, False] if int8_is_exact() else [False]
            rows += [_measure(name, network, inputs, threads, repetitions, int8=int8) for int8 in engines]
        return rows
    finally:
        torch.set_num_threads(before)


def facts(seed: int = 0) -> dict[str, Any]:
    """What the figures depend on."""
    from llvmlite import binding

    flags = [name for name, on in sorted(binding.get_host_cpu_features().items()) if on]
    return {
        "cpu": platform.processor() or platform.machine(),
        "cpu_name": binding.get_host_cpu_name(),
        "flags": [flag for flag in flags if flag.startswith(("avx", "amx", "fma"))],
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "torch_capability": torch.backends.cpu.get_cpu_capability(),
        "int8_is_exact": int8_is_exact(),
        "seed": seed,
    }


def profile(seed: int = 0, scale: float = 0.2) -> list[Share]:
    """Where the time of one evaluation goes, on one thread."""
    shares = []
    for name, (network, count) in networks(seed).items():
        inputs = _inputs(network, max(1, int(count * scale)), seed)
        evaluator = Evaluator(network, threads=1)
        evaluator(inputs)
        spent: dict[str, float] = {}
        with _watched(spent):
            total = _seconds(lambda evaluator=evaluator, inputs=inputs: evaluator(inputs))  # type: ignore[misc]
        spent["the rest"] = total - sum(spent.values())
        for part, seconds in sorted(spent.items(), key=lambda item: -item[1]):
            shares.append(Share(name, part, seconds * 1e3, 100 * seconds / total))
    return shares


def _measure(
    name: str, network: IntegerNetwork, inputs: Int8Array, threads: int, repetitions: int, *, int8: bool
) -> Row:
    evaluator = Evaluator(network, threads=threads, int8=int8)
    floating, x = in_float(network), float_inputs(inputs)

    def in_batches(size: int) -> Callable[[], None]:
        def go() -> None:
            for start in range(0, len(x), size):
                floating(x[start : start + size])

        return go

    ways = {size: in_batches(size) for size in {len(inputs), min(_FLOAT_BATCH, len(inputs))}}
    evaluator(inputs)
    warm = {size: min(_seconds(way) for _ in range(2)) for size, way in ways.items()}
    batch = min(warm, key=lambda size: warm[size])
    pairs = [(_seconds(lambda: evaluator(inputs)), _seconds(ways[batch])) for _ in range(repetitions)]
    return Row(
        network=name,
        engine="int8" if int8 else "float",
        samples=len(inputs),
        threads=threads,
        integer_ms=1e3 * median(mine for mine, _ in pairs),
        float_ms=1e3 * median(theirs for _, theirs in pairs),
        float_batch=batch,
        ratio=median(theirs / mine for mine, theirs in pairs),
    )


def _inputs(network: IntegerNetwork, count: int, seed: int) -> Int8Array:
    return np.random.default_rng(seed).integers(-128, 128, (count, *network.input_shape), dtype=np.int8)


def _seconds(action: Callable[[], Any]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


@contextmanager
def _watched(spent: dict[str, float]) -> Iterator[None]:
    """Adds up the time in each part of the evaluator, by standing in front of it."""
    from offchain.model import gathering, kernels
    from offchain.model.matmul import Multiplier

    parts: list[tuple[Any, str]] = [(gathering, "pad"), (gathering, "gather"), (Multiplier, "multiply")]
    parts += [(kernels, part) for part in _KERNELS]
    originals = [getattr(owner, part) for owner, part in parts]
    for (owner, part), original in zip(parts, originals, strict=True):
        setattr(owner, part, _timed(part, original, spent))
    try:
        yield
    finally:
        for (owner, part), original in zip(parts, originals, strict=True):
            setattr(owner, part, original)


def _timed(part: str, action: Callable[..., Any], spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*arguments: Any) -> Any:
        began = time.perf_counter()
        result = action(*arguments)
        spent[part] = spent.get(part, 0.0) + time.perf_counter() - began
        return result

    return timed
