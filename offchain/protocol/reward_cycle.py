"""What sealed orders do to the tree of rewards, cycle by cycle (docs/rewards.md); twin of `RewardTreasury.sol`.

Everybody computes it from the chain alone: members before they sign, watchers to refute, accounts to claim.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eth_typing import ChecksumAddress

from offchain.errors import Bug
from offchain.protocol.hashing import keccak
from offchain.protocol.reward_root import RewardRoot
from offchain.protocol.reward_tree import Leaf, RewardTree, State, Witness
from offchain.protocol.settlement import Payout, payouts_hash
from offchain.types import OrderId, Root, Wei

NO_PARENT = Root(bytes(32))
"""The parent of the first root."""

NO_HISTORY = bytes(32)
"""history(0)."""


@dataclass(frozen=True, slots=True)
class SealedOrder:
    """An order with a place in the treasury's history; amounts in wei.

    `settled_otherwise`: by `execute` or `payDirect`, before the root that covers it.
    """

    sequence: int
    oid: OrderId
    payouts: tuple[Payout, ...]
    tax: Wei
    settled_otherwise: bool = False


def extend_history(history: bytes, oid: OrderId, payouts_digest: bytes) -> bytes:
    """history(q) of history(q - 1): keccak256(abi.encode(history, oid, payoutsHash))."""
    return keccak(history + oid.to_bytes(32, "big") + payouts_digest)


def credits_of(order: SealedOrder, members: Sequence[ChecksumAddress]) -> tuple[Payout, ...]:
    """What the step of `order` credits, in order: its payouts, then its tax to the member whose turn it is.

    Nothing when the order was settled otherwise.
    """
    if order.settled_otherwise:
        return ()
    return (*order.payouts, Payout(members[order.sequence % len(members)], order.tax))


def take_step(tree: RewardTree, order: SealedOrder, members: Sequence[ChecksumAddress]) -> tuple[Witness, ...]:
    """Credits what `order` earned to `tree`; a witness for each credit."""
    return tuple(tree.credit(payout.account, payout.amount) for payout in credits_of(order, members))


def steps_hash(steps: Sequence[bytes]) -> bytes:
    """keccak256(abi.encodePacked(steps))."""
    return keccak(b"".join(steps))


def root_of(steps: Sequence[bytes]) -> Root:
    """The root over state hashes, at least one: keccak256(abi.encode(last, keccak256(abi.encodePacked(steps))))."""
    return Root(keccak(steps[-1] + steps_hash(steps)))


@dataclass(frozen=True, slots=True)
class Before:
    """Where a cycle starts: the `cycle` before it (0: none), its root, last order and steps' hash, and the history.

    `tree` is not changed by anything here.
    """

    cycle: int
    root: Root
    up_to: int
    history: bytes
    steps_hash: bytes
    tree: RewardTree


def genesis() -> Before:
    """Where the first cycle starts."""
    return Before(0, NO_PARENT, 0, NO_HISTORY, bytes(32), RewardTree())


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle computed: the statement (attempt 0), the state hashes order by order, and the tree after it."""

    statement: RewardRoot
    steps: tuple[bytes, ...]
    tree: RewardTree

    @property
    def state(self) -> State:
        """The state after the last step."""
        return self.tree.state

    def after(self) -> Before:
        """Where the next cycle starts."""
        found = self.statement
        return Before(found.cycle, found.root, found.up_to, found.history, steps_hash(self.steps), self.tree)


