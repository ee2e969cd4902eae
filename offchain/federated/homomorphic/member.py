"""What a member of a homomorphic session does: deals a secret, encrypts its update, decrypts and judges the sum.

Its own randomness comes from one root in its journal, but for the key of its file and what SEAL draws for ciphertexts;
so it posts its file once and keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug, Rejected
from offchain.federated.homomorphic.blocks import block_from_bytes, block_to_bytes
from offchain.federated.homomorphic.ckks import Key, Scheme
from offchain.federated.homomorphic.messages import BOX_BYTES, Keys, Shares
from offchain.federated.homomorphic.sealing import open_box, seal_box
from offchain.federated.homomorphic.tags import TAG_WORDS, Tags
from offchain.federated.secure.masking import derive, public_of
from offchain.federated.secure.participant import Secrets
from offchain.federated.secure.terms import Position, Session

Sum = npt.NDArray[np.int32]
"""(d,) of updates."""


def box_key(secrets: Secrets) -> bytes:
    """The X25519 private key of a member."""
    return derive(secrets.root, b"homomorphic box" + secrets.session + bytes((secrets.position,)))


def own_secret(secrets: Secrets) -> bytes:
    """32 bytes: what the group uses if this member is its dealer."""
    return derive(secrets.root, b"homomorphic secret" + secrets.session + bytes((secrets.position,)))


def keys_message(secrets: Secrets) -> Keys:
    """KEYS: the same whenever it is asked for."""
    return Keys(public_of(box_key(secrets)))


def shares_message(secrets: Secrets, session: Session, keys: Mapping[Position, Keys], scheme: Scheme) -> Shares:
    """SHARES: everybody deals, the first counts.

    Raises Rejected when fewer than the threshold posted keys, or we did not.
    """
    _require_among(secrets, session, keys, "posted keys")
    boxes, key, secret = [bytes(BOX_BYTES)] * session.size, box_key(secrets), own_secret(secrets)
    for peer, posted in keys.items():
        if peer != secrets.position:
            boxes[peer] = seal_box(key, posted.public, _label(session, secrets.position, peer), secret)
    return Shares(tuple(boxes), scheme.key(key_seed(secret)).fingerprint)


def group_secret(
    secrets: Secrets, session: Session, keys: Mapping[Position, Keys], shares: Mapping[Position, Shares]
) -> tuple[bytes, bytes]:
    """The secret of the first who dealt, and the fingerprint that its key must have; 32 bytes each.

    Raises Rejected when too few dealt, we did not, or the dealer's box for us does not open: then we take no part.
    """
    _require_among(secrets, session, shares, "dealt")
    dealer = min(shares)
    if dealer == secrets.position:
        return own_secret(secrets), shares[dealer].fingerprint
    label = _label(session, dealer, secrets.position)
    secret = open_box(box_key(secrets), keys[dealer].public, label, shares[dealer].boxes[secrets.position])
    if secret is None:
        raise Rejected(f"group {session.group}: member {dealer}, who deals, sealed no secret for us; we take no part")
    return secret, shares[dealer].fingerprint


def group_key(scheme: Scheme, secret: bytes, fingerprint: bytes) -> Key:
    """The key of a group's secret. Raises Rejected when it is another than the dealer's."""
    key = scheme.key(key_seed(secret))
    if key.fingerprint != fingerprint:
        raise Rejected(
            "the dealer's secret gives another key here: it lied, or another version of TenSEAL draws other keys; "
            "install the version that docs/homomorphic.md names"
        )
    return key


def key_seed(secret: bytes) -> bytes:
    """What the CKKS key is drawn from."""
    return derive(secret, b"homomorphic key")


def encrypted(
    scheme: Scheme, key: Key, tags: Tags, position: Position, update: npt.NDArray[np.int16]
) -> Iterator[bytes]:
    """The ciphertexts of an update int16 (d,) and its tag, block by block."""
    if update.dtype != np.int16 or update.ndim != 1:
        raise Rejected(f"an update is int16 (d,), not {update.dtype} {update.shape}")
    integers = np.concatenate([update, tags.words(position, update)])
    degree = scheme.parameters.ring.degree
    for start in range(0, len(integers), degree):
        yield block_to_bytes(scheme.encrypt(key, integers[start : start + degree]), scheme.parameters)


def decrypted(
    scheme: Scheme, key: Key, tags: Tags, session: Session, added: tuple[Position, ...], blocks: Iterable[memoryview]
) -> Sum:
    """The sum int32 (d,) of the updates of `added`, exactly. `blocks`: all of the sum's (`sums.read_added`).

    Raises Rejected, and the member signs nothing, when a coefficient is not below q; a component is further from an
    integer than honest ciphertexts bring it, or beyond what so many updates sum to; the tag does not fit: then who
    added did it wrong, or somebody in the sum sent no ciphertext of an update.
    """
    largest, parts = len(added) * scheme.parameters.largest, list[npt.NDArray[np.int32]]()
    with scheme.decryption(key) as decrypt:
        for block in blocks:
            parts.append(_rounded(decrypt(block_from_bytes(block, scheme.parameters)), scheme, largest))
    integers = np.concatenate(parts)
    if len(integers) < session.dimension + TAG_WORDS:
        raise Bug("fewer blocks than the sum has")
    total, rest = integers[: session.dimension], integers[session.dimension :]
    if rest[TAG_WORDS:].any() or not tags.fits(total, rest[:TAG_WORDS], added):
        raise Rejected(f"group {session.group}: the sum is not that of members {added}; its tag does not fit")
    return total


def _rounded(components: npt.NDArray[np.float64], scheme: Scheme, largest: int) -> npt.NDArray[np.int32]:
    """Re-quantised: to the fixed point that everybody computes with."""
    nearest = np.rint(components)
    off = float(np.abs(components - nearest).max())
    if off > float(scheme.parameters.error_bound):
        raise Rejected(f"a sum whose components are up to {off:.3g} from an integer; honest ones are nearer")
    if float(np.abs(nearest).max()) > largest:
        raise Rejected(f"a sum with a component beyond ±{largest}, which no updates have")
    return nearest.astype(np.int32)


def _require_among(secrets: Secrets, session: Session, present: Mapping[Position, Any], did: str) -> None:
    if secrets.session != session.digest:
        raise Bug("these secrets were drawn for another session")
    if len(present) < session.threshold:
        raise Rejected(f"only {len(present)} members {did}, fewer than the threshold {session.threshold}")
    if secrets.position not in present:
        raise Rejected(f"member {secrets.position} is not among those who {did}; it takes no further part")


def _label(session: Session, dealer: Position, recipient: Position) -> bytes:
    return b"homomorphic secret" + session.digest + bytes((dealer, recipient))
