"""Aggregators as they run: committee, real nodes on real sockets, and the treasury, together on one chain."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from offchain.ledger.local_group import free_ports
from offchain.ledger.membership import Endpoint
from offchain.metrics.catalogue import STANDING
from offchain.roles.aggregator import AggregatorOptions, AggregatorWorker
from offchain.roles.ledger_seat import SeatedTreasurer, SeatOptions
from offchain.roles.treasurer_rules import TreasurerOptions
from tests.integration.roles.reward_stage import MEMBERS, Treasury, treasury

OPTIONS = TreasurerOptions(patience=20, stagger=1, repeat=0.2)


class Group:
    """The members' workers, ticked in turn by the test; their nodes run in threads of their own."""

    def __init__(self, table: Treasury, folder: Path) -> None:
        self.table = table
        self._folder = folder
        ports = free_ports(2 * len(MEMBERS))
        self.ports = {name: (ports[2 * i], ports[2 * i + 1]) for i, name in enumerate(MEMBERS)}
        self.workers: dict[str, AggregatorWorker] = {}

    @contextmanager
    def member(self, name: str) -> Iterator[AggregatorWorker]:
        node, api = self.ports[name]
        account = self.table.accounts[name]
        context = self.table.stage.context(account, f"{name}-{time.monotonic_ns()}")
        options = SeatOptions(
            endpoint=Endpoint.parse(f"127.0.0.1:{node} http://127.0.0.1:{api}"),
            folder=self._folder,
            secret=bytes(account.key),
            listen=("127.0.0.1", node),
            api=("127.0.0.1", api),
            treasurer=OPTIONS,
        )
        worker = AggregatorWorker(
            context,
            AggregatorOptions(stagger=0),
            treasurer=lambda context, hands, rewards: SeatedTreasurer(context, hands, options, rewards),
        )
        self.workers[name] = worker
        try:
            yield worker
        finally:
            worker.close()
            del self.workers[name]
            self.table.stage.close(context)

    def run_until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                raise AssertionError("it never came to that")
            for worker in list(self.workers.values()):
                worker.tick()
            time.sleep(0.01)

    def connected(self) -> bool:
        treasurers = [worker._treasurer for worker in self.workers.values()]
        found = [treasurer.seat.status for treasurer in treasurers if isinstance(treasurer, SeatedTreasurer)]
        return all(status is not None and sum(status.connected) >= len(found) for status in found)


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    with treasury(tmp_path) as table:
        yield Group(table, tmp_path)


def test_members_find_each_other_on_chain_and_pay_by_root_with_one_away(group: Group) -> None:
    table = group.table
    with ExitStack() as stack:
        for name in MEMBERS:
            stack.enter_context(group.member(name))
        group.run_until(group.connected)
        oids = table.seal(3)
        table.pass_time(10)
        group.run_until(lambda: table.cycles() == 1)
        contracts = table.stage.contracts
        assert contracts.read(contracts.treasury.functions.coveredUpTo()) == len(oids)
        assert not any(contracts.holding(oid).paid for oid in oids), "the multisig had nothing to do"
        url = f"http://127.0.0.1:{group.ports[MEMBERS[0]][1]}"
        shown = httpx.get(f"{url}/rewards").json()
        assert shown["proposal"] is not None, shown
        first = group.workers[MEMBERS[0]]
        group.run_until(lambda: first.standing()["rewards_covered_sequence"] == len(oids))
        standing = first.standing()
        assert {f"assay_{name}" for name in standing} <= {metric.name for metric in STANDING}
        assert standing["ledger_connected_replicas"] == standing["ledger_replicas"] == len(MEMBERS)
        assert standing["ledger_executed_sequence"] > 0
    # One of them is gone: the other three have a quorum; what they ordered before is in their journals.
    with ExitStack() as stack:
        for name in MEMBERS[1:]:
            stack.enter_context(group.member(name))
        group.run_until(group.connected)
        table.seal(2)
        table.pass_time(30)
        group.run_until(lambda: table.cycles() == 2, seconds=60)