class Course:
    """A cycle as it grows order by order from `before` on. Says what its root is at any point that it has passed."""

    def __init__(self, before: Before, members: Sequence[ChecksumAddress]) -> None:
        self.before = before
        self._members = members
        self._tree = before.tree.copy()
        self._steps: list[bytes] = []
        self._histories = [before.history]

    @property
    def up_to(self) -> int:
        """The last order that it has passed."""
        return self.before.up_to + len(self._steps)

    def extend(self, orders: Sequence[SealedOrder]) -> None:
        """Passes the orders that follow. Raises Bug when they do not."""
        for order in orders:
            if order.sequence != self.up_to + 1:
                raise Bug(f"after order {self.up_to} comes not {order.sequence}")
            take_step(self._tree, order, self._members)
            digest = payouts_hash(order.oid, order.payouts, order.tax)
            self._steps.append(self._tree.state_hash)
            self._histories.append(extend_history(self._histories[-1], order.oid, digest))

    def statement(self, up_to: int, *, epoch: int, settled_otherwise: int) -> RewardRoot:
        """The statement (attempt 0) that covers the orders up to `up_to`, at least one, which it has passed."""
        count = up_to - self.before.up_to
        if not 0 < count <= len(self._steps):
            raise Bug(f"a root from {self.before.up_to} up to {up_to} of {self.up_to}")
        return RewardRoot(
            cycle=self.before.cycle + 1,
            epoch=epoch,
            attempt=0,
            up_to=up_to,
            settled_otherwise=settled_otherwise,
            parent=self.before.root,
            history=self._histories[count],
            root=root_of(self._steps[:count]),
        )

    def cycle(self, *, epoch: int, settled_otherwise: int) -> Cycle:
        """All of it so far, at least one order."""
        statement = self.statement(self.up_to, epoch=epoch, settled_otherwise=settled_otherwise)
        return Cycle(statement, tuple(self._steps), self._tree.copy())


def build_cycle(
    before: Before,
    orders: Sequence[SealedOrder],
    members: Sequence[ChecksumAddress],
    *,
    epoch: int,
    settled_otherwise: int,
) -> Cycle:
    """The cycle that covers `orders`, at least one, which follow each other and `before`.

    `members` of `epoch` in the contract's order; `settled_otherwise`: the treasury's count.
    """
    course = Course(before, members)
    course.extend(orders)
    return course.cycle(epoch=epoch, settled_otherwise=settled_otherwise)


def find_false_step(claimed: Sequence[bytes], right: Sequence[bytes]) -> int | None:
    """The first step of `claimed` that is not the right one; None when all are. Both have one step for each order."""
    if len(claimed) != len(right):
        raise Bug(f"{len(claimed)} steps for {len(right)} orders")
    return next((j for j, (theirs, ours) in enumerate(zip(claimed, right, strict=True)) if theirs != ours), None)


@dataclass(frozen=True, slots=True)
class Refutation:
    """The contract's struct: what shows that step `step` (from 0) of a root is false.

    `steps` are those of the root, `previous` is the state before the step, `parent` the one before the whole cycle.
    `credits`: a witness for each payout and for the tax; none when the order was settled otherwise.
    """

    cycle: int
    step: int
    steps: tuple[bytes, ...]
    parent: State
    parent_steps_hash: bytes
    previous: State
    oid: OrderId
    payouts: tuple[Payout, ...]
    members: tuple[ChecksumAddress, ...]
    credits: tuple[Witness, ...]


def refute(
    before: Before,
    orders: Sequence[SealedOrder],
    members: Sequence[ChecksumAddress],
    claimed: Sequence[bytes],
    step: int,
) -> Refutation:
    """The refutation of a root with the steps `claimed`, all of them right before the one with index `step`.

    `orders`, `members`: of that root's cycle, which starts at `before`.
    """
    tree, order = before.tree.copy(), orders[step]
    for former in orders[:step]:
        take_step(tree, former, members)
    previous = tree.state
    return Refutation(
        cycle=before.cycle + 1,
        step=step,
        steps=tuple(claimed),
        parent=before.tree.state,
        parent_steps_hash=before.steps_hash,
        previous=previous,
        oid=order.oid,
        payouts=order.payouts,
        members=tuple(members),
        credits=take_step(tree, order, members),
    )


@dataclass(frozen=True, slots=True)
class RewardClaim:
    """The contract's struct: an account's leaf in the tree of a cycle, and what else is in that root."""

    cycle: int
    leaf: Leaf
    index: int
    count: int
    state_total: Wei
    steps_hash: bytes
    proof: tuple[bytes, ...]


def claim_of(cycle: int, tree: RewardTree, steps_digest: bytes, account: ChecksumAddress) -> RewardClaim | None:
    """What `account` shows to the root of `cycle`, which leads to `tree`; None when it has earned nothing."""
    index = tree.index_of(account)
    if index is None or index == 0:
        return None
    state = tree.state
    return RewardClaim(cycle, tree.leaf(index), index, state.count, state.total, steps_digest, tree.prove(index))
