"""One replica at work: links, journal, clock and clients around the state machine.

A turn: all events that came in go through `Replica.handle`, their records become durable together, then their messages
leave. While a sync runs in a thread, events wait, and so the next turn's batch grows with what the disk costs.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from offchain.errors import AssayError, Bug, Rejected, Retryable
from offchain.ledger.identity import MemberSigner
from offchain.ledger.journal import Journal
from offchain.ledger.membership import Membership
from offchain.ledger.node_config import NodeConfig, NodeStatus, group_of
from offchain.ledger.pbft import codec
from offchain.ledger.pbft.application import Application
from offchain.ledger.pbft.effects import (
    Accuse,
    Broadcast,
    CancelTimer,
    Connected,
    Effect,
    Event,
    Executed,
    Persist,
    Received,
    Restart,
    Send,
    SetTimer,
    Submitted,
    TimedOut,
    Timer,
)
from offchain.ledger.pbft.messages import Gossip
from offchain.ledger.pbft.replica import Replica
from offchain.ledger.submissions import SETTLED, Call, Receipt, Submissions
from offchain.ledger.transport.handshake import Party
from offchain.ledger.transport.links import Links
from offchain.ledger.types import Millis, ReplicaId
from offchain.ledger.types import Sequence as SequenceNumber
from offchain.protocol.hashing import keccak

OnExecuted = Callable[[Executed], None]
OnGossip = Callable[[ReplicaId, bytes], None]

SLOW_SYNC = 0.002
"""Seconds: a disk that takes longer is synced in a thread; handing over costs some 0.1 ms."""
MOST_BACKLOG_BYTES = 32 << 20
"""Of messages that came in and wait for a turn; beyond it we stop reading."""


class LedgerNode:
    """See the module. All methods are for the event loop it was started in; `NodeThread` is for others."""

    def __init__(self, config: NodeConfig, application: Application) -> None:
        """Opens the journal and restores the replica from it.

        Raises Rejected when the key is no member's or the journal is refused.
        """
        membership = config.membership
        self.me = membership.index_of(config.identity.address)
        self.group = group_of(config.group, len(membership.members), self.me)
        self.application = application
        self._config = config
        # Not the loop's: whoever has names looked up or the chain read there would hold up the disk.
        self._syncer = ThreadPoolExecutor(1, thread_name_prefix=f"journal-{self.me}")
        self._journal, records = self._open_journal(config)
        signer = MemberSigner(config.identity, membership.instance, membership.accounts)
        try:
            self._replica = Replica.restore(self.group, application, signer, records)
        except Rejected as error:
            self._close_journal()
            raise Rejected(f"{config.journal}: {error}") from error
        party = Party(membership.instance, self.me, membership.accounts, config.identity)
        endpoints = membership.addresses
        self.listens_at = config.listen or endpoints[self.me]
        """Host and port for the other replicas."""
        # A peer says its status every so often; only one that misses some is gone.
        idle = max(config.links.idle, 4 * self.group.status_every / 1000)
        self._links = Links(party, endpoints, self.listens_at, self, replace(config.links, idle=idle))
        self._submissions = Submissions(config.submissions)
        self._events: list[Event] = []
        self._backlog = 0
        self._reading = True
        self._wakeup: asyncio.Future[None] | None = None
        self._timers: dict[Timer, asyncio.TimerHandle] = {}
        self._bundle_timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._sync_seconds = 0.0
        self._last_executed = self._replica.executed
        self._history: deque[Executed] = deque(maxlen=config.history)
        self._on_executed: list[OnExecuted] = []
        self._on_gossip: list[OnGossip] = []
        self._started = time.monotonic()
        self._requests_executed = self._messages = self._turns = self._accusations = 0

    # Life

    async def start(self) -> None:
        """Listens, dials, and begins to take part. Raises Rejected when it cannot listen."""
        self._started = time.monotonic()
        try:
            await self._links.start()
        except Rejected:
            self._close_journal()
            raise
        self._task = asyncio.get_running_loop().create_task(self._run())

    def relocate(self, membership: Membership) -> None:
        """The same members at other endpoints."""
        if membership.instance != self._config.membership.instance:
            raise Bug("another group needs another node")
        self._links.relocate(membership.addresses)

    async def wait(self) -> None:
        """Returns when the node has stopped. Raises what stopped it: Rejected for the disk, or a bug."""
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(self._task)

    async def stop(self) -> None:
        """Stops cleanly; what is not executed fails with Retryable. Raises nothing of what stopped it before."""
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            await self._carry_out(self._replica.start(_now()))
            while True:
                if not self._events:
                    self._wakeup = asyncio.get_running_loop().create_future()
                    await self._wakeup
                    self._wakeup = None
                await self._turn()
        finally:
            await self._end()

    async def _end(self) -> None:
        for handle in (*self._timers.values(), self._bundle_timer):
            if handle is not None:
                handle.cancel()
        self._submissions.fail_all(Retryable("the node stops; ask it again, or another one"))
        await self._links.stop()
        self._close_journal()

    # Turns

    async def _turn(self) -> None:
        events, self._events, self._backlog = self._events, [], 0
        self._turns += 1
        if not self._reading:
            self._reading = True
            self._links.pause(False)
        now, effects = _now(), []
        for event in events:
            effects += self._replica.handle(event, now)
        await self._carry_out(effects)

    async def _carry_out(self, effects: Sequence[Effect]) -> None:
        await self._make_durable(effects)
        for effect in effects:
            self._perform(effect)
        if self._replica.executed != self._last_executed:
            # A snapshot took us past batches whose results we never saw.
            self._last_executed = self._replica.executed
            self._submissions.fail_all(
                Retryable("this replica had fallen behind; look the request up, or send it again")
            )
        self._bundle()

    async def _make_durable(self, effects: Sequence[Effect]) -> None:
        records: list[bytes] = []
        restart = False
        for effect in effects:
            if isinstance(effect, Persist):
                records.append(effect.record)
            elif isinstance(effect, Restart):
                restart, records = True, list(effect.records)
        journal = self._journal
        if journal is None or not (restart or records):
            return
        if not restart and not any(isinstance(effect, Send | Broadcast) for effect in effects):
            # Nothing of ours leaves that could be contradicted: what was decided, others know as well.
            journal.write(records)
            return
        write = journal.restart if restart else journal.append
        begun = time.monotonic()
        if restart or self._sync_seconds > SLOW_SYNC:
            # Not to be left half done, even if the node stops meanwhile.
            job = asyncio.get_running_loop().run_in_executor(self._syncer, write, records)
            try:
                await asyncio.shield(job)
            except asyncio.CancelledError:
                await asyncio.wait([job])
                raise
        else:
            write(records)
        self._sync_seconds += ((time.monotonic() - begun) - self._sync_seconds) / 16

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Send():
                self._links.send(effect.to, codec.encode(effect.message))
            case Broadcast():
                self._links.broadcast(codec.encode(effect.message), effect.first)
            case Executed():
                self._executed(effect)
            case SetTimer():
                self._set_timer(effect.timer, effect.after)
            case CancelTimer():
                self._cancel_timer(effect.timer)
            case Accuse():
                self._accusations += 1
                self._links.cut_off(effect.peer, effect.reason)
            case Persist() | Restart():
                pass

    def _executed(self, executed: Executed) -> None:
        self._last_executed = executed.sequence
        self._requests_executed += len(executed.requests)
        self._history.append(executed)
        pairs = list(zip(executed.requests, executed.results, strict=True))
        self._submissions.executed(executed.sequence, executed.time, pairs)
        for listener in self._on_executed:
            listener(executed)

    def _put(self, event: Event) -> None:
        self._events.append(event)
        self._wake()

    def _wake(self) -> None:
        if self._wakeup is not None and not self._wakeup.done():
            self._wakeup.set_result(None)

    # Timers

    def _set_timer(self, timer: Timer, after: Millis) -> None:
        self._cancel_timer(timer)
        self._timers[timer] = asyncio.get_running_loop().call_later(after / 1000, self._ring, timer)

    def _cancel_timer(self, timer: Timer) -> None:
        handle = self._timers.pop(timer, None)
        if handle is not None:
            handle.cancel()

    def _ring(self, timer: Timer) -> None:
        self._timers.pop(timer, None)
        self._put(TimedOut(timer))

    # Clients

    async def submit(self, requests: Sequence[bytes]) -> list[Receipt]:
        """Has `requests` ordered and executed; a receipt for each, SETTLED for what was executed before.

        Raises Rejected when one is invalid (none is taken then), Retryable when too much waits, the node stops, or it
        fell behind and cannot tell. Whoever gives up waiting may send them again: they are executed at most once.
        """
        if not requests:
            return []
        if self._task is None or self._task.done():
            raise Retryable("the node is stopped; ask another one")
        for request in requests:
            if len(request) > self.group.max_request_bytes or not self.application.is_valid(request):
                raise Rejected("the request is not valid: check its form, size and signature")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def finish(call: Call, error: AssayError | None) -> None:  # noqa: ARG001
            if not done.done():
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)

        call = Call([request for request in requests if not self.application.is_settled(request)], finish)
        if call.requests:
            self._submissions.add(call, time.monotonic())
            self._bundle()
            try:
                await done
            finally:
                self._submissions.abandon(call)
        receipts = dict(zip(call.requests, call.receipts, strict=True))
        return [receipts.get(request) or SETTLED for request in requests]

    def _bundle(self) -> None:
        """Lets bundles that are due go to the replica, and comes back for those that are not."""
        while not self._replica.backlog and (bundle := self._submissions.next_bundle(time.monotonic())):
            self._put(Submitted(bundle))
        if self._submissions.has_queue and self._bundle_timer is None:
            delay = self._config.submissions.delay
            self._bundle_timer = asyncio.get_running_loop().call_later(delay, self._bundle_later)

    def _bundle_later(self) -> None:
        self._bundle_timer = None
        self._bundle()

    def on_executed(self, listener: OnExecuted) -> None:
        """Calls `listener` with every batch that this replica executes from now on, in order."""
        self._on_executed.append(listener)

    def executed_since(self, sequence: SequenceNumber) -> tuple[list[Executed], bool]:
        """The batches after `sequence` that this process executed and still knows, and whether these are all."""
        found = [executed for executed in self._history if executed.sequence > sequence]
        expected = self._last_executed - sequence
        return found, expected <= 0 or len(found) == expected

    # Gossip

    def gossip(self, payload: bytes, to: ReplicaId | None = None) -> None:
        """Sends `payload` to `to`, or to all peers; unordered, and lost when there is no link."""
        encoded = codec.encode(Gossip(payload))
        if to is None:
            self._links.broadcast(encoded)
        else:
            self._links.send(to, encoded)

    def on_gossip(self, listener: OnGossip) -> None:
        """Calls `listener` with sender and payload of what peers gossip from now on."""
        self._on_gossip.append(listener)

    # LinkHandler

    def link_up(self, peer: ReplicaId) -> None:
        """Tells the core."""
        self._put(Connected(peer))

    def link_down(self, peer: ReplicaId) -> None:
        """The core needs not know."""

    def payloads(self, peer: ReplicaId, payloads: list[bytes]) -> None:
        """Messages of a peer. Raises Rejected when one does not decode: the link's fault then."""
        self._messages += len(payloads)
        events = self._events
        for payload in payloads:
            message = codec.decode(payload)
            if isinstance(message, Gossip):
                for listener in self._on_gossip:
                    listener(peer, message.payload)
            else:
                self._backlog += len(payload)
                events.append(Received(peer, message))
        self._wake()
        if self._backlog > MOST_BACKLOG_BYTES and self._reading:
            self._reading = False
            self._links.pause(True)

    # Reports

    @property
    def replica(self) -> Replica:
        """The state machine, to look at."""
        return self._replica

    def status(self) -> NodeStatus:
        """Where the node stands."""
        replica, journal, linked = self._replica, self._journal, self._links.connected
        return NodeStatus(
            me=self.me,
            view=replica.view,
            changing=replica.changing,
            primary=replica.primary,
            executed=replica.executed,
            stable=replica.stable,
            connected=tuple(peer == self.me or peer in linked for peer in range(self.group.replicas)),
            waiting=self._submissions.waiting,
            bundles_under_way=self._submissions.bundles_under_way,
            requests_executed=self._requests_executed,
            messages_received=self._messages,
            turns=self._turns,
            syncs=0 if journal is None else journal.commits,
            journal_bytes=0 if journal is None else journal.length,
            accusations=self._accusations,
            uptime=time.monotonic() - self._started,
            links=self._links.counters(),
        )

    def _open_journal(self, config: NodeConfig) -> tuple[Journal | None, tuple[bytes, ...]]:
        if config.journal is None:
            return None, ()
        owner = keccak(config.membership.instance + config.identity.address)
        return Journal.open(config.journal, owner)

    def _close_journal(self) -> None:
        self._syncer.shutdown(wait=False)
        if self._journal is not None:
            self._journal.close()


def _now() -> Millis:
    return Millis(time.time_ns() // 1_000_000)
