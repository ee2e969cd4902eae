"""Statements, signatures, histories and cycles."""

from dataclasses import replace

import pytest
from coincurve import PrivateKey
from coincurve.utils import GROUP_ORDER_INT
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Bug, Rejected
from offchain.protocol.reward_cycle import (
    NO_HISTORY,
    Before,
    SealedOrder,
    build_cycle,
    extend_history,
    find_false_step,
    genesis,
    refute,
    root_of,
)
from offchain.protocol.reward_root import RewardRoot, domain_separator, recover, seats_of
from offchain.protocol.settlement import Payout, payouts_hash
from offchain.protocol.signatures import compact
from offchain.types import OrderId, Root, Wei

COMMITTEE = to_checksum_address(keccak(b"committee")[12:])
KEYS = [PrivateKey(keccak(bytes([i]))) for i in range(4)]
MEMBERS = [Account.from_key(key.secret).address for key in KEYS]
WORKERS = [to_checksum_address(keccak(b"worker" + bytes([i]))[12:]) for i in range(8)]
words = st.binary(min_size=32, max_size=32)
uint64s = st.integers(0, 2**64 - 1)
uint32s = st.integers(0, 2**32 - 1)
statements = st.builds(
    RewardRoot,
    cycle=uint64s,
    epoch=uint64s,
    attempt=uint64s,
    up_to=uint32s,
    settled_otherwise=uint32s,
    parent=words,
    history=words,
    root=words,
)


def orders(count: int, start: int = 1) -> list[SealedOrder]:
    found = []
    for q in range(start, start + count):
        payouts = tuple(Payout(WORKERS[(q * k) % 8], Wei(1000 * q + k)) for k in range(1, 4))
        found.append(SealedOrder(q, OrderId(q + 10), payouts, Wei(7 * q)))
    return found


def typed(statement: RewardRoot) -> dict[str, object]:
    """The statement as wallets and eth_account see it."""
    numbers = {"cycle": 64, "epoch": 64, "attempt": 64, "upTo": 32, "settledOtherwise": 32}
    fields = [{"name": name, "type": f"uint{bits}"} for name, bits in numbers.items()]
    fields += [{"name": name, "type": "bytes32"} for name in ("parent", "history", "root")]
    domain = [("name", "string"), ("version", "string"), ("chainId", "uint256"), ("verifyingContract", "address")]
    return {
        "types": {"EIP712Domain": [{"name": n, "type": t} for n, t in domain], "RewardRoot": fields},
        "primaryType": "RewardRoot",
        "domain": {"name": "Assay", "version": "1", "chainId": 56, "verifyingContract": COMMITTEE},
        "message": {
            "cycle": statement.cycle,
            "epoch": statement.epoch,
            "attempt": statement.attempt,
            "upTo": statement.up_to,
            "settledOtherwise": statement.settled_otherwise,
            "parent": statement.parent,
            "history": statement.history,
            "root": statement.root,
        },
    }


def root_hash(state_hash: bytes, steps: bytes) -> bytes:
    return keccak(encode(["bytes32", "bytes32"], [state_hash, steps]))


@settings(max_examples=25, deadline=None)
@given(statement=statements, signer=st.integers(0, 3))
def test_members_sign_what_a_library_of_eip_712_signs(statement: RewardRoot, signer: int) -> None:
    signed = Account.sign_message(encode_typed_data(full_message=typed(statement)), KEYS[signer].secret)
    digest = statement.digest(domain_separator(56, COMMITTEE))
    assert signed.message_hash == digest
    ours = compact(KEYS[signer].sign_recoverable(digest, hasher=None))
    assert ours == compact(bytes(signed.signature))
    assert recover(digest, ours) == MEMBERS[signer]
    assert recover(statement.at(statement.attempt ^ 1).digest(domain_separator(56, COMMITTEE)), ours) != MEMBERS[signer]
    assert recover(statement.digest(domain_separator(97, COMMITTEE)), ours) != MEMBERS[signer]


