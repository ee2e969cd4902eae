"""A node for callers without an event loop: it runs in a thread, and every method here may be called from any other."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from offchain.errors import Retryable
from offchain.ledger.membership import Membership
from offchain.ledger.node import LedgerNode
from offchain.ledger.node_config import NodeStatus
from offchain.ledger.pbft.effects import Executed
from offchain.ledger.submissions import Receipt
from offchain.ledger.types import ReplicaId
from offchain.ledger.types import Sequence as SequenceNumber

T = TypeVar("T")

INBOX_PER_PEER = 256
"""Gossip of one peer that is kept until `inbox` is called; older ones go first."""
LONGEST_GOSSIP = 4 << 10
"""Bytes; what is longer is dropped, for 256 frames of each peer would fill the memory."""
ANSWERS_WITHIN = 30.0


def new_loop() -> asyncio.AbstractEventLoop:
    """An event loop: uvloop's where it is installed, which is twice as fast."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


class NodeThread:
    """See the module. `start` before anything else."""

    def __init__(self, node: LedgerNode) -> None:
        self.node = node
        """Only for use within the thread."""
        self._loop = new_loop()
        self._thread = threading.Thread(target=self._run, name=f"ledger-{node.me}", daemon=True)
        self._lock = threading.Lock()
        self._inbox: dict[ReplicaId, deque[bytes]] = {}
        self._ended: Future[None] = Future()
        node.on_gossip(self._keep)

    def start(self) -> None:
        """Raises Rejected when the node cannot listen."""
        self._thread.start()
        try:
            self.run(self.node.start())
        except BaseException:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            raise
        self._loop.call_soon_threadsafe(lambda: self._loop.create_task(self._watch()))

    def stop(self) -> None:
        """Stops the node and the thread."""
        if self._thread.is_alive():
            self.run(self.node.stop())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def check(self) -> None:
        """Raises what stopped the node, if anything did but `stop`."""
        if self._ended.done():
            self._ended.result()

    def run(self, work: Coroutine[Any, Any, T], timeout: float | None = ANSWERS_WITHIN) -> T:
        """Runs `work` in the node's loop. Raises Retryable after `timeout` seconds."""
        if not self._thread.is_alive():
            work.close()
            raise Retryable("the ledger's node is stopped")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise Retryable(f"the ledger did not answer within {timeout:g} s; try again") from None

    def submit(self, requests: Sequence[bytes], timeout: float | None = ANSWERS_WITHIN) -> list[Receipt]:
        """See LedgerNode.submit. Retryable also after `timeout` seconds; the requests may be executed all the same."""
        return self.run(self.node.submit(requests), timeout)

    def submit_soon(self, requests: Sequence[bytes]) -> None:
        """Has requests ordered without waiting; what becomes of them shows in `executed_since`."""
        future = asyncio.run_coroutine_threadsafe(self.node.submit(requests), self._loop)
        # An exception that nobody reads is logged as a bug, and this is none: the caller asks again if it must.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())

    def executed_since(self, sequence: SequenceNumber) -> tuple[list[Executed], bool]:
        """See LedgerNode.executed_since."""
        return self._call(lambda: self.node.executed_since(sequence))

    def status(self) -> NodeStatus:
        """Where the node stands."""
        return self._call(self.node.status)

    def relocate(self, membership: Membership) -> None:
        """See LedgerNode.relocate."""
        self._call(lambda: self.node.relocate(membership))

    def gossip(self, payload: bytes, to: ReplicaId | None = None) -> None:
        """See LedgerNode.gossip."""
        self._call(lambda: self.node.gossip(payload, to))

    def inbox(self) -> list[tuple[ReplicaId, bytes]]:
        """What peers gossiped since the last call, at most the newest 256 of each."""
        with self._lock:
            inbox, self._inbox = self._inbox, {}
        return [(peer, payload) for peer, payloads in inbox.items() for payload in payloads]

    def _keep(self, peer: ReplicaId, payload: bytes) -> None:
        if len(payload) > LONGEST_GOSSIP:
            return
        with self._lock:
            self._inbox.setdefault(peer, deque(maxlen=INBOX_PER_PEER)).append(payload)

    def _call(self, function: Callable[[], T]) -> T:
        async def work() -> T:
            return function()

        return self.run(work())

    async def _watch(self) -> None:
        try:
            await self.node.wait()
        except BaseException as error:
            self._ended.set_exception(error)
            raise
        self._ended.set_result(None)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
