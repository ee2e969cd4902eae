"""Who the replicas are and where: from a membership file, or from the committee's members and what they announced.

File (JSON):

    {"chainId": 56, "committee": "0x…",
     "members": [{"account": "0x…", "endpoint": "replica.example:7400 https://replica.example"}, …]}

An endpoint is `HOST:PORT URL`: where the other replicas connect, and where participants find the HTTP API; on chain it
is what `AggregatorCommittee.announce` was told.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from offchain.errors import Rejected
from offchain.ledger.host_port import parse_host_port, write_host_port
from offchain.ledger.identity import Address, InstanceId
from offchain.ledger.types import ReplicaId
from offchain.protocol.hashing import keccak
from offchain.protocol.strict_json import check_json

FEWEST = 4
"""Members that bear one fault; with fewer there is no point in replicas."""
MOST = 100
MAX_FILE_BYTES = 256 << 10
MAX_ENDPOINT_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where replicas reach a member (`host`, `port`), and participants (`api`, a URL without a slash at its end)."""

    host: str
    port: int
    api: str

    def __str__(self) -> str:
        return f"{write_host_port(self.host, self.port)} {self.api}"

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """Inverse of `str`. Raises Rejected."""
        expected = "expected `HOST:PORT URL`, such as `replica.example:7400 https://replica.example`"
        if len(text) > MAX_ENDPOINT_CHARACTERS or not text.isprintable():
            raise Rejected(f"an endpoint has at most {MAX_ENDPOINT_CHARACTERS} printable characters; {expected}")
        where, space, api = text.partition(" ")
        found = parse_host_port(where)
        if not space or found is None or found[1] == 0:
            raise Rejected(f"endpoint {text!r}; {expected}")
        try:
            url = urlsplit(api)
            known = url.scheme in ("http", "https") and url.hostname and (url.port is None or url.port > 0)
        except ValueError:
            known = False
        if not known or url.query or url.fragment or url.username or " " in api:
            raise Rejected(f"endpoint {text!r}: {api!r} is no plain http or https URL; {expected}")
        return cls(*found, api.rstrip("/"))


@dataclass(frozen=True, slots=True)
class Member:
    """A replica: the account that signs for it, and where it is; None when it has not said that, or not well.

    Nobody dials such a member, but it can dial others.
    """

    account: Address
    endpoint: Endpoint | None

    @property
    def host(self) -> str:
        """Where replicas connect; empty when nobody knows."""
        return "" if self.endpoint is None else self.endpoint.host

    @property
    def port(self) -> int:
        """Where replicas connect; 0 when nobody knows."""
        return 0 if self.endpoint is None else self.endpoint.port

    @property
    def api(self) -> str:
        """Where participants connect; empty when nobody knows."""
        return "" if self.endpoint is None else self.endpoint.api


@dataclass(frozen=True, slots=True)
class Membership:
    """A group of replicas in their order. Raises Rejected when there are too few or too many, or one twice."""

    chain_id: int
    committee: Address
    members: tuple[Member, ...]

    def __post_init__(self) -> None:
        if not FEWEST <= len(self.members) <= MOST:
            raise Rejected(f"{len(self.members)} members; a ledger has {FEWEST} to {MOST}")
        for index, member in enumerate(self.members):
            for other, former in enumerate(self.members[:index]):
                if former.account == member.account:
                    raise Rejected(f"members {other} and {index} have the same account {checksum(member.account)}")

    @property
    def accounts(self) -> tuple[Address, ...]:
        """The members' accounts in their order."""
        return tuple(member.account for member in self.members)

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each member in their order; port 0 where nobody knows."""
        return tuple((member.host, member.port) for member in self.members)

    @property
    def instance(self) -> InstanceId:
        """Stands for the group in every signature and journal; where the members are is no part of it."""
        return instance_id(self.chain_id, self.committee, self.accounts)

    def index_of(self, account: Address) -> ReplicaId:
        """Which replica `account` is. Raises Rejected when it is none."""
        try:
            return ReplicaId(self.accounts.index(account))
        except ValueError:
            raise Rejected(f"{checksum(account)} is no member; use a member's key, or another membership") from None

    def to_json(self) -> str:
        """What `read_membership` reads."""
        members = [{"account": checksum(m.account), "endpoint": m.endpoint and str(m.endpoint)} for m in self.members]
        fields = {"chainId": self.chain_id, "committee": checksum(self.committee), "members": members}
        return json.dumps(fields, indent=2) + "\n"


def instance_id(chain_id: int, committee: Address, accounts: Sequence[Address]) -> InstanceId:
    """keccak256 of chain id, committee and members in order, 32 bytes each."""
    words = [chain_id.to_bytes(32, "big"), *(bytes(12) + account for account in (committee, *accounts))]
    return InstanceId(keccak(b"".join(words)))


def read_membership(path: Path) -> Membership:
    """Reads a membership file. Raises Rejected with one line that names the file and the field."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise Rejected(f"{path}: larger than {MAX_FILE_BYTES} bytes; this is no membership file")
        data = path.read_bytes()
    except OSError as error:
        raise Rejected(f"{path}: cannot be read ({error.strerror})") from error
    try:
        check_json(data, max_bytes=MAX_FILE_BYTES, max_depth=4)
        return _parse(json.loads(data))
    except Rejected as error:
        raise Rejected(f"{path}: {error}") from error


