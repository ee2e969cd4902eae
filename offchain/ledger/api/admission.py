"""Who may write on the ledger. The replicated state takes any account's word; a replica lets in whom its policy knows.

A faulty replica can let in anybody. What that costs is bounded by the state's limits (`records/state.py`), and no money
depends on it.
"""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import monotonic

from offchain.errors import Retryable
from offchain.ledger.records.bodies import Account, Order, RewardProposal
from offchain.ledger.records.request import Parsed

READERS = 4
"""Reads of the chain at the same time."""
MOST_READS = 64
"""That wait, of all clients: whoever makes up accounts shall not make the chain's node answer for each without end."""


class Open:
    """Everybody: for development chains."""

    async def refusal(self, request: Parsed) -> str | None:
        """Never."""
        del request
        return None


class MembersOnly:
    """A fixed list of accounts."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._accounts = frozenset(accounts)

    async def refusal(self, request: Parsed) -> str | None:
        """Unless the account is on the list."""
        return None if request.account in self._accounts else "this account is not on the list of those who may write"


@dataclass(frozen=True, slots=True)
class ChainReader:
    """Reads of the chain, which may block and raise Retryable."""

    has_bond: Callable[[Account], bool]
    """Whether an account has a bond in any role."""
    client_of: Callable[[int], Account | None]
    """The client of an order; None when there is no such order."""


class ChainAdmission:
    """Members, whoever has a bond, and clients for orders that are theirs on the chain.

    What the chain says is remembered for `seconds`, for at most `most` accounts and orders.
    """

    def __init__(
        self,
        reader: ChainReader,
        members: Iterable[Account],
        *,
        seconds: float = 60.0,
        most: int = 10_000,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._reader = reader
        self._members = frozenset(members)
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._known: dict[Account | int, tuple[float, object]] = {}
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="admission")
        self._reading = 0

    async def refusal(self, request: Parsed) -> str | None:
        """Raises Retryable when the chain cannot be read."""
        body = request.body
        if isinstance(body, RewardProposal) or request.account in self._members:
            return None if request.account in self._members else "only members of the committee propose reward roots"
        if isinstance(body, Order):
            client = await self._read(body.oid, partial(self._reader.client_of, body.oid))
            known = client == request.account
            return None if known else f"order {body.oid} is not this account's on the chain; put it there first"
        if await self._read(request.account, partial(self._reader.has_bond, request.account)):
            return None
        return "this account has no bond on the chain; see `assay stake add`"

    async def _read(self, key: Account | int, read: Callable[[], object]) -> object:
        """What was true a moment ago is true; what was not is looked up again."""
        now = self._clock()
        until, value = self._known.get(key, (0.0, None))
        if value and now < until:
            return value
        if self._reading >= MOST_READS:
            raise Retryable("too many accounts are being looked up on the chain; try again in some seconds")
        self._reading += 1
        try:
            value = await asyncio.get_running_loop().run_in_executor(self._threads, read)
        finally:
            self._reading -= 1
        if len(self._known) >= self._most:
            self._known.pop(next(iter(self._known)))
        self._known[key] = now + self._seconds, value
        return value
