"""The ledger's state: the network record table, the nodes, the latest reward proposal and the used nonces.

Every record is a request as its account signed it, with the ledger's time at which it was executed, so whoever reads
one can check who said it. The digest is the root of a Merkle map; the value at an order's key is the root of a map of
its own.
"""

from dataclasses import dataclass, field
from heapq import heappop, heappush

from offchain.errors import Bug
from offchain.ledger.records.bodies import Account, Body, Challenge, Kind, Node, Order, Role, Validation
from offchain.ledger.records.encoding import KINDS, order_key
from offchain.ledger.records.merkle import MerkleMap, Proof
from offchain.ledger.records.nonces import Nonces
from offchain.ledger.records.request import Domain, Parsed
from offchain.ledger.types import Digest, Millis

META, ACCOUNTS, NODES, PROPOSAL, ORDERS = (bytes((section,)) for section in range(5))
"""First byte of a key of the map; orders come last, for new ones have the highest keys."""

BEGINNING = Millis(0)
"""The ledger's time before the first batch."""

OVERHEAD = 200
"""What a record is taken to cost besides its bytes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What keeps the state bounded, equal on all replicas. Sizes in bytes, spans in seconds.

    An order reaches at most `horizon` into the future and is forgotten `retention` after its end, a node
    `node_retention` after it was last heard of. What an order's window is for is taken `leeway` before and after it,
    for clocks differ.
    """

    ledger_bytes: int = 64 << 20
    order_bytes: int = 1 << 20
    account_bytes: int = 4 << 20
    accounts: int = 16_384
    horizon: int = 400 * 86_400
    retention: int = 7 * 86_400
    node_retention: int = 30 * 86_400
    leeway: int = 60
    nonce_lead: int = 300


@dataclass(frozen=True, slots=True)
class Record:
    """A request that stands. `raw`: in its encoding; `digest`: its name, a validation's VID."""

    time: Millis
    raw: bytes
    digest: bytes
    account: Account
    nonce: int
    body: Body

    @classmethod
    def of(cls, time: Millis, request: Parsed) -> "Record":
        """A request that is executed at the ledger's `time`."""
        return cls(time, request.raw, request.digest, request.account, request.nonce, request.body)

    @property
    def kind(self) -> Kind:
        """What it is."""
        return KINDS[type(self.body)]

    @property
    def value(self) -> bytes:
        """What the Merkle map holds of it."""
        return self.time.to_bytes(8, "big") + self.raw

    @property
    def cost(self) -> int:
        """What it counts against the limits."""
        return len(self.raw) + OVERHEAD

    @property
    def key(self) -> bytes:
        """Where it stands within its order: its kind, and what there is one record for."""
        match self.body:
            case Order():
                rest = b""
            case Validation(mid=mid):
                rest = mid + self.account
            case Challenge(vid=vid):
                rest = vid + self.account
            case _:
                rest = self.account
        return bytes((self.kind,)) + rest


@dataclass(slots=True)
class OrderEntry:
    """An order and what was said about it (the paper's cycle data). `records`: by `Record.key`."""

    key: bytes
    order: Order
    client: Account
    records: dict[bytes, Record] = field(default_factory=dict)
    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    mids: set[bytes] = field(default_factory=set)
    tree: MerkleMap = field(default_factory=MerkleMap)
    cost: int = 0

    def of(self, kind: Kind) -> list[Record]:
        """The records of one kind, the oldest first."""
        found = (record for key, record in self.records.items() if key[0] == kind)
        return sorted(found, key=lambda record: (record.time, record.digest))


