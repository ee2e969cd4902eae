"""The update cycle on a real chain: agreed roots are paid out; false ones and double signatures are slashed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from eth_utils.address import to_checksum_address

from offchain.chain.rewards import Rewards
from offchain.roles.records import RootSignatureRecord
from offchain.roles.reward_adversaries import EquivocatingTreasurer, GreedyTreasurer, LonelyLiar
from offchain.roles.reward_shares import Share
from offchain.roles.settled import sealed_settlement
from offchain.roles.treasurer_rules import OrderedProposal
from offchain.types import OrderId
from tests.integration.roles.reward_stage import MEMBERS, OPTIONS, Treasury, treasury


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Treasury]:
    with treasury(tmp_path) as found:
        yield found


def claim_all(found: Treasury) -> Counter[str]:
    """Everybody claims what is effective; what each balance grew by."""
    contracts, rewards = found.stage.contracts, Rewards(found.stage.contracts)
    rewards.look()
    paid: Counter[str] = Counter()
    for name in ("provider0", "provider1", *MEMBERS):
        who = found.address(name)
        claim = rewards.book.claim_of(who, found.stage.client.now())
        if claim is not None:
            before = contracts.token_balance(who)
            with found.sender("aggregator4") as sender:
                sender.send(f"claim:{name}:{claim.cycle}", rewards.claim(claim))
            paid[who] += contracts.token_balance(who) - before
    return paid


def earned(found: Treasury, oids: list[OrderId], taxed: bool = True) -> Counter[str]:
    """What the orders' own settlements, recomputed from claims and scores, say; the tax goes in turn."""
    total: Counter[str] = Counter()
    members = found.stage.contracts.members()
    for oid in oids:
        settled = sealed_settlement(found.stage.contracts, oid)
        for payout in settled.payouts:
            total[payout.account] += payout.amount
        if taxed:
            total[members[found.stage.contracts.holding(oid).sequence % len(members)]] += settled.tax
    return total


def test_members_agree_and_everybody_is_paid_what_was_sealed(table: Treasury) -> None:
    for name in MEMBERS:
        table.seat(name)
    first = table.seal(3)
    table.turn(3)
    assert table.table.proposals == [], "the orders may gather for a while"
    table.pass_time(10)
    table.run_until(lambda: table.cycles() == 1)
    assert len(table.table.proposals) == 1
    second = table.seal(2)
    table.pass_time(10)
    table.run_until(lambda: table.cycles() == 2)
    assert claim_all(table) == earned(table, first), "the second root waits"
    table.pass_time(100)
    assert claim_all(table) == earned(table, second)
    assert claim_all(table) == Counter()
    contracts = table.stage.contracts
    for who, total in earned(table, first + second).items():
        assert Rewards(contracts).claimed(to_checksum_address(who)) == total
    assert contracts.total_held() == 0
    table.turn(2)
    posts = sum(worker.statistics["post-root"] for worker in table.workers.values())
    assert posts == 2, "each root was posted by one member"


def test_one_member_is_away_and_another_lies_and_still_all_are_paid(table: Treasury) -> None:
    for name in MEMBERS[1:]:
        table.seat(name)
    table.seat("aggregator1", LonelyLiar)
    oids = table.seal(2)
    table.run_until(lambda: table.cycles() == 1, step=10)
    assert len(table.table.proposals) >= 2, "the liar's were left alone"
    table.pass_time(100)
    assert claim_all(table) == earned(table, oids)
    assert all(table.stake(name) > 0 for name in MEMBERS)


def test_after_a_crash_a_member_signs_nothing_twice_and_goes_on(table: Treasury) -> None:
    for name in MEMBERS[:2]:
        table.seat(name)
    table.seal(1)
    table.run_until(lambda: bool(table.table.proposals), step=10)
    table.turn(2)
    assert table.cycles() == 0, "two of four are too few"
    for name in MEMBERS[:2]:
        assert table.workers[name].statistics["sign-root"] == 1
        table.seat(name)
        table.table.boxes[name].clear()
    table.seat("aggregator2")
    table.turn(3)
    assert len(table.table.proposals) == 1
    assert table.cycles() == 1, "with the signatures that were given before"
    assert [table.workers[name].statistics["sign-root"] for name in MEMBERS[:3]] == [0, 0, 1]


def test_a_ledger_that_begins_anew_gets_no_second_signature_for_a_number(table: Treasury) -> None:
    for name in MEMBERS:
        table.seat(name)
    table.table.absent.update(MEMBERS[2:])
    table.seal(1)
    table.pass_time(10)
    table.run_until(lambda: bool(table.table.proposals), step=10)
    table.turn(2)
    lost = list(table.table.proposals)
    first = table.workers["aggregator0"].statistics["sign-root"]
    assert first == 1
    table.table.proposals.clear()
    table.table.absent.clear()
    table.seal(1)
    table.run_until(lambda: table.cycles() == 1, step=10)
    attempts = {proposal.attempt: proposal.body for proposal in table.table.proposals}
    assert attempts[1] != lost[0].body, "the number was given twice"
    assert not any(worker.statistics["slash-equivocation"] for worker in table.workers.values())
    assert all(table.stake(name) > 0 for name in MEMBERS)


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("point", ["record:root-signature", "recorded:root-signature"])
def test_a_crash_around_the_signature_never_makes_two(table: Treasury, point: str) -> None:
    def die(boundary: str) -> None:
        if boundary == point:
            raise Killed

    mortal, witness = "aggregator0", "aggregator1"
    table.seat(mortal, boundary=die)
    table.seat(witness)
    table.seal(1)
    with pytest.raises(Killed):
        table.run_until(lambda: False, step=10)
    (first,) = table.table.proposals
    assert table.table.boxes[witness] == [], "nothing was sent"
    table.seat(mortal)
    table.rise(witness)
    table.table.boxes[witness].clear()
    table.seal(1)
    cycle = table.workers[mortal].treasurer.rewards.look().next_cycle(2)
    assert cycle is not None
    table.table.proposals[:] = [OrderedProposal(first.attempt, cycle.statement.body)]
    table.turn(3)
    sent = {Share.decode(data).statement.body for data in table.table.boxes[witness]}
    (record,) = table.workers[mortal].context.journal.all(RootSignatureRecord)
    if point.startswith("recorded"):
        assert (sent, record.body) == (set(), first.body), "it has signed another statement under this number"
    else:
        assert (sent, record.body) == ({cycle.statement.body}, cycle.statement.body), "it had signed nothing"


