"""What the ledger takes, and when. Each function answers one body; it changes the state only if that stands."""

from offchain.ledger.records.bodies import (
    Account,
    Body,
    Challenge,
    Claim,
    Kind,
    Model,
    Node,
    Order,
    Validation,
)
from offchain.ledger.records.encoding import order_key
from offchain.ledger.records.phases import within
from offchain.ledger.records.results import Result
from offchain.ledger.records.state import OrderEntry, Record, State
from offchain.ledger.types import Millis


def apply(state: State, record: Record) -> Result:
    """Puts a record where it belongs, unless a rule is against it. Reward proposals are the application's."""
    match record.body:
        case Order() as body:
            return _order(state, record, body)
        case Claim() as body:
            return _claim(state, record, body)
        case Model() as body:
            return _model(state, record, body)
        case Validation() as body:
            return _validation(state, record, body)
        case Challenge() as body:
            return _challenge(state, record, body)
        case Node() as body:
            return _node(state, record, body)
        case _:
            return Result.NOT_A_MEMBER


def _order(state: State, record: Record, body: Order) -> Result:
    """Once for each client and number."""
    entry = state.orders.get(order_key(body.oid, record.account))
    if entry is not None:
        return _same_or_taken(entry.order, body)
    now, limits = state.time // 1_000, state.limits
    ordered = body.t0 <= body.t1 <= body.t2 <= body.t3 <= body.t4
    if not ordered or not now - limits.retention < body.t4 <= now + limits.horizon:
        return Result.BAD_WINDOWS
    if not state.has_room(record, None, None):
        return Result.FULL
    state.open_order(record)
    return Result.ACCEPTED


def _claim(state: State, record: Record, body: Claim) -> Result:
    """Until training ends a claim replaces those with lower nonces."""
    entry = _find(state, body.oid, body.client)
    if entry is None:
        return Result.NO_ORDER
    return _window(state, entry.order.t0, entry.order.t1) or _replace(state, entry, record)


def _model(state: State, record: Record, body: Model) -> Result:
    """One for each claim; its link may move until the order is over."""
    entry = _find(state, body.oid, body.client)
    if entry is None:
        return Result.NO_ORDER
    old = entry.records.get(record.key)
    late = _window(state, entry.order.t1, entry.order.t2 if old is None else entry.order.t4)
    if late is not None:
        return late
    if bytes((Kind.CLAIM,)) + record.account not in entry.records:
        return Result.NO_CLAIM
    if old is not None and isinstance(old.body, Model) and old.body.mid != body.mid:
        return Result.TAKEN
    return _replace(state, entry, record)


def _validation(state: State, record: Record, body: Validation) -> Result:
    """A validator says one score of a model."""
    entry = _find(state, body.oid, body.client)
    if entry is None:
        return Result.NO_ORDER
    late = _window(state, entry.order.t2, entry.order.t3)
    if late is not None:
        return late
    if body.mid not in entry.mids:
        return Result.NO_MODEL
    return _once(state, entry, record)


def _challenge(state: State, record: Record, body: Challenge) -> Result:
    """From the first validation to the order's end."""
    entry = state.challenged(body.vid)
    if entry is None:
        return Result.NO_VALIDATION
    return _window(state, entry.order.t2, entry.order.t4) or _once(state, entry, record)


def _node(state: State, record: Record, body: Node) -> Result:
    """The latest word of an account in a role, by nonce."""
    old = state.nodes.get((record.account, body.role))
    if old is not None and old.nonce > record.nonce:
        return Result.SUPERSEDED
    if not state.has_room(record, None, old):
        return Result.FULL
    state.put_node(record)
    return Result.ACCEPTED


def _find(state: State, oid: int, client: Account) -> OrderEntry | None:
    return state.orders.get(order_key(oid, client))


def _window(state: State, start: int, end: int) -> Result | None:
    return within(start, end, state.time, Millis(state.limits.leeway * 1_000))


def _replace(state: State, entry: OrderEntry, record: Record) -> Result:
    old = entry.records.get(record.key)
    if old is not None and old.nonce > record.nonce:
        return Result.SUPERSEDED
    return _put(state, entry, record, old)


def _once(state: State, entry: OrderEntry, record: Record) -> Result:
    old = entry.records.get(record.key)
    return _put(state, entry, record, None) if old is None else _same_or_taken(old.body, record.body)


def _put(state: State, entry: OrderEntry, record: Record, old: Record | None) -> Result:
    if not state.has_room(record, entry, old):
        return Result.FULL
    state.put(entry, record)
    return Result.ACCEPTED


def _same_or_taken(old: Body, new: Body) -> Result:
    return Result.DUPLICATE if old == new else Result.TAKEN