def from_announcements(
    chain_id: int, committee: Address, accounts: Sequence[Address], announced: Mapping[Address, str]
) -> Membership:
    """The committee's members at what each announced last. Raises Rejected when there are too few or too many.

    Who announced nothing, or what is no endpoint, or another's, keeps nobody from forming a group: links are
    authenticated, so that a wrong endpoint leads to nobody.
    """
    members = []
    for account in accounts:
        endpoint = None
        with suppress(Rejected):
            endpoint = Endpoint.parse(announced.get(account, ""))
        members.append(Member(account, endpoint))
    return Membership(chain_id, committee, tuple(members))


def checksum(account: Address) -> str:
    """The address in hex with EIP-55's capitals."""
    digits = account.hex()
    hashed = keccak(digits.encode()).hex()
    return "0x" + "".join(d.upper() if int(h, 16) >= 8 else d for d, h in zip(digits, hashed, strict=False))


def parse_address(text: str) -> Address:
    """An address of 40 hex digits after 0x; where there are capitals, they must be EIP-55's. Raises Rejected."""
    digits = text.removeprefix("0x")
    if digits == text or len(digits) != 40 or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        raise Rejected(f"{text[:60]!r} is no address; expected 0x and 40 hex digits")
    address = Address(bytes.fromhex(digits))
    if digits != digits.lower() and text != checksum(address):
        raise Rejected(f"{text} has a wrong checksum; copy it again")
    return address


def _parse(fields: dict[str, object]) -> Membership:
    _require_keys("", fields, {"chainId", "committee", "members"})
    chain_id, members = fields["chainId"], fields["members"]
    if isinstance(chain_id, bool) or not isinstance(chain_id, int) or not 0 < chain_id < 1 << 64:
        raise Rejected("chainId: expected a positive whole number")
    if not isinstance(members, list):
        raise Rejected("members: expected a list")
    committee = _address("committee", fields["committee"])
    parsed = tuple(_member(f"members[{i}]", member) for i, member in enumerate(members))
    for index, member in enumerate(parsed):
        for other, former in enumerate(parsed[:index]):
            if former.endpoint is not None and (former.host, former.port) == (member.host, member.port):
                raise Rejected(f"members {other} and {index} have the same endpoint {member.host}:{member.port}")
    return Membership(chain_id, committee, parsed)


def _member(where: str, fields: object) -> Member:
    if not isinstance(fields, dict):
        raise Rejected(f"{where}: expected an object")
    _require_keys(f"{where}: ", fields, {"account", "endpoint"})
    endpoint = fields["endpoint"]
    if endpoint is None:
        return Member(_address(f"{where}.account", fields["account"]), None)
    if not isinstance(endpoint, str):
        raise Rejected(f"{where}.endpoint: expected text")
    try:
        return Member(_address(f"{where}.account", fields["account"]), Endpoint.parse(endpoint))
    except Rejected as error:
        raise Rejected(str(error) if str(error).startswith(where) else f"{where}.endpoint: {error}") from error


def _address(where: str, value: object) -> Address:
    if not isinstance(value, str):
        raise Rejected(f"{where}: expected an address")
    try:
        return parse_address(value)
    except Rejected as error:
        raise Rejected(f"{where}: {error}") from error


def _require_keys(where: str, fields: Mapping[str, object], expected: set[str]) -> None:
    if missing := sorted(expected - set(fields)):
        raise Rejected(f"{where}{missing[0]} is missing")
    if unknown := sorted(set(fields) - expected):
        raise Rejected(f"{where}{unknown[0]} is unknown; expected {', '.join(sorted(expected))}")
