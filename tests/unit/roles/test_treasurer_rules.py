"""When a member proposes, signs, refutes, and gives up on roots; and what shares add up to."""

from collections import Counter
from dataclasses import replace

import pytest
from coincurve import PrivateKey
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from offchain.errors import Rejected
from offchain.protocol.hashing import keccak
from offchain.protocol.reward_book import MOST_ORDERS, Epoch, RewardBook
from offchain.protocol.reward_root import RewardRoot, domain_separator
from offchain.protocol.settlement import Payout, payouts_hash
from offchain.protocol.signatures import compact
from offchain.roles.aggregator_rules import AdvanceEpoch, CommitteeView, MultisigView, committee_actions, order_actions
from offchain.roles.reward_shares import KEPT, Share, Shares
from offchain.roles.treasurer_rules import (
    Pace,
    TreasurerOptions,
    due_at,
    is_confirmed,
    multisig_patience,
    needs_multisig,
    next_proposal,
    proposing_slot,
    refutable,
    refute_delay,
    seat_turn,
)
from offchain.types import OrderId, Root, Seconds, Wei
from tests.simulation.evm import account

KEYS = [PrivateKey(keccak(b"member" + bytes([i]))) for i in range(5)]
MEMBERS = tuple(to_checksum_address(keccak(key.public_key.format(compressed=False)[1:])[12:]) for key in KEYS)[:4]
STRANGER = to_checksum_address(keccak(KEYS[4].public_key.format(compressed=False)[1:])[12:])
DOMAIN = domain_separator(1337, account(9))
PACE = Pace(update_seconds=100, stall_delay=5000)
OPTIONS = TreasurerOptions(patience=20, stagger=3)


def book(orders: int = 0, now: int = 1000) -> RewardBook:
    found = RewardBook()
    found.start_epoch(Epoch(1, MEMBERS, 3))
    for oid in range(1, orders + 1):
        payouts = (Payout(account(oid % 5), Wei(oid)),)
        found.seal(OrderId(oid), payouts, Wei(1))
        found.hold(oid, OrderId(oid), payouts_hash(OrderId(oid), payouts, Wei(1)), Seconds(now))
    return found


def post(found: RewardBook, up_to: int, *, false: bool = False, effective_at: int = 2000) -> None:
    cycle = found.next_cycle(up_to)
    assert cycle is not None
    steps = (*cycle.steps[:-1], keccak(b"greed")) if false else cycle.steps
    found.post(cycle.statement.at(1), steps, 0b111, Seconds(effective_at))


def slots(found: RewardBook, now: int) -> list[int | None]:
    return [proposing_slot(member, found, Seconds(now), PACE, OPTIONS) for member in MEMBERS]


# Proposing


def test_orders_gather_and_then_one_member_after_the_other_proposes() -> None:
    found = book(2)
    assert due_at(found.waiting(), PACE) == 1100
    assert slots(found, 1099) == [None] * 4
    assert slots(found, 1100) == [None, 0, None, None], "cycle 1 is the second member's turn"
    assert slots(found, 1119) == [None, 0, None, None]
    assert slots(found, 1120) == [None, None, 1, None]
    assert slots(found, 1180) == [None, 4, None, None], "and round again"
    assert proposing_slot(STRANGER, found, Seconds(1120), PACE, OPTIONS) is None


@given(now=st.integers(1100, 10**6))
def test_at_any_time_it_is_one_members_turn(now: int) -> None:
    assert Counter(slot is None for slot in slots(book(1), now)) == Counter({True: 3, False: 1})


def test_a_full_root_does_not_wait() -> None:
    found = book(MOST_ORDERS)
    assert due_at(found.waiting(), PACE) == 1000
    assert slots(found, 1000)[1] == 0


def test_nothing_is_proposed_without_need_or_sense() -> None:
    assert slots(book(), 5000) == [None] * 4
    settled = book(1)
    settled.settle(OrderId(1))
    assert slots(settled, 5000) == [None] * 4, "somebody paid it"
    suspended = book(1)
    suspended.suspend(1)
    assert slots(suspended, 5000) == [None] * 4
    false = book(2)
    post(false, 1, false=True)
    assert slots(false, 5000) == [None] * 4, "on a false root nothing can stand"
    assert next_proposal(false) is None


def test_a_proposal_covers_all_that_wait_as_far_as_a_root_carries() -> None:
    cycle = next_proposal(book(3))
    assert cycle is not None
    assert cycle.statement.up_to == 3
    full = next_proposal(book(MOST_ORDERS + 5))
    assert full is not None
    assert full.statement.up_to == MOST_ORDERS


