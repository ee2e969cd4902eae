"""Transactions a second with real processes, every replica checking the signature of every request.

The load is signed beforehand and goes to all replicas at once, each account's requests to one of them, through
`LedgerNode.submit` (by the processes' control sockets): a few callers for each replica, each waiting for receipts
before it sends more.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory

from offchain.bench.ledger_load import Market, Signers, dealt, needed_orders
from offchain.bench.ledger_process import parse_spent
from offchain.errors import Bug
from offchain.ledger.local_group import Door, LocalGroup
from offchain.ledger.records.application import Outcome
from offchain.ledger.records.request import Domain
from offchain.ledger.records.results import Result

MODULE = "offchain.bench.ledger_process"
GROUP = {"timeout": 20_000, "status_every": 5_000}
"""See `ledger_sync`."""
LOADS = ((4, 8_000), (10, 3_000))
"""Replicas and transactions."""
ACCOUNTS = 122
CALLERS = 2
"""At each replica."""
CALL = 200
"""Requests in a call."""


@dataclass(frozen=True, slots=True)
class Row:
    """One group. `seconds`: from the first call until the last replica has executed everything.

    `cpu_seconds`: of all replicas together meanwhile, and before that while the load's orders were set up;
    `check_percent` of that went into checking requests (form and signature), `check_microseconds` into one check.
    `accepted`: what the ledger's rules took.
    """

    replicas: int
    transactions: int
    bytes_each: float
    seconds: float
    per_second: float
    cpu_seconds: float
    check_percent: float
    check_microseconds: float
    batches: int
    accepted: int


def run(loads: Sequence[tuple[int, int]] = LOADS, seed: int = 0) -> list[Row]:
    """A row for each number of replicas and transactions. Raises Retryable when a group doesn't come up."""
    return [measure(replicas, transactions, seed) for replicas, transactions in loads]


def measure(replicas: int, transactions: int, seed: int) -> Row:
    """One row. Raises Bug when a request is lost."""
    with (
        TemporaryDirectory(prefix="assay-bench-") as folder,
        LocalGroup(Path(folder), replicas, module=MODULE, group=GROUP) as group,
    ):
        signers = Signers(Domain(group.membership.chain_id, group.membership.committee), ACCOUNTS, seed)
        market = Market(signers, needed_orders(transactions, ACCOUNTS))
        group.start()
        setup = market.setup()
        group.doors[1].submit(setup)
        load = market.validations(transactions)
        before = int(group.doors[0].status()["executed"])
        began = time.monotonic()
        results = _submit(group, dealt(load, replicas))
        ended = max(door.wait_for(len(setup) + transactions) for door in group.doors)
        batches = int(group.doors[0].status()["executed"]) - before
        for index in range(replicas):
            group.stop(index)
        spent = [parse_spent(group.log(index)) for index in range(replicas)]
    if len(results) != transactions:
        raise Bug(f"{transactions} requests have {len(results)} results")
    cpu, check = (sum(each[name] for each in spent) for name in ("cpu", "check"))
    return Row(
        replicas=replicas,
        transactions=transactions,
        bytes_each=sum(map(len, load)) / len(load),
        seconds=ended - began,
        per_second=transactions / (ended - began),
        cpu_seconds=cpu,
        check_percent=100 * check / cpu,
        check_microseconds=1e6 * check / (replicas * (transactions + len(setup))),
        batches=batches,
        accepted=sum(Outcome.decode(result).result is Result.ACCEPTED for result in results),
    )


def _submit(group: LocalGroup, shares: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Has every replica execute its share; the results."""
    calls = [
        (index, share[start::CALLERS])
        for index, share in enumerate(shares)
        for start in range(CALLERS)
        if share[start:]
    ]
    with ThreadPoolExecutor(len(calls)) as pool:
        done = pool.map(_call_all, repeat(group), *zip(*calls, strict=True))
        return [result for results in done for result in results]


def _call_all(group: LocalGroup, index: int, requests: Sequence[bytes]) -> list[bytes]:
    door, results = Door(group.folder / f"{index}.sock"), list[bytes]()
    try:
        for start in range(0, len(requests), CALL):
            results += [receipt.result for receipt in door.submit(requests[start : start + CALL])]
    finally:
        door.close()
    return results
