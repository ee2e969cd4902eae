"""The paper's Table 5: how long the real state machines take over an emulated network, beside the lower bound.

The replicas are `Replica` itself, the sizes those of its encoded messages with the links' framing; network and clock
are `ledger_network`. Everything is given to its creators at time 0, links idle, everybody connected. Requests have the
size of the paper's (Table 3: 304 bytes with its signature) and no content; what clients send to replicas isn't counted.
"""

import random
from collections.abc import Sequence as Sequence_
from dataclasses import dataclass

from offchain.bench.ledger_bound import Bound, Traffic, lower_bound
from offchain.bench.ledger_group import EPOCH, bundled, emulate
from offchain.bench.ledger_network import MILLISECOND, SECOND, seeded_links
from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.pbft.codec import encode
from offchain.ledger.pbft.messages import Batch, Bundle, Commit, Prepare, PrePrepare
from offchain.ledger.pbft.proposals import shorten
from offchain.ledger.transport.frames import OVERHEAD_BYTES
from offchain.ledger.types import Digest, Millis, ReplicaId, Sequence, View

REQUEST_BYTES = 304
MEGABIT = 1_000_000

SCENARIOS = ((100, 10), (100, 30), (1_000, 30), (100, 50), (200, 50), (5_000, 50), (10_000, 50))
"""Transactions and replicas of the rows."""
BANDWIDTHS = (0.1, 30.0, 125.0)
"""Megabits a second of the columns."""
PAPER: dict[tuple[int, int], tuple[float | None, float | None, float | None]] = {
    (100, 10): (8.609, 1.494, 1.497),
    (100, 30): (8.707, 1.685, 1.755),
    (1_000, 30): (73.536, 1.682, 1.833),
    (100, 50): (8.697, 1.842, 1.752),
    (200, 50): (15.984, 1.908, 1.893),
    (5_000, 50): (37.532, 1.767, 1.678),
    (10_000, 50): (None, 7.215, 2.074),
}
"""Proof of Training, Table 5, in seconds."""
AT_ALL, AT_ONE = "at all", "at one"


@dataclass(frozen=True, slots=True)
class Row:
    """One emulation. Times in seconds; `ratio` is `everybody` over its bound.

    `bound_any_way`: for everybody, however bundles are spread. `batches`: that were executed. `timeout`: the group's,
    longer than usual where the bound asks for it. `paper`: its figure.
    """

    transactions: int
    replicas: int
    mbps: float
    arriving: str
    quorum: float
    everybody: float
    bound_quorum: float
    bound: float
    bound_any_way: float
    ratio: float
    batches: int
    timeout: float
    paper: float | None


def traffic(loads: Sequence_[Sequence_[bytes]], limit: int) -> Traffic:
    """Bytes of frames that a run with these loads cannot do without."""
    parts = [bundled(load, limit) for load in loads]
    sizes = tuple(sum(OVERHEAD_BYTES + len(encode(Bundle(part))) for part in mine) for mine in parts)
    digests = [Digest(bytes(32))] * sum(len(mine) for mine in parts)
    view, first, nothing = View(0), Sequence(1), Digest(bytes(32))

    def preprepare(count: int) -> int:
        whole = PrePrepare(view, first, Batch(Millis(EPOCH), tuple(digests[:count])))
        return OVERHEAD_BYTES + len(encode(shorten(whole, nothing)))

    prepare, commit = (OVERHEAD_BYTES + len(encode(kind(view, first, nothing))) for kind in (Prepare, Commit))
    return Traffic(sizes, preprepare(1), preprepare(len(digests)), prepare, commit)


def run(
    scenarios: Sequence_[tuple[int, int]] = SCENARIOS, bandwidths: Sequence_[float] = BANDWIDTHS, seed: int = 0
) -> list[Row]:
    """Every scenario at every bandwidth: transactions that arrive at all replicas, then at one."""
    return [
        measure(transactions, replicas, mbps, spread=spread, seed=seed)
        for spread in (True, False)
        for transactions, replicas in scenarios
        for mbps in bandwidths
    ]


def measure(
    transactions: int, replicas: int, mbps: float, *, spread: bool, seed: int, request_bytes: int = REQUEST_BYTES
) -> Row:
    """One row. `spread`: the transactions arrive evenly at all replicas; else all at the one after the primary."""
    links = seeded_links(replicas, mbps * MEGABIT, seed)
    config = GroupConfig(replicas, ReplicaId(0))
    loads = share(requests(transactions, request_bytes, seed), replicas, spread=spread)
    least = traffic(loads, config.max_bundle_bytes)
    bound = lower_bound(links, config.quorum, 0, least)
    any_way = lower_bound(links, config.quorum, 0, least, relayed=True)
    timeout = patient_timeout(bound, config)
    outcome = emulate(links, loads, timeout, 20 * bound.everybody)
    return Row(
        transactions=transactions,
        replicas=replicas,
        mbps=mbps,
        arriving=AT_ALL if spread else AT_ONE,
        quorum=outcome.quorum / SECOND,
        everybody=outcome.everybody / SECOND,
        bound_quorum=bound.quorum / SECOND,
        bound=bound.everybody / SECOND,
        bound_any_way=any_way.everybody / SECOND,
        ratio=outcome.everybody / bound.everybody,
        batches=outcome.batches,
        timeout=timeout / 1_000,
        paper=PAPER[transactions, replicas][BANDWIDTHS.index(mbps)] if (transactions, replicas) in PAPER else None,
    )


def patient_timeout(bound: Bound, config: GroupConfig) -> int:
    """Milliseconds: the group's own, or on links that are slower than that four times what the bound asks for."""
    needed = 4 * -(-bound.everybody // SECOND) * 1_000
    return needed if bound.everybody > config.timeout * MILLISECOND // 2 else config.timeout


def requests(count: int, size: int, seed: int) -> list[bytes]:
    """Distinct requests of `size` bytes."""
    draw = random.Random(f"requests {seed}")
    return [number.to_bytes(8) + draw.randbytes(size - 8) for number in range(count)]


def share(everything: Sequence_[bytes], replicas: int, *, spread: bool) -> list[Sequence_[bytes]]:
    """What each replica is given."""
    if spread:
        return [everything[me::replicas] for me in range(replicas)]
    return [everything if me == 1 else () for me in range(replicas)]
