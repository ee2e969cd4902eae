"""The Merkle tree of what accounts have earned by roots (docs/rewards.md, The tree); twin of `RewardTrees.sol`.

A leaf names the account that follows in numeric order, so that one leaf proves another account's absence.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, replace

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from offchain.errors import Bug
from offchain.protocol.hashing import keccak
from offchain.types import Root, Wei

NOBODY: ChecksumAddress = to_checksum_address(bytes(20))
"""The account of leaf 0, and what follows the largest account."""

_EMPTY = bytes(32)
_PAD = bytes(12)


@dataclass(frozen=True, slots=True)
class State:
    """A tree in short: its root, how many leaves it has (leaf 0 included), and the sum of their totals in wei."""

    accounts_root: Root
    count: int
    total: Wei

    @property
    def hash(self) -> bytes:
        """keccak256(abi.encode(accountsRoot, count, total))."""
        return keccak(self.accounts_root + self.count.to_bytes(32, "big") + self.total.to_bytes(32, "big"))


@dataclass(frozen=True, slots=True)
class Leaf:
    """All that `account` ever earned through roots, in wei, and the account that follows it."""

    account: ChecksumAddress
    next: ChecksumAddress
    total: Wei

    @property
    def hash(self) -> bytes:
        """keccak256(keccak256(abi.encode(account, next, total))): twice, so that no node can pass for a leaf."""
        return keccak(keccak(_PAD + _raw(self.account) + _PAD + _raw(self.next) + self.total.to_bytes(32, "big")))


@dataclass(frozen=True, slots=True)
class Witness:
    """What of the tree before a credit shows where it leads; the contract's `RewardCredit`.

    `leaf` at `index` with `proof` is the account's own leaf, or its low leaf when it has none; `appended` is then the
    proof of the new leaf's place, after the low leaf was changed, and else empty.
    """

    leaf: Leaf
    index: int
    proof: tuple[bytes, ...]
    appended: tuple[bytes, ...] = ()


NO_WITNESS = Witness(Leaf(NOBODY, NOBODY, Wei(0)), 0, ())
"""Stands where nothing is credited."""


class RewardTree:
    """Leaves in the order in which accounts first earned. `credit` changes the tree; `copy` is cheap (50 bytes a leaf).

    Memory: about 400 bytes a leaf.
    """

    def __init__(self) -> None:
        first = Leaf(NOBODY, NOBODY, Wei(0))
        self._leaves = [first]
        self._levels = [[first.hash]]
        self._places = {_raw(NOBODY): 0}
        self._sorted = [_raw(NOBODY)]
        self._total = 0

    def copy(self) -> "RewardTree":
        """A tree of its own, which begins as this one."""
        other = RewardTree.__new__(RewardTree)
        other._leaves = self._leaves.copy()
        other._levels = [level.copy() for level in self._levels]
        other._places = self._places.copy()
        other._sorted = self._sorted.copy()
        other._total = self._total
        return other

    @property
    def state(self) -> State:
        """Root, count and total."""
        return State(Root(self._levels[-1][0]), len(self._leaves), Wei(self._total))

    @property
    def state_hash(self) -> bytes:
        """The hash of `state`, 32 bytes."""
        return self.state.hash

    @property
    def leaves(self) -> Sequence[Leaf]:
        """All leaves by index."""
        return tuple(self._leaves)

    def __len__(self) -> int:
        return len(self._leaves)

    def index_of(self, account: ChecksumAddress) -> int | None:
        """Where the account's leaf is; None when it has none."""
        return self._places.get(_raw(account))

    def leaf(self, index: int) -> Leaf:
        """The leaf at `index`."""
        return self._leaves[index]

    def total_of(self, account: ChecksumAddress) -> Wei:
        """What the account has earned, in wei."""
        index = self.index_of(account)
        return Wei(0) if index is None else self._leaves[index].total

    def prove(self, index: int) -> tuple[bytes, ...]:
        """The siblings from the leaf at `index` up to the root, 32 bytes each; `depth_of(count)` of them."""
        if not 0 <= index < len(self._leaves):
            raise Bug(f"leaf {index} of {len(self._leaves)}")
        return self._siblings(index)

    def credit(self, account: ChecksumAddress, amount: Wei) -> Witness:
        """Adds `amount` wei to what the account has earned; the witness is of the tree before.

        NO_WITNESS, and nothing has changed, for an amount of 0 or the zero address. Raises Bug for a negative amount.
        """
        if amount < 0:
            raise Bug(f"a credit of {amount}")
        raw = _raw(account)
        if amount == 0 or not any(raw):
            return NO_WITNESS
        self._total += amount
        index = self._places.get(raw)
        if index is None:
            return self._append(raw, account, amount)
        leaf = self._leaves[index]
        witness = Witness(leaf, index, self._siblings(index))
        self._put(index, replace(leaf, total=Wei(leaf.total + amount)))
        return witness

    def _append(self, raw: bytes, account: ChecksumAddress, amount: Wei) -> Witness:
        low = self._places[self._sorted[bisect_left(self._sorted, raw) - 1]]
        before = self._leaves[low]
        proof = self._siblings(low)
        self._put(low, replace(before, next=account))
        index = len(self._leaves)
        if index == 1 << (len(self._levels) - 1):
            self._levels.append([keccak(self._levels[-1][0] + _EMPTIES[len(self._levels) - 1])])
        appended = self._siblings(index)
        self._leaves.append(before)  # makes the place that is filled next
        self._places[raw] = index
        insort(self._sorted, raw)
        self._put(index, Leaf(account, before.next, amount))
        return Witness(before, low, proof, appended)

    def _siblings(self, index: int) -> tuple[bytes, ...]:
        found = []
        place = index
        for height, level in enumerate(self._levels[:-1]):
            beside = place ^ 1
            found.append(level[beside] if beside < len(level) else _EMPTIES[height])
            place >>= 1
        return tuple(found)

    def _put(self, index: int, leaf: Leaf) -> None:
        self._leaves[index] = leaf
        node, place = leaf.hash, index
        for height, level in enumerate(self._levels[:-1]):
            if place == len(level):
                level.append(node)
            else:
                level[place] = node
            if place & 1:
                node = keccak(level[place - 1] + node)
            else:
                node = keccak(node + (level[place + 1] if place + 1 < len(level) else _EMPTIES[height]))
            place >>= 1
        self._levels[-1][0] = node


def depth_of(count: int) -> int:
    """The length of proofs in a tree of `count` leaves: the least d with 2**d >= count."""
    return (count - 1).bit_length()


def root_from(leaf: bytes, index: int, proof: Sequence[bytes]) -> Root:
    """Where `proof` leads from the leaf hash `leaf` at `index`."""
    node = leaf
    for sibling in proof:
        node = keccak(sibling + node if index & 1 else node + sibling)
        index >>= 1
    return Root(node)


def _raw(account: ChecksumAddress) -> bytes:
    """The 20 bytes of an address: they sort as numbers do, and do not care for the case of letters."""
    return bytes.fromhex(account[2:])


def _empty_roots(depth: int) -> tuple[bytes, ...]:
    roots = [_EMPTY]
    for _ in range(depth):
        roots.append(keccak(roots[-1] + roots[-1]))
    return tuple(roots)


_EMPTIES = _empty_roots(64)
"""By height, the root over nothing but empty places."""
