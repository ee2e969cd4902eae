"""The tree of rewards against a naive one, its proofs and its witnesses."""

from collections import Counter

import pytest
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak as slow_keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Bug
from offchain.protocol.hashing import keccak
from offchain.protocol.reward_tree import NO_WITNESS, NOBODY, Leaf, RewardTree, State, Witness, depth_of, root_from
from offchain.types import Root, Wei

ACCOUNTS = [to_checksum_address(keccak(bytes([i]))[12:]) for i in range(40)]
LOWEST, HIGHEST = to_checksum_address((1).to_bytes(20, "big")), to_checksum_address(b"\xff" * 20)
accounts = st.sampled_from([*ACCOUNTS, LOWEST, HIGHEST, NOBODY])
credits = st.lists(st.tuples(accounts, st.integers(0, 2**96)), max_size=60)


def naive(rows: list[tuple[str, int]]) -> State:
    """The state computed from its definition, all at once."""
    totals: Counter[str] = Counter()
    for account, amount in rows:
        if amount and account != NOBODY:
            totals[account] += amount
    ordered = sorted([NOBODY, *totals], key=lambda account: int(account, 16))
    following = dict(zip(ordered, [*ordered[1:], NOBODY], strict=True))
    level = [
        slow_keccak(slow_keccak(encode(["address", "address", "uint256"], [account, following[account], total])))
        for account, total in [(NOBODY, 0), *totals.items()]
    ]
    count = len(level)
    level += [bytes(32)] * ((1 << (count - 1).bit_length()) - count)
    while len(level) > 1:
        level = [slow_keccak(level[i] + level[i + 1]) for i in range(0, len(level), 2)]
    return State(Root(level[0]), count, Wei(sum(totals.values())))


def follow(state: State, account: str, amount: int, witness: Witness) -> State:
    """The state after a credit, by nothing but its witness; what the contract does."""
    assert len(witness.proof) == depth_of(state.count)
    assert root_from(witness.leaf.hash, witness.index, witness.proof) == state.accounts_root
    total = Wei(state.total + amount)
    low = witness.leaf
    if low.account == account:
        changed = Leaf(account, low.next, Wei(low.total + amount))
        return State(root_from(changed.hash, witness.index, witness.proof), state.count, total)
    assert int(low.account, 16) < int(account, 16)
    assert low.next == NOBODY or int(account, 16) < int(low.next, 16)
    root = root_from(Leaf(low.account, account, low.total).hash, witness.index, witness.proof)
    if depth_of(state.count + 1) > depth_of(state.count):
        beside = bytes(32)
        for _ in range(depth_of(state.count)):
            beside = keccak(beside + beside)
        root = Root(keccak(root + beside))
    assert root_from(bytes(32), state.count, witness.appended) == root
    grown = root_from(Leaf(account, low.next, Wei(amount)).hash, state.count, witness.appended)
    return State(grown, state.count + 1, total)


def test_the_empty_tree_has_the_leaf_of_nobody() -> None:
    tree = RewardTree()
    leaf = slow_keccak(slow_keccak(encode(["address", "address", "uint256"], [NOBODY, NOBODY, 0])))
    assert tree.state == State(Root(leaf), 1, Wei(0)) == naive([])
    assert tree.state_hash == slow_keccak(encode(["bytes32", "uint256", "uint256"], [leaf, 1, 0]))
    assert tree.prove(0) == ()


def test_vector() -> None:
    """Fixed, so that no change of both sides at once goes unseen."""
    tree = RewardTree()
    for place, account in enumerate([ACCOUNTS[0], ACCOUNTS[1], LOWEST, ACCOUNTS[0], HIGHEST]):
        tree.credit(account, Wei(10**18 + place))
    assert len(tree) == 5
    assert tree.total_of(ACCOUNTS[0]) == 2 * 10**18 + 3
    assert tree.state_hash.hex() == "60fe6fa593b80cefbff3b03062f047606cec9b28396720377dee64e253984787"


@settings(max_examples=150, deadline=None)
@given(rows=credits)
def test_credits_add_up_and_every_witness_leads_to_the_next_state(rows: list[tuple[str, int]]) -> None:
    tree = RewardTree()
    for account, amount in rows:
        before = tree.state
        witness = tree.credit(account, Wei(amount))
        if amount == 0 or account == NOBODY:
            assert witness == NO_WITNESS
            assert tree.state == before
        else:
            assert tree.state == follow(before, account, amount, witness)
    assert tree.state == naive(rows)
    chain, leaf = [], tree.leaf(0)
    while leaf.next != NOBODY:
        chain.append(leaf.next)
        leaf = tree.leaf(tree.index_of(leaf.next) or 0)
    assert chain == sorted({account for account, amount in rows if amount} - {NOBODY}, key=lambda a: int(a, 16))


@settings(max_examples=30, deadline=None)
@given(rows=credits, more=credits)
def test_a_copy_goes_its_own_way(rows: list[tuple[str, int]], more: list[tuple[str, int]]) -> None:
    tree = RewardTree()
    for account, amount in rows:
        tree.credit(account, Wei(amount))
    other = tree.copy()
    for account, amount in more:
        other.credit(account, Wei(amount))
    assert tree.state == naive(rows)
    assert other.state == naive(rows + more)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9, 33])
def test_proofs_lead_from_every_leaf_to_the_root_and_from_no_other(count: int) -> None:
    tree = RewardTree()
    for place in range(count - 1):
        tree.credit(ACCOUNTS[place], Wei(place + 1))
    for index in range(count):
        proof = tree.prove(index)
        assert len(proof) == depth_of(count)
        assert root_from(tree.leaf(index).hash, index, proof) == tree.state.accounts_root
        richer = Leaf(tree.leaf(index).account, tree.leaf(index).next, Wei(tree.leaf(index).total + 1))
        assert root_from(richer.hash, index, proof) != tree.state.accounts_root
    with pytest.raises(Bug):
        tree.prove(count)


def test_addresses_are_one_however_they_are_written() -> None:
    tree = RewardTree()
    tree.credit(ACCOUNTS[3], Wei(5))
    tree.credit(ACCOUNTS[3].lower(), Wei(6))  # type: ignore[arg-type]
    assert len(tree) == 2
    assert tree.total_of(ACCOUNTS[3]) == 11


def test_a_negative_credit_is_a_bug() -> None:
    with pytest.raises(Bug):
        RewardTree().credit(ACCOUNTS[0], Wei(-1))
