"""The whole state as bytes, canonical: equal states have one snapshot, and nothing else is taken for one."""

from offchain.errors import Rejected
from offchain.ledger.records.bodies import Account, Challenge, Claim, Model, Node, Order, RewardProposal, Validation
from offchain.ledger.records.encoding import order_key
from offchain.ledger.records.nonces import Nonces, Window
from offchain.ledger.records.request import MAX_REQUEST_BYTES, Domain, parse_request
from offchain.ledger.records.state import Limits, OrderEntry, Record, State
from offchain.ledger.types import Millis

MAGIC = b"assay-records-1"


def encode_state(state: State) -> bytes:
    """All of it: time, nonces, then the records in the order of their keys."""
    parts = [MAGIC, state.time.to_bytes(8, "big"), state.nonces.floor.to_bytes(9, "big")]
    parts.append(len(state.nonces.windows).to_bytes(4, "big"))
    for account, window in sorted(state.nonces.windows.items()):
        data = window.encode()
        parts += [account, len(data).to_bytes(2, "big"), data]
    records = [record for _, record in sorted(state.nodes.items())]
    records += [state.proposal] if state.proposal else []
    for _, entry in sorted(state.orders.items()):
        records += [record for _, record in sorted(entry.records.items())]
    for record in records:
        parts += [len(record.raw).to_bytes(2, "big"), record.value]
    return b"".join(parts)


def decode_state(data: bytes, domain: Domain, limits: Limits, members: frozenset[Account] = frozenset()) -> State:
    """Inverse of `encode_state`. Raises Rejected when `data` is not the snapshot of a state."""
    reader = _Reader(data)
    if reader.take(len(MAGIC)) != MAGIC:
        raise Rejected("no snapshot of the ledger's records")
    time, floor = Millis(reader.number(8)), reader.number(9)
    windows = [
        (Account(reader.take(20)), Window.decode(reader.take(reader.number(2)))) for _ in range(reader.number(4))
    ]
    state = State(domain, limits, Nonces(limits.accounts, floor, windows, members), time)
    while not reader.is_over:
        size = reader.number(2)
        if size > MAX_REQUEST_BYTES:
            raise Rejected("the snapshot holds a record that is too large")
        at = Millis(reader.number(8))
        _place(state, Record.of(at, parse_request(domain, reader.take(size))))
    if encode_state(state) != data:
        raise Rejected("the snapshot is not in canonical form")
    return state


def _place(state: State, record: Record) -> None:
    """Puts a record where it stood. Raises Rejected when it cannot have stood there."""
    match record.body:
        case Order(oid=oid):
            if order_key(oid, record.account) in state.orders:
                raise Rejected("the snapshot holds an order twice")
            state.open_order(record)
        case Node():
            state.put_node(record)
        case RewardProposal():
            state.put_proposal(record)
        case _:
            state.put(_order_of(state, record), record)


def _order_of(state: State, record: Record) -> OrderEntry:
    match record.body:
        case Claim(oid=oid, client=client) | Model(oid=oid, client=client) | Validation(oid=oid, client=client):
            entry = state.orders.get(order_key(oid, client))
        case Challenge(vid=vid):
            entry = state.challenged(vid)
        case _:
            entry = None
    if entry is None:
        raise Rejected("the snapshot holds a record without its order")
    return entry


class _Reader:
    """Takes bytes from the front. Raises Rejected when there are too few."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        if len(found) != size:
            raise Rejected("the snapshot ends too early")
        self._at += size
        return found

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    @property
    def is_over(self) -> bool:
        return self._at == len(self._data)
