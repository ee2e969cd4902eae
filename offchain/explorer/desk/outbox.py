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
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.client import BlockRef, ChainClient, RpcFailure
from offchain.chain.errors import ContractRejected
from offchain.chain.reverts import call_fields, revert_reason
from offchain.chain.sending import Call, Intended, Ticket
from offchain.chain.transactions import Receipt, TxCall, as_call
from offchain.errors import Bug, Rejected, Retryable
from offchain.explorer.desk.outbox_journal import ENDED, Entry, OutboxJournal, State, Walked
from offchain.explorer.desk.refusals import Faulty
from offchain.explorer.desk.sightings import Transaction, difference, find_transactions, sent_between
from offchain.types import Seconds

logger = logging.getLogger(__name__)

RECHECKED = 50
"""Ended intents that are looked at again when blocks were reorganised."""


DEEPEST = 64
"""Blocks below the head that a reorganisation is taken to reach."""


@dataclass(frozen=True, slots=True)
class OutboxPolicy:
    """`patience`: seconds after which a transaction that no node shows is offered again. `wait`: see `Sender.wait`.

    `most`: intents that wait at once. `rest`: seconds in which a second look at the chain is spared.
    """

    patience: float = 60.0
    wait: float = 600.0
    most: int = 256
    rest: float = 0.2


