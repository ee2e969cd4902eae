"""The primary is killed (kill -9) under load: how long nothing is executed, and whether anything is lost or doubled.

Callers at every replica send small calls one after the other, through `LedgerNode.submit`, before, while and after the
primary of view 0 is killed; then it is started again and catches up. What any caller got a receipt for must have been
executed, once, in one order everywhere.
"""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from offchain.bench.ledger_load import Market, Signers, dealt, needed_orders
from offchain.errors import AssayError, Bug, Retryable
from offchain.ledger.local_group import Door, LocalGroup
from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.records.application import Outcome
from offchain.ledger.records.request import Domain
from offchain.ledger.types import ReplicaId

MODULE = "offchain.bench.ledger_process"
REPLICAS = 4
PRIMARY = 0
ACCOUNTS = 122
CALL = 10
"""Requests in a call."""
MOST_CALLS = 400
"""Of one caller; it stops sooner when the measurement is over."""
PAUSE = 0.01
"""Seconds between two calls of a caller."""


@dataclass(frozen=True, slots=True)
class Row:
    """One killing. `gap`: the longest time between two executions at a survivor, in seconds; `gap_timeouts`: in
    time-outs of the group. `caught_up`: seconds from the killed replica's new start until it stood where the others do.

    `answered`: requests with a receipt; `lost`: those of them that a survivor has not executed; `doubled`: executions
    of what was executed before; `differing`: survivors whose order is another than the first one's.
    """

    replicas: int
    timeout: float
    gap: float
    gap_timeouts: float
    view: int
    answered: int
    answered_by_killed: int
    lost: int
    doubled: int
    differing: int
    caught_up: float


@dataclass(frozen=True, slots=True)
class _Answered:
    replica: int
    requests: tuple[bytes, ...]


def run(seed: int = 0, timeout: int = GroupConfig(REPLICAS, ReplicaId(0)).timeout) -> Row:
    """Kills a primary. `timeout`: the group's first, in milliseconds. Raises Retryable when nothing moves again."""
    with (
        TemporaryDirectory(prefix="assay-bench-") as folder,
        LocalGroup(Path(folder), REPLICAS, module=MODULE, group={"timeout": timeout}) as group,
    ):
        signers = Signers(Domain(group.membership.chain_id, group.membership.committee), ACCOUNTS, seed)
        most = REPLICAS * CALL * MOST_CALLS
        market = Market(signers, needed_orders(most, ACCOUNTS))
        group.start()
        setup = market.setup()
        group.doors[1].submit(setup)
        over, watch = Event(), _Watch(group)
        with ThreadPoolExecutor(REPLICAS + 1) as pool:
            watching = pool.submit(watch.run, over)
            shares = dealt(market.validations(most), REPLICAS)
            callers = [pool.submit(_call, group, index, share, over) for index, share in enumerate(shares)]
            try:
                time.sleep(1.0)
                killed = time.monotonic()
                group.kill(PRIMARY)
                watch.wait_for_next_view(4 * timeout / 1_000 + 10)
                time.sleep(1.0)
            finally:
                over.set()
            watching.result()
            answered = [answer for caller in callers for answer in caller.result()]
        restarted = time.monotonic()
        group.start(PRIMARY)
        caught_up = _catch_up(group) - restarted
        return _judge(group, setup, answered, watch.gap(killed), timeout, caught_up)


class _Watch:
    """Notes at one survivor when its number of executed requests grew, and in which view."""

    def __init__(self, group: LocalGroup) -> None:
        self._path = group.folder / f"{PRIMARY + 1}.sock"
        self._grew: list[tuple[float, int]] = []

    def run(self, over: Event) -> None:
        """Looks until `over`, a hundred times a second."""
        door, last = Door(self._path), -1
        try:
            while not over.is_set():
                status = door.status()
                if status["requests_executed"] != last:
                    last = status["requests_executed"]
                    self._grew.append((time.monotonic(), int(status["view"])))
                time.sleep(PAUSE)
        finally:
            door.close()

    def wait_for_next_view(self, seconds: float) -> None:
        """Returns when something was executed in a later view. Raises Retryable after `seconds`."""
        until = time.monotonic() + seconds
        while not self._grew or not self._grew[-1][1]:
            if time.monotonic() > until:
                raise Retryable(f"nothing was executed for {seconds:.0f} s after the primary was killed")
            time.sleep(PAUSE)

    def gap(self, killed: float) -> float:
        """The longest time without an execution, of those that ended after the killing."""
        return max(later - earlier for (earlier, _), (later, _) in pairwise(self._grew) if later > killed)


def _call(group: LocalGroup, index: int, requests: Sequence[bytes], over: Event) -> list[_Answered]:
    """Sends calls until `over`, or until the replica is gone; those that were answered."""
    door, answered = Door(group.folder / f"{index}.sock"), list[_Answered]()
    try:
        for start in range(0, len(requests), CALL):
            if over.is_set():
                break
            call = tuple(requests[start : start + CALL])
            door.submit(call)
            answered.append(_Answered(index, call))
            time.sleep(PAUSE)
    except (AssayError, OSError, ValueError):
        if index != PRIMARY:
            raise
    finally:
        door.close()
    return answered


def _catch_up(group: LocalGroup) -> float:
    """When all stand at the same number."""
    for _ in range(3_000):
        if len({int(door.status()["executed"]) for door in group.doors}) == 1:
            return time.monotonic()
        time.sleep(PAUSE)
    raise Retryable("the killed replica did not catch up within 30 s")


def _judge(
    group: LocalGroup, setup: Sequence[bytes], answered: Sequence[_Answered], gap: float, timeout: int, caught_up: float
) -> Row:
    survivors = [index for index in range(REPLICAS) if index != PRIMARY]
    orders = {index: _executed(group.doors[index]) for index in survivors}
    first = orders[survivors[0]]
    if not all(request in first for request in setup):
        raise Bug("a survivor has forgotten what it executed")
    everywhere = set(first).intersection(*orders.values())
    wanted = [request for answer in answered for request in answer.requests]
    return Row(
        replicas=REPLICAS,
        timeout=timeout / 1_000,
        gap=gap,
        gap_timeouts=1_000 * gap / timeout,
        view=int(group.doors[survivors[0]].status()["view"]),
        answered=len(wanted),
        answered_by_killed=sum(len(answer.requests) for answer in answered if answer.replica == PRIMARY),
        lost=sum(request not in everywhere for request in wanted),
        doubled=sum(count - 1 for order in orders.values() for count in Counter(order).values()),
        differing=sum(order != first for order in orders.values()),
        caught_up=caught_up,
    )


def _executed(door: Door) -> list[bytes]:
    """Requests in the order of their execution, as often as they took effect."""
    return [
        request
        for _, _, requests, results in door.executed()
        for request, result in zip(requests, results, strict=True)
        if not Outcome.decode(result).is_repeated
    ]