# Signing


def test_only_what_we_compute_ourselves_is_confirmed() -> None:
    found = book(3)
    for up_to in (1, 2, 3):
        cycle = found.next_cycle(up_to)
        assert cycle is not None
        assert is_confirmed(found, cycle.statement.at(7)), "whoever saw fewer orders is right as well"
    right = cycle.statement.at(7)
    wrong = [
        replace(right, cycle=2),
        replace(right, epoch=2),
        replace(right, up_to=2),
        replace(right, up_to=4),
        replace(right, settled_otherwise=1),
        replace(right, parent=Root(keccak(b"parent"))),
        replace(right, history=keccak(b"history")),
        replace(right, root=Root(keccak(b"root"))),
    ]
    assert [is_confirmed(found, each) for each in wrong] == [False] * len(wrong)


def test_what_was_right_is_not_once_the_world_has_moved() -> None:
    statement = next_statement(book(2))
    settled, advanced, posted, suspended = book(2), book(2), book(2), book(2)
    settled.settle(OrderId(1))
    advanced.start_epoch(Epoch(2, MEMBERS, 3))
    post(posted, 2)
    suspended.suspend(1)
    for changed in (settled, advanced, posted, suspended):
        assert not is_confirmed(changed, statement)
    reorganised = RewardBook()
    reorganised.start_epoch(Epoch(1, MEMBERS, 3))
    for place, oid in enumerate((2, 1), 1):
        payouts = (Payout(account(oid % 5), Wei(oid)),)
        reorganised.seal(OrderId(oid), payouts, Wei(1))
        reorganised.hold(place, OrderId(oid), payouts_hash(OrderId(oid), payouts, Wei(1)), Seconds(0))
    assert not is_confirmed(reorganised, statement), "the same orders in another order"


def next_statement(found: RewardBook) -> RewardRoot:
    cycle = next_proposal(found)
    assert cycle is not None
    return cycle.statement.at(1)


# Refuting


def test_the_lowest_false_root_is_refuted_while_there_is_time() -> None:
    found = book(4)
    post(found, 2)
    assert refutable(found, Seconds(0)) is None
    post(found, 3, false=True, effective_at=2000)
    root = refutable(found, Seconds(1999))
    assert root is not None
    assert root.statement.cycle == 2
    assert refutable(found, Seconds(2000)) is None
    delays = [refute_delay(who, found, root, Seconds(1500), OPTIONS) for who in (*MEMBERS, STRANGER)]
    assert sorted(delays) == [0, 3, 6, 9, 12]
    assert delays[-1] == 12, "members first: their reporter's share is not paid to a stranger for nothing"
    late = [refute_delay(who, found, root, Seconds(1995), OPTIONS) for who in (*MEMBERS, STRANGER)]
    assert late == [0] * 5


# The multisig


def test_an_order_that_no_root_reaches_is_paid_by_the_multisig_after_a_while() -> None:
    held = book(1).waiting()[0]
    assert multisig_patience(4, PACE, OPTIONS) == 300
    assert not needs_multisig(held, 4, Seconds(1299), PACE, OPTIONS)
    assert needs_multisig(held, 4, Seconds(1300), PACE, OPTIONS)
    assert multisig_patience(4, Pace(100, 400), OPTIONS) == 200, "well before anybody pays directly"
    assert multisig_patience(40, PACE, OPTIONS) == 920, "every member has its turn first"
    assert multisig_patience(4, PACE, replace(OPTIONS, multisig_after=7)) == 7
    assert multisig_patience(3, PACE, OPTIONS) == 0, "three have no ledger to agree over"


