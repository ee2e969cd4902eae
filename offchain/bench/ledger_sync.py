"""How long a payload takes until every replica has executed it: processes on this machine, TCP between them.

One process for each replica, journals on disk unless told otherwise, links authenticated, as in production
(`LocalGroup`). The payload goes to one replica that is not the primary; the clock of the machine, which all processes
share, says when each executed it.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from offchain.bench.ledger_load import PAYLOADS, Market, Payload, Signers
from offchain.ledger.local_group import LocalGroup
from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.records.request import Domain
from offchain.ledger.types import ReplicaId

MODULE = "offchain.bench.ledger_process"
GROUP = {"max_request_bytes": 64 << 10, "timeout": 20_000, "status_every": 5_000}
"""For a hundred processes on two cores the usual time-out is short; without faults it changes nothing."""
ENTRY = 1
"""The replica that is given the payload."""
SIZES = (10, 30, 100)
PAPER: dict[tuple[int, int], tuple[float, float, float]] = {
    (1, 10): (0.0387, 0.132, 0.463),
    (1, 50): (0.0374, 0.106, 0.418),
    (1, 100): (0.0466, 0.149, 0.373),
    (10, 50): (0.0452, 0.113, 0.407),
    (10, 100): (0.0338, 0.125, 0.392),
}
"""Proof of Training, Table 4: seconds for 10, 30 and 100 nodes on 20 cores, by orders and validations."""
PAPER_TWO_CORES = {10: 0.02, 30: 0.24, 100: 2.6}
"""The paper's own code on a machine with two cores like ours, in seconds."""


@dataclass(frozen=True, slots=True)
class Row:
    """Medians in seconds. `bytes_once`, `once`: the payload of the paper's size, signed once by its client.
    `bytes_each`, `each`: as many real records, each signed by its own account and checked by every replica.
    `quorum`: of `once`, when a quorum had executed it.

    `paper`: its figure on 20 cores; `paper_code`: its code on two.
    """

    replicas: int
    payload: str
    bytes_once: int
    once: float
    quorum: float
    bytes_each: int
    each: float
    rounds: int
    paper: float | None
    paper_code: float | None
    faster: float | None


def run(sizes: Sequence[int] = SIZES, rounds: int = 5, seed: int = 0, *, journal: bool = True) -> list[Row]:
    """Measures every payload with groups of these sizes. Raises Retryable when a group doesn't come up."""
    return [row for replicas in sizes for row in measure(replicas, PAYLOADS, rounds, seed, journal=journal)]


def measure(replicas: int, payloads: Sequence[Payload], rounds: int, seed: int, *, journal: bool = True) -> list[Row]:
    """Rows of one group. Without a `journal` replicas keep nothing, as the paper's code does.

    Rounds of all payloads alternate, so that load on the machine hits them all alike.
    """
    with (
        TemporaryDirectory(prefix="assay-bench-") as folder,
        LocalGroup(Path(folder), replicas, module=MODULE, group=GROUP, journal=journal) as group,
        ThreadPoolExecutor(1) as pool,
    ):
        group.start()
        stage = _Stage(group, pool, seed, rounds, payloads)
        times: dict[tuple[Payload, str], list[tuple[float, float]]] = {}
        for round_ in range(rounds + 1):
            for payload in payloads:
                for way, make in (("once", stage.once), ("each", stage.each)):
                    took = stage.time(make(payload))
                    if round_:
                        times.setdefault((payload, way), []).append(took)
    return [_row(replicas, payload, times, stage, rounds) for payload in payloads]


class _Stage:
    """A group that is ready to be measured."""

    def __init__(
        self, group: LocalGroup, pool: ThreadPoolExecutor, seed: int, rounds: int, payloads: Sequence[Payload]
    ) -> None:
        self._group = group
        self._pool = pool
        self._executed = 0
        membership = group.membership
        most = max(payload.validations for payload in payloads)
        self._signers = Signers(Domain(membership.chain_id, membership.committee), most + 2, seed)
        self._market = Market(self._signers, (rounds + 1) * sum(p.validations for p in payloads) // most + 1)
        self.bytes_each: dict[Payload, int] = {}
        self._quorum = GroupConfig(len(membership.members), ReplicaId(0)).quorum
        self.time(self._market.setup())

    def once(self, payload: Payload) -> list[bytes]:
        """The payload as the paper's code takes it."""
        return [self._signers.load(0, payload.size)]

    def each(self, payload: Payload) -> list[bytes]:
        """The payload as records."""
        records = self._market.orders(payload.orders) + self._market.validations(payload.validations)
        self.bytes_each[payload] = sum(map(len, records))
        return records

    def time(self, requests: Sequence[bytes]) -> tuple[float, float]:
        """Seconds until a quorum, and until all, have executed `requests`."""
        self._executed += len(requests)
        time.sleep(0.05)
        began = time.monotonic()
        self._group.doors[ENTRY].submit(requests)
        # Asking takes the same cores: not before the others are through, most likely.
        time.sleep(max(0.02, time.monotonic() - began))
        ended = sorted(door.wait_for(self._executed) for door in self._group.doors)
        return ended[self._quorum - 1] - began, ended[-1] - began


def _row(
    replicas: int,
    payload: Payload,
    times: dict[tuple[Payload, str], list[tuple[float, float]]],
    stage: _Stage,
    rounds: int,
) -> Row:
    middle: Callable[[str, int], float] = lambda way, which: median(took[which] for took in times[payload, way])  # noqa: E731
    once, theirs = middle("once", 1), PAPER_TWO_CORES.get(replicas)
    paper = PAPER[payload.orders, payload.validations][SIZES.index(replicas)] if replicas in SIZES else None
    return Row(
        replicas=replicas,
        payload=str(payload),
        bytes_once=payload.size,
        once=once,
        quorum=middle("once", 0),
        bytes_each=stage.bytes_each[payload],
        each=middle("each", 1),
        rounds=rounds,
        paper=paper,
        paper_code=theirs,
        faster=None if theirs is None else theirs / once,
    )
