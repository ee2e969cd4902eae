"""How fast updates are aggregated: every rule beside Flower's, in one run, alternately, on the same updates.

Each side is a process of its own on one thread (BLAS too). Flower's has an environment of its own, made under
`.build/`, for the two want different versions of other packages; its updates are float32, ours int16. The first call of
ours loads the kernels, compiled, and isn't counted. Memory is the high-water mark during a call less what the process
held before: updates, interpreter and libraries are not in it (nor what malloc kept: it is trimmed first).

Where Flower would need longer than `limit` seconds it isn't run: its time is then that of the shorter vectors times the
ratio of lengths, since all its rules are linear in it, and the row says so.

    assay bench federated --speed
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

from offchain.bench.federated_process import FLOWER, Side, flower_side, our_side
from offchain.bench.federated_worker import SCALE, Answer, Job
from offchain.federated.aggregation.rule import Rule, RuleId

RULES = (
    Rule(RuleId.MEAN),
    Rule(RuleId.MEDIAN),
    Rule(RuleId.TRIMMED_MEAN, 200_000),
    Rule(RuleId.CLIPPED_MEAN, 100_000),
    Rule(RuleId.KRUM, 200_000),
    Rule(RuleId.MULTI_KRUM, 200_000, 600_000),
    Rule(RuleId.GEOMETRIC_MEDIAN, 0, 8),
    Rule(RuleId.BULYAN, 170_000),
)
RECORDS = "MEAN of records"
"""Flower's newer interface: FedAvg over serialised arrays, in place."""

_MIB = 1 << 20
_WHOLE = 100
"""Figures from here on are shown without a fraction."""

_UNIT = 1.01
"""Rounding twice (clipped updates, then their mean) may move a result by one unit; float32 by a little more."""

_ENOUGH_SECONDS = 1.0
"""Of Flower's calls of one rule; then no further repetition."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured. limit: seconds that one call of Flower's may take, judged by shorter vectors."""

    counts: tuple[int, ...] = (10, 100)
    dimensions: tuple[int, ...] = (100_000, 1_000_000, 10_000_000)
    repetitions: int = 5
    seed: int = 0
    limit: float = 20.0


QUICK = Options(dimensions=(100_000,), repetitions=3, limit=5.0)


@dataclass(frozen=True, slots=True)
class Row:
    """One rule on n updates of d parameters.

    Times are medians, in milliseconds; `ratio` is Flower's over ours, the median over neighbours, above 1 ours is
    faster. Memory in MiB; `memory_ratio` is ours over Flower's, below 1 ours is smaller. `gigabytes_per_second`: the
    int16 state over the time, however often it was read; `of_bandwidth`: that beside a copy's reads and writes in the
    same run. `apart_ppm`: coordinates at which the two results differ by more than a unit, in a million (where values
    tie, Bulyan's choice is free); None where Flower was not run, and its time is `extrapolated`.
    """

    rule: str
    n: int
    d: int
    our_ms: float
    flower_ms: float
    ratio: float
    our_mib: float
    flower_mib: float | None
    memory_ratio: float | None
    gigabytes_per_second: float
    of_bandwidth: float
    apart_ppm: float | None
    extrapolated: bool


def run(options: Options, tell: Callable[[str], None]) -> list[Row]:
    """Measures every rule at every size, shorter vectors first. `tell` hears of each row when it is there.

    Raises Retryable if Flower's environment cannot be made or a process dies.
    """
    rows: list[Row] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        ours, flower = stack.enter_context(our_side()), stack.enter_context(flower_side())
        for n in options.counts:
            for d in sorted(options.dimensions):
                size = _Size(ours, flower, n, d, options, folder)
                for row in size.rows(rows):
                    rows.append(row)
                    tell(f"{row.rule}, n = {n}, d = {d:,}: {row.our_ms:,.4g} ms, Flower's over ours {row.ratio:,.3g}")
    return rows


def facts(options: Options) -> dict[str, Any]:
    """What the figures depend on."""
    from llvmlite import binding

    return {
        "cpu_name": binding.get_host_cpu_name(),
        "threads": 1,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "flower": FLOWER,
        "repetitions": options.repetitions,
        "limit_seconds": options.limit,
        "seed": options.seed,
    }