@dataclass(frozen=True, slots=True)
class _View:
    """The chain as one step sees it. `nonce`: transactions of the account up to `head`."""

    head: BlockRef
    final: int
    nonce: int


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
        self._seen: dict[str, float] = {}
        self._head: BlockRef | None = None
        self._walked_to: int | None = None
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
            self._begin_walk()
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
        is believed for `patience`.
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
            self._journal.add_hash(key, tx_hash)
            self._journal.move(key, State.SENT)
            self._seen[key] = self._clock()
            self._rested = None

    def step(self) -> None:
        """One look at the chain for all that waits. Raises Retryable when the node is down."""
        with self._lock:
            if self._rested is not None and self._clock() < self._rested + self._policy.rest:
                return
            view = self._look()
            if self._is_reorganised(view.head):
                self._walk_back(view.head)
                self._recheck_ended()
            waiting = self._journal.unfinished()
            if waiting:
                self._find_unreported(waiting, view)
                self._follow(self._journal.unfinished(), view)
                self._withdraw_impossible(view)
            self._head, self._rested = view.head, self._clock()

    # The chain

    def _look(self) -> _View:
        head = self._client.head()
        try:
            return _View(head, self._client.final_block(head.number), self._client.nonce(self._address, head.number))
        except Rejected as error:
            # The chain was put back in between, or another node of a pool has answered.
            raise Retryable(f"{self._client.endpoint} does not know block {head.number} any more: {error}") from error

    def _is_reorganised(self, head: BlockRef) -> bool:
        former = self._head
        if former is None or head.hash == former.hash or head.parent == former.hash:
            return False
        return head.number <= former.number or self._client.block(former.number).hash != former.hash

    def _begin_walk(self) -> None:
        """Before the first intent: what the account has sent so far is nothing that was offered."""
        if self._journal.walked() is None or not self._journal.unfinished():
            view = self._look()
            self._journal.set_walked(Walked(view.nonce, view.head.number))
            self._walked_to = None

    def _find_unreported(self, waiting: Sequence[Entry], view: _View) -> None:
        """Looks through what the account has sent since, for calls that wait."""
        walked = self._journal.walked()
        if walked is None:
            return
        first = max(walked.nonce, self._walked_to or 0)
        if view.nonce > first:
            low = min(walked.block, view.head.number)
            sent = sent_between(self._client, self._address, first, view.nonce, low=low, head=view.head)
            for transaction in sent:
                self._take(transaction, waiting)
            self._walked_to = view.nonce
        if view.final > walked.block:
            final_nonce = self._final_nonce(view)
            if final_nonce is not None:
                self._journal.set_walked(Walked(final_nonce, view.final))

    def _walk_back(self, head: BlockRef) -> None:
        """After a reorganisation: what was looked through may have come to stand elsewhere."""
        self._walked_to = None
        walked = self._journal.walked()
        block = max(head.number - DEEPEST, 0)
        if walked is not None and block < walked.block:
            try:
                self._journal.set_walked(Walked(self._client.nonce(self._address, block), block))
            except Rejected as error:
                logger.info("transactions of %s before the fork cannot be looked for: %s", self._address, error)

    def _final_nonce(self, view: _View) -> int | None:
        if view.final >= view.head.number:
            return view.nonce
        try:
            return self._client.nonce(self._address, view.final)
        except Rejected:
            return None  # a node without that state: the walk goes on from where it was

    def _take(self, transaction: Transaction, waiting: Sequence[Entry]) -> None:
        if self._journal.key_of(transaction.hash) is not None:
            return
        for entry in waiting:
            if difference(transaction, self._address, entry.call) is None:
                logger.info("%s was sent as 0x%s", entry.key, transaction.hash.hex())
                self._journal.add_hash(entry.key, transaction.hash)
                return

    def _follow(self, waiting: Sequence[Entry], view: _View) -> None:
        hashes = [tx_hash for entry in waiting for tx_hash in entry.hashes]
        found = find_transactions(self._client, hashes) if hashes else {}
        for entry in waiting:
            if entry.hashes:
                self._follow_one(entry, [found[each] for each in entry.hashes if each in found], view)

    def _follow_one(self, entry: Entry, found: Sequence[Transaction], view: _View) -> None:
        note = entry.note
        right: list[Transaction] = []
        for transaction in found:
            wrong = difference(transaction, self._address, entry.call)
            if wrong is None:
                right.append(transaction)
            else:
                note = f"0x{transaction.hash.hex()} is not this call: {wrong}"
                self._journal.drop_hash(transaction.hash)
        mined = next((each for each in right if each.receipt is not None), None)
        if mined is not None and mined.receipt is not None and mined.receipt.block_number <= view.final:
            self._end(entry, mined, mined.receipt)
        elif right:
            self._seen[entry.key] = self._clock()
            if entry.state is not State.SENT:
                self._journal.move(entry.key, State.SENT)
        elif entry.state is State.SENT and (note != entry.note or self._is_lost(entry)):
            lost = "what was sent has disappeared, or never arrived; sign it again"
            self._journal.move(entry.key, State.OFFERED, note=note or lost)

    def _is_lost(self, entry: Entry) -> bool:
        since = self._seen.setdefault(entry.key, self._clock())
        return self._clock() - since >= self._policy.patience

    def _end(self, entry: Entry, transaction: Transaction, receipt: Receipt) -> None:
        self._seen.pop(entry.key, None)
        if receipt.succeeded:
            self._journal.end(entry.key, State.DONE, receipt, None)
            return
        reason = revert_reason(
            self._client,
            self._address,
            entry.call,
            receipt,
            gas=transaction.gas,
            contract_name=self._contract_name,
        )
        self._journal.end(entry.key, State.REVERTED, receipt, reason)

    def _recheck_ended(self) -> None:
        """The chain has forgotten blocks: what ended in one of them is not over."""
        mined = [entry for entry in self._journal.ended(RECHECKED) if entry.receipt is not None]
        found = find_transactions(self._client, [each.receipt.tx_hash for each in mined if each.receipt])
        for entry in mined:
            known = found.get(entry.receipt.tx_hash) if entry.receipt else None
            if known is None or known.receipt is None:
                logger.warning("%s was final and is rolled back", entry.key)
                self._seen[entry.key] = self._clock()
                self._journal.move(entry.key, State.SENT)

    def _withdraw_impossible(self, view: _View) -> None:
        """Takes back what was offered and would revert by now: it is too late, or somebody else was faster."""
        offered = [entry for entry in self._journal.unfinished() if entry.state is State.OFFERED]
        calls: list[tuple[str, list[Any]]] = [
            ("eth_call", [call_fields(self._address, entry.call), hex(view.head.number)]) for entry in offered
        ]
        for entry, answer in zip(offered, self._client.batch(calls), strict=True):
            expired = entry.until is not None and view.head.timestamp > entry.until
            if expired or (isinstance(answer, RpcFailure) and answer.is_revert):
                reason = "its time is over" if expired else self._words(entry, answer)
                self._journal.end(entry.key, State.WITHDRAWN, None, reason)

    def _words(self, entry: Entry, failure: RpcFailure) -> str:
        contract = self._contract_name(entry.call.to or "")
        return self._client.errors.decode(failure.data, contract).text if failure.data else failure.message


def _same(first: TxCall, second: TxCall) -> bool:
    return (first.to, first.data, first.value) == (second.to, second.data, second.value)
