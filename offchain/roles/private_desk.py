"""What both parties of private orders do: read an order, its manifest and test set, send, move it on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.chain.errors import ContractRejected
from offchain.chain.private_orders import PrivateOrders
from offchain.chain.proofs import AccuracyRounds, Verifiers
from offchain.chain.sending import Call, Ticket
from offchain.errors import Bug, Rejected
from offchain.proofs.private_manifest import (
    MAX_MANIFEST_BYTES,
    MAX_TEST_BYTES,
    PrivateManifest,
    TestFile,
    parse_manifest,
    test_file_bytes,
)
from offchain.proofs.private_order import PrivateId, PrivatePhase, PrivateState, PrivateTerms
from offchain.proofs.system import CompiledVerifier
from offchain.roles.context import RoleContext
from offchain.storage.cid import Cid
from offchain.storage.layered import LayeredStore
from offchain.storage.store import Store
from offchain.types import Wei

ADVANCING = frozenset(
    {
        PrivatePhase.WITHHELD,
        PrivatePhase.AWARD,
        PrivatePhase.OVERDUE,
        PrivatePhase.UNANSWERED,
        PrivatePhase.PAYABLE,
    }
)
"""Phases in which clock or proofs have decided, and somebody has to say so."""

RACES = frozenset(
    {
        "AlreadyProven",
        "DrawTooEarly",
        "NotRequested",
        "NothingToAdvance",
        "RequestPending",
        "WrongPrivatePhase",
        "WrongProofPhase",
    }
)
"""Custom errors that say that somebody, or the clock, was faster."""


@dataclass(frozen=True, slots=True)
class PrivateOrder:
    """An order as its parties need it."""

    oid: PrivateId
    terms: PrivateTerms
    manifest: PrivateManifest


def read_order(orders: PrivateOrders, store: Store, oid: PrivateId) -> PrivateOrder:
    """Terms and manifest. Raises Rejected where there is no such order or its manifest is none, Retryable."""
    orders.require(oid)
    terms = orders.terms(oid)
    data = store.read(Cid.of(terms.manifest_cid), max_bytes=MAX_MANIFEST_BYTES)
    return PrivateOrder(oid, terms, parse_manifest(data))


class PrivateDesk:
    """Access for one account; `archive` is its own store, which shows nothing to anybody.

    What is read of an order is kept there: who has claimed can prove, whatever the client's store still has.
    """

    def __init__(self, context: RoleContext, archive: Store) -> None:
        self.context = context
        self.archive = archive
        self._reads = LayeredStore([archive, context.store])
        self.orders = PrivateOrders(context.contracts)
        self.rounds = AccuracyRounds(context.contracts)
        self.verifiers = Verifiers(context.contracts)

    def order(self, oid: PrivateId) -> PrivateOrder:
        """See `read_order`."""
        return read_order(self.orders, self._reads, oid)

    def ensure_verifier(self, verifier: CompiledVerifier) -> None:
        """Deploys and registers the circuit's verifier unless somebody has. Raises ContractRejected, Retryable."""
        name = verifier.registry_key.hex()
        if self.verifiers.find(verifier.registry_key) is not None:
            return
        receipt = self.context.sender.send(f"verifier-deploy:{name}", self.verifiers.deployment(verifier))
        if receipt.contract_address is None:
            raise Bug("a deployment without an address")
        self.context.sender.send(f"verifier-register:{name}", self.verifiers.register(receipt.contract_address))

    def test_file(self, order: PrivateOrder) -> TestFile:
        """The order's test set, sealed. Raises Rejected when it has another size than the terms say, Retryable."""
        circuit = order.manifest.circuit
        size = test_file_bytes(order.terms, circuit)
        if size > MAX_TEST_BYTES:
            raise Rejected(f"order {order.oid} has a test set of {size:,} bytes; the most is {MAX_TEST_BYTES:,}")
        return TestFile(circuit, self._reads.read(order.manifest.test, max_bytes=size, size=size))

    def pay(self, key: str, amount: Wei, call: Call) -> None:
        """Approves exactly the amount, then sends a call that takes it; each once for its `key`."""
        approve = self.context.contracts.token.functions.approve(self.orders.address, amount)
        sender = self.context.sender
        if not sender.knows(key):
            sender.send(f"approve:{key}", approve)
        sender.send(key, call)

    def attempt(self, key: str, call: Call) -> bool:
        """Sends a call once for its key; False where somebody, or the clock, was faster."""
        ticket = self.begin(key, call)
        return ticket is not None and self.finish([ticket]) == 1

    def begin(self, key: str, call: Call) -> Ticket | None:
        """Sends a call once for its key and does not wait; None where somebody, or the clock, was faster.

        Who owes many calls before a deadline sends them all first: each takes as long as the network needs to be final.
        """
        try:
            return self.context.sender.submit(key, call)
        except ContractRejected as error:
            if error.name in RACES:
                return None
            raise

    def finish(self, tickets: Sequence[Ticket]) -> int:
        """Waits until all are final; how many of them were not too late."""
        done = 0
        for ticket in tickets:
            try:
                self.context.sender.wait(ticket)
                done += 1
            except ContractRejected as error:
                if error.name not in RACES:
                    raise
        return done

    def advance(self, oid: PrivateId, state: PrivateState) -> str:
        """Does what is decided."""
        # a fault leads to the same phase again, with another winner
        key = f"private-advance:{oid}:{state.phase.name.lower()}:{state.winner}"
        done = self.attempt(key, self.orders.advance(oid))
        return f"{state.phase.name.lower()}: {'advanced' if done else 'others were faster'}"
