"""The one encoding of a body: its kind in a byte, then its fields in order, integers big-endian.

Texts are printable ASCII behind a two-byte length: what is printable in Unicode depends on the version of its tables,
and replicas must not differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from offchain.errors import Rejected
from offchain.ledger.records.bodies import (
    STATEMENT_BYTES,
    Account,
    Body,
    Challenge,
    Claim,
    Kind,
    Model,
    Node,
    Order,
    RewardProposal,
    Role,
    Validation,
)

MAX_LINK = 512
MAX_TYPE = 64
MAX_RESOURCES = 256
MAX_ENDPOINT = 256

_PRINTABLE = bytes(range(0x20, 0x7F))


@dataclass(frozen=True, slots=True)
class _Field:
    """How one field is written, and read from a position: the value and the next position."""

    name: str
    write: Callable[[Any], bytes]
    read: Callable[[bytes, int], tuple[Any, int]]


def _integer(name: str, size: int, *, signed: bool = False) -> _Field:
    def write(value: int) -> bytes:
        try:
            return value.to_bytes(size, "big", signed=signed)
        except OverflowError:
            raise Rejected(f"{name} {value}: does not fit into {size} bytes") from None

    def read(data: bytes, at: int) -> tuple[int, int]:
        return int.from_bytes(_slice(data, at, size, name), "big", signed=signed), at + size

    return _Field(name, write, read)


def _exactly(name: str, size: int) -> _Field:
    def write(value: bytes) -> bytes:
        if len(value) != size:
            raise Rejected(f"{name}: {len(value)} bytes, expected {size}")
        return value

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        return _slice(data, at, size, name), at + size

    return _Field(name, write, read)


def _text(name: str, most: int) -> _Field:
    def check(value: bytes) -> None:
        if len(value) > most:
            raise Rejected(f"{name}: {len(value)} characters, at most {most} are taken")
        if value.translate(None, _PRINTABLE):
            raise Rejected(f"{name}: something else than printable ASCII is in it")

    def write(value: str) -> bytes:
        data = value.encode("utf-8", "surrogatepass")
        check(data)
        return len(data).to_bytes(2, "big") + data

    def read(data: bytes, at: int) -> tuple[str, int]:
        size = int.from_bytes(_slice(data, at, 2, name), "big")
        value = _slice(data, at + 2, size, name)
        check(value)
        return value.decode("ascii"), at + 2 + size

    return _Field(name, write, read)


def _role(name: str) -> _Field:
    inner = _integer(name, 1)

    def read(data: bytes, at: int) -> tuple[Role, int]:
        value, after = inner.read(data, at)
        try:
            return Role(value), after
        except ValueError:
            raise Rejected(f"{name}: {value} is no role") from None

    return _Field(name, inner.write, read)


def _slice(data: bytes, at: int, size: int, name: str) -> bytes:
    found = data[at : at + size]
    if len(found) != size:
        raise Rejected(f"the body ends within {name}")
    return found


_ORDER_KEY = (_integer("oid", 8), _exactly("client", 20))

LAYOUTS: dict[Kind, tuple[type[Body], tuple[_Field, ...]]] = {
    Kind.ORDER: (
        Order,
        (
            _integer("oid", 8),
            _integer("reward", 16),
            _text("type", MAX_TYPE),
            *(_integer(f"t{index}", 8) for index in range(5)),
            _text("link", MAX_LINK),
        ),
    ),
    Kind.CLAIM: (Claim, (*_ORDER_KEY, _exactly("commitment", 32))),
    Kind.MODEL: (Model, (*_ORDER_KEY, _exactly("mid", 32), _text("link", MAX_LINK))),
    Kind.VALIDATION: (
        Validation,
        (*_ORDER_KEY, _exactly("mid", 32), _integer("score", 8, signed=True), _integer("v_stake", 16)),
    ),
    Kind.CHALLENGE: (Challenge, (_exactly("vid", 32), _integer("c_stake", 16))),
    Kind.NODE: (Node, (_role("role"), _text("resources", MAX_RESOURCES), _text("endpoint", MAX_ENDPOINT))),
    Kind.REWARD_PROPOSAL: (RewardProposal, (_exactly("statement", STATEMENT_BYTES),)),
}

KINDS: dict[type[Body], Kind] = {body: kind for kind, (body, _) in LAYOUTS.items()}


def encode_body(body: Body) -> bytes:
    """The encoding of a body. Raises Rejected when a field is out of its bounds."""
    kind = KINDS[type(body)]
    parts = [field.write(getattr(body, field.name)) for field in LAYOUTS[kind][1]]
    return bytes((kind,)) + b"".join(parts)


def decode_body(data: bytes) -> Body:
    """The body. Raises Rejected unless `data` is exactly the encoding of one."""
    layout = LAYOUTS.get(data[0]) if data else None  # type: ignore[call-overload]
    if layout is None:
        raise Rejected("the body is empty" if not data else f"kind of body {data[0]}: there is none")
    body, fields = layout
    values, at = [], 1
    for field in fields:
        value, at = field.read(data, at)
        values.append(value)
    if at != len(data):
        raise Rejected(f"{len(data) - at} bytes too many behind the body")
    return body(*values)  # type: ignore[no-any-return]


def order_key(oid: int, client: Account) -> bytes:
    """What an order is known by, 28 bytes."""
    return oid.to_bytes(8, "big") + client
