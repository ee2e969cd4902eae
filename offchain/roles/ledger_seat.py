"""A member's place in the replicated ledger: the node of the present epoch's group, and what the treasurer needs of it.

A group belongs to one list of members. When an epoch seats others, the node of the former group ends and, if this
account sits again, one for the new group begins, with a journal of its own (docs/decisions/ledger.md).
"""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from coincurve import PrivateKey
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from offchain.chain.announcements import Announcements
from offchain.chain.contracts import AssayContracts
from offchain.chain.enums import Role
from offchain.chain.errors import ContractRejected
from offchain.chain.rewards import Rewards
from offchain.errors import Rejected, Retryable
from offchain.ledger.api.admission import ChainAdmission, ChainReader
from offchain.ledger.api.app import create_app
from offchain.ledger.api.server import ApiServer
from offchain.ledger.identity import Address, Identity
from offchain.ledger.membership import FEWEST, Endpoint, Membership, from_announcements, read_membership
from offchain.ledger.node import LedgerNode
from offchain.ledger.node_config import NodeConfig, NodeStatus
from offchain.ledger.node_thread import NodeThread
from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.records.application import RecordsApplication, RecordsConfig, accepted_proposals
from offchain.ledger.records.bodies import Account, RewardProposal
from offchain.ledger.records.request import Domain, sign
from offchain.ledger.types import Sequence as SequenceNumber
from offchain.protocol.signatures import sign_compact
from offchain.roles.context import RoleContext
from offchain.roles.treasurer import Sign, Treasurer
from offchain.roles.treasurer_rules import OrderedProposal, Pace, TreasurerOptions
from offchain.roles.worker import Hands
from offchain.types import OrderId, Seconds

REMEMBERED = 8
"""Proposals of each member that are kept: who proposes without end pushes out nobody's but its own."""


@dataclass(frozen=True, slots=True)
class SeatOptions:
    """`endpoint` is announced on chain; `listen` and `api` are where this process binds, by default what is announced.

    `membership`: a file that names the members' endpoints instead of the chain. `folder`: for journals. `secret`: the
    member's private key.
    """

    endpoint: Endpoint
    folder: Path
    secret: bytes = field(repr=False)
    listen: tuple[str, int] | None = None
    api: tuple[str, int] | None = None
    membership: Path | None = None
    group: GroupConfig | None = None
    treasurer: TreasurerOptions | None = None