def test_an_order_settled_otherwise_meanwhile_means_another_attempt(table: Treasury) -> None:
    for name in MEMBERS:
        table.seat(name)
    oids = table.seal(2)
    table.table.absent.update(MEMBERS[2:])
    table.run_until(lambda: bool(table.table.proposals), step=10)
    table.turn(2)
    contracts = table.stage.contracts
    payouts = sealed_settlement(contracts, oids[0]).payouts
    for name, call in (
        ("aggregator0", contracts.propose(oids[0], payouts)),
        ("aggregator1", contracts.treasury.functions.confirm(oids[0])),
        ("aggregator2", contracts.treasury.functions.confirm(oids[0])),
        ("aggregator3", contracts.execute(oids[0], payouts)),
    ):
        with table.sender(name) as sender:
            sender.send(f"multisig:{name}", call)
    table.table.absent.clear()
    table.run_until(lambda: table.cycles() == 1, step=10)
    assert len(table.table.proposals) >= 2
    table.pass_time(100)
    assert claim_all(table) == earned(table, oids[1:])
    assert contracts.credited(table.address("provider0")) == payouts[0].amount


def test_a_false_root_falls_in_one_transaction_and_takes_its_signers_stakes(table: Treasury) -> None:
    for name in MEMBERS[:3]:
        table.seat(name, GreedyTreasurer).treasurer.thief = table.address("aggregator0")
    oids = table.seal(3)
    table.run_until(lambda: table.cycles() == 1, step=10)
    honest = table.seat("aggregator3")
    assert table.stake("aggregator0") > 0
    supply = table.stage.contracts.token_supply()
    table.run_until(lambda: table.cycles() == 0)
    honest.tick()
    assert honest.statistics["refute-root"] == 1
    assert [table.stake(name) for name in MEMBERS[:3]] == [0, 0, 0]
    assert table.stake("aggregator3") > 0
    assert table.stage.contracts.token_supply() < supply, "what the reporter does not get is burned"
    assert Rewards(table.stage.contracts).is_suspended()
    for name in MEMBERS[:3]:
        table.rise(name)
    table.seat("aggregator4")
    table.advance_epoch()
    table.run_until(lambda: table.cycles() == 1, step=10)
    table.pass_time(100)
    paid, expected = claim_all(table), earned(table, oids, taxed=False)
    assert {who: paid[who] for who in expected} == dict(expected)


def test_a_false_root_falls_in_the_next_epoch_too(table: Treasury) -> None:
    thief = table.address("aggregator4")
    for name in MEMBERS[:3]:
        table.seat(name, GreedyTreasurer).treasurer.thief = thief
    table.seal(1)
    table.run_until(lambda: table.cycles() == 1, step=10)
    honest = table.seat("aggregator3")
    table.run_until(lambda: table.cycles() == 0)
    for name in MEMBERS[:3]:
        table.rise(name)
    # The next committee is the honest one and the one from the bench, and both must sign: here both turn liars, until
    # the first turns honest again.
    table.rise("aggregator3")
    table.advance_epoch()
    for name in ("aggregator3", "aggregator4"):
        table.seat(name, GreedyTreasurer, memory="greedy").treasurer.thief = thief
    table.run_until(lambda: table.cycles() == 1, step=10)
    assert honest.statistics["false-root"] == 1
    for name in ("aggregator3", "aggregator4"):
        table.rise(name)
    table.seat("aggregator3")
    table.run_until(lambda: table.cycles() == 0)
    assert table.stake("aggregator3") == 0, "it took down what it had signed itself"


def test_who_signs_two_roots_under_one_number_is_slashed(table: Treasury) -> None:
    table.seat("aggregator0", EquivocatingTreasurer)
    for name in MEMBERS[1:]:
        table.seat(name)
    oids = table.seal(1)
    table.run_until(lambda: table.stake("aggregator0") == 0, step=10)
    assert all(table.stake(name) > 0 for name in MEMBERS[1:])
    table.advance_epoch()
    for name in MEMBERS:
        table.rise(name)
    for name in (*MEMBERS[1:], "aggregator4"):
        table.seat(name)
    table.run_until(lambda: table.cycles() >= 1, step=10)
    table.pass_time(100)
    paid, expected = claim_all(table), earned(table, oids, taxed=False)
    assert {who: paid[who] for who in expected} == dict(expected)


def test_a_member_that_cannot_post_leaves_it_to_the_next(table: Treasury) -> None:
    slow = replace(OPTIONS, stagger=10_000)
    for name in MEMBERS:
        table.seat(name, options=slow if name != "aggregator2" else OPTIONS)
    table.seal(1)
    table.run_until(lambda: table.cycles() == 1, step=10)