def committee(now: int, **changes: object) -> CommitteeView:
    view = CommitteeView(MEMBERS[0], 1, Seconds(5000), MEMBERS, MEMBERS, 3, Wei(5), Wei(0), Seconds(now))
    return replace(view, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("who", range(4))
def test_a_suspended_epoch_is_followed_by_another_at_once(who: int) -> None:
    mine = replace(committee(0), account=MEMBERS[who], suspended=True)
    turns = [
        bool(committee_actions(replace(mine, now=Seconds(now)), stake=Wei(5), stagger=3, payment_waits=False))
        for now in range(24)
    ]
    assert turns == [now // 3 % 4 == who for now in range(24)]
    calm = replace(mine, suspended=False, now=Seconds(4999))
    assert committee_actions(calm, stake=Wei(5), stagger=3, payment_waits=False) == ()
    over = replace(calm, now=Seconds(5000 + 3 * who))
    assert committee_actions(over, stake=Wei(5), stagger=3, payment_waits=False) == (AdvanceEpoch(1),)


def test_what_a_root_covers_or_may_cover_is_left_to_it() -> None:
    from offchain.chain.views import Holding, Proposal
    from tests.unit.roles.views import view

    held = Holding(bytes(32), Wei(9), Wei(1), Seconds(1), Seconds(10**6), STRANGER, False, 1)
    sealed = view(1000, is_sealed=True)
    sight = MultisigView(held, Proposal(0, 0), False)
    mine = replace(committee(1000), account=MEMBERS[1])
    assert order_actions(sealed, mine, sight, stagger=3) != ()
    assert order_actions(sealed, mine, replace(sight, root_comes=True), stagger=3) == ()
    assert order_actions(sealed, mine, replace(sight, covered=True), stagger=3) == ()
    stalled = replace(sight, holding=replace(held, direct_at=Seconds(500)), root_comes=True)
    assert order_actions(sealed, mine, stalled, stagger=3) != (), "paying directly is open to everybody"


# Shares


def share(statement: RewardRoot, signer: int) -> Share:
    return Share(statement, compact(KEYS[signer].sign_recoverable(statement.digest(DOMAIN), hasher=None)))


def test_shares_of_members_make_a_certificate() -> None:
    statement, shares = next_statement(book(1)), Shares(DOMAIN)
    for signer in (0, 2):
        sent = share(statement, signer)
        assert Share.decode(sent.encode()) == sent
        assert shares.add(sent, MEMBERS) == MEMBERS[signer]
        assert shares.certificate(statement, 3) is None
    assert shares.add(share(statement, 4), MEMBERS) is None, "no member"
    assert shares.add(replace(share(statement, 3), signature=bytes(64)), MEMBERS) is None
    shares.add(share(statement.at(2), 3), MEMBERS)
    assert shares.certificate(statement, 3) is None, "another attempt"
    shares.add(share(statement, 1), MEMBERS)
    shares.add(share(statement, 3), MEMBERS)
    certificate = shares.certificate(statement, 3)
    assert certificate is not None
    assert len(certificate.signatures) == 3
    assert set(certificate.signatures) < set(MEMBERS)
    assert shares.equivocations == ()


def test_two_statements_under_one_number_convict() -> None:
    statement, shares = next_statement(book(1)), Shares(DOMAIN)
    other = replace(statement, root=Root(keccak(b"other")))
    shares.add(share(statement, 0), MEMBERS)
    shares.add(share(statement, 0), MEMBERS)
    assert shares.equivocations == ()
    shares.add(share(other, 0), MEMBERS)
    (caught,) = shares.equivocations
    assert (caught.signer, caught.first, caught.second) == (MEMBERS[0], share(statement, 0), share(other, 0))
    assert set(shares.of(statement)) == {MEMBERS[0]}, "the first still counts"


def test_whoever_was_slashed_once_is_caught_again_in_a_later_epoch() -> None:
    """Else a member could buy itself out for good: lose a small stake once, join anew, and equivocate at will."""
    shares = Shares(DOMAIN)
    first = next_statement(book(1))
    for statement in (first, replace(first, epoch=first.epoch + 1)):
        shares.add(share(statement, 0), MEMBERS)
        shares.add(share(replace(statement, root=Root(keccak(b"other"))), 0), MEMBERS)
    assert [caught.first.statement.epoch for caught in shares.equivocations] == [first.epoch, first.epoch + 1]


def test_a_flood_of_one_members_shares_drives_nobody_elses_out() -> None:
    statement, shares = next_statement(book(1)), Shares(DOMAIN)
    shares.add(share(statement, 1), MEMBERS)
    for attempt in range(KEPT + 10):
        shares.add(share(statement.at(attempt + 2), 0), MEMBERS)
    assert set(shares.of(statement)) == {MEMBERS[1]}
    assert set(shares.of(statement.at(KEPT + 11))) == {MEMBERS[0]}
    assert shares.of(statement.at(2)) == {}, "the oldest went"


@pytest.mark.parametrize("data", [b"", bytes(191), bytes(193)])
def test_what_is_no_share_is_refused(data: bytes) -> None:
    with pytest.raises(Rejected):
        Share.decode(data)


def test_turns_are_in_the_order_of_seats_and_strangers_come_last() -> None:
    assert [seat_turn(who, MEMBERS, 6) for who in (*MEMBERS, STRANGER)] == [2, 3, 0, 1, 4]
