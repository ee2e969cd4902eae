"""Whole aggregators on the update cycle: sealing, roots, epochs after a slash, the multisig when nobody can talk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.chain.contracts import AssayContracts
from offchain.chain.rewards import Rewards
from offchain.chain.sender import open_sender
from offchain.protocol.reward_book import RewardBook
from offchain.roles.aggregator import AggregatorOptions, AggregatorWorker
from offchain.roles.ledger_seat import root_signer
from offchain.roles.reward_adversaries import GreedyTreasurer
from offchain.roles.settled import sealed_settlement
from offchain.roles.treasurer import Treasurer
from offchain.roles.verifier import VerifierWorker
from offchain.types import OrderId
from tests.integration.chain.support import mine, with_confirmations
from tests.integration.roles.reward_stage import MEMBERS, OPTIONS, Chair, Treasury, treasury

CONFIRMATIONS = 4


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Treasury]:
    with treasury(tmp_path) as found:
        yield found


@pytest.fixture
def crew(table: Treasury) -> Iterator[dict[str, AggregatorWorker]]:
    found = {name: aggregator(table, name) for name in (*MEMBERS, "aggregator4")}
    yield found
    for worker in found.values():
        worker.close()
        table.stage.close(worker.context)


def aggregator(table: Treasury, name: str, kind: type[Treasurer] = Treasurer) -> AggregatorWorker:
    context = table.stage.context(table.accounts[name], f"{name}-{kind.__name__}")
    table.table.boxes.setdefault(name, [])
    sign = root_signer(bytes(table.accounts[name].key))
    return AggregatorWorker(
        context,
        AggregatorOptions(stagger=2),
        treasurer=lambda context, hands, rewards: kind(
            context, hands, Chair(table.table, name), sign, OPTIONS, rewards=rewards
        ),
    )


def work(table: Treasury, crew: dict[str, AggregatorWorker], rounds: int, step: int) -> None:
    for _ in range(rounds):
        for worker in crew.values():
            worker.tick()
        table.pass_time(step)


def test_aggregators_pay_by_root_and_send_nothing_else(table: Treasury, crew: dict[str, AggregatorWorker]) -> None:
    table.seal(2)
    work(table, crew, 6, 10)
    assert table.cycles() == 1
    sent = {what for worker in crew.values() for what in worker.statistics}
    assert "post-root" in sent
    assert not sent & {"propose", "confirm", "execute", "pay-direct"}
    before = {name: worker.statistics.total() for name, worker in crew.items()}
    table.pass_time(100)
    work(table, crew, 2, 30)
    assert {name: worker.statistics.total() for name, worker in crew.items()} == before, "it is over"


def test_members_who_cannot_talk_pay_by_multisig(table: Treasury, crew: dict[str, AggregatorWorker]) -> None:
    (oid,) = table.seal(1)
    table.table.absent.update(crew)
    work(table, crew, 4, 20)
    assert not any(worker.statistics["propose"] for worker in crew.values()), "a root may still come"
    work(table, crew, 10, 15)
    contracts = table.stage.contracts
    assert contracts.holding(oid).paid
    assert table.cycles() == 0
    settled = sealed_settlement(contracts, oid)
    assert contracts.credited(settled.payouts[0].account) == settled.payouts[0].amount
    work(table, crew, 2, 5)
    assert not any(worker.rewards.book.waiting() for worker in crew.values())


def test_after_a_slash_the_next_epoch_begins_by_itself_and_pays(
    table: Treasury, crew: dict[str, AggregatorWorker]
) -> None:
    for name in MEMBERS[:3]:
        worker = crew.pop(name)
        table.stage.close(worker.context)
        table.seat(name, GreedyTreasurer).treasurer.thief = table.address("aggregator0")
    oids = table.seal(2)
    while table.cycles() == 0:
        table.turn(1)
        table.pass_time(5)
    for name in MEMBERS[:3]:
        table.rise(name)
    table.table.boxes.clear()
    work(table, crew, 14, 7)
    contracts = table.stage.contracts
    assert [table.stake(name) for name in MEMBERS[:3]] == [0, 0, 0]
    assert contracts.epoch() == 2
    assert contracts.members() == (table.address("aggregator3"), table.address("aggregator4"))
    rewards = Rewards(contracts)
    rewards.look()
    assert rewards.book.waiting() == (), "by root or, for two are few, by multisig"
    for name in ("provider0", "provider1"):
        who = table.address(name)
        settled = [sealed_settlement(contracts, oid) for oid in oids]
        expected = sum(payout.amount for each in settled for payout in each.payouts if payout.account == who)
        assert contracts.credited(who) + rewards.book.earned(who) == expected


def test_one_verifier_is_enough_against_a_whole_committee(table: Treasury) -> None:
    for name in MEMBERS:
        table.seat(name, GreedyTreasurer).treasurer.thief = table.address("aggregator0")
    table.seal(2)
    table.run_until(lambda: table.cycles() == 1, step=10)
    context = table.stage.context(table.accounts["aggregator4"], "verifier")
    verifier = VerifierWorker(context)
    verifier.tick()
    assert (verifier.statistics["false-root"], table.cycles()) == (1, 1), "members come first"
    table.pass_time(75)
    while verifier.tick():
        pass
    assert (verifier.statistics["refute-root"], table.cycles()) == (1, 0)
    stakes = sorted(table.stake(name) for name in MEMBERS)
    assert stakes[:3] == [0, 0, 0]
    assert stakes[3] > 0, "three signatures were enough, so the fourth is not in the certificate"
    verifier.close()
    table.stage.close(context)


def test_the_book_believes_final_blocks_only_and_starts_anew_when_even_those_change(table: Treasury) -> None:
    table.seal(2)
    slow = with_confirmations(table.stage.client, CONFIRMATIONS)
    careful = Rewards(AssayContracts(slow, table.stage.contracts.addresses))
    hasty = Rewards(table.stage.contracts)
    mine(slow, CONFIRMATIONS)
    assert careful.look().sealed == hasty.look().sealed == 2
    contracts = table.stage.contracts
    payouts = sealed_settlement(contracts, OrderId(2)).payouts
    senders = {
        name: open_sender(table.stage.client, table.accounts[name], table.stage.folder / name) for name in MEMBERS
    }
    senders["aggregator0"].send("propose", contracts.propose(OrderId(2), payouts))
    for name in MEMBERS[1:3]:
        senders[name].send("confirm", contracts.treasury.functions.confirm(2))
    senders["aggregator0"].send("execute", contracts.execute(OrderId(2), payouts))
    for sender in senders.values():
        sender.close()
    assert told(hasty.look()) == (2, 1)
    assert told(careful.look()) == (2, 0), "that may not last"
    slow.request("anvil_reorg", 1, [])
    mine(slow, 1)
    assert told(hasty.look()) == (2, 0), "read again from the start"
    mine(slow, CONFIRMATIONS)
    assert told(careful.look()) == (2, 0)


def told(book: RewardBook) -> tuple[int, int]:
    return book.sealed, book.settled_otherwise
