"""The book of rewards: what it makes of stories that a chain could tell."""

from dataclasses import replace

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Bug
from offchain.protocol.hashing import keccak
from offchain.protocol.reward_book import MOST_ORDERS, Epoch, RewardBook
from offchain.protocol.reward_cycle import NO_PARENT, Cycle, build_cycle
from offchain.protocol.settlement import Payout, payouts_hash
from offchain.types import OrderId, Seconds, Wei

MEMBERS = tuple(to_checksum_address(keccak(b"member" + bytes([i]))[12:]) for i in range(4))
WORKERS = tuple(to_checksum_address(keccak(b"worker" + bytes([i]))[12:]) for i in range(5))
WINDOW = 100


def seal(book: RewardBook, oid: int, now: int = 0) -> None:
    """Order `oid` is sealed; worker oid mod 5 earns 100 · oid, the tax is oid."""
    payouts = (Payout(WORKERS[oid % 5], Wei(100 * oid)),)
    book.seal(OrderId(oid), payouts, Wei(oid))
    book.hold(book.sealed + 1, OrderId(oid), payouts_hash(OrderId(oid), payouts, Wei(oid)), Seconds(now))


def begun(orders: int = 0) -> RewardBook:
    book = RewardBook()
    book.start_epoch(Epoch(1, MEMBERS, 3))
    for oid in range(1, orders + 1):
        seal(book, oid, now=oid)
    return book


def post(book: RewardBook, up_to: int, now: int = 0) -> Cycle:
    cycle = book.next_cycle(up_to)
    assert cycle is not None
    book.post(cycle.statement.at(up_to), cycle.steps, 0b111, Seconds(now + WINDOW))
    return cycle


def post_false(book: RewardBook, up_to: int, step: int) -> None:
    cycle = book.next_cycle(up_to)
    assert cycle is not None
    steps = (*cycle.steps[:step], keccak(b"greed"), *cycle.steps[step + 1 :])
    book.post(replace(cycle.statement, root=cycle.statement.parent), steps, 0b111, Seconds(WINDOW))


def test_before_anything_there_is_nothing_to_say() -> None:
    book = RewardBook()
    assert (book.epoch, book.sealed, book.covered, book.waiting()) == (None, 0, 0, ())
    assert book.tip is not None
    assert (book.tip.cycle, book.tip.root) == (0, NO_PARENT)
    assert book.next_cycle(1) is None
    seal(book, 1)
    assert book.next_cycle(1) is None, "no committee"
    book.start_epoch(Epoch(1, MEMBERS, 3))
    assert book.next_cycle(1) is not None
    assert book.next_cycle(0) is book.next_cycle(2) is None


def test_orders_that_are_sealed_with_other_payouts_are_a_bug() -> None:
    book = begun()
    book.seal(OrderId(1), (Payout(WORKERS[0], Wei(5)),), Wei(0))
    with pytest.raises(Bug):
        book.hold(1, OrderId(1), bytes(32), Seconds(0))
    with pytest.raises(Bug):
        book.hold(2, OrderId(2), payouts_hash(OrderId(2), (), Wei(0)), Seconds(0))


def test_refunded_orders_have_no_place() -> None:
    book = begun()
    book.seal(OrderId(7), (Payout(WORKERS[0], Wei(5)),), Wei(0))
    book.refund(OrderId(7))
    seal(book, 9)
    assert book.place_of(OrderId(7)) is None
    assert book.place_of(OrderId(9)) == 1


def test_accounts_claim_what_is_effective_and_wait_for_the_rest() -> None:
    book = begun(4)
    first = post(book, 2, now=0)
    second = post(book, 4, now=50)
    assert [root.is_right for root in book.standing] == [True, True]
    worker = WORKERS[1]
    assert book.earned(worker) == 100
    assert book.claim_of(worker, Seconds(WINDOW - 1)) is None
    claim = book.claim_of(worker, Seconds(WINDOW))
    assert claim is not None
    assert (claim.cycle, claim.leaf.total, claim.count) == (1, 100, first.state.count)
    assert book.claim_of(WORKERS[3], Seconds(WINDOW)) is None, "earned in the second cycle"
    later = book.claim_of(WORKERS[3], Seconds(WINDOW + 50))
    assert later is not None
    assert (later.cycle, later.leaf.total, later.state_total) == (2, 300, second.state.total)
    book.claim(worker, Wei(100))
    assert book.claim_of(worker, Seconds(WINDOW + 50)) is None


def test_orders_settled_otherwise_earn_nothing_in_a_root() -> None:
    book = begun(3)
    before = book.next_cycle(3)
    book.settle(OrderId(2))
    after = book.next_cycle(3)
    assert before is not None
    assert after is not None
    assert after.statement.settled_otherwise == 1
    assert after.statement.root != before.statement.root
    assert after.tree.total_of(WORKERS[2]) == 0
    assert [order.oid for order in book.waiting()] == [1, 3]
    book.settle(OrderId(1))
    book.settle(OrderId(3))
    assert book.waiting() == (), "nothing left to post a root for"


