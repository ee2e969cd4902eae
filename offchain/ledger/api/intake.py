"""Messages on their way from HTTP to the ledger: checked, admitted, within the rates, ordered, answered."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic

from offchain.errors import Rejected
from offchain.ledger.api.buckets import Buckets
from offchain.ledger.api.described import to_hex
from offchain.ledger.api.facade import Admission, LedgerBackend
from offchain.ledger.api.guard import ApiLimits
from offchain.ledger.api.receipts import Entry, ReceiptBook
from offchain.ledger.api.refusals import Forbidden, TooMany
from offchain.ledger.api.schema import ReceiptOut
from offchain.ledger.records.application import RecordsApplication
from offchain.ledger.records.request import Parsed
from offchain.ledger.submissions import Receipt

PAUSE_EVERY = 16
"""Signatures checked before others get a turn: 16 take less than a millisecond."""


class Intake:
    """See the module."""

    def __init__(
        self,
        backend: LedgerBackend,
        application: RecordsApplication,
        book: ReceiptBook,
        admission: Admission,
        limits: ApiLimits,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._backend = backend
        self._application = application
        self._book = book
        self._admission = admission
        self._clock = clock
        self._unchecked = Buckets(limits.unchecked)
        self._accounts = Buckets(limits.accounts)
        self._under_way: set[asyncio.Task[list[Receipt]]] = set()

    async def submit(self, messages: Sequence[str], address: str, wait: float) -> list[ReceiptOut]:
        """Receipts, in order; `pending` those that are not executed after `wait` seconds.

        Raises Rejected, Forbidden, TooMany or Retryable; none of the messages is ordered then.
        """
        self._spend(self._unchecked, address, len(messages), "this address sends too many messages")
        requests = await self._check(messages)
        await self._admit(requests)
        for account, count in Counter(request.account for request in requests).items():
            self._spend(self._accounts, account, count, "this account sends too many messages")
        receipts = {request.digest: self._known(request) for request in requests}
        await self._order([request for request in requests if receipts[request.digest] is None], receipts, wait)
        return [receipts[request.digest] or pending(request.digest) for request in requests]

    async def _order(self, requests: list[Parsed], receipts: dict[bytes, ReceiptOut | None], wait: float) -> None:
        """Has requests executed, and adds their receipts if that takes no longer than `wait` seconds."""
        if not requests:
            return
        task = asyncio.create_task(self._backend.submit([request.raw for request in requests]))
        self._under_way.add(task)
        task.add_done_callback(self._done)
        await asyncio.wait({task}, timeout=wait)
        if task.done():
            for request, receipt in zip(requests, task.result(), strict=True):
                receipts[request.digest] = shown(Entry.of(request.digest, receipt))

    def _known(self, request: Parsed) -> ReceiptOut | None:
        """What became of a request that was executed before: it need not be ordered again to say so."""
        result = self._application.state.nonces.find(request.account, request.nonce, request.digest)
        if result is None:
            return None
        entry = self._book.find(request.digest)
        if entry is not None:
            return shown(entry).model_copy(update={"repeated": True})
        return ReceiptOut(
            digest=to_hex(request.digest),
            status="executed",
            result=result.label,
            text=result.text,
            stands=result.stands,
            repeated=True,
        )

    async def _check(self, messages: Sequence[str]) -> list[Parsed]:
        checked: list[Parsed] = []
        for index, message in enumerate(messages):
            try:
                checked.append(self._application.check(bytes.fromhex(message[2:])))
            except Rejected as error:
                raise Rejected(f"messages[{index}]: {error}") from error
            if index % PAUSE_EVERY == PAUSE_EVERY - 1:
                await asyncio.sleep(0)
        return checked

    async def _admit(self, requests: Sequence[Parsed]) -> None:
        for index, request in enumerate(requests):
            refusal = await self._admission.refusal(request)
            if refusal is not None:
                raise Forbidden(f"messages[{index}]: {refusal}")

    def _spend(self, buckets: Buckets, name: bytes | str, count: int, message: str) -> None:
        wait = buckets.take(name, count, self._clock())
        if wait:
            raise TooMany(f"{message}; slow down, or send fewer at once", min(wait, 3_600.0))

    def _done(self, task: "asyncio.Task[list[Receipt]]") -> None:
        """An error that nobody waits for any more is the ledger's, not ours: its client asks for the receipt."""
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()


def pending(digest: bytes) -> ReceiptOut:
    """Not executed yet."""
    return ReceiptOut(digest=to_hex(digest), status="pending")


def shown(entry: Entry) -> ReceiptOut:
    """A receipt as JSON."""
    result = entry.outcome.result
    return ReceiptOut(
        digest=to_hex(entry.digest),
        status="executed",
        result=result.label,
        text=result.text,
        stands=result.stands,
        repeated=entry.outcome.is_repeated,
        sequence=entry.receipt.sequence,
        time=entry.receipt.time,
    )
