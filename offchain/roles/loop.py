"""The loop that all workers share: look at the chain, decide, act; wait, and look again.

What goes wrong with one subject (an order, or a federated task, by its number) does not touch the others: what is
retryable is tried again after a growing pause, what is rejected is left alone (said once), a lost race is no error at
all. Bugs are not caught.
"""

import logging
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from offchain.chain.client import BlockRef
from offchain.chain.errors import ContractRejected
from offchain.chain.sender import Call, Ticket
from offchain.errors import Rejected, Retryable
from offchain.roles.context import RoleContext, WorkerEvent
from offchain.roles.transactions import LOST_RACES, Outcome, Transactions
from offchain.types import OrderId, Seconds

logger = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds between tries of something retryable; each pause is twice the one before."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why and until when (monotonic seconds, None: for good) something is left alone."""

    until: float | None
    pause: float
    message: str


Around = Callable[[Callable[[], bool]], bool]
"""Calls a look at the chain that it is given, and gives what that gives; sees on the way how long it took, say."""


def plainly(look: Callable[[], bool]) -> bool:
    """Nothing around it."""
    return look()


class Attempt(Protocol):
    """The signature of `Loop._attempt`."""

    def __call__(self, oid: int | None, topic: str, action: Callable[[], None], *, obligation: bool = False) -> None:
        """See there."""


class Say(Protocol):
    """The signature of `Loop._say`."""

    def __call__(self, oid: int | None, what: str, **detail: Any) -> None:
        """See there."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What a part of a worker acts with: the methods of `Loop` of the same names."""

    attempt: Attempt
    send: Callable[[str, Call], None]
    say: Say
    say_once: Say
    note_action: Callable[[], None]


