"""Four real replicas with journals, links and HTTP APIs, in threads of this process."""

import secrets
from pathlib import Path

from offchain.ledger.api.app import create_app
from offchain.ledger.api.facade import Admission
from offchain.ledger.api.guard import ApiLimits
from offchain.ledger.api.server import ApiServer
from offchain.ledger.identity import Address, Identity
from offchain.ledger.local_group import free_ports
from offchain.ledger.membership import Endpoint, Member, Membership
from offchain.ledger.node import LedgerNode
from offchain.ledger.node_config import NodeConfig
from offchain.ledger.node_thread import NodeThread
from offchain.ledger.records.application import RecordsApplication, RecordsConfig
from offchain.ledger.records.request import Domain

COMMITTEE = Address(bytes([0xA5]) * 20)
CHAIN_ID = 31_337
DOMAIN = Domain(CHAIN_ID, COMMITTEE)


class Served:
    """A group and its APIs. `links` are the ports of the replicas' own links."""

    def __init__(
        self,
        folder: Path,
        replicas: int = 4,
        *,
        journal: bool = True,
        admission: Admission | None = None,
        limits: ApiLimits | None = None,
    ) -> None:
        self._folder = folder
        self._journal = journal
        self._admission = admission
        self._limits = limits
        self.identities = [Identity(secrets.token_bytes(32)) for _ in range(replicas)]
        ports = free_ports(2 * replicas)
        members = tuple(
            Member(
                identity.address, Endpoint("127.0.0.1", ports[2 * index], f"http://127.0.0.1:{ports[2 * index + 1]}")
            )
            for index, identity in enumerate(self.identities)
        )
        self.membership = Membership(CHAIN_ID, COMMITTEE, members)
        self.apps: list[RecordsApplication] = []
        self.threads: list[NodeThread | None] = []
        self._apis: list[ApiServer | None] = []
        for me in range(replicas):
            app, thread, api = self._start(me)
            self.apps.append(app)
            self.threads.append(thread)
            self._apis.append(api)

    @property
    def urls(self) -> list[str]:
        return [member.api for member in self.membership.members]

    def _start(self, me: int) -> tuple[RecordsApplication, NodeThread, ApiServer]:
        app = RecordsApplication(RecordsConfig(DOMAIN, frozenset(self.membership.accounts)))
        journal = self._folder / f"{me}.journal" if self._journal else None
        thread = NodeThread(LedgerNode(NodeConfig(self.membership, self.identities[me], journal), app))
        thread.start()
        made = create_app(thread.node, app, self.membership, admission=self._admission, limits=self._limits)
        api = ApiServer(made, "127.0.0.1", int(self.membership.members[me].api.rpartition(":")[2]))
        thread.run(api.start())
        return app, thread, api

    def start(self, me: int) -> None:
        """Starts a replica that was stopped, from its journal."""
        self.apps[me], self.threads[me], self._apis[me] = self._start(me)

    def stop(self, me: int) -> None:
        """Stops a replica."""
        thread, api = self.threads[me], self._apis[me]
        if thread is not None and api is not None:
            thread.run(api.stop())
            thread.stop()
        self.threads[me] = self._apis[me] = None

    def close(self) -> None:
        for me in range(len(self.threads)):
            self.stop(me)
