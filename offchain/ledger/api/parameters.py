"""Path and query parameters that several routes share, and what they become."""

from typing import Annotated

from fastapi import Path, Query

from offchain.errors import Rejected
from offchain.ledger.api.schema import MAX_PAGE
from offchain.ledger.membership import parse_address
from offchain.ledger.records.bodies import Account, Role
from offchain.ledger.records.phases import Phase

HASH = r"^0x[0-9a-fA-F]{64}$"
ADDRESS = r"^0x[0-9a-fA-F]{40}$"
LONGEST_WAIT = 30.0

Digest = Annotated[str, Path(pattern=HASH, description="Digest of a request, 32 bytes in hex.")]
Mid = Annotated[str, Path(pattern=HASH, description="The model's root, 32 bytes in hex.")]
Oid = Annotated[int, Path(ge=0, lt=1 << 64, description="The order's number on the chain.")]
ClientPath = Annotated[str, Path(pattern=ADDRESS, description="The order's client.")]
AccountPath = Annotated[str, Path(pattern=ADDRESS, description="The node's account.")]
RolePath = Annotated[str, Path(pattern="^(client|provider|validator|verifier|aggregator)$", description="Its role.")]
ClientQuery = Annotated[str | None, Query(alias="client", pattern=ADDRESS, description="Only of this client.")]
MidQuery = Annotated[str | None, Query(alias="mid", pattern=HASH, description="Only of this model.")]
PhaseQuery = Annotated[
    str | None,
    Query(
        alias="phase",
        pattern="^(training|reveal|validation|challenge|over)$",
        description="Only orders in this phase: training, reveal, validation, challenge, over.",
    ),
]
RoleQuery = Annotated[
    str | None,
    Query(
        alias="role",
        pattern="^(client|provider|validator|verifier|aggregator)$",
        description="Only nodes in this role: client, provider, validator, verifier, aggregator.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="At most so many.")]
After = Annotated[
    str | None, Query(pattern=r"^0x[0-9a-f]{2,64}$", description="Go on after the page whose `next` this is.")
]
Wait = Annotated[
    float, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for the execution; 0: answer at once.")
]
RecordQuery = Annotated[str, Query(pattern=HASH, description="The record's id.")]


def from_hex(text: str) -> bytes:
    """Bytes of hex that a pattern has checked. Raises Rejected for an odd digit."""
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        raise Rejected(f"{text[:40]}: an odd number of hex digits") from None


def account(text: str) -> Account:
    """Raises Rejected when capitals are no checksum."""
    return parse_address(text)


def account_or_none(text: str | None) -> Account | None:
    """See `account`."""
    return None if text is None else account(text)


def phase(text: str | None) -> Phase | None:
    """By its label."""
    return None if text is None else Phase[text.upper()]


def role(text: str) -> Role:
    """By its name."""
    return Role[text.upper()]