def test_an_order_that_was_settled_after_the_root_below_changes_nothing_in_it() -> None:
    book = begun(2)
    post(book, 1)
    book.settle(OrderId(2))
    assert book.standing[0].is_right
    seal(book, 3)
    cycle = book.next_cycle(3)
    assert cycle is not None
    assert cycle.tree.total_of(WORKERS[2]) == 0
    assert cycle.tree.total_of(WORKERS[1]) == 100


@settings(max_examples=15, deadline=None)
@given(step=st.integers(0, 4))
def test_a_false_root_is_known_at_once_and_falls_with_all_on_top(step: int) -> None:
    book = begun(8)
    post(book, 2)
    post_false(book, 7, step)
    false = book.standing[1]
    assert (false.false_step, false.is_right, book.tip) == (step, False, None)
    assert book.next_cycle(8) is None
    refutation = book.refutation_of(false)
    assert refutation is not None
    assert (refutation.cycle, refutation.step, refutation.oid) == (2, step, 3 + step)
    expected = book.standing[0].steps[-1] if step == 0 else false.steps[step - 1]
    assert refutation.previous.hash == expected
    book.post(replace(false.statement, cycle=3, up_to=8), (bytes(32),), 7, Seconds(WINDOW))
    assert book.refutation_of(book.standing[2]) is None, "it falls with the one below"
    assert book.earned(WORKERS[1]) == 100
    book.fall(2)
    assert book.covered == 2
    assert post(book, 8).statement.cycle == 2


def test_what_is_long_effective_is_forgotten_and_nothing_is_lost() -> None:
    book, other = begun(), begun()
    for oid in range(1, 30):
        for each in (book, other):
            seal(each, oid, now=oid * 10)
        if oid % 3 == 0:
            assert post(book, oid, now=oid * 10).statement == post(other, oid, now=oid * 10).statement
        book.forget(Seconds(oid * 10))
    now = Seconds(290)
    assert len(other.standing) == 9
    assert len(book.standing) == 4, "the latest effective one, and those that wait"
    for worker in WORKERS:
        assert book.earned(worker) == other.earned(worker)
        assert book.claim_of(worker, now) == other.claim_of(worker, now)
    assert book.tip is not None
    assert other.tip is not None
    assert book.tip.root == other.tip.root
    assert book.covered == other.covered == 27


def test_a_root_covers_so_many_orders_and_no_more() -> None:
    book = begun(MOST_ORDERS + 1)
    assert book.next_cycle(MOST_ORDERS) is not None
    assert book.next_cycle(MOST_ORDERS + 1) is None


def test_a_new_committee_signs_for_itself() -> None:
    book = begun(2)
    first = book.next_cycle(2)
    book.suspend(1)
    assert book.is_suspended(1)
    book.start_epoch(Epoch(2, MEMBERS[:3], 3))
    second = book.next_cycle(2)
    assert first is not None
    assert second is not None
    assert (second.statement.epoch, book.is_suspended(2)) == (2, False)
    assert second.tree.total_of(MEMBERS[2]) == 2, "turns among three now"


@settings(max_examples=40, deadline=None)
@given(
    story=st.lists(st.sampled_from(["seal", "seal", "settle", "post", "false", "fall", "epoch", "look"]), max_size=25)
)
def test_whatever_happened_what_is_confirmed_is_what_one_computation_says(
    story: list[str],
) -> None:
    book = begun()
    for place, what in enumerate(story, 1):
        match what:
            case "seal":
                seal(book, book.sealed + 1)
            case "settle" if book.waiting():
                book.settle(book.waiting()[place % len(book.waiting())].oid)
            case "post" | "false" if book.next_cycle(book.sealed) is not None:
                if what == "post":
                    post(book, book.sealed)
                else:
                    post_false(book, book.sealed, 0)
            case "fall" if book.tip is None:
                book.fall(next(root.statement.cycle for root in book.standing if not root.is_right))
            case "epoch":
                book.start_epoch(Epoch(place + 1, MEMBERS[place % 4 :] + MEMBERS[: place % 4], 3))
        tip, epoch = book.tip, book.epoch
        assert epoch is not None
        for up_to in range(1, book.sealed + 1):
            said = book.next_cycle(up_to)
            if tip is None or up_to <= tip.up_to:
                assert said is None
                continue
            orders = book.orders_after(tip, up_to)
            otherwise = book.settled_otherwise
            right = build_cycle(tip, orders, epoch.members, epoch=epoch.number, settled_otherwise=otherwise)
            assert book.confirms(right.statement.at(place))
            assert not book.confirms(replace(right.statement, root=keccak(right.statement.root)))
            assert said is not None
            assert (said.statement, said.steps, said.state) == (right.statement, right.steps, right.state)
