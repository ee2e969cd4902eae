"""Members of one committee race each other, and a real process dies again and again: nobody comes to harm."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount

from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts, travel
from offchain.chain.enums import Role
from offchain.protocol.settlement import Outcome
from offchain.roles.aggregator import AggregatorOptions, AggregatorWorker
from offchain.roles.client import prepare_order, put_order
from offchain.roles.context import RoleContext
from offchain.types import OrderId
from tests.integration.roles.child import DEATH
from tests.integration.roles.killing import settle_down
from tests.integration.roles.stage import Stage, admit, blobs, request, set_stage
from tests.integration.roles.test_kill import quick_provider

MEMBERS = [f"aggregator{i}" for i in range(4)]
RUSHED, DEADLY = 3, 2
"""Orders of the two tests."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Anvil.start(AnvilOptions()) as anvil:
        yield set_stage(anvil.client(), tmp_path)


@pytest.fixture
def accounts(stage: Stage) -> dict[str, LocalAccount]:
    names = ["client", "provider0", *MEMBERS]
    found = dict(zip(names, dev_accounts(len(names) + 1)[1:], strict=True))
    admit(stage, found)
    return found


def put_and_claim(stage: Stage, accounts: dict[str, LocalAccount], orders: int) -> list[OrderId]:
    """Orders whose models will be revealed and whose test data will not: all are shared out."""
    client, provider = (stage.context(accounts[name], name) for name in ("client", "provider0"))
    windows = {"train_seconds": 600, "reveal_seconds": 600}
    oids = [put_order(client, prepare_order(client, request(blobs(), **windows))) for _ in range(orders)]
    settle_down(quick_provider(provider))
    travel(stage.client, 700)
    settle_down(quick_provider(provider))
    stage.close(client)
    stage.close(provider)
    return oids


def test_members_who_all_rush_settle_every_order_once(stage: Stage, accounts: dict[str, LocalAccount]) -> None:
    oids = put_and_claim(stage, accounts, RUSHED)
    contexts = [stage.context(accounts[name], name) for name in MEMBERS]
    rush(contexts, lambda: len(stage.contracts.members()) == 4)
    travel(stage.client, 1200)
    rush(contexts, lambda: all(stage.contracts.holding(oid).paid for oid in oids))
    contracts = stage.contracts
    total = sum(contracts.order(oid).terms.reward for oid in oids)
    assert sum(contracts.credited(account.address) for account in accounts.values()) == total
    assert all(contracts.settlement(oid).outcome == Outcome.SHARED for oid in oids)
    assert not [event for event in stage.events if event.what == "trouble"]
    for name in MEMBERS:
        bond = contracts.bond(accounts[name].address, Role.AGGREGATOR)
        assert (bond.bonded, bond.locked) == (600 * 10**18, 500 * 10**18)
    for context in contexts:
        stage.close(context)


def rush(contexts: list[RoleContext], done: Callable[[], bool]) -> None:
    """All members at once in threads, without turns, until `done`."""
    stop = threading.Event()
    workers = [AggregatorWorker(context, AggregatorOptions(stagger=0, poll_seconds=0.01)) for context in contexts]
    threads = [threading.Thread(target=worker.run, args=(stop,)) for worker in workers]
    for thread in threads:
        thread.start()
    for _ in range(400):
        if done():
            break
        stop.wait(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    assert done()


@pytest.mark.long
def test_a_process_that_dies_later_in_each_life_still_does_everything_once(
    stage: Stage, accounts: dict[str, LocalAccount]
) -> None:
    """Real deaths of real processes, each two boundaries later than the one before; `test_kill` meets every one."""
    oids = put_and_claim(stage, accounts, DEADLY)
    travel(stage.client, 1200)
    me = accounts["aggregator0"]
    before = stage.client.nonce(me.address)
    index = [account.address for account in dev_accounts()].index(me.address)
    places = [stage.client.endpoint, str(stage.folder / "addresses.json"), str(stage.folder), str(index)]
    command = [sys.executable, "-m", "tests.integration.roles.child", *places]
    deaths = 0
    while (code := subprocess.run([*command, str(2 * deaths + 1)], check=False).returncode) != 0:
        assert code == DEATH
        deaths += 1
        assert deaths < 60
    assert deaths >= 5
    assert all(stage.contracts.holding(oid).paid for oid in oids)
    actions_per_order = 3  # seal, propose, execute
    assert stage.client.nonce(me.address) - before == 2 + actions_per_order * len(oids)