def table(rows: Sequence[Row]) -> Table:
    """The rows as a table that fits 80 columns; a star marks what Flower would need by shorter vectors."""
    shown = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), title="\nAggregation beside Flower"
    )
    shown.add_column("rule")
    heads = ("n × d", "ours\nms", "Flower\nms", "ratio", "ours\nMiB", "Flower\nMiB", "GB/s", "of\ncopy", "apart\nppm")
    for head in heads:
        shown.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        star = "*" if row.extrapolated else ""
        shown.add_row(
            row.rule.lower().replace("_", " "),
            f"{row.n} × {row.d:.0e}".replace("e+0", "e"),
            _short(row.our_ms),
            _short(row.flower_ms) + star,
            f"{row.ratio:.1f}",
            f"{row.our_mib:.1f}",
            "" if row.flower_mib is None else _short(row.flower_mib),
            f"{row.gigabytes_per_second:.1f}",
            f"{row.of_bandwidth:.0%}",
            "" if row.apart_ppm is None else f"{row.apart_ppm:.0f}",
        )
    return shown


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class _Size:
    """Both sides with n updates of d parameters."""

    ours: Side
    flower: Side
    n: int
    d: int
    options: Options
    folder: Path

    def rows(self, before: Sequence[Row]) -> Iterator[Row]:
        """A row a rule; `before` are those of shorter vectors, among others."""
        self._load(self.ours)
        self._load(self.flower)
        self.ours.ask({"rule": "bandwidth", "save": str(self.folder / "bandwidth.npy")})
        bandwidth = float(np.load(self.folder / "bandwidth.npy")[0])
        for rule in RULES:
            yield self._row(rule.id.name, rule, before, bandwidth)
        self._load(self.flower, records=True)
        yield self._row(RECORDS, RULES[0], before, bandwidth)

    def _load(self, side: Side, **form: bool) -> None:
        side.ask({"n": self.n, "d": self.d, "seed": self.options.seed, "weights": self._weights(), **form})

    def _weights(self) -> list[int]:
        return [int(weight) for weight in np.random.default_rng(self.options.seed).integers(1, 1000, self.n)]

    def _row(self, name: str, rule: Rule, before: Sequence[Row], bandwidth: float) -> Row:
        job = {
            "id": int(rule.id),
            "parameter": rule.parameter,
            "selected": rule.selected,
            "weights": self._weights(),
            "hostile": rule.part(self.n),
            "kept": rule.kept(self.n),
        }
        mine, theirs = {**job, "rule": "ours"}, {**job, "rule": name}
        self.ours.ask(mine)
        expected = self._expected_seconds(name, before)
        if expected is not None and expected > self.options.limit:
            return self._alone(name, mine, expected, bandwidth)
        pairs, apart_ppm = self._pairs(mine, theirs)
        our_bytes, their_bytes = (answer["peak_bytes"] for answer in pairs[0])
        return self._made(
            name,
            median(ours["seconds"] for ours, _ in pairs),
            median(theirs["seconds"] for _, theirs in pairs),
            median(theirs["seconds"] / ours["seconds"] for ours, theirs in pairs),
            our_bytes,
            their_bytes,
            apart_ppm,
            bandwidth,
        )

    def _pairs(self, mine: Job, theirs: Job) -> tuple[list[tuple[Answer, Answer]], float]:
        """Both sides in turn, until Flower has had a second or there are enough; and how many coordinates are apart."""
        files = {side: str(self.folder / f"{side}.npy") for side in ("ours", "flower")}
        pairs = [(self.ours.ask({**mine, "save": files["ours"]}), self.flower.ask({**theirs, "save": files["flower"]}))]
        difference = np.load(files["ours"]) - np.float32(SCALE) * np.load(files["flower"])
        while len(pairs) < self.options.repetitions and sum(answer["seconds"] for _, answer in pairs) < _ENOUGH_SECONDS:
            pairs.append((self.ours.ask(mine), self.flower.ask(theirs)))
        return pairs, 1e6 * float((np.abs(difference) > _UNIT).mean())

    def _alone(self, name: str, mine: Job, expected: float, bandwidth: float) -> Row:
        gauged = self.ours.ask({**mine, "save": str(self.folder / "ours.npy")})
        seconds = median(self.ours.ask(mine)["seconds"] for _ in range(min(3, self.options.repetitions)))
        return self._made(name, seconds, expected, expected / seconds, gauged["peak_bytes"], None, None, bandwidth)

    def _expected_seconds(self, name: str, before: Sequence[Row]) -> float | None:
        """What Flower will need, by the longest of the shorter vectors."""
        same = [row for row in before if row.rule == name and row.n == self.n and row.d < self.d]
        return same[-1].flower_ms / 1e3 * self.d / same[-1].d if same else None

    def _made(
        self,
        name: str,
        our_seconds: float,
        flower_seconds: float,
        ratio: float,
        our_bytes: float,
        flower_bytes: float | None,
        apart_ppm: float | None,
        bandwidth: float,
    ) -> Row:
        rate = self.n * self.d * 2 / our_seconds
        return Row(
            rule=name,
            n=self.n,
            d=self.d,
            our_ms=our_seconds * 1e3,
            flower_ms=flower_seconds * 1e3,
            ratio=ratio,
            our_mib=our_bytes / _MIB,
            flower_mib=None if flower_bytes is None else flower_bytes / _MIB,
            memory_ratio=None if flower_bytes is None else our_bytes / flower_bytes,
            gigabytes_per_second=rate / 1e9,
            of_bandwidth=rate / bandwidth,
            apart_ppm=apart_ppm,
            extrapolated=flower_bytes is None,
        )
