"""Which connections get a handshake, and who has to wait.

Pure: the time is passed in, in seconds of any steady clock.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from offchain.ledger.types import ReplicaId

C = TypeVar("C")


@dataclass(slots=True)
class _Bucket:
    tokens: float
    since: float


class Admission(Generic[C]):
    """Bounds what strangers cost: handshakes of one address by a rate, and handshakes under way by a number.

    A flood fills its own address's bucket; when many addresses fill the room, the oldest handshake of the address that
    has most goes.
    """

    def __init__(self, *, pending: int, burst: int, per_second: float, addresses: int = 1024) -> None:
        self._room = pending
        self._burst = burst
        self._rate = per_second
        self._most_addresses = addresses
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._pending: OrderedDict[C, str] = OrderedDict()
        self._by_address: dict[str, OrderedDict[C, None]] = {}

    @property
    def pending(self) -> int:
        """How many handshakes are under way."""
        return len(self._pending)

    def admit(self, address: str, now: float) -> bool:
        """Whether a connection from `address` may begin a handshake."""
        bucket = self._buckets.pop(address, None)
        if bucket is None:
            bucket = _Bucket(self._burst, now)
            while len(self._buckets) >= self._most_addresses:
                self._buckets.popitem(last=False)
        self._buckets[address] = bucket
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.since) * self._rate)
        bucket.since = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def begin(self, connection: C, address: str) -> C | None:
        """Counts a handshake; the connection that has to go for it, if any."""
        evicted = None
        if len(self._pending) >= self._room:
            # Some microseconds for as many addresses: a flood is turned away, not counted over and over.
            busiest = max(self._by_address.values(), key=len)
            evicted = next(iter(busiest))
            self.end(evicted)
        self._pending[connection] = address
        self._by_address.setdefault(address, OrderedDict())[connection] = None
        return evicted

    def end(self, connection: C) -> None:
        """The handshake is over, well or not."""
        address = self._pending.pop(connection, None)
        if address is not None:
            same = self._by_address[address]
            del same[connection]
            if not same:
                del self._by_address[address]


class Pauses:
    """How long peers that misbehaved stay cut off: twice as long each time, up to a bound, less after a good while."""

    def __init__(self, *, first: float, longest: float, forgive_after: float) -> None:
        self._first = first
        self._longest = longest
        self._forgive_after = forgive_after
        self._ends: dict[ReplicaId, float] = {}
        self._lengths: dict[ReplicaId, float] = {}

    def punish(self, peer: ReplicaId, now: float) -> float:
        """Begins a pause; its length."""
        length = self._first
        if peer in self._ends and now < self._ends[peer] + self._forgive_after:
            length = min(self._longest, self._lengths[peer] * 2)
        self._lengths[peer] = length
        self._ends[peer] = now + length
        return length

    def left(self, peer: ReplicaId, now: float) -> float:
        """Seconds until the peer may connect; 0: at once."""
        return max(0.0, self._ends.get(peer, now) - now)