class State:
    """See the module. Whoever puts a record has checked the rules (`rules.py`)."""

    def __init__(self, domain: Domain, limits: Limits, nonces: Nonces | None = None, time: Millis = BEGINNING) -> None:
        self.domain = domain
        self.limits = limits
        self.time = time
        self.nonces = nonces or Nonces(limits.accounts)
        self.orders: dict[bytes, OrderEntry] = {}
        self.nodes: dict[tuple[Account, Role], Record] = {}
        self.proposal: Record | None = None
        self.cost = 0
        self.generation = 0
        """Changes whenever an order comes or goes."""
        self.node_generation = 0
        """Changes whenever a node comes or goes."""
        self._vids: dict[bytes, bytes] = {}
        self._used: dict[Account, int] = {}
        self._due: list[tuple[int, bytes]] = []
        self._tree = MerkleMap()
        self._changed: set[bytes] = set()

    def challenged(self, vid: bytes) -> OrderEntry | None:
        """The order of a validation."""
        key = self._vids.get(vid)
        return None if key is None else self.orders[key]

    def has_room(self, record: Record, entry: OrderEntry | None, old: Record | None) -> bool:
        """Whether a record may be added to an order (or to none), in place of `old`."""
        limits, more = self.limits, record.cost - (old.cost if old else 0)
        return (
            self.cost + more <= limits.ledger_bytes
            and self._used.get(record.account, 0) + more <= limits.account_bytes
            and (entry is None or entry.cost + more <= limits.order_bytes)
        )

    def open_order(self, record: Record) -> None:
        """Adds an order that is not there."""
        if not isinstance(record.body, Order):
            raise Bug("an order opens with an order")
        entry = OrderEntry(order_key(record.body.oid, record.account), record.body, record.account)
        self.orders[entry.key] = entry
        self.generation += 1
        heappush(self._due, (self._order_due(entry.order), ORDERS + entry.key))
        self.put(entry, record)

    def put(self, entry: OrderEntry, record: Record) -> None:
        """Adds a record to an order, or replaces the one that stands at its key."""
        key = record.key
        old = entry.records.pop(key, None)
        entry.records[key] = record
        entry.tree.set(key, record.value)
        entry.cost += record.cost - (old.cost if old else 0)
        entry.counts[record.kind] += old is None
        self._count(record, old)
        self._changed.add(entry.key)
        if record.kind is Kind.MODEL:
            entry.mids.add(record.body.mid)  # type: ignore[union-attr]
        elif record.kind is Kind.VALIDATION:
            self._vids[record.digest] = entry.key

    def put_node(self, record: Record) -> None:
        """Adds or replaces what an account says of itself in a role."""
        if not isinstance(record.body, Node):
            raise Bug("a node's record is a node")
        place = record.account, record.body.role
        self.node_generation += place not in self.nodes
        self._count(record, self.nodes.pop(place, None))
        self.nodes[place] = record
        key = node_key(*place)
        self._tree.set(key, record.value)
        heappush(self._due, (self._node_due(record), key))

    def put_proposal(self, record: Record) -> None:
        """Replaces the latest reward proposal."""
        self._count(record, self.proposal)
        self.proposal = record
        self._tree.set(PROPOSAL, record.value)

    def advance(self, time: Millis) -> None:
        """Moves the time on (never back), and forgets what is over."""
        self.time = max(self.time, time)
        while self._due and self._due[0][0] <= self.time:
            _, key = heappop(self._due)
            if key[:1] == ORDERS:
                self._forget_order(key[1:])
            else:
                self._forget_node(Account(key[1:21]), Role(key[21]))

    @property
    def root(self) -> Digest:
        """The digest of all this."""
        self._refresh()
        return Digest(self._tree.root)

    def prove(self, entry: OrderEntry, key: bytes) -> tuple[Proof, Proof]:
        """That a record stands in an order, and the order in the ledger."""
        self._refresh()
        return entry.tree.prove(key), self._tree.prove(ORDERS + entry.key)

    def prove_top(self, key: bytes) -> Proof:
        """That a node's record or the proposal stands in the ledger."""
        self._refresh()
        return self._tree.prove(key)

    def _refresh(self) -> None:
        self._tree.set(META, self.time.to_bytes(8, "big") + self.nonces.floor.to_bytes(9, "big"))
        for account in self.nonces.changed:
            window = self.nonces.windows.get(account)
            self._update(ACCOUNTS + account, None if window is None else window.encode())
        self.nonces.changed.clear()
        for key in self._changed:
            entry = self.orders.get(key)
            self._update(ORDERS + key, None if entry is None else entry.tree.root)
        self._changed.clear()

    def _update(self, key: bytes, value: bytes | None) -> None:
        if value is not None:
            self._tree.set(key, value)
        elif key in self._tree:
            self._tree.remove(key)

    def _count(self, record: Record, old: Record | None) -> None:
        self._charge(record.account, record.cost)
        if old is not None:
            self._charge(old.account, -old.cost)

    def _charge(self, account: Account, cost: int) -> None:
        self.cost += cost
        left = self._used.get(account, 0) + cost
        if left:
            self._used[account] = left
        else:
            del self._used[account]

    def _order_due(self, order: Order) -> int:
        return (order.t4 + self.limits.retention) * 1_000

    def _node_due(self, record: Record) -> int:
        return record.time + self.limits.node_retention * 1_000

    def _forget_order(self, key: bytes) -> None:
        self.generation += 1
        for record in self.orders.pop(key).records.values():
            self._charge(record.account, -record.cost)
            self._vids.pop(record.digest, None)
        self._changed.add(key)

    def _forget_node(self, account: Account, role: Role) -> None:
        """Unless it has been heard of since."""
        record = self.nodes.get((account, role))
        if record is not None and self._node_due(record) <= self.time:
            self.node_generation += 1
            del self.nodes[account, role]
            self._charge(account, -record.cost)
            self._tree.remove(node_key(account, role))


def node_key(account: Account, role: Role) -> bytes:
    """Where a node's record stands in the map."""
    return NODES + account + bytes((role,))
