"""The latest receipts, by the digest of the request; for an older one, send the request again."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from offchain.errors import Retryable
from offchain.ledger.pbft.effects import Executed
from offchain.ledger.records.application import Outcome
from offchain.ledger.records.request import Domain, Request
from offchain.ledger.submissions import Receipt


@dataclass(frozen=True, slots=True)
class Entry:
    """A receipt and what it says."""

    digest: bytes
    receipt: Receipt
    outcome: Outcome

    @classmethod
    def of(cls, digest: bytes, receipt: Receipt) -> "Entry":
        """Raises Rejected when the receipt's result is no outcome."""
        return cls(digest, receipt, Outcome.decode(receipt.result))


class ReceiptBook:
    """Fed by the node with every batch that it executes; remembers the latest `most` receipts."""

    def __init__(self, domain: Domain, most: int = 50_000, most_waiting: int = 1_000) -> None:
        self._domain = domain
        self._most = most
        self._most_waiting = most_waiting
        self._receipts: dict[bytes, Receipt] = {}
        self._waiting: dict[bytes, list[asyncio.Future[None]]] = {}
        self._waiters = 0

    def executed(self, batch: Executed) -> None:
        """Remembers the receipts of a batch, the first of each request, and wakes who waits for them."""
        for raw, result in zip(batch.requests, batch.results, strict=True):
            digest = Request.decode(raw).digest(self._domain)
            if digest not in self._receipts:
                self._receipts[digest] = Receipt(batch.sequence, batch.time, result)
            for future in self._waiting.get(digest, ()):
                if not future.done():
                    future.set_result(None)
        while len(self._receipts) > self._most:
            del self._receipts[next(iter(self._receipts))]

    def find(self, digest: bytes) -> Entry | None:
        """The receipt, if it is remembered."""
        receipt = self._receipts.get(digest)
        return None if receipt is None else Entry.of(digest, receipt)

    async def wait_for_all(self, digests: Sequence[bytes], seconds: float) -> list[Entry | None]:
        """See `wait_for`; together they take no longer than `seconds`."""
        until = asyncio.get_running_loop().time() + seconds
        return [await self.wait_for(digest, until - asyncio.get_running_loop().time()) for digest in digests]

    async def wait_for(self, digest: bytes, seconds: float) -> Entry | None:
        """The receipt, once there is one; None when there was none for so long. Raises Retryable when too many wait."""
        if digest in self._receipts or seconds <= 0:
            return self.find(digest)
        if self._waiters >= self._most_waiting:
            raise Retryable("too many clients wait for receipts; ask again without waiting")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(digest, []).append(future)
        self._waiters += 1
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            return None
        finally:
            self._waiters -= 1
            waiting = self._waiting[digest]
            waiting.remove(future)
            if not waiting:
                del self._waiting[digest]
        return self.find(digest)
