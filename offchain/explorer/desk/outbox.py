"""A sender that signs nothing: it journals what is to be sent, offers it to a wallet, and watches what becomes of it.

To workers it is a `Sender`: the same keys, the same errors. The journal says what is wanted, the chain what is done. A
hash that the wallet's page reports is looked at before it counts; where none is reported, or the wallet has replaced
the transaction by another one with the same nonce, it is found among what the account has sent.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eth_typing import ChecksumAddress

from offchain.chain.client import ChainClient, RpcFailure
from offchain.chain.errors import ContractRejected
from offchain.chain.reverts import call_fields
from offchain.chain.sending import Call, Intended, Ticket
from offchain.chain.transactions import Receipt, TxCall, as_call
from offchain.errors import Bug, Rejected, Retryable
from offchain.explorer.desk.outbox_journal import ENDED, Entry, OutboxJournal, State
from offchain.explorer.desk.outbox_watch import OutboxWatch
from offchain.explorer.desk.refusals import Faulty
from offchain.explorer.desk.sightings import difference, find_transactions
from offchain.types import Seconds

logger = logging.getLogger(__name__)

MOST_UNKNOWN = 16
"""Hashes of one intent that are looked for: what else is reported of it, a node has to know already."""


@dataclass(frozen=True, slots=True)
class OutboxPolicy:
    """`patience`: seconds after which a transaction that no node shows is offered again. `wait`: see `Sender.wait`.

    `most`: intents that wait at once. `rest`: seconds in which a second look at the chain is spared.
    """

    patience: float = 60.0
    wait: float = 600.0
    most: int = 256
    rest: float = 0.2


class Outbox:
    """What one account's wallet is asked for. Thread-safe; implements `Sending`."""

    def __init__(
        self,
        client: ChainClient,
        address: ChecksumAddress,
        journal: OutboxJournal,
        *,
        policy: OutboxPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        contract_name: Callable[[str], str | None] = lambda _address: None,
    ) -> None:
        self._client = client
        self._address = address
        self._journal = journal
        self._policy = policy or OutboxPolicy()
        self._clock = clock
        self._sleep = sleep
        self._contract_name = contract_name
        self._lock = threading.RLock()
        self._watch = OutboxWatch(
            client,
            address,
            journal,
            patience=self._policy.patience,
            clock=clock,
            contract_name=contract_name,
        )
        self._rested: float | None = None

    # What workers use, see `Sending`

    @property
    def address(self) -> ChecksumAddress:
        """The account."""
        return self._address

    def submit(self, key: str, call: Call, *, gas: int | None = None) -> Ticket:
        """Journals the call and offers it; does not wait for anybody.

        Raises like `Sender.submit`, but for funds, which are the wallet's business. `gas` is the wallet's too.
        """
        del gas
        return self.offer(key, as_call(call))

    def submit_many(self, calls: Sequence[Intended]) -> list[Ticket]:
        """Like `submit` for each in order. Raises Retryable when one cannot be run before another is mined."""
        tickets: list[Ticket] = []
        for item in calls:
            try:
                tickets.append(self.submit(item.key, item.call))
            except ContractRejected as error:
                before = [ticket.key for ticket in tickets if self.outcome(ticket.key) is None]
                if not before:
                    raise
                raise Retryable(f"{item.key} waits until {before[-1]} is signed and mined ({error})") from error
        return tickets

    def wait(self, ticket: Ticket, *, seconds: float | None = None) -> Receipt:
        """Waits until somebody has signed it and it is final. Raises like `Sender.wait`."""
        limit = self._policy.wait if seconds is None else seconds
        deadline = self._clock() + limit
        while True:
            try:
                self.step()
            except Retryable as error:
                logger.info("%s", error)
            receipt = self.outcome(ticket.key)
            if receipt is not None:
                return receipt
            if self._clock() >= deadline:
                raise Retryable(f"{ticket.key} is not signed and final after {limit:g} s; it stays in the outbox")
            self._sleep(self._client.network.poll_seconds)

    def wait_all(self, tickets: Sequence[Ticket], *, seconds: float | None = None) -> list[Receipt]:
        """Waits for all of them; their receipts in order."""
        return [self.wait(ticket, seconds=seconds) for ticket in tickets]

    def send(self, key: str, call: Call, *, gas: int | None = None, seconds: float | None = None) -> Receipt:
        """`submit` and `wait` in one."""
        return self.wait(self.submit(key, call, gas=gas), seconds=seconds)

    def recover(self) -> list[Ticket]:
        """What waits for a signature, or for its end."""
        return [Ticket(entry.key, None) for entry in self._journal.unfinished()]

    def outcome(self, key: str) -> Receipt | None:
        """The receipt of a final intent; None while it waits or is unknown.

        Raises ContractRejected when it reverted; Rejected when it was withdrawn: submitting it offers it again.
        """
        entry = self._journal.find(key)
        if entry is None or entry.state not in ENDED:
            return None
        if entry.state is State.DONE:
            return entry.receipt
        if entry.state is State.REVERTED:
            contract, _, name = (entry.error or "").partition("(")[0].rpartition(".")
            raise ContractRejected(f"{entry.call.label}: {entry.error}", contract, name, {})
        raise Rejected(f"{entry.call.label} was withdrawn: {entry.error}")

    def knows(self, key: str) -> bool:
        """Whether there is an intent with this key, whatever became of it."""
        return self._journal.find(key) is not None

    def in_flight(self) -> int:
        """How many wait for a signature, or for their end."""
        return len(self._journal.unfinished())

    def close(self) -> None:
        """Lets go of the journal."""
        with self._lock:
            self._journal.close()

    # What the desk uses

    def offer(self, key: str, call: TxCall, *, until: Seconds | None = None, renew: bool = False) -> Ticket:
        """Journals a call and offers it. `until`: it is void afterwards.

        `renew`: the call, which holds a new permit, takes the place of one that waits. Should that one be mined after
        all, this one reverts, for a permit is good for one of them.
        Raises ContractRejected when it would revert, Rejected when too many wait, Retryable when the node is down; Bug
        when the key was used for another call.
        """
        with self._lock:
            entry = self._journal.find(key)
            same = entry is not None and _same(entry.call, call)
            if entry is not None and entry.state is not State.WITHDRAWN:
                if same:
                    return Ticket(key, None)
                if not renew or entry.state is not State.OFFERED:
                    raise Bug(f"idempotency key {key} was used for another call ({entry.call.label})")
            if len(self._journal.unfinished()) >= self._policy.most:
                raise Rejected(f"{self._policy.most} calls wait for {self._address}; sign those first")
            self.estimate(call)
            self._watch.begin()
            self._journal.offer(key, call, until)
            return Ticket(key, None)

    def estimate(self, call: TxCall) -> int:
        """The gas that the node measures. Raises ContractRejected, in words, when the call would revert."""
        (answer,) = self._client.batch([("eth_estimateGas", [call_fields(self._address, call), "latest"])])
        if isinstance(answer, RpcFailure):
            raise self._client.failure(answer, call.label, self._contract_name(call.to or ""))
        return int(answer, 16)

    def entry(self, key: str) -> Entry | None:
        """The intent with this key."""
        return self._journal.find(key)

    def entries(self) -> list[Entry]:
        """What waits for a signature or its end, oldest first."""
        return self._journal.unfinished()

    def ended(self, most: int) -> list[Entry]:
        """The last that ended, newest first."""
        return self._journal.ended(most)

    def report(self, key: str, tx_hash: bytes) -> None:
        """Takes the hash of the transaction that the wallet says it has sent for an intent.

        Raises Rejected when that transaction is something else, KeyError for an unknown key. One that no node knows yet
        is believed for `patience`, some times.
        """
        with self._lock:
            entry = self._journal.find(key)
            if entry is None:
                raise KeyError(key)
            if tx_hash in entry.hashes:
                return
            if entry.state in (State.DONE, State.REVERTED):
                raise Faulty("tx_hash", f"{key} is over already; what was sent as 0x{tx_hash.hex()} is something else")
            other = self._journal.key_of(tx_hash)
            if other is not None:
                raise Faulty("tx_hash", f"0x{tx_hash.hex()} was reported for {other}")
            found = find_transactions(self._client, [tx_hash]).get(tx_hash)
            wrong = None if found is None else difference(found, self._address, entry.call)
            if wrong is not None:
                raise Faulty("tx_hash", f"0x{tx_hash.hex()} is not this call: {wrong}")
            if found is None and len(entry.hashes) >= MOST_UNKNOWN:
                raise Faulty(
                    "tx_hash", f"{key}: {MOST_UNKNOWN} were reported already; a node has to show this one first"
                )
            self._journal.add_hash(key, tx_hash)
            if self._watch.reported(entry, is_known=found is not None):
                self._journal.move(key, State.SENT)
            self._rested = None

    def step(self) -> None:
        """One look at the chain for all that waits. Raises Retryable when the node is down."""
        with self._lock:
            if self._rested is None or self._clock() >= self._rested + self._policy.rest:
                self._watch.step()
                self._rested = self._clock()


def _same(first: TxCall, second: TxCall) -> bool:
    return (first.to, first.data, first.value) == (second.to, second.data, second.value)
