"""One connected account: its workers with an outbox in the place of a sender, in a thread of their own.

Nothing that a request waits for happens in that thread, and nothing that waits for a person happens anywhere: workers
only offer. The thread rests when nobody has asked for the account for a while; all it knows is in the journals.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial

from eth_typing import ChecksumAddress

from offchain.chain.event_decoder import EventDecoder
from offchain.errors import Rejected, Retryable
from offchain.explorer.desk import schema
from offchain.explorer.desk.deadlines import deadline_of
from offchain.explorer.desk.outbox import Outbox, OutboxPolicy
from offchain.explorer.desk.outbox_journal import Entry
from offchain.explorer.desk.place import DeskPlace
from offchain.explorer.desk.shown import show_end, show_item
from offchain.explorer.desk.words import in_fields
from offchain.explorer.desk.workers import IndexedClient, WalletClient, WalletPlayer
from offchain.roles.client import ClientOptions
from offchain.roles.context import RoleContext, WorkerEvent
from offchain.types import Seconds

logger = logging.getLogger(__name__)

NOTES = 50
ENDS = 20
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a node that is down is asked again; each pause is twice the one before."""
TOLD = frozenset({"trouble", "reverted", "opening-lost"})
"""Events of the workers that people want to know of; and those about disputes given up."""


class DeskAccount:
    """See the module. `close` stops the thread and lets go of the journals."""

    def __init__(
        self,
        place: DeskPlace,
        address: ChecksumAddress,
        *,
        idle_seconds: float,
        policy: OutboxPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Opens the journals and starts the thread. Raises KeyInUse, Rejected, Retryable."""
        self.address = address
        self._place = place
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._asked_at = clock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._ready = False
        self._trouble: str | None = None
        self._setback = FIRST_PAUSE
        self._now = Seconds(0)
        self._notes: deque[schema.Note] = deque(maxlen=NOTES)
        self._deadlines: dict[str, Seconds | None] = {}
        self._decoder = EventDecoder.of(place.contracts.addresses)
        with ExitStack() as opened:
            journal = opened.enter_context(closing(place.outbox_journal(address)))
            contract_name = place.contracts.addresses.contract_at
            self.outbox = Outbox(place.client, address, journal, policy=policy, contract_name=contract_name)
            contexts = [self._context(role, opened) for role in ("client", "verifier")]
            self._workers = [self._client(contexts[0]), WalletPlayer(contexts[1])]
            self._closing = opened.pop_all()
        self._thread = threading.Thread(target=self._run, name=f"desk {address}", daemon=True)
        self._thread.start()

    def _context(self, role: str, opened: ExitStack) -> RoleContext:
        place = self._place
        journal = opened.enter_context(place.journal(role, self.address))
        return RoleContext(place.client, place.contracts, self.outbox, place.store, journal, report=self._note)

    def _client(self, context: RoleContext) -> WalletClient:
        options, orders_of = ClientOptions(archive=self._place.archive), self._place.orders_of
        if orders_of is None:
            return WalletClient(context, options)
        return IndexedClient(context, options, partial(orders_of, self.address))

    # What requests use

    @property
    def is_over(self) -> bool:
        """Whether its thread has ended: by `close`, or by a bug."""
        return not self._thread.is_alive()

    @property
    def idle_for(self) -> float:
        """Seconds since somebody asked for it."""
        return self._clock() - self._asked_at

    def touch(self) -> None:
        """Somebody asks for it: if it rested, it goes on."""
        rested = self.idle_for >= self._idle_seconds
        self._asked_at = self._clock()
        if rested:
            self._wake.set()

    def look_soon(self) -> None:
        """Something has changed."""
        self._wake.set()

    def show(self) -> schema.Outbox:
        """The outbox as it stands."""
        return schema.Outbox(
            account=self.address,
            ready=self._ready,
            trouble=self._trouble,
            items=[self._item(entry) for entry in self.outbox.entries()],
            ended=[show_end(entry, self.put_order(entry)) for entry in self.outbox.ended(ENDS)],
            notes=list(self._notes),
        )

    def item(self, key: str) -> schema.OutboxItem | None:
        """One intent, also when it is over."""
        entry = self.outbox.entry(key)
        return None if entry is None else self._item(entry)

    def _item(self, entry: Entry) -> schema.OutboxItem:
        return show_item(self._place.contracts, entry, self._deadline(entry))

    def put_order(self, entry: Entry) -> int | None:
        """The number of the order that an intent has put."""
        for log in () if entry.receipt is None else entry.receipt.logs:
            event = self._decoder.decode(log)
            if event is not None and event.name == "OrderPut":
                return int(event.arguments["oid"])
        return None

    def close(self) -> None:
        """Ends the thread and lets go of the journals."""
        self._stop.set()
        self._wake.set()
        self._thread.join()

    # The thread

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._wake.wait(self._pause())
                self._wake.clear()
        except Exception:
            self._trouble = "the desk has a bug and does nothing more for this account; the server's log has the trace"
            raise
        finally:
            for worker in self._workers:
                worker.close()
            self._closing.close()

    def _pause(self) -> float | None:
        """Looks, and says after how many seconds to look again; None: when somebody asks."""
        if self.idle_for >= self._idle_seconds:
            self._ready = False
            return None
        try:
            busy = self._look()
        except (Retryable, Rejected) as error:
            # A node that refuses may have changed its mind about its head since it told it; it is asked again.
            self._trouble = in_fields(str(error))
            self._setback = min(2 * self._setback, LONGEST_PAUSE)
            return self._setback
        self._trouble, self._ready, self._setback = None, True, FIRST_PAUSE
        return 0.05 if busy else self._place.client.network.poll_seconds

    def _look(self) -> bool:
        self._now = self._place.client.now()
        self.outbox.step()
        busy = [worker.tick() for worker in self._workers]
        known = {entry.key for entry in self.outbox.entries()}
        self._deadlines = {key: until for key, until in self._deadlines.items() if key in known}
        return any(busy)

    def _deadline(self, entry: Entry) -> Seconds | None:
        """Asks the chain once for each intent."""
        if entry.until is not None or entry.key in self._deadlines:
            return entry.until or self._deadlines[entry.key]
        try:
            found = deadline_of(self._place.contracts, entry.key)
        except (Rejected, Retryable) as error:
            logger.info("%s: no deadline now: %s", entry.key, error)
            return None
        self._deadlines[entry.key] = found
        return found

    def _note(self, event: WorkerEvent) -> None:
        if event.what in TOLD or event.what.startswith("gave-up"):
            words = str(event.detail.get("message") or _WORDS.get(event.what) or event.what)
            oid = None if event.oid is None else int(event.oid)
            self._notes.append(schema.Note(at=self._now, oid=oid, what=event.what, message=in_fields(words)))


_WORDS = {
    "opening-lost": "the opening of the test set is not on this machine: release it where the order was prepared, or "
    "the providers share the reward"
}
