"""All that the chain says about rewards, told event by event, and what follows from it. Pure.

Every root that is posted is computed again at that very point of the story, so that a false one is known at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eth_typing import ChecksumAddress

from offchain.errors import Bug
from offchain.protocol.reward_cycle import (
    Before,
    Course,
    Cycle,
    Refutation,
    RewardClaim,
    SealedOrder,
    build_cycle,
    claim_of,
    find_false_step,
    genesis,
    refute,
    steps_hash,
)
from offchain.protocol.reward_root import RewardRoot
from offchain.protocol.settlement import Payout, payouts_hash
from offchain.types import OrderId, Seconds, Wei

MOST_ORDERS = 256
"""Orders that a root covers at most."""

_CACHED = 8
_CourseKey = tuple[int, bytes, int, int]
"""All that a course depends on: the cycle before and its root (which two cycles can share, if the later one changes
nothing), the epoch, and how many orders are settled otherwise."""


@dataclass(frozen=True, slots=True)
class Held:
    """A sealed order with its place in the sequence, from 1."""

    sequence: int
    oid: OrderId
    payouts: tuple[Payout, ...]
    tax: Wei
    sealed_at: Seconds


@dataclass(frozen=True, slots=True)
class Epoch:
    """A committee: its members in the contract's order. `threshold` (k) of them sign."""

    number: int
    members: tuple[ChecksumAddress, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A root that stands. `signers`: bit i is the i-th member of its epoch; `effective_at`: when claims begin.

    `before` and `right` are where it starts and what should be in it; None on top of a false root, for then nobody can
    say. `false_step`: the first step of `steps` that is not the right one.
    """

    statement: RewardRoot
    steps: tuple[bytes, ...]
    signers: int
    effective_at: Seconds
    before: Before | None
    orders: tuple[SealedOrder, ...]
    right: Cycle | None
    false_step: int | None

    @property
    def is_right(self) -> bool:
        """Whether it says what the sealed orders say."""
        return self.right is not None and self.false_step is None


class RewardBook:
    """Tell it what happened, in the chain's order; ask it what is there. Nothing here reads a clock or the chain."""

    def __init__(self) -> None:
        self._orders: list[Held] = []
        self._places: dict[OrderId, int] = {}
        self._unplaced: dict[OrderId, tuple[tuple[Payout, ...], Wei]] = {}
        self._otherwise: set[int] = set()
        self._epochs: dict[int, Epoch] = {}
        self._suspended: set[int] = set()
        self._slashed: set[tuple[ChecksumAddress, int]] = set()
        self._start = genesis()
        self._standing: list[Standing] = []
        self._claimed: dict[ChecksumAddress, Wei] = {}
        self._course: tuple[_CourseKey, Course] | None = None
        self._computed: dict[tuple[_CourseKey, int], Cycle] = {}

    # What happened

    def seal(self, oid: OrderId, payouts: Sequence[Payout], tax: Wei) -> None:
        """The proof of training computed who earned what."""
        self._unplaced[oid] = (tuple(payouts), tax)

    def hold(self, sequence: int, oid: OrderId, payouts_digest: bytes, sealed_at: Seconds) -> None:
        """The treasury gave the order its place. Raises Bug when that is not the next, or the payouts are not these."""
        payouts, tax = self._unplaced.pop(oid, ((), Wei(0)))
        if sequence != len(self._orders) + 1 or payouts_hash(oid, payouts, tax) != payouts_digest:
            raise Bug(f"order {oid} is held as number {sequence} with other payouts than were sealed")
        self._places[oid] = sequence
        self._orders.append(Held(sequence, oid, payouts, tax, sealed_at))

    def refund(self, oid: OrderId) -> None:
        """The order ended without payouts."""
        self._unplaced.pop(oid, None)

    def settle(self, oid: OrderId) -> None:
        """The order was settled by `execute` or `payDirect`."""
        self._otherwise.add(self._places[oid])

    def start_epoch(self, epoch: Epoch) -> None:
        """A committee took its seats."""
        self._epochs[epoch.number] = epoch

    def suspend(self, number: int) -> None:
        """Nothing that this epoch signs counts any more."""
        self._suspended.add(number)

    def slash(self, account: ChecksumAddress, epoch: int) -> None:
        """A member lost its stake for what it signed in an epoch."""
        self._slashed.add((account, epoch))

    def post(self, statement: RewardRoot, steps: Sequence[bytes], signers: int, effective_at: Seconds) -> None:
        """A root stands from now on."""
        top = self._standing[-1] if self._standing else None
        before = self._start if top is None else top.right.after() if top.is_right and top.right else None
        orders: tuple[SealedOrder, ...] = ()
        right, false_step = None, None
        if before is not None:
            orders = self.orders_after(before, statement.up_to)
            right = self._cycle(before, statement.up_to, statement.epoch)
            false_step = find_false_step(steps, right.steps)
        self._standing.append(
            Standing(statement, tuple(steps), signers, effective_at, before, orders, right, false_step)
        )

    def fall(self, cycle: int) -> None:
        """The root of this cycle was refuted, and all on top of it fell."""
        self._standing = [root for root in self._standing if root.statement.cycle < cycle]

    def claim(self, account: ChecksumAddress, total: Wei) -> None:
        """With this, `total` wei were paid to the account through roots."""
        self._claimed[account] = total

    def forget(self, now: Seconds) -> None:
        """Drops roots that no refutation can reach and no claim needs: all effective ones but the latest."""
        effective = [root for root in self._standing if root.is_right and root.effective_at <= now]
        if len(effective) > 1 and effective[-1].before is not None:
            self._start = effective[-1].before
            self._standing = [root for root in self._standing if root.statement.cycle > self._start.cycle]

    # What is there

    @property
    def settled_otherwise(self) -> int:
        """How many orders were settled without a root."""
        return len(self._otherwise)

    @property
    def sealed(self) -> int:
        """How many orders have a place."""
        return len(self._orders)

    @property
    def covered(self) -> int:
        """The last order that a standing root covers."""
        return self._standing[-1].statement.up_to if self._standing else self._start.up_to

    @property
    def epoch(self) -> Epoch | None:
        """The present committee; None before the first."""
        return self._epochs[max(self._epochs)] if self._epochs else None

    def committee(self, number: int) -> Epoch | None:
        """The committee of an epoch."""
        return self._epochs.get(number)

    def is_suspended(self, number: int) -> bool:
        """Whether the epoch is."""
        return number in self._suspended

    def is_slashed(self, account: ChecksumAddress, epoch: int) -> bool:
        """Whether the member was slashed for what it signed in that epoch."""
        return (account, epoch) in self._slashed

    @property
    def standing(self) -> tuple[Standing, ...]:
        """The roots that stand, from the latest that has long been effective on."""
        return tuple(self._standing)

    @property
    def tip(self) -> Before | None:
        """Where the next cycle starts; None while a false root stands."""
        if not self._standing:
            return self._start
        top = self._standing[-1]
        return top.right.after() if top.right is not None and top.is_right else None

    def place_of(self, oid: OrderId) -> int | None:
        """The sequence number of an order; None when it has none."""
        return self._places.get(oid)

    def waiting(self) -> tuple[Held, ...]:
        """Orders that no root covers and nobody settled otherwise, oldest first."""
        return tuple(order for order in self._orders[self.covered :] if order.sequence not in self._otherwise)

    def orders_after(self, before: Before, up_to: int) -> tuple[SealedOrder, ...]:
        """The orders that a root from `before` up to `up_to` covers, as they stand now."""
        return tuple(
            SealedOrder(order.sequence, order.oid, order.payouts, order.tax, order.sequence in self._otherwise)
            for order in self._orders[before.up_to : up_to]
        )

    def next_cycle(self, up_to: int) -> Cycle | None:
        """What the next root must say if it covers the orders up to `up_to`, signed by the present committee.

        None when there is nothing to say: too few orders or too many, no committee, or a false root below.
        """
        epoch, before = self._next_to(up_to)
        return None if epoch is None or before is None else self._cycle(before, up_to, epoch.number)

    def confirms(self, statement: RewardRoot) -> bool:
        """Whether the statement is to the letter what the next root must say, whatever its attempt. Cheap."""
        epoch, before = self._next_to(statement.up_to)
        if epoch is None or before is None or (statement.cycle, statement.epoch) != (before.cycle + 1, epoch.number):
            return False
        course = self._course_to(before, statement.up_to, epoch.number)
        right = course.statement(statement.up_to, epoch=epoch.number, settled_otherwise=self.settled_otherwise)
        return right.at(statement.attempt) == statement

    def refutation_of(self, root: Standing) -> Refutation | None:
        """What takes a false root down; None when it is right, or stands on a false one (which takes it along)."""
        if root.before is None or root.false_step is None:
            return None
        members = self._members(root.statement.epoch)
        return refute(root.before, root.orders, members, root.steps, root.false_step)

    def earned(self, account: ChecksumAddress) -> Wei:
        """What all roots that are right give to the account, those that wait included."""
        top = self.latest_right()
        return (
            self._start.tree.total_of(account) if top is None or top.right is None else top.right.tree.total_of(account)
        )

    def latest_right(self) -> Standing | None:
        """The latest root that says what it should; None when none is known."""
        return next((root for root in reversed(self._standing) if root.is_right), None)

    def effective(self, now: Seconds) -> Standing | None:
        """The latest root that accounts can claim against."""
        return next((root for root in reversed(self._standing) if root.is_right and root.effective_at <= now), None)

    def claimed(self, account: ChecksumAddress) -> Wei:
        """What was paid to the account through roots."""
        return self._claimed.get(account, Wei(0))

    def claim_of(self, account: ChecksumAddress, now: Seconds) -> RewardClaim | None:
        """The claim that pays the account all that is effective; None when nothing is left to pay."""
        root = self.effective(now)
        if root is None or root.right is None or root.right.tree.total_of(account) <= self.claimed(account):
            return None
        return claim_of(root.statement.cycle, root.right.tree, steps_hash(root.steps), account)

    # How

    def _members(self, epoch: int) -> tuple[ChecksumAddress, ...]:
        if epoch not in self._epochs:
            raise Bug(f"a root of epoch {epoch}, which never began")
        return self._epochs[epoch].members

    def _next_to(self, up_to: int) -> tuple[Epoch, Before] | tuple[None, None]:
        """Who signs the next root and where it starts, if it can cover the orders up to `up_to`."""
        before, epoch = self.tip, self.epoch
        if before is None or epoch is None or not before.up_to < up_to <= min(self.sealed, before.up_to + MOST_ORDERS):
            return None, None
        return epoch, before

    def _course_to(self, before: Before, up_to: int, epoch: int) -> Course:
        """The latest course, if it is from there, extended to `up_to` at least; each order is computed once."""
        key = self._key(before, epoch)
        if self._course is None or self._course[0] != key:
            self._course = key, Course(before, self._members(epoch))
            self._computed.clear()
        course = self._course[1]
        course.extend(self.orders_after(before, up_to)[course.up_to - before.up_to :])
        return course

    def _cycle(self, before: Before, up_to: int, epoch: int) -> Cycle:
        course = self._course_to(before, up_to, epoch)
        key = (self._key(before, epoch), up_to)
        if key not in self._computed:
            if len(self._computed) >= _CACHED:
                self._computed.clear()
            if course.up_to == up_to:
                self._computed[key] = course.cycle(epoch=epoch, settled_otherwise=self.settled_otherwise)
            else:
                orders, members = self.orders_after(before, up_to), self._members(epoch)
                self._computed[key] = build_cycle(
                    before, orders, members, epoch=epoch, settled_otherwise=self.settled_otherwise
                )
        return self._computed[key]

    def _key(self, before: Before, epoch: int) -> _CourseKey:
        return before.cycle, before.root, epoch, self.settled_otherwise