def test_what_is_no_signature_has_no_signer() -> None:
    digest = keccak(b"digest")
    signature = compact(KEYS[0].sign_recoverable(digest, hasher=None))
    high = signature[:32] + (GROUP_ORDER_INT // 2 + 1).to_bytes(32, "big")
    for wrong in (b"", signature[:63], signature + b"\0", bytes(64), b"\xff" * 64, high):
        assert recover(digest, wrong) is None
    with pytest.raises(Bug):
        compact(bytes(32) + b"\x7f" + b"\xff" * 31 + b"\x00")


@settings(max_examples=50, deadline=None)
@given(statement=statements)
def test_a_body_says_all_but_the_attempt(statement: RewardRoot) -> None:
    assert RewardRoot.from_body(statement.body, statement.attempt) == statement
    with pytest.raises(Rejected):
        RewardRoot.from_body(statement.body + b"\0")


def test_history_is_a_chain_of_hashes() -> None:
    first, second = orders(2)
    a, b = (payouts_hash(order.oid, order.payouts, order.tax) for order in (first, second))
    one = keccak(encode(["bytes32", "uint256", "bytes32"], [bytes(32), first.oid, a]))
    two = keccak(encode(["bytes32", "uint256", "bytes32"], [one, second.oid, b]))
    assert extend_history(extend_history(NO_HISTORY, first.oid, a), second.oid, b) == two
    cycle = build_cycle(genesis(), [first, second], MEMBERS, epoch=1, settled_otherwise=0)
    assert cycle.statement.history == two


def test_a_cycle_credits_payouts_and_taxes_in_turn() -> None:
    some = orders(6)
    some[2] = replace(some[2], settled_otherwise=True)
    cycle = build_cycle(genesis(), some, MEMBERS, epoch=3, settled_otherwise=1)
    earned = dict.fromkeys(WORKERS, 0)
    for order in some:
        if not order.settled_otherwise:
            for payout in order.payouts:
                earned[payout.account] += payout.amount
    assert {worker: cycle.tree.total_of(worker) for worker in WORKERS} == earned
    taxes = {1: 7 * (1 + 5), 2: 7 * (2 + 6), 3: 0, 0: 7 * 4}
    assert {seat: cycle.tree.total_of(member) for seat, member in enumerate(MEMBERS)} == taxes
    assert cycle.state.total == sum(earned.values()) + sum(taxes.values())
    assert cycle.steps[2] == cycle.steps[1]
    assert cycle.statement.root == root_of(cycle.steps)
    assert cycle.statement.root == root_hash(cycle.state.hash, keccak(b"".join(cycle.steps)))
    assert (cycle.statement.cycle, cycle.statement.up_to, cycle.statement.parent) == (1, 6, bytes(32))


@settings(max_examples=20, deadline=None)
@given(cut=st.integers(1, 11))
def test_one_cycle_or_two_lead_to_the_same_state(cut: int) -> None:
    some = orders(12)
    whole = build_cycle(genesis(), some, MEMBERS, epoch=1, settled_otherwise=0)
    first = build_cycle(genesis(), some[:cut], MEMBERS, epoch=1, settled_otherwise=0)
    second = build_cycle(first.after(), some[cut:], MEMBERS, epoch=1, settled_otherwise=0)
    assert first.steps + second.steps == whole.steps
    assert second.state == whole.state
    assert second.statement.history == whole.statement.history
    assert (second.statement.cycle, second.statement.parent) == (2, first.statement.root)


def test_a_cycle_wants_the_orders_that_follow() -> None:
    for wrong in ([], orders(2, start=2), [*orders(1), *orders(1, start=3)]):
        with pytest.raises(Bug):
            build_cycle(genesis(), wrong, MEMBERS, epoch=1, settled_otherwise=0)


def test_the_first_false_step_is_found_and_has_a_right_state_before_it() -> None:
    some = orders(5)
    start = build_cycle(genesis(), orders(3), MEMBERS, epoch=1, settled_otherwise=0).after()
    some = orders(5, start=4)
    right = build_cycle(start, some, MEMBERS, epoch=1, settled_otherwise=0)
    assert find_false_step(right.steps, right.steps) is None
    for step in range(5):
        greedy = [*some]
        greedy[step] = replace(some[step], payouts=(Payout(MEMBERS[0], Wei(10**9)), *some[step].payouts[1:]))
        false = build_cycle(start, greedy, MEMBERS, epoch=1, settled_otherwise=0)
        assert find_false_step(false.steps, right.steps) == step
        refutation = refute(start, some, MEMBERS, false.steps, step)
        assert refutation.previous.hash == (start.tree.state_hash if step == 0 else false.steps[step - 1])
        assert (refutation.cycle, refutation.parent, refutation.oid) == (2, start.tree.state, some[step].oid)
        assert root_hash(refutation.parent.hash, refutation.parent_steps_hash) == start.root
        assert len(refutation.credits) == 4
    with pytest.raises(Bug):
        find_false_step(right.steps[:4], right.steps)


def test_building_leaves_the_start_alone() -> None:
    start = build_cycle(genesis(), orders(3), MEMBERS, epoch=1, settled_otherwise=0).after()
    state = start.tree.state
    build_cycle(start, orders(2, start=4), MEMBERS, epoch=2, settled_otherwise=0)
    refute(start, orders(2, start=4), MEMBERS, [b"", b""], 1)
    assert start.tree.state == state
    assert isinstance(start, Before)


def test_seats_are_bits_and_signatures_in_their_order() -> None:
    given_by = {MEMBERS[2]: b"c" * 64, MEMBERS[0]: b"a" * 64, WORKERS[0]: b"x" * 64}
    assert seats_of(MEMBERS, given_by) == (0b101, b"a" * 64 + b"c" * 64)


def test_vector() -> None:
    """Fixed, so that no change of both sides at once goes unseen."""
    cycle = build_cycle(genesis(), orders(4), MEMBERS, epoch=1, settled_otherwise=0)
    assert cycle.statement.root.hex() == "89c3a2cf043a5e126cf56267083f77edf68e16bea3aee4a5fcf0ecbf62a17dad"
    assert cycle.statement.history.hex() == "909c4908561cafd5c3203d76a527db828a92aacb6faa09fa3d02777af404e097"
    assert (
        cycle.statement.at(9).digest(domain_separator(1337, COMMITTEE)).hex()
        == "ddd305bf9d5fecdec0e4c3c7e619469246213cf90bbc8282df6eca8ef898acf5"
    )
    assert Root(cycle.statement.root) != cycle.state.accounts_root
