"""What becomes of what an outbox has offered, as the chain tells it.

A hash that was reported is looked up; where none was, or the wallet has replaced the transaction by another one with
the same nonce, it is found among what the account has sent since.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.client import BlockRef, ChainClient, RpcFailure
from offchain.chain.reverts import call_fields, revert_reason
from offchain.chain.transactions import Receipt
from offchain.errors import Rejected, Retryable
from offchain.explorer.desk.outbox_journal import Entry, OutboxJournal, State, Walked
from offchain.explorer.desk.sightings import Transaction, difference, find_transactions, sent_between

logger = logging.getLogger(__name__)

RECHECKED = 50
"""Ended intents that are looked at again when blocks were reorganised."""


MOST_LOST = 3
"""Transactions of an intent that came to nothing; what else is reported of it counts once a node shows it."""

DEEPEST = 64
"""Blocks below the head that a reorganisation is taken to reach."""


@dataclass(frozen=True, slots=True)
class _View:
    """The chain as one step sees it. `nonce`: transactions of the account up to `head`."""

    head: BlockRef
    final: int
    nonce: int


class OutboxWatch:
    """The outbox holds its lock around every call. Raises Retryable when the node is down."""

    def __init__(
        self,
        client: ChainClient,
        address: ChecksumAddress,
        journal: OutboxJournal,
        *,
        patience: float,
        clock: Callable[[], float],
        contract_name: Callable[[str], str | None],
    ) -> None:
        """`patience`: seconds after which a transaction that no node shows counts as lost."""
        self._client = client
        self._address = address
        self._journal = journal
        self._patience = patience
        self._clock = clock
        self._contract_name = contract_name
        self._seen: dict[str, float] = {}
        self._lost: dict[str, int] = {}
        self._head: BlockRef | None = None
        self._walked_to: int | None = None

    def begin(self) -> None:
        """Before an intent: if nothing else waits, what the account has sent so far is nothing that was offered."""
        if self._journal.walked() is None or not self._journal.unfinished():
            view = self._look()
            self._journal.set_walked(Walked(view.nonce, view.head.number))
            self._walked_to = None

    def reported(self, entry: Entry, *, is_known: bool) -> bool:
        """A transaction of this intent was seen, or was only said to be on its way; whether to wait for it.

        What is only said postpones nothing for ever, or whoever may talk to the desk could hide what is due.
        """
        if not is_known and self._lost.get(entry.key, 0) >= MOST_LOST:
            return False
        if is_known or entry.state is not State.SENT:
            self._seen[entry.key] = self._clock()
        return True

    def step(self) -> None:
        """One look at the chain for all that waits."""
        view = self._look()
        if self._is_reorganised(view.head):
            self._walk_back(view.head)
            self._recheck_ended()
        waiting = self._journal.unfinished()
        if waiting:
            self._find_unreported(waiting, view)
            self._follow(self._journal.unfinished(), view)
            self._withdraw_impossible(view)
        self._head = view.head

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
            self._lost[entry.key] = self._lost.get(entry.key, 0) + 1
            lost = "what was sent has disappeared, or never arrived; sign it again"
            self._journal.move(entry.key, State.OFFERED, note=note or lost)

    def _is_lost(self, entry: Entry) -> bool:
        since = self._seen.setdefault(entry.key, self._clock())
        return self._clock() - since >= self._patience

    def _end(self, entry: Entry, transaction: Transaction, receipt: Receipt) -> None:
        self._seen.pop(entry.key, None)
        self._lost.pop(entry.key, None)
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
