"""How two replicas make sure of each other and agree on keys. Pure: ephemeral secrets are passed in.

    dialler  → hello:  magic, instance id, index of dialler, index of listener, ephemeral key A
    listener → reply:  ephemeral key B, signature of (listener, transcript)
    dialler  → finish: signature of (dialler, transcript)

The transcript is the hello and B. Ephemeral keys are X25519 and fresh on both sides, so no recorded message is any good
again; roles and indices are signed, so none can be turned around or shown to somebody else. HKDF-SHA256 over the shared
secret, salted with the transcript, gives a key for each direction: who recorded a link learns nothing from a member's
key later.
"""

import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from offchain.errors import Bug, Rejected
from offchain.ledger.identity import LINK, SIGNATURE_BYTES, Address, Identity, InstanceId, recover, text_digest
from offchain.ledger.types import ReplicaId

MAGIC = b"assayLL1"
_HELLO = struct.Struct(">8s32sHH32s")
HELLO_BYTES = _HELLO.size
KEY_BYTES = 32
REPLY_BYTES = KEY_BYTES + SIGNATURE_BYTES
FINISH_BYTES = SIGNATURE_BYTES
_BY_LISTENER = b"listener\n"
_BY_DIALLER = b"dialler\n"


@dataclass(frozen=True, slots=True)
class Party:
    """Who we are, and in which group. `members`: addresses in their order."""

    instance: InstanceId
    me: ReplicaId
    members: tuple[Address, ...]
    identity: Identity


@dataclass(frozen=True, slots=True, repr=False)
class LinkKeys:
    """Keys of the frames' MACs, 32 bytes each."""

    send: bytes
    receive: bytes


class Dialler:
    """The side that connects."""

    def __init__(self, party: Party, peer: ReplicaId, ephemeral: bytes) -> None:
        """`ephemeral`: 32 random bytes, used once."""
        if not party.me < peer < len(party.members):
            raise Bug(f"replica {party.me} does not dial {peer}")
        self._party = party
        self._peer = peer
        self._secret = X25519PrivateKey.from_private_bytes(ephemeral)
        ours = self._secret.public_key().public_bytes_raw()
        self.hello = _HELLO.pack(MAGIC, party.instance, party.me, peer, ours)
        """What to send first."""

    def answer(self, reply: bytes) -> tuple[bytes, LinkKeys]:
        """What to send last, and the keys. Raises Rejected when the reply is not the peer's."""
        if len(reply) != REPLY_BYTES:
            raise Rejected(f"a reply has {REPLY_BYTES} bytes, not {len(reply)}")
        theirs, signature = reply[:KEY_BYTES], reply[KEY_BYTES:]
        transcript = self.hello + theirs
        _require_signed(self._party, self._peer, _BY_LISTENER + transcript, signature)
        outwards, inwards = _derive(self._secret, theirs, transcript)
        finish = self._party.identity.sign(LINK, self._party.instance, _BY_DIALLER + transcript)
        return finish, LinkKeys(send=outwards, receive=inwards)


class Listener:
    """The side that is connected to."""

    def __init__(self, party: Party, ephemeral: bytes) -> None:
        """`ephemeral`: 32 random bytes, used once."""
        self._party = party
        self._secret = X25519PrivateKey.from_private_bytes(ephemeral)
        self._transcript = b""
        self.peer: ReplicaId | None = None
        """Whom the dialler says to be; believed after `finish`."""

    def reply(self, hello: bytes) -> bytes:
        """What to answer. Raises Rejected when the hello is not for us."""
        if len(hello) != HELLO_BYTES or self.peer is not None:
            raise Rejected(f"a hello has {HELLO_BYTES} bytes and comes once")
        magic, instance, dialler, listener, _ = _HELLO.unpack(hello)
        if magic != MAGIC:
            raise Rejected("the dialler does not speak this protocol; run the same version everywhere")
        if instance != self._party.instance:
            raise Rejected("the dialler belongs to another group; compare chain, committee and members")
        if listener != self._party.me or not 0 <= dialler < listener:
            raise Rejected(f"replica {dialler} does not dial {listener}, and we are {self._party.me}")
        self.peer = ReplicaId(dialler)
        ours = self._secret.public_key().public_bytes_raw()
        self._transcript = hello + ours
        return ours + self._party.identity.sign(LINK, self._party.instance, _BY_LISTENER + self._transcript)

    def finish(self, signature: bytes) -> LinkKeys:
        """The keys. Raises Rejected when the dialler is not who it said."""
        if self.peer is None:
            raise Bug("finish before hello")
        _require_signed(self._party, self.peer, _BY_DIALLER + self._transcript, signature)
        theirs = self._transcript[HELLO_BYTES - KEY_BYTES : HELLO_BYTES]
        inwards, outwards = _derive(self._secret, theirs, self._transcript)
        return LinkKeys(send=outwards, receive=inwards)


def _require_signed(party: Party, peer: ReplicaId, text: bytes, signature: bytes) -> None:
    if recover(text_digest(LINK, party.instance, text), signature) != party.members[peer]:
        raise Rejected(f"whoever answers as replica {peer} does not have its key")


def _derive(secret: X25519PrivateKey, theirs: bytes, transcript: bytes) -> tuple[bytes, bytes]:
    """Key from dialler to listener, key from listener to dialler."""
    try:
        shared = secret.exchange(X25519PublicKey.from_public_bytes(theirs))
    except ValueError as error:
        raise Rejected("the peer's ephemeral key is none") from error
    keys = HKDF(SHA256(), 2 * KEY_BYTES, salt=transcript, info=MAGIC).derive(shared)
    return keys[:KEY_BYTES], keys[KEY_BYTES:]