class LedgerSeat:
    """A `RewardLedger`. `attend` brings the node in step with the committee; everything works without one, too."""

    def __init__(self, context: RoleContext, hands: Hands, options: SeatOptions) -> None:
        self._context = context
        self._hands = hands
        self._options = options
        self._announcements = Announcements(context.contracts)
        self._key = PrivateKey(options.secret)
        committee = _raw(context.contracts.addresses.aggregator_committee)
        self._domain = Domain(context.client.chain_id, committee)
        self._thread: NodeThread | None = None
        self._api: ApiServer | None = None
        self._membership: Membership | None = None
        self._seen = SequenceNumber(0)
        self._proposals: dict[Account, deque[OrderedProposal]] = {}
        self._nonce = 0

    # Membership

    def attend(self, members: Sequence[ChecksumAddress], *, stands: bool) -> None:
        """Starts, changes or ends the node. `stands`: whether this account is a candidate or a member.

        Raises Rejected when the membership, the journal or an address to listen on is wrong, Retryable when the chain
        cannot be read.
        """
        announced = self._announcements.look()
        if stands and announced.get(self._context.account) != str(self._options.endpoint):
            self._announce()
        wanted = self._wanted(members, announced)
        if self._thread is not None:
            self._thread.check()
        if wanted == self._membership:
            return
        if self._thread is not None and wanted and self._membership and wanted.instance == self._membership.instance:
            self._thread.relocate(wanted)
            self._membership = wanted
            return
        self.close()
        if wanted is not None:
            self._begin(wanted)

    def close(self) -> None:
        """Ends the node."""
        thread, api = self._thread, self._api
        self._thread = self._api = self._membership = None
        self._seen = SequenceNumber(0)
        self._proposals.clear()
        if thread is not None:
            if api is not None:
                thread.run(api.stop())
            thread.stop()

    @property
    def status(self) -> NodeStatus | None:
        """Of the node; None while there is none."""
        return None if self._thread is None else self._thread.status()

    def standing(self) -> dict[str, float]:
        """See `Loop.standing`: the node, while there is one that answers."""
        try:
            status = self.status
        except Retryable:
            status = None
        if status is None:
            return {}
        return {
            "ledger_view": status.view,
            "ledger_view_changing": status.changing,
            "ledger_executed_sequence": status.executed,
            "ledger_stable_sequence": status.stable,
            "ledger_connected_replicas": sum(status.connected),
            "ledger_replicas": status.replicas,
            "ledger_waiting_requests": status.waiting,
            "ledger_accusations": status.accusations,
            "ledger_journal_bytes": status.journal_bytes,
        }

    def _wanted(
        self, members: Sequence[ChecksumAddress], announced: Mapping[ChecksumAddress, str]
    ) -> Membership | None:
        if self._context.account not in members or len(members) < FEWEST:
            return None
        client, committee = self._context.client, Address(self._domain.committee)
        accounts = [_raw(member) for member in members]
        if self._options.membership is None:
            endpoints = {_raw(account): endpoint for account, endpoint in announced.items()}
            return from_announcements(client.chain_id, committee, accounts, endpoints)
        found = read_membership(self._options.membership)
        expected = (client.chain_id, committee, tuple(accounts))
        if (found.chain_id, found.committee, found.accounts) != expected:
            raise Rejected(
                f"{self._options.membership}: not the committee of this chain in its order; the members are "
                + ", ".join(members)
            )
        return found

    def _announce(self) -> None:
        endpoint = str(self._options.endpoint)
        call = self._context.contracts.committee.functions.announce(endpoint)
        key = f"announce::{self._context.contracts.epoch()}:{endpoint}"
        self._hands.attempt(None, "announce", lambda: self._hands.send(key, call), obligation=True)

    def _begin(self, membership: Membership) -> None:
        members = frozenset(Account(account) for account in membership.accounts)
        application = RecordsApplication(RecordsConfig(self._domain, members))
        config = NodeConfig(
            membership=membership,
            identity=Identity(self._options.secret),
            journal=self._options.folder / f"ledger-{membership.instance.hex()[:16]}-{self._context.account}.journal",
            group=self._options.group,
            listen=self._options.listen,
        )
        node = LedgerNode(config, application)
        thread = NodeThread(node)
        thread.start()
        self._thread, self._membership = thread, membership
        if self._options.api is not None:
            admission = ChainAdmission(_chain_reader(self._context.contracts), members)
            app = create_app(node, application, membership, admission=admission)
            self._api = ApiServer(app, *self._options.api)
            thread.run(self._api.start())
        self._hands.say(
            None, "ledger", replica=int(node.me), of=len(membership.members), at=str(self._options.endpoint)
        )

    # RewardLedger

    def submit(self, body: bytes) -> None:
        """See RewardLedger. Raises Retryable while there is no node."""
        if self._thread is None or self._membership is None:
            raise Retryable("the ledger has no group yet: too few members, or some have announced no endpoint")
        self._nonce = max(self._nonce + 1, time.time_ns() // 1_000)
        request = sign(self._domain, self._key, self._nonce, RewardProposal(body))
        self._thread.submit_soon([request.encode()])

    def proposals(self) -> Sequence[OrderedProposal]:
        """See RewardLedger."""
        if self._thread is not None:
            batches, _ = self._thread.executed_since(self._seen)
            for batch in batches:
                self._seen = batch.sequence
                for attempt, account, proposal in accepted_proposals(batch.sequence, batch.requests, batch.results):
                    kept = self._proposals.setdefault(account, deque(maxlen=REMEMBERED))
                    kept.append(OrderedProposal(attempt, proposal.statement))
        found = (proposal for kept in self._proposals.values() for proposal in kept)
        return sorted(found, key=lambda proposal: proposal.attempt)

    def broadcast_share(self, share: bytes) -> None:
        """See RewardLedger."""
        if self._thread is not None:
            self._thread.gossip(share)

    def take_shares(self) -> Sequence[bytes]:
        """See RewardLedger."""
        return () if self._thread is None else [payload for _, payload in self._thread.inbox()]


class SeatedTreasurer(Treasurer):
    """A treasurer whose ledger is the seat's node."""

    def __init__(self, context: RoleContext, hands: Hands, options: SeatOptions, rewards: Rewards) -> None:
        self.seat = LedgerSeat(context, hands, options)
        super().__init__(context, hands, self.seat, root_signer(options.secret), options.treasurer, rewards=rewards)

    def look(self, now: Seconds, pace: Pace) -> None:
        """Brings the node in step with the committee first. Raises Retryable when the node of the chain is down."""
        contracts = self._context.contracts
        members = contracts.members()
        stands = self._context.account in (*members, *contracts.candidates())
        self._try("ledger", partial(self.seat.attend, members, stands=stands))
        super().look(now, pace)

    def standing(self) -> dict[str, float]:
        """See `Loop.standing`."""
        return self.seat.standing()

    def close(self) -> None:
        """Ends the node."""
        self.seat.close()


def _chain_reader(contracts: AssayContracts) -> ChainReader:
    roles = [role for role in Role if role is not Role.NONE]

    def has_bond(account: Account) -> bool:
        address = to_checksum_address(account)
        return any(contracts.bond(address, role).bonded for role in roles)

    def client_of(oid: int) -> Account | None:
        try:
            return Account(bytes.fromhex(contracts.order(OrderId(oid)).client[2:]))
        except ContractRejected:
            return None

    return ChainReader(has_bond, client_of)


def root_signer(secret: bytes) -> Sign:
    """Signs reward roots with a private key of 32 bytes."""
    key = PrivateKey(secret)
    return lambda digest: sign_compact(key, digest)


def _raw(account: ChecksumAddress) -> Address:
    return Address(bytes.fromhex(account[2:]))
