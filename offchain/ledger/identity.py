"""A member's Ethereum key as the ledger uses it: signatures of links and of votes, which nothing else can be taken for.

What is signed is keccak256(0x19 ‖ "Assay ledger " ‖ purpose ‖ 0x0a ‖ instance id ‖ text): no transaction and no
EIP-191 or EIP-712 message starts like that. Signatures have 64 bytes (EIP-2098), s in the lower half.
"""

from collections.abc import Sequence
from typing import NewType

from coincurve import PrivateKey

from offchain.errors import Bug
from offchain.ledger.types import ReplicaId
from offchain.protocol.hashing import keccak
from offchain.protocol.signatures import COMPACT_BYTES, address_of, recover_compact, sign_compact

Address = NewType("Address", bytes)
"""An Ethereum address, 20 bytes."""

InstanceId = NewType("InstanceId", bytes)
"""32 bytes that stand for one group of replicas, see `membership.instance_id`."""

SIGNATURE_BYTES = COMPACT_BYTES
VOTE = b"vote"
LINK = b"link"


class Identity:
    """Holds a private key and never shows it."""

    def __init__(self, secret: bytes) -> None:
        """`secret`: the key's 32 bytes."""
        self._key = PrivateKey(secret)
        self.address = Address(address_of(self._key.public_key))

    def sign(self, purpose: bytes, instance: InstanceId, text: bytes) -> bytes:
        """64 bytes; the same for the same text."""
        return sign_compact(self._key, text_digest(purpose, instance, text))


def text_digest(purpose: bytes, instance: InstanceId, text: bytes) -> bytes:
    """What is signed, 32 bytes."""
    return keccak(b"\x19Assay ledger " + purpose + b"\n" + instance + text)


def recover(digest: bytes, signature: bytes) -> Address | None:
    """Who signed; None when it is no signature in the one form that counts."""
    signer = recover_compact(digest, signature)
    return None if signer is None else Address(signer)


class MemberSigner:
    """The `Signer` of the core: our key, and the members' addresses in their order."""

    def __init__(self, identity: Identity, instance: InstanceId, members: Sequence[Address]) -> None:
        if identity.address not in members:
            raise Bug("the key is no member's")
        self._identity = identity
        self._instance = instance
        self._members = tuple(members)

    def sign(self, text: bytes) -> bytes:
        """Our signature of `text`."""
        return self._identity.sign(VOTE, self._instance, text)

    def verify(self, replica: ReplicaId, text: bytes, signature: bytes) -> bool:
        """Whether `replica` signed `text`."""
        if not 0 <= replica < len(self._members):
            return False
        return recover(text_digest(VOTE, self._instance, text), signature) == self._members[replica]
