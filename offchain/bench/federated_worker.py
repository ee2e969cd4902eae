"""A process that times one side's aggregation rules: the same data, clock and memory gauge for both sides.

Imported by Flower's environment too, so it needs nothing but NumPy. The parent writes a JSON line for each measurement
and reads one back.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Job: TypeAlias = dict[str, Any]
Answer: TypeAlias = dict[str, float]
Result: TypeAlias = NDArray[Any]
Prepare: TypeAlias = Callable[[list[NDArray[np.int16]], Job], Any]
Rules: TypeAlias = dict[str, Callable[[Any, Job], Result]]

SCALE = 1 << 12
"""Units of a real number."""

SPREAD = 1 << 11
"""Updates are uniform in +-SPREAD units around a drift that they share."""


def updates(count: int, dimension: int, seed: int) -> list[NDArray[np.int16]]:
    """`count` int16 vectors (dimension): integers of a seeded generator, alike in every version of NumPy."""
    drift = np.random.default_rng(seed).integers(-SPREAD, SPREAD, dimension, dtype=np.int16)
    made = []
    for index in range(count):
        own = np.random.default_rng((seed, index)).integers(-SPREAD, SPREAD, dimension, dtype=np.int16)
        own += drift
        made.append(own)
    return made


def serve(prepare: Prepare, rules: Rules) -> None:
    """Answers jobs until the input ends: {n, d, seed} makes data, {rule, ...} measures."""
    data: Any = None
    for line in sys.stdin:
        job = json.loads(line)
        if "rule" not in job:
            data = None
            data = prepare(updates(job["n"], job["d"], job["seed"]), job)
            answer = {}
        else:
            answer = _measured(rules[job["rule"]], data, job)
        print(json.dumps(answer), flush=True)


def _measured(rule: Callable[[Any, Job], Result], data: Any, job: Job) -> Answer:
    """Seconds of a call; with `save` also its peak memory and a file of its result.

    Free pages that malloc holds are given back before memory is gauged, for a rule that gets them again would seem to
    need none; not before other calls, for their time would go into faulting them in.
    """
    before = _start_gauge() if "save" in job else 0
    began = time.perf_counter()
    result = rule(data, job)
    answer = {"seconds": time.perf_counter() - began}
    if "save" in job:
        answer["peak_bytes"] = _status("VmHWM") - before
        np.save(job["save"], result)
    return answer


def _start_gauge() -> int:
    """Sets the process's high-water mark back to what it holds now, and returns that in bytes (Linux and glibc)."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmRSS")


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) << 10
    raise OSError(f"the kernel tells no {field}")
