"""When a member proposes a reward root, signs, posts, refutes, or falls back to the multisig; pure.

See docs/rewards.md. Times in seconds of the chain's clock, but for how long something has been seen, which is the
process's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from eth_typing import ChecksumAddress

from offchain.protocol.reward_book import MOST_ORDERS, Held, RewardBook, Standing
from offchain.protocol.reward_cycle import Cycle
from offchain.protocol.reward_root import RewardRoot
from offchain.roles.aggregator_rules import FAULT_TOLERANT
from offchain.types import Seconds


@dataclass(frozen=True, slots=True)
class OrderedProposal:
    """A proposal that the ledger has ordered. `attempt` is its number there: no other proposal ever has it."""

    attempt: int
    body: bytes


class RewardLedger(Protocol):
    """What the treasurer needs of the replicated ledger. No call waits for the network."""

    def submit(self, body: bytes) -> None:
        """Asks the ledger to order a proposal (`RewardRoot.body`). Raises Retryable when it cannot take it now."""

    def proposals(self) -> Sequence[OrderedProposal]:
        """The latest proposals that were ordered, oldest first; at least the very latest, at most a few dozen."""

    def broadcast_share(self, share: bytes) -> None:
        """Sends a share to all other members, as far as they can be reached."""

    def take_shares(self) -> Sequence[bytes]:
        """What others have sent since the last call: anything, from anyone."""


@dataclass(frozen=True, slots=True)
class TreasurerOptions:
    """`patience`: how long a member may take to have a root on chain before the next one proposes.

    `stagger`: between one member's turn and the next to post, refute and slash; `repeat`: between two broadcasts of the
    same share, by the process's clock; `multisig_after`: how long an order may wait for a root before it is paid by the
    multisig, None for the lesser of three update cycles and half the stall delay, but no less than a round of patience.
    """

    patience: int = 20
    stagger: int = 3
    repeat: float = 2.0
    multisig_after: int | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """The protocol parameters that say how fast all this goes."""

    update_seconds: int
    stall_delay: int


def seat_turn(account: ChecksumAddress, members: Sequence[ChecksumAddress], number: int) -> int:
    """After how many others `account` acts on what has this number; those who are no members come after all."""
    if account not in members:
        return len(members)
    return (list(members).index(account) - number) % len(members)


def due_at(waiting: Sequence[Held], pace: Pace) -> Seconds | None:
    """From when on a root is due for the orders that wait; None when none does."""
    if not waiting:
        return None
    full = len(waiting) >= MOST_ORDERS
    return waiting[MOST_ORDERS - 1].sealed_at if full else Seconds(waiting[0].sealed_at + pace.update_seconds)


def proposing_slot(
    account: ChecksumAddress, book: RewardBook, now: Seconds, pace: Pace, options: TreasurerOptions
) -> int | None:
    """The slot in which it is `account`'s turn to propose now, counted from when the root was due; None: it is not.

    Slots are `patience` long; the first belongs to the member whose turn the cycle is, the next to the next.
    """
    tip, epoch, due = book.tip, book.epoch, due_at(book.waiting(), pace)
    if tip is None or epoch is None or due is None or now < due or book.is_suspended(epoch.number):
        return None
    if account not in epoch.members:
        return None
    slot = (now - due) // max(options.patience, 1)
    return slot if seat_turn(account, epoch.members, tip.cycle + 1 + slot) == 0 else None


def next_proposal(book: RewardBook) -> Cycle | None:
    """What to propose: all that wait, as far as one root carries. None when there is nothing to say."""
    tip = book.tip
    return None if tip is None else book.next_cycle(min(book.sealed, tip.up_to + MOST_ORDERS))


def is_confirmed(book: RewardBook, statement: RewardRoot) -> bool:
    """Whether we may sign: `statement` is to the letter what we compute ourselves, and its epoch counts.

    What is not now may be later: a view of the chain may be behind.
    """
    return not book.is_suspended(statement.epoch) and book.confirms(statement)


def refutable(book: RewardBook, now: Seconds) -> Standing | None:
    """The lowest false root that can still be refuted."""
    return next((root for root in book.standing if root.false_step is not None and now < root.effective_at), None)


def refute_delay(
    account: ChecksumAddress, book: RewardBook, root: Standing, now: Seconds, options: TreasurerOptions
) -> int:
    """For how long `account` leaves a false root, since it saw it, to those before it. Nothing when time is short."""
    epoch = book.epoch
    members = epoch.members if epoch is not None else ()
    delay = seat_turn(account, members, root.statement.cycle) * options.stagger
    return delay if now + 2 * (delay + options.stagger) < root.effective_at else 0


def multisig_patience(members: int, pace: Pace, options: TreasurerOptions) -> int:
    """For how long an order waits for a root before its payment is put to the multisig.

    Not at all where members are too few for a ledger: no root can come.
    """
    if members < FAULT_TOLERANT:
        return 0
    if options.multisig_after is not None:
        return options.multisig_after
    least = pace.update_seconds + (members + 1) * options.patience
    return max(min(3 * pace.update_seconds, pace.stall_delay // 2), least)


def needs_multisig(held: Held, members: int, now: Seconds, pace: Pace, options: TreasurerOptions) -> bool:
    """Whether the committee should pay an order that no root covers by propose, confirm and execute."""
    return now >= held.sealed_at + multisig_patience(members, pace, options)
