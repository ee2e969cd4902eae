"""Tells the aggregators' ledger what an account does on chain, as it happens."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from eth_typing import ChecksumAddress

from offchain.chain.contracts import AssayContracts
from offchain.errors import Rejected
from offchain.ledger.api.schema import MAX_MESSAGES, ReceiptOut
from offchain.ledger.records.bodies import Body
from offchain.ledger.records.results import Result
from offchain.roles.statements import statements
from offchain.types import OrderId

PASSING = frozenset(result.label for result in (Result.EARLY, Result.NO_ORDER, Result.NO_MODEL, Result.FULL))
"""Refusals that may not last: others have yet to say something, or the window to begin."""

Report = Callable[[Body, ReceiptOut], None]


class Ledger(Protocol):
    """Of `LedgerClient` what is needed here."""

    def submit(self, bodies: Sequence[Body]) -> list[ReceiptOut]:
        """Signs bodies and has them ordered."""


class Teller:
    """Call `tell` now and then. A new one tells everything again, which the ledger knows to be nothing new."""

    def __init__(self, contracts: AssayContracts, account: ChecksumAddress, ledger: Ledger, report: Report) -> None:
        self._contracts = contracts
        self._account = account
        self._ledger = ledger
        self._report = report
        self._told: set[Body] = set()
        self._over: set[OrderId] = set()

    def tell(self) -> int:
        """Says what is new, and how many things that were. Raises Retryable when chain or ledger cannot be reached."""
        new = [body for oid in self._open() for body in self._said(oid) if body not in self._told]
        for start in range(0, len(new), MAX_MESSAGES):
            some = new[start : start + MAX_MESSAGES]
            for body, receipt in zip(some, self._ledger.submit(some), strict=True):
                if receipt.result not in PASSING:
                    self._told.add(body)
                    self._report(body, receipt)
        return len(new)

    def _open(self) -> Iterable[OrderId]:
        """Orders that the ledger still takes something about."""
        now = self._contracts.client.now()
        for oid in map(OrderId, range(1, self._contracts.order_count() + 1)):
            if oid in self._over:
                continue
            if self._contracts.order(oid).windows.challenge_end <= now:
                self._over.add(oid)
            else:
                yield oid

    def _said(self, oid: OrderId) -> list[Body]:
        try:
            return statements(self._contracts, oid, self._account)
        except Rejected:
            # Gone in a reorganisation; it shows at the next look, if at all.
            return []
