"""Requests of our own clients on their way: bundled, bounded, and answered when they are executed. Pure.

The time is passed in, in seconds of any steady clock; `Call` tells its caller through a function.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from offchain.errors import AssayError, Retryable
from offchain.ledger.types import Millis
from offchain.ledger.types import Sequence as SequenceNumber


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a request: the batch that executed it, the ledger's time of that, and the application's result."""

    sequence: SequenceNumber
    time: Millis
    result: bytes


SETTLED = Receipt(SequenceNumber(0), Millis(0), b"")
"""Of a request that was executed before, or came too late for ever: the application knows which."""


@dataclass(frozen=True, slots=True)
class SubmissionLimits:
    """Bounds: bytes, numbers and seconds. `bundle_bytes` of requests, at most, go into one bundle.

    A bundle leaves at once when none of ours is under way, else when it is full or `delay` old.
    """

    bundle_bytes: int = 64 << 10
    delay: float = 0.005
    bundles_under_way: int = 32
    bytes_under_way: int = 4 << 20
    waiting: int = 20_000
    waiting_bytes: int = 16 << 20
    give_up_after: float = 120.0
    """A bundle that is not executed after so long counts no more; its requests may have been executed by another."""


class Call:
    """Some requests that one caller waits for."""

    __slots__ = ("_done", "_left", "receipts", "requests")

    def __init__(self, requests: Sequence[bytes], done: "Callable[[Call, AssayError | None], None]") -> None:
        """`done`: called once, when all have receipts or it failed."""
        self.requests = tuple(requests)
        self.receipts: list[Receipt | None] = [None] * len(self.requests)
        self._left = len(self.requests)
        self._done: Callable[[Call, AssayError | None], None] | None = done

    def answer(self, index: int, receipt: Receipt) -> None:
        """One of them has a receipt."""
        if self.receipts[index] is None:
            self.receipts[index] = receipt
            self._left -= 1
            if not self._left:
                self.finish(None)

    def finish(self, error: AssayError | None) -> None:
        """Tells the caller, once."""
        done, self._done = self._done, None
        if done is not None:
            done(self, error)


@dataclass(slots=True, eq=False)
class _Bundle:
    left: int
    bytes: int
    since: float


@dataclass(slots=True)
class _Request:
    waiters: list[tuple[Call, int]] = field(default_factory=list)
    bundle: _Bundle | None = None


class Submissions:
    """See the module."""

    def __init__(self, limits: SubmissionLimits | None = None) -> None:
        self._limits = limits or SubmissionLimits()
        self._requests: dict[bytes, _Request] = {}
        self._queue: dict[bytes, None] = {}  # in order
        self._queue_bytes = 0
        self._queued_since = 0.0
        self._bundles: list[_Bundle] = []
        self._bytes = 0

    @property
    def waiting(self) -> int:
        """Requests that were not executed yet."""
        return len(self._requests)

    @property
    def waiting_bytes(self) -> int:
        """Their size."""
        return self._bytes

    @property
    def bundles_under_way(self) -> int:
        """Bundles of ours that were not executed yet."""
        return len(self._bundles)

    def add(self, call: Call, now: float) -> None:
        """Queues the requests of `call` for the next bundle, except those that are on their way already.

        Raises Retryable when too much waits; nothing is queued then.
        """
        more = {request for request in call.requests if request not in self._requests}
        size = sum(map(len, more))
        limits = self._limits
        if len(self._requests) + len(more) > limits.waiting or self._bytes + size > limits.waiting_bytes:
            raise Retryable(f"{len(self._requests)} requests wait to be ordered; try again in some seconds")
        if not self._queue:
            self._queued_since = now
        for index, request in enumerate(call.requests):
            entry = self._requests.get(request)
            if entry is None:
                entry = self._requests[request] = _Request()
                self._queue[request] = None
                self._queue_bytes += len(request)
                self._bytes += len(request)
            entry.waiters.append((call, index))

    def next_bundle(self, now: float) -> tuple[bytes, ...]:
        """The requests of a bundle that should leave now; none: wait."""
        if not self._queue or not self._has_room(now):
            return ()
        due = not self._bundles or self._queue_bytes >= self._limits.bundle_bytes
        if not due and now - self._queued_since < self._limits.delay:
            return ()
        taken: list[bytes] = []
        size = 0
        for request in self._queue:
            if taken and size + len(request) > self._limits.bundle_bytes:
                break
            size += len(request)
            taken.append(request)
        self._queue_bytes -= size
        bundle = _Bundle(len(taken), size, now)
        self._bundles.append(bundle)
        for request in taken:
            del self._queue[request]
            self._requests[request].bundle = bundle
        return tuple(taken)

    @property
    def has_queue(self) -> bool:
        """Whether something waits for a bundle."""
        return bool(self._queue)

    def executed(self, sequence: SequenceNumber, time: Millis, pairs: Sequence[tuple[bytes, bytes]]) -> None:
        """A batch was executed: `pairs` of request and result."""
        if not self._requests:
            return
        for request, result in pairs:
            entry = self._requests.pop(request, None)
            if entry is None:
                continue
            self._leave(request, entry)
            receipt = Receipt(sequence, time, result)
            for call, index in entry.waiters:
                call.answer(index, receipt)

    def abandon(self, call: Call) -> None:
        """The caller does not wait any more; the requests may be executed all the same."""
        for request in set(call.requests):
            entry = self._requests.get(request)
            if entry is None:
                continue
            entry.waiters = [waiter for waiter in entry.waiters if waiter[0] is not call]
            if not entry.waiters:
                del self._requests[request]
                self._leave(request, entry)

    def fail_all(self, error: AssayError) -> None:
        """Nobody will get a receipt for what waits now."""
        requests, self._requests = self._requests, {}
        self._queue, self._queue_bytes, self._bytes, self._bundles = {}, 0, 0, []
        for entry in requests.values():
            for call, _ in entry.waiters:
                call.finish(error)

    def _leave(self, request: bytes, entry: _Request) -> None:
        self._bytes -= len(request)
        if entry.bundle is None:
            # Executed from another's bundle, or abandoned, before it left.
            del self._queue[request]
            self._queue_bytes -= len(request)
            return
        entry.bundle.left -= 1
        if not entry.bundle.left and entry.bundle in self._bundles:
            self._bundles.remove(entry.bundle)

    def _has_room(self, now: float) -> bool:
        self._bundles = [b for b in self._bundles if now - b.since < self._limits.give_up_after]
        under_way = sum(bundle.bytes for bundle in self._bundles)
        return len(self._bundles) < self._limits.bundles_under_way and under_way < self._limits.bytes_under_way
