"""A group whose replicas execute the real application without agreement in between, served over real sockets.

For tests of API and client; `tests/integration` has the whole.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from starlette.types import ASGIApp

from offchain.errors import Retryable
from offchain.ledger.api.app import create_app
from offchain.ledger.api.facade import Admission
from offchain.ledger.api.guard import ApiLimits
from offchain.ledger.api.server import ApiServer
from offchain.ledger.membership import Endpoint, Member, Membership
from offchain.ledger.node_config import NodeStatus
from offchain.ledger.pbft.effects import Executed
from offchain.ledger.records.application import RecordsApplication
from offchain.ledger.submissions import Receipt
from offchain.ledger.transport.links import LinkCounters
from offchain.ledger.types import Millis, ReplicaId, View
from offchain.ledger.types import Sequence as SequenceNumber
from tests.unit.ledger.records.samples import ACCOUNTS, DOMAIN, TRAINING, application

Value = TypeVar("Value")
MEMBERSHIP = Membership(
    DOMAIN.chain_id,
    DOMAIN.committee,
    tuple(
        Member(account, Endpoint("127.0.0.1", 7_400 + index, f"http://127.0.0.1:{7_500 + index}"))
        for index, account in enumerate(ACCOUNTS[4:])
    ),
)


class Replica:
    """Executes what any of the group's replicas is told, unless it is `deaf`; answers nobody while the group halts."""

    def __init__(self, group: "Group", me: int) -> None:
        self.group = group
        self.me = me
        self.app: RecordsApplication = application()
        self.sequence = 0
        self.deaf = False
        self.links = 4
        self._listeners: list[Callable[[Executed], None]] = []

    async def submit(self, requests: Sequence[bytes]) -> list[Receipt]:
        if self.group.full:
            raise Retryable("20000 requests wait to be ordered; try again in some seconds")
        while self.group.halted:
            await asyncio.sleep(0.01)
        executed = self.group.execute(requests)[self.me]
        if executed is None:
            raise Retryable("the node stops; ask it again, or another one")
        return [Receipt(executed.sequence, executed.time, result) for result in executed.results]

    def execute(self, now: Millis, requests: Sequence[bytes]) -> Executed | None:
        if self.deaf:
            return None
        self.sequence += 1
        results = self.app.execute(now, requests)
        executed = Executed(SequenceNumber(self.sequence), now, tuple(requests), tuple(results))
        for listener in self._listeners:
            listener(executed)
        return executed

    def on_executed(self, listener: Callable[[Executed], None]) -> None:
        self._listeners.append(listener)

    def status(self) -> NodeStatus:
        return NodeStatus(
            me=ReplicaId(self.me),
            view=View(0),
            changing=False,
            primary=ReplicaId(0),
            executed=SequenceNumber(self.sequence),
            stable=SequenceNumber(0),
            connected=tuple(index == self.me or index < self.links for index in range(4)),
            waiting=0,
            bundles_under_way=0,
            requests_executed=0,
            messages_received=0,
            turns=0,
            syncs=0,
            journal_bytes=0,
            accusations=0,
            uptime=1.5,
            links=LinkCounters(0, 0, 0, 0, 0, 0, 0),
        )


class Group:
    """Four replicas and their servers, in an event loop of their own. The ledger's time is `now`."""

    def __init__(
        self, *, admission: Admission | None = None, limits: ApiLimits | None = None, servers: int = 1
    ) -> None:
        """`servers`: so many of the replicas answer participants."""
        self.now = TRAINING
        self.full = self.halted = False
        self.replicas = [Replica(self, me) for me in range(4)]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.apps: list[ASGIApp] = [
            create_app(replica, replica.app, MEMBERSHIP, admission=admission, limits=limits)
            for replica in self.replicas[:servers]
        ]
        self.servers = [self._serve(app) for app in self.apps]
        self._as_made: list[ApiServer | None] = list(self.servers)
        self._resets = 0

    def _serve(self, app: ASGIApp) -> ApiServer:
        server = ApiServer(app, "127.0.0.1", 0)
        self.run(server.start())
        return server

    def reset(self) -> None:
        """As new, with the same processes: an empty ledger, and a clock that is a little later."""
        self._resets += 1
        self.now = TRAINING
        self.full = self.halted = False
        for me, replica in enumerate(self.replicas):
            replica.app.restore(application().snapshot())
            replica.sequence = 0
            if me < len(self.servers) and self.servers[me] is not self._as_made[me]:
                self.stop(me)
                self.servers[me] = self._as_made[me] = self._serve(self.apps[me])

    def clock(self) -> int:
        """Nanoseconds; different in each test, so that requests are."""
        return (self.now * 1_000 + self._resets * 1_000) * 1_000

    def put_in(self, me: int, make: Callable[[ASGIApp], ASGIApp]) -> None:
        """Puts another app in front of a replica's."""
        self.stop(me)
        self.servers[me] = self._serve(make(self.apps[me]))

    def stop(self, me: int) -> None:
        """One replica answers participants no more."""
        self.run(self.servers[me].stop())
        self._as_made[me] = None

    @property
    def urls(self) -> list[str]:
        return [server.url for server in self.servers]

    def execute(self, requests: Sequence[bytes]) -> list[Executed | None]:
        return [replica.execute(self.now, requests) for replica in self.replicas]

    def run(self, work: Coroutine[Any, Any, Value]) -> Value:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < until
            time.sleep(0.005)

    def close(self) -> None:
        for server in self.servers:
            self.run(server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()