class Loop(ABC):
    """One participant in one role, whatever it looks at.

    `tick` does everything that can be done now and returns; `run` ticks until it is told to stop. Nothing that a
    restart would miss is kept in memory alone. `statistics` counts events by their word.
    """

    role: ClassVar[str]
    subject: ClassVar[str] = "order"

    def __init__(self, context: RoleContext, *, poll_seconds: float | None = None) -> None:
        """`poll_seconds`: pause between looks at the chain, by default the network's."""
        self.context = context
        self.statistics: Counter[str] = Counter()
        self._poll = context.client.network.poll_seconds if poll_seconds is None else poll_seconds
        self._transactions = Transactions(context.sender)
        self._troubles: dict[tuple[int | None, str], _Trouble] = {}
        self._said: set[tuple[int | None, str]] = set()
        self._now = Seconds(0)
        self._looked_at: bytes | None = None
        self._acted = False
        self._recovered = False

    # The loop

    def tick(self) -> bool:
        """Looks at the chain once and does what can be done; whether it did anything.

        Raises Retryable when the node cannot be reached. Everything else that can go wrong with an order is reported.
        """
        self._acted = False
        self._recover()
        for end in self._transactions.finished():
            self._acted = True
            self._report_end(end)
        head = self._head()
        if head.hash == self._looked_at and not self._acted and not self._has_news():
            return False
        self._now = head.timestamp
        self._prepare()
        whole = self._look(head)
        self._conclude()
        # What was done in this block shows in a later one; until then there is nothing new to see.
        self._looked_at = head.hash if whole and not self._acted else None
        return self._acted

    @property
    def in_flight(self) -> int:
        """Transactions of this worker that are not final yet."""
        return self._transactions.on_their_way

    def standing(self) -> dict[str, float]:
        """Numbers that say where it stands, for monitors; after a tick, in the same thread."""
        return {"transactions_in_flight": self.in_flight, "left_alone": len(self._troubles)}

    def run(self, stop: threading.Event, around: Around = plainly) -> None:
        """Ticks until `stop` is set, each tick by `around`; then ends what runs in the background."""
        pause = FIRST_PAUSE
        try:
            while not stop.is_set():
                try:
                    busy = around(self.tick)
                    pause = FIRST_PAUSE
                except Retryable as error:
                    self._say(None, "trouble", message=str(error))
                    stop.wait(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
                    continue
                stop.wait(min(self._poll, 0.05) if busy else self._poll)
        finally:
            self.close()

    def close(self) -> None:  # noqa: B027 - most roles have nothing to end
        """Ends what runs in the background. The context stays the caller's."""

    # What a role fills in

    def _has_news(self) -> bool:
        """Whether there is something to do although the chain stands where it stood: a pause is over, a job is done."""
        now = self.context.clock()
        return any(trouble.until is not None and trouble.until <= now for trouble in self._troubles.values())

    @abstractmethod
    def _head(self) -> BlockRef:
        """Reads the latest block. Raises Retryable."""

    @abstractmethod
    def _look(self, head: BlockRef) -> bool:
        """Does what can be done as of `head`; whether it has seen everything."""

    def _prepare(self) -> None:  # noqa: B027 - optional
        """Before the look."""

    def _conclude(self) -> None:  # noqa: B027 - optional
        """After the look."""

    # What roles use

    @property
    def _hands(self) -> Hands:
        """For the parts that several roles share."""
        return Hands(self._attempt, self._send, self._say, self._say_once, self._note_action)

    def _note_action(self) -> None:
        """Something was done in this look, so that there will be something new to see soon."""
        self._acted = True

    def _send(self, key: str, call: Call) -> None:
        """Sends once for the idempotency key (`WHAT:OID[:MORE]`)."""
        if self._transactions.send(key, call):
            self._acted = True

    def _watch(self, ticket: Ticket) -> None:
        """Watches what was submitted by other means than `_send`."""
        self._transactions.watch_all([ticket.key])
        self._acted = True

    def _attempt(self, oid: int | None, topic: str, action: Callable[[], None], *, obligation: bool = False) -> None:
        """Runs `action` and deals with what it raises.

        `topic`: what of the order is tried; after a failure it is left alone, and the order's other topics are not.
        An `obligation` (something that costs stake if it is not done) is never given up, only tried more slowly.
        """
        trouble = self._troubles.get((oid, topic))
        if trouble is not None and (trouble.until is None or self.context.clock() < trouble.until):
            return
        try:
            action()
        except ContractRejected as error:
            if error.name in LOST_RACES:
                logger.info("%s: %s", self.role, error)
                return
            self._hold(oid, topic, error, for_good=not obligation)
        except Retryable as error:
            self._hold(oid, topic, error, for_good=False)
        except Rejected as error:
            self._hold(oid, topic, error, for_good=not obligation)
        else:
            self._troubles.pop((oid, topic), None)

    def _hold(self, oid: int | None, topic: str, error: Exception, *, for_good: bool) -> None:
        former = self._troubles.get((oid, topic))
        pause = FIRST_PAUSE if former is None else min(2 * former.pause, LONGEST_PAUSE)
        until = None if for_good else self.context.clock() + pause
        self._troubles[(oid, topic)] = _Trouble(until, pause, str(error))
        if former is None or former.message != str(error):
            self._say(oid, "trouble", topic=topic, message=str(error), given_up=for_good)

    def _has_given_up(self, oid: int | None, topic: str) -> bool:
        """Whether something was refused for good and is left alone."""
        trouble = self._troubles.get((oid, topic))
        return trouble is not None and trouble.until is None

    def _say(self, oid: int | None, what: str, **detail: Any) -> None:
        """Reports an event."""
        self.statistics[what] += 1
        logger.info("%s %s %s %s", self.role, "" if oid is None else f"{self.subject} {oid}", what, detail)
        number = None if oid is None else OrderId(oid)
        self.context.report(WorkerEvent(self.role, self.context.account, number, what, detail))

    def _say_once(self, oid: int | None, what: str, **detail: Any) -> None:
        """Reports an event about an order the first time it is met."""
        if (oid, what) not in self._said:
            self._said.add((oid, what))
            self._say(oid, what, **detail)

    # Transactions

    def _recover(self) -> None:
        """Once after a start: watches what a former process left on its way."""
        if not self._recovered:
            self._transactions.watch_all([ticket.key for ticket in self.context.sender.recover()])
            self._recovered = True

    def _report_end(self, end: Outcome) -> None:
        what, _, rest = end.key.partition(":")
        number = rest.partition(":")[0].partition("#")[0]
        oid = int(number) if number.isdigit() else None
        if end.receipt is not None:
            transaction = "0x" + end.receipt.tx_hash.hex()
            self._say(oid, what, gas=end.receipt.gas_used, transaction=transaction, key=end.key)
        else:
            self._say(oid, "reverted", action=what, message=str(end.error))


def raise_from(error: BaseException | None) -> None:
    """Raises what ended a background job, if anything did."""
    if error is not None:
        raise error
