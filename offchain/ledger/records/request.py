"""A participant's signed request, and what is signed: the EIP-712 message `LedgerMessage`.

Encoding: account (20 bytes), nonce (8), signature (65: r, s, v with v 27 or 28), body (the rest).
"""

from dataclasses import dataclass, field, replace

from coincurve import PrivateKey, PublicKey

from offchain.errors import Rejected
from offchain.ledger.records.bodies import Account, Body
from offchain.ledger.records.encoding import decode_body, encode_body
from offchain.protocol import eip712, signatures
from offchain.protocol.hashing import keccak

NAME = "Assay ledger"
VERSION = "1"
MAX_REQUEST_BYTES = 2_048
"""More than the largest body takes."""

_TYPE_HASH = keccak(b"LedgerMessage(address account,uint64 nonce,bytes body)")
_HEAD = 20 + 8 + 65


@dataclass(frozen=True, slots=True)
class Domain:
    """Which ledger a request is for: the chain and the address of its committee (20 bytes)."""

    chain_id: int
    committee: Account
    separator: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        separator = eip712.domain_separator(NAME, VERSION, self.chain_id, self.committee)
        object.__setattr__(self, "separator", separator)

    def digest(self, account: Account, nonce: int, body: bytes) -> bytes:
        """What the account signs, 32 bytes; the request's name, whatever its signature."""
        words = account.rjust(32, b"\0") + nonce.to_bytes(32, "big")
        return eip712.typed_digest(self.separator, keccak(_TYPE_HASH + words + keccak(body)))


@dataclass(frozen=True, slots=True)
class Request:
    """What `account` asks for; `body` in its encoding."""

    account: Account
    nonce: int
    body: bytes
    signature: bytes = b""

    def encode(self) -> bytes:
        """The encoding of a signed request. Raises Rejected when a part is out of its bounds."""
        if len(self.account) != 20 or len(self.signature) != 65 or not 0 <= self.nonce < 1 << 64:
            raise Rejected("a request has an account of 20 bytes, a nonce below 2^64 and a signature of 65 bytes")
        return self.account + self.nonce.to_bytes(8, "big") + self.signature + self.body

    @classmethod
    def decode(cls, data: bytes) -> "Request":
        """The request; its signature and body are not looked at. Raises Rejected when it cannot be one."""
        if not _HEAD < len(data) <= MAX_REQUEST_BYTES:
            raise Rejected(f"a request has {_HEAD + 1} to {MAX_REQUEST_BYTES} bytes, this one {len(data)}")
        return cls(Account(data[:20]), int.from_bytes(data[20:28], "big"), data[_HEAD:], data[28:_HEAD])

    def digest(self, domain: Domain) -> bytes:
        """Its name, 32 bytes."""
        return domain.digest(self.account, self.nonce, self.body)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A request with what follows from it. `raw`: its encoding; `digest`: its name."""

    raw: bytes
    digest: bytes
    account: Account
    nonce: int
    signature: bytes
    body: Body


def parse_request(domain: Domain, raw: bytes) -> Parsed:
    """Raises Rejected when `raw` is no request in its one encoding; the signature is not looked at."""
    request = Request.decode(raw)
    body, digest = decode_body(request.body), request.digest(domain)
    return Parsed(raw, digest, request.account, request.nonce, request.signature, body)


def check_request(domain: Domain, raw: bytes) -> Parsed:
    """See `parse_request`; also raises Rejected unless the account signed it for this ledger."""
    parsed = parse_request(domain, raw)
    if recover(parsed.digest, parsed.signature) != parsed.account:
        raise Rejected(
            "the signature is not the account's for this ledger: sign LedgerMessage with its chain id and committee"
        )
    return parsed


def sign(domain: Domain, key: PrivateKey, nonce: int, body: Body) -> Request:
    """The request of the key's account. Raises Rejected when the body cannot be encoded."""
    request = Request(address_of(key.public_key), nonce, encode_body(body))
    signature = key.sign_recoverable(request.digest(domain), hasher=None)
    return replace(request, signature=signature[:64] + bytes((signature[64] + 27,)))


def recover(digest: bytes, signature: bytes) -> Account | None:
    """Who signed; None when the signature is not in the one form that is taken (low s, v 27 or 28)."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    signer = signatures.recover(digest, signature[:64] + bytes((signature[64] - 27,)))
    return None if signer is None else Account(signer)


def address_of(key: PublicKey) -> Account:
    """The Ethereum address of a key."""
    return Account(signatures.address_of(key))
