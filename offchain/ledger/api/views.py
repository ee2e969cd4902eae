"""The state as the API shows it. Reads only."""

from bisect import bisect_right
from itertools import islice
from typing import TypeVar

from offchain.errors import Rejected
from offchain.ledger.api.described import described, to_hex
from offchain.ledger.api.refusals import NotKnown
from offchain.ledger.api.schema import (
    ChallengeOut,
    ClaimOut,
    CycleOut,
    ModelOut,
    NodeOut,
    OrderOut,
    PathOut,
    ProofOut,
    ProposalOut,
    RecordOut,
    StateOut,
    ValidationOut,
)
from offchain.ledger.membership import checksum
from offchain.ledger.records.application import RecordsApplication
from offchain.ledger.records.bodies import (
    Account,
    Kind,
    Role,
    Validation,
)
from offchain.ledger.records.merkle import Proof
from offchain.ledger.records.phases import Phase, phase_at
from offchain.ledger.records.state import OrderEntry, Record, State, node_key

Out = TypeVar("Out", bound=RecordOut)


class Views:
    """Views of an application's state, which changes between calls."""

    def __init__(self, application: RecordsApplication) -> None:
        self._application = application
        self._sorted: tuple[object, list[tuple[int, bytes]]] = (None, [])
        self._sorted_nodes: tuple[object, list[tuple[bytes, Account, Role]]] = (None, [])

    @property
    def state(self) -> State:
        """The state now."""
        return self._application.state

    def orders(
        self, phase: Phase | None, client: Account | None, limit: int, after: bytes | None
    ) -> tuple[list[OrderOut], bytes | None]:
        """FetchOrders: a page of orders by the reward per second of training, and the key to go on after.

        Raises Rejected when `after` is no order that is known.
        """
        state, ranked = self.state, self._ranked()
        start = 0
        if after is not None:
            entry = state.orders.get(after)
            if entry is None:
                raise Rejected("after: this order has been forgotten; begin again without it")
            start = bisect_right(ranked, _rank(entry))
        found: list[OrderOut] = []
        last = None
        for _, key in ranked[start:]:
            entry = state.orders[key]
            if phase not in (None, phase_at(entry.order, state.time)) or client not in (None, entry.client):
                continue
            if len(found) == limit:
                return found, last
            found.append(self.order(entry))
            last = key
        return found, None

    def entries(self, oid: int, client: Account | None = None) -> list[OrderEntry]:
        """The orders with a number, by client. Raises NotKnown when there is none."""
        state = self.state
        if client is not None:
            entry = state.orders.get(oid.to_bytes(8, "big") + client)
            found = [] if entry is None else [entry]
        else:
            found = sorted((e for e in state.orders.values() if e.order.oid == oid), key=lambda e: e.key)
        if not found:
            raise NotKnown(f"order {oid}: nobody has told the ledger of it, or it is over and forgotten")
        return found

    def order(self, entry: OrderEntry) -> OrderOut:
        """An order and how much was said about it."""
        counts = entry.counts
        return _out(
            OrderOut,
            entry.records[bytes((Kind.ORDER,))],
            phase=phase_at(entry.order, self.state.time).label,
            claims=counts[Kind.CLAIM],
            models=counts[Kind.MODEL],
            validations=counts[Kind.VALIDATION],
            challenges=counts[Kind.CHALLENGE],
        )

    def cycle(self, entry: OrderEntry) -> CycleOut:
        """All of it."""
        return CycleOut(
            order=self.order(entry),
            claims=[_out(ClaimOut, record) for record in entry.of(Kind.CLAIM)],
            models=_models(entry),
            validations=self.validations(entry),
        )

    def validations(self, entry: OrderEntry, mid: bytes | None = None) -> list[ValidationOut]:
        """FetchValidations: those of an order, or of one of its models, with their challenges."""
        challenges: dict[str, list[ChallengeOut]] = {}
        for record in entry.of(Kind.CHALLENGE):
            shown = _out(ChallengeOut, record)
            challenges.setdefault(shown.vid, []).append(shown)
        return [
            _out(ValidationOut, record, challenges=challenges.get(to_hex(record.digest), []))
            for record in entry.of(Kind.VALIDATION)
            if isinstance(record.body, Validation) and mid in (None, record.body.mid)
        ]

    def models(self, mid: bytes) -> list[ModelOut]:
        """Get: who has shown a model with this id, and where it is. Raises NotKnown when nobody has."""
        found = [m for e in self.state.orders.values() if mid in e.mids for m in _models(e) if m.mid == to_hex(mid)]
        if not found:
            raise NotKnown(
                f"model {to_hex(mid)}: nobody has shown it on the ledger, or its order is over and forgotten"
            )
        return sorted(found, key=lambda model: (model.time, model.id))

    def nodes(self, role: Role | None, limit: int, after: bytes | None) -> tuple[list[NodeOut], bytes | None]:
        """A page of nodes by account and role, and the key to go on after."""
        found: list[NodeOut] = []
        last, ranked = None, self._ranked_nodes()
        start = 0 if after is None else bisect_right(ranked, after, key=lambda place: place[0])
        for key, account, its_role in islice(ranked, start, None):
            if role not in (None, its_role):
                continue
            if len(found) == limit:
                return found, last
            found.append(_out(NodeOut, self.state.nodes[account, its_role]))
            last = key
        return found, None

    def proposal(self) -> ProposalOut | None:
        """The latest reward proposal."""
        record = self.state.proposal
        return None if record is None else _out(ProposalOut, record)

    def summary(self, sequence: int) -> StateOut:
        """The state in numbers; `sequence` is that of the last batch executed."""
        state = self.state
        return StateOut(
            sequence=sequence,
            time=state.time,
            root=to_hex(state.root),
            orders=len(state.orders),
            nodes=len(state.nodes),
            accounts=len(state.nonces.windows),
            bytes=state.cost,
            limit=state.limits.ledger_bytes,
        )

    def prove_record(self, entry: OrderEntry, digest: bytes, sequence: int) -> ProofOut:
        """That a record stands in an order. Raises NotKnown when it doesn't."""
        for key, record in entry.records.items():
            if record.digest == digest:
                inner, outer = self.state.prove(entry, key)
                proof = self._proof(sequence, key, record, inner)
                return proof.model_copy(update={"order": to_hex(entry.key), "order_path": _path(outer)})
        raise NotKnown(f"record {to_hex(digest)}: the order has no such record")

    def prove_node(self, account: Account, role: Role, sequence: int) -> ProofOut:
        """That a node's record stands. Raises NotKnown when it doesn't."""
        record = self.state.nodes.get((account, role))
        if record is None:
            raise NotKnown(f"node {checksum(account)}: the ledger knows it in no such role")
        key = node_key(account, role)
        return self._proof(sequence, key, record, self.state.prove_top(key))

    def _proof(self, sequence: int, key: bytes, record: Record, proof: Proof) -> ProofOut:
        root = to_hex(self.state.root)
        return ProofOut(sequence=sequence, root=root, key=to_hex(key), value=to_hex(record.value), path=_path(proof))

    def _ranked(self) -> list[tuple[int, bytes]]:
        state = self.state
        version = (state, state.generation)
        if self._sorted[0] != version:
            self._sorted = version, sorted(map(_rank, state.orders.values()))
        return self._sorted[1]

    def _ranked_nodes(self) -> list[tuple[bytes, Account, Role]]:
        """Sorted again only when one comes or goes: with many of them that takes longer than all else."""
        state = self.state
        version = (state, state.node_generation)
        if self._sorted_nodes[0] != version:
            self._sorted_nodes = version, sorted((node_key(*place)[1:], *place) for place in state.nodes)
        return self._sorted_nodes[1]


def _rank(entry: OrderEntry) -> tuple[int, bytes]:
    """Ascending in this: descending in reward per second of training."""
    order = entry.order
    return -(order.reward << 64) // max(1, order.t1 - order.t0), entry.key


def _models(entry: OrderEntry) -> list[ModelOut]:
    return [_out(ModelOut, record) for record in entry.of(Kind.MODEL)]


def _out(kind: type[Out], record: Record, **more: object) -> Out:
    return kind.model_validate(described(record) | {"time": record.time} | more)


def _path(proof: Proof) -> PathOut:
    return PathOut(index=proof.index, count=proof.count, siblings=[to_hex(sibling) for sibling in proof.siblings])
