"""The desk: who is connected, what they are to sign, and its parts, which are made when they are first needed.

What plays, trains and scores takes seconds to import; who only looks at the page shall not wait for it.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from eth_typing import ChecksumAddress

from offchain.errors import Retryable
from offchain.explorer.desk import schema
from offchain.explorer.desk.addresses import checksum
from offchain.explorer.desk.refusals import NotKnown
from offchain.explorer.desk.uploads import uploads_folder

if TYPE_CHECKING:
    from offchain.explorer.desk.account import DeskAccount
    from offchain.explorer.desk.challenge_desk import ChallengeDesk
    from offchain.explorer.desk.order_desk import OrderDesk
    from offchain.explorer.desk.outbox import OutboxPolicy
    from offchain.explorer.desk.place import DeskPlace
    from offchain.explorer.desk.reward_desk import RewardDesk

MOST_ACCOUNTS = 16
IDLE_SECONDS = 300.0
RECENT = 30.0
"""Seconds after a question in which an account does not make room for another one."""


class Desk:
    """See the module. All methods may be called from any thread; none waits for a person."""

    def __init__(
        self,
        place: DeskPlace,
        *,
        policy: OutboxPolicy | None = None,
        idle_seconds: float = IDLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`policy`: of the outboxes; `idle_seconds`: after which an account that nobody asks for rests."""
        self.place = place
        self.uploads = uploads_folder(place.journals.parent)
        self._policy = policy
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._lock = threading.RLock()
        self._accounts: dict[ChecksumAddress, DeskAccount] = {}
        self._gates: dict[ChecksumAddress, threading.Lock] = {}
        self._orders: OrderDesk | None = None
        self._challenges: ChallengeDesk | None = None
        self._rewards: RewardDesk | None = None

    def close(self) -> None:
        """Ends all threads and removes what was uploaded."""
        with self._lock:
            accounts = list(self._accounts.values())
            self._accounts.clear()
            parts = [part for part in (self._orders, self._challenges) if part is not None]
        for part in parts:
            part.close()
        for account in accounts:
            account.close()
        shutil.rmtree(self.uploads, ignore_errors=True)

    # Parts

    @property
    def orders(self) -> OrderDesk:
        """For those who order models."""
        from offchain.explorer.desk.order_desk import OrderDesk

        with self._lock:
            self._orders = self._orders or OrderDesk(self.place, self.account, self.uploads, clock=self._clock)
            return self._orders

    @property
    def challenges(self) -> ChallengeDesk:
        """For those who doubt a score."""
        from offchain.explorer.desk.challenge_desk import ChallengeDesk

        with self._lock:
            self._challenges = self._challenges or ChallengeDesk(self.place, self.account, clock=self._clock)
            return self._challenges

    @property
    def rewards(self) -> RewardDesk:
        """For those who have earned something."""
        from offchain.explorer.desk.reward_desk import RewardDesk

        with self._lock:
            self._rewards = self._rewards or RewardDesk(self.place)
            return self._rewards

    # Accounts

    def account(self, address: ChecksumAddress) -> DeskAccount:
        """The account's workers and outbox, opened if need be.

        Raises Retryable when too many are connected or the node is down, Rejected when its journals cannot be used.
        """
        with self._lock:
            gate = self._gates.setdefault(address, threading.Lock())
        with gate:  # a node that hangs while one account is opened keeps no other waiting
            found = self._accounts.get(address)
            if found is None or found.is_over:
                found = self._open(address)
        found.touch()
        return found

    def _open(self, address: ChecksumAddress) -> DeskAccount:
        from offchain.explorer.desk.account import DeskAccount

        with self._lock:
            self._make_room()
        opened = DeskAccount(
            self.place, address, idle_seconds=self._idle_seconds, policy=self._policy, clock=self._clock
        )
        with self._lock:
            self._accounts[address] = opened
        return opened

    def _make_room(self) -> None:
        if len(self._accounts) < MOST_ACCOUNTS:
            return
        stalest = max(self._accounts.values(), key=lambda account: account.idle_for)
        if stalest.idle_for < RECENT:
            raise Retryable(f"{MOST_ACCOUNTS} accounts are connected; disconnect one and try again in a minute")
        del self._accounts[stalest.address]
        stalest.close()

    # The outbox

    def outbox(self, address: ChecksumAddress) -> schema.Outbox:
        """What waits for an account. Raises Retryable, Rejected."""
        return self.account(address).show()

    def sent(self, key: str, report: schema.Sent) -> schema.OutboxItem:
        """The wallet says that it has sent something. Raises NotKnown, Rejected when it was something else."""
        account = self.account(checksum(report.account))
        try:
            account.outbox.report(key, bytes.fromhex(report.tx_hash[2:]))
        except KeyError:
            raise NotKnown(f"{key[:100]}: nothing of that name is in the outbox of {account.address}") from None
        account.look_soon()
        item = account.item(key)
        if item is None:
            raise Retryable("the outbox has changed meanwhile; ask again")
        return item
