"""What an honest member posts at each stage, and what it refuses. Pure: all of its randomness comes from one root.

The functions that commit a member to something return new secrets with the message. Whoever runs them must have stored
those before the message leaves, so that a member that was killed goes on with the same masks and the same answer:

- one vector for one set of peers. Two vectors for different peers would show the mask between it and the difference;
- one answer to one request. Shares of both secrets of the same member would open its update.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug, Rejected
from offchain.federated.secure.boxes import Route, SharePair, open_box, seal, share_commitment
from offchain.federated.secure.masking import (
    NO_COMMITMENT,
    AddStream,
    add_stream,
    commitment_of,
    derive,
    load_key,
    masked_vector,
    pair_seed,
    public_of,
    sign_of,
)
from offchain.federated.secure.messages import BOX_BYTES, NOTHING, Answer, Entry, Keys, Masked, Secret, Shares, Unmask
from offchain.federated.secure.shamir import SHARE_BYTES, polynomial, share_of
from offchain.federated.secure.terms import Position, Randomness, Seed, Session
from offchain.federated.secure.transcript import (
    Sets,
    Transcript,
    asked_about,
    keys_of,
    sets_of,
    shares_of,
    unmask_request,
)

ROOT_BYTES: Final = 32
_SHARES_OF: Final = {Answer.SELF_SEED: Secret.SELF_SEED, Answer.MASK_KEY: Secret.MASK_KEY}


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """What a member must not lose or show. `session`: its digest. `root`: 32 random bytes, for this session alone.

    `masked`, `unmask`: what it has bound itself to, see `masked_message` and `unmask_message`.
    """

    session: bytes
    position: Position
    root: bytes
    masked: bytes | None = None
    unmask: bytes | None = None

    @property
    def mask_key(self) -> bytes:
        """The X25519 private key of the pairs' masks."""
        return self._derive(b"mask key")

    @property
    def self_seed(self) -> Seed:
        """Of its own mask."""
        return Seed(self._derive(b"self seed"))

    def share_key(self, dealer: Position) -> bytes:
        """The X25519 private key of the box from this dealer, and of the box to it."""
        return self._derive(b"share key" + bytes((dealer,)))

    def polynomials(self, threshold: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What the shares lie on, in the order of `Secret`."""
        seeds = (self._derive(b"polynomial" + bytes((secret,))) for secret in Secret)
        own, key = (
            polynomial(value, threshold, seed)
            for value, seed in zip((self.self_seed, self.mask_key), seeds, strict=True)
        )
        return own, key

    def _derive(self, label: bytes) -> bytes:
        return derive(self.root, label + self.session + bytes((self.position,)))

    def to_json(self) -> str:
        """For the journal."""
        bound = {"masked": self.masked and self.masked.hex(), "unmask": self.unmask and self.unmask.hex()}
        return json.dumps({"session": self.session.hex(), "position": self.position, "root": self.root.hex(), **bound})

    @staticmethod
    def from_json(text: str) -> Secrets:
        """What `to_json` wrote. Raises Bug on anything else: it is our own journal."""
        try:
            row = json.loads(text)
            masked, unmask = (row[name] and bytes.fromhex(row[name]) for name in ("masked", "unmask"))
            session, root = bytes.fromhex(row["session"]), bytes.fromhex(row["root"])
            return Secrets(session, Position(row["position"]), root, masked, unmask)
        except (ValueError, KeyError, TypeError) as error:
            raise Bug("the journal of a secure aggregation cannot be read") from error


def draw_secrets(session: Session, position: Position, randomness: Randomness) -> Secrets:
    """New secrets of a member for one session."""
    if position not in session.positions:
        raise Bug(f"member {position} of {session.size}")
    return Secrets(session.digest, position, randomness(ROOT_BYTES))


def keys_message(secrets: Secrets, session: Session) -> Keys:
    """KEYS: the same whenever it is asked for."""
    _require_session(secrets, session)
    share_keys = tuple(
        bytes(32) if place == secrets.position else public_of(secrets.share_key(Position(place)))
        for place in session.positions
    )
    return Keys(public_of(secrets.mask_key), share_keys, commitment_of(secrets.self_seed))


def shares_message(secrets: Secrets, transcript: Transcript) -> Shares:
    """SHARES, for all who posted keys. Raises Rejected when they are fewer than the threshold, or without us."""
    session, own = transcript.session, secrets.position
    keyed = sets_of(transcript).keyed
    _require_quorum(secrets, session, keyed, "posted keys")
    posted, mask_key = keys_of(transcript, own), load_key(secrets.mask_key)
    if (posted.mask_key, posted.commitment) != (public_of(secrets.mask_key), commitment_of(secrets.self_seed)):
        raise Rejected("our keys in the transcript are not those of our journal; this session belongs to another one")
    polynomials = secrets.polynomials(session.threshold)
    boxes, seeds = [bytes(BOX_BYTES)] * session.size, [NO_COMMITMENT] * session.size
    commitments = [[bytes(32)] * session.size for _ in Secret]
    seeds[own] = commitment_of(secrets.self_seed)
    for peer in keyed:
        route, pair = Route(secrets.session, own, peer), _pair(polynomials, peer)
        for secret in Secret:
            commitments[secret][peer] = share_commitment(route, secret, pair[secret])
        if peer != own:
            keys = keys_of(transcript, peer)
            boxes[peer] = seal(route, secrets.share_key(peer), keys.share_keys[own], pair)
            seeds[peer] = commitment_of(pair_seed(mask_key, keys.mask_key, secrets.session, own, peer))
    return Shares(tuple(boxes), (tuple(commitments[0]), tuple(commitments[1])), tuple(seeds))


def masked_message(
    secrets: Secrets, transcript: Transcript, update: npt.NDArray[np.int16], add: AddStream = add_stream
) -> tuple[Secrets, Masked]:
    """MASKED, of an update int16 (d,), under masks with all who dealt shares.

    Raises Rejected when these are fewer than the threshold or without us; when the update has another length; and when
    we have bound ourselves to another update or other peers.
    """
    session, own = transcript.session, secrets.position
    shared = sets_of(transcript).shared
    _require_quorum(secrets, session, shared, "dealt shares")
    if update.shape != (session.dimension,):
        raise Rejected(f"an update of shape {update.shape} where {session.dimension} coordinates are summed")
    little_endian = np.ascontiguousarray(update, dtype="<i2")
    bound = hashlib.sha256(bytes((len(shared), *shared)) + little_endian.tobytes()).digest()
    if secrets.masked not in (None, bound):
        raise Rejected(
            "we have masked another update, or for other peers; a second vector would show what the first hides"
        )
    masks, mask_key = [(secrets.self_seed, 1)], load_key(secrets.mask_key)
    for peer in shared:
        if peer != own:
            public = keys_of(transcript, peer).mask_key
            masks.append((pair_seed(mask_key, public, secrets.session, own, peer), sign_of(own, peer)))
    vector = masked_vector(update, session.weights[own], masks, add)
    return replace(secrets, masked=bound), Masked(vector)


def unmask_message(secrets: Secrets, transcript: Transcript) -> tuple[Secrets, Unmask]:
    """UNMASK: shares of the self-masks of those with a vector, and of the mask keys of those who dropped out.

    About a dealer whose box does not hold what it committed to: a complaint. Raises Rejected when fewer than the
    threshold posted vectors, we did not, or we have answered another request.
    """
    session, sets = transcript.session, sets_of(transcript)
    _require_quorum(secrets, session, sets.masked, "posted vectors")
    request = unmask_request(session, sets)
    if secrets.unmask not in (None, request):
        raise Rejected("we have answered for other survivors; shares of both secrets of a member would open its update")
    entries = tuple(_entry(secrets, transcript, sets, Position(dealer)) for dealer in session.positions)
    return replace(secrets, unmask=request), Unmask(entries)


def _entry(secrets: Secrets, transcript: Transcript, sets: Sets, dealer: Position) -> Entry:
    asked = asked_about(dealer, sets.shared, sets.masked)
    if asked is Answer.NOTHING:
        return NOTHING
    if dealer == secrets.position:
        pair = _pair(secrets.polynomials(transcript.session.threshold), dealer)
        return Entry(asked, pair[_SHARES_OF[asked]])
    route, own_key = Route(secrets.session, dealer, secrets.position), secrets.share_key(dealer)
    opened = open_box(route, own_key, keys_of(transcript, dealer), shares_of(transcript, dealer))
    if opened is None:
        return Entry(Answer.COMPLAINT, own_key.rjust(SHARE_BYTES, b"\0"))
    return Entry(asked, opened[_SHARES_OF[asked]])


def _pair(polynomials: tuple[tuple[int, ...], tuple[int, ...]], recipient: Position) -> SharePair:
    own, key = (share_of(coefficients, recipient).to_bytes(SHARE_BYTES, "big") for coefficients in polynomials)
    return own, key


def _require_quorum(secrets: Secrets, session: Session, present: tuple[Position, ...], did: str) -> None:
    _require_session(secrets, session)
    if len(present) < session.threshold:
        raise Rejected(
            f"only {len(present)} members {did}, fewer than the threshold {session.threshold}; the sum is lost"
        )
    if secrets.position not in present:
        raise Rejected(f"member {secrets.position} is not among those who {did}; it takes no further part")


def _require_session(secrets: Secrets, session: Session) -> None:
    if secrets.session != session.digest:
        raise Rejected("these secrets were drawn for another session; draw new ones, never use them twice")
