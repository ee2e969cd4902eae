"""Shares on their way: encrypted to one recipient, and committed to in public.

The box from dealer i to recipient j is ChaCha20-Poly1305 under a key of this one direction (HKDF-SHA256 of the X25519
secret of their two share keys), so its nonce is 0; the session's digest and both positions are its associated data. The
public commitment makes everybody see whose fault a wrong share is: the dealer's, if the box does not hold what it
committed to; the recipient's, if it shows something else.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from offchain.errors import Rejected
from offchain.federated.secure.masking import agree, load_key
from offchain.federated.secure.messages import BOX_BYTES, PAIR_BYTES, Keys, Secret, Shares
from offchain.federated.secure.shamir import PRIME, SHARE_BYTES
from offchain.federated.secure.terms import Position
from offchain.protocol.hashing import keccak

SharePair = tuple[bytes, bytes]
"""Of the self-mask's seed and of the mask key, in the order of `Secret`; 33 bytes each."""


@dataclass(frozen=True, slots=True)
class Route:
    """From whom to whom, in which session (its digest)."""

    session: bytes
    dealer: Position
    recipient: Position

    @property
    def label(self) -> bytes:
        """What key, cipher and commitment are bound to."""
        return b"share" + self.session + bytes((self.dealer, self.recipient))


def share_commitment(route: Route, secret: Secret, share: bytes) -> bytes:
    """keccak256("share" ‖ session digest ‖ dealer ‖ recipient ‖ secret ‖ share); a byte for each of the three."""
    return keccak(route.label + bytes((secret,)) + share)


def seal(route: Route, own_key: bytes, their_key: bytes, pair: SharePair) -> bytes:
    """The box, 82 bytes. `own_key`: the dealer's private share key for this recipient. Raises Rejected like `agree`."""
    return ChaCha20Poly1305(agree(load_key(own_key), their_key, route.label)).encrypt(
        bytes(12), b"".join(pair), route.label
    )


def unseal(route: Route, own_key: bytes, their_key: bytes, box: bytes) -> SharePair | None:
    """The two shares, with either side's private key; None when the box was not sealed for this route."""
    if len(box) != BOX_BYTES:
        return None
    try:
        plain = ChaCha20Poly1305(agree(load_key(own_key), their_key, route.label)).decrypt(bytes(12), box, route.label)
    except (InvalidTag, Rejected):
        return None
    return (plain[:SHARE_BYTES], plain[SHARE_BYTES:PAIR_BYTES])


def open_box(route: Route, own_key: bytes, dealer_keys: Keys, dealt: Shares) -> SharePair | None:
    """What the dealer sent to the recipient, whose private key is `own_key`; None when the dealer did wrong.

    Wrong is a box that does not open, a share other than committed to, and a share that is no element of the field.
    """
    pair = unseal(route, own_key, dealer_keys.share_keys[route.recipient], dealt.boxes[route.recipient])
    if pair is None or not all(is_as_committed(route, secret, pair[secret], dealt) for secret in Secret):
        return None
    return pair if all(in_field(share) for share in pair) else None


def is_as_committed(route: Route, secret: Secret, share: bytes, dealt: Shares) -> bool:
    """Whether this is the share that the dealer committed to."""
    return share_commitment(route, secret, share) == dealt.commitments[secret][route.recipient]


def in_field(share: bytes) -> bool:
    """Whether the bytes are an element of Shamir's field."""
    return int.from_bytes(share, "big") < PRIME
