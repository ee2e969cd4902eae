"""A ceremony's record: one entry a contribution, each bound to all before it.

A contribution multiplies secrets that nobody may know, exponents of points that everybody sees. For each secret the
entry has the point after it, and a proof (Schnorr 1991) that the contributor knew the factor from the point before it.
The proof's challenge is hashed with the chain's state, so no entry can be left out, moved, or put into another
ceremony. The last entry is a beacon's: its factor follows from a value that nobody knew before, so the last
contributor could not choose the outcome.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from eth_utils.crypto import keccak
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offchain.errors import Rejected
from offchain.proofs.groth16.curve import G1, Affine, scalar_rows, scaled, sums, to_points, to_rows
from offchain.proofs.groth16.keys import point_bytes, read_point
from offchain.proofs.groth16.limbs import SCALAR_ORDER
from offchain.protocol.strict_json import check_json

Random = Callable[[int], int]

MAX_BYTES = 1 << 20
MAX_ENTRIES = 300
MAX_NAME = 80
BEACON_ROUNDS = 1 << 10
"""Hashes from a beacon to its factors, one after the other: what it costs to try a beacon's outcome beforehand."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A Schnorr proof: commitment of G1, and response."""

    commitment: Affine
    response: int


@dataclass(frozen=True, slots=True)
class Entry:
    """name: who, as they call themselves. beacon: its bytes, or none for a contributor. points: of G1, after it, one
    for each secret. proofs: of knowledge, none for a beacon."""

    name: str
    beacon: bytes
    points: tuple[Affine, ...]
    proofs: tuple[Knowledge, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """subject: 32 bytes, what the ceremony is about; first: the points before any contribution."""

    subject: bytes
    first: tuple[Affine, ...]
    entries: tuple[Entry, ...] = ()

    @property
    def points(self) -> tuple[Affine, ...]:
        """The points after the last entry."""
        return self.entries[-1].points if self.entries else self.first

    @property
    def is_finished(self) -> bool:
        """Whether the beacon has spoken."""
        return bool(self.entries) and bool(self.entries[-1].beacon)

    def state(self) -> bytes:
        """The hash chain's last link, 32 bytes: what a contributor notes, and looks for in the finished transcript."""
        link = keccak(b"assay ceremony" + self.subject + _points_bytes(self.first))
        for entry in self.entries:
            link = keccak(link + _entry_bytes(entry))
        return link


def draw_factors(random: Random, count: int) -> list[int]:
    """A contributor's secrets, none of them 0; forget them afterwards."""
    return [random(SCALAR_ORDER - 1) + 1 for _ in range(count)]


def beacon_factors(beacon: bytes, count: int) -> list[int]:
    """The factors of a beacon's value, 16 to 64 bytes. Raises Rejected for another length."""
    if not 16 <= len(beacon) <= 64:
        raise Rejected(f"the beacon has {len(beacon)} bytes; give 16 to 64, such as a block hash announced beforehand")
    value = beacon
    for _ in range(BEACON_ROUNDS):
        value = keccak(value)
    return [int.from_bytes(keccak(value + bytes([i])), "big") % (SCALAR_ORDER - 1) + 1 for i in range(count)]


def contributed(transcript: Transcript, name: str, factors: Sequence[int], random: Random) -> Transcript:
    """The transcript with a contributor's entry. Raises Rejected if it is finished, full, or the name too long."""
    _check_open(transcript, name)
    points = _multiplied(transcript.points, factors)
    state = transcript.state()
    pairs = zip(transcript.points, points, factors, strict=True)
    proofs = tuple(_known(state, index, name, *pair, random) for index, pair in enumerate(pairs))
    return Transcript(transcript.subject, transcript.first, (*transcript.entries, Entry(name, b"", points, proofs)))


def finished(transcript: Transcript, beacon: bytes) -> Transcript:
    """The transcript with the beacon's entry, the last."""
    _check_open(transcript, "beacon")
    points = _multiplied(transcript.points, beacon_factors(beacon, len(transcript.points)))
    return Transcript(transcript.subject, transcript.first, (*transcript.entries, Entry("beacon", beacon, points, ())))


def check_chain(transcript: Transcript) -> None:
    """Raises Rejected, naming the entry, unless every one follows from the one before it, and only the last is a
    beacon."""
    so_far = Transcript(transcript.subject, transcript.first)
    for number, entry in enumerate(transcript.entries):
        if so_far.is_finished:
            raise Rejected(f"entry {number} ({entry.name[:MAX_NAME]}) comes after the beacon; drop it")
        if not _follows(so_far, entry):
            raise Rejected(
                f"entry {number} ({entry.name[:MAX_NAME]}) does not follow from what is before it; go back a state"
            )
        so_far = Transcript(transcript.subject, transcript.first, (*so_far.entries, entry))


def write_transcript(transcript: Transcript) -> bytes:
    """Canonical JSON; `read_transcript` reads it."""
    entries = [
        {
            "beacon": entry.beacon.hex(),
            "name": entry.name,
            "points": [point_bytes(point, G1).hex() for point in entry.points],
            "proofs": [
                {"commitment": point_bytes(proof.commitment, G1).hex(), "response": f"{proof.response:064x}"}
                for proof in entry.proofs
            ],
        }
        for entry in transcript.entries
    ]
    whole = {
        "entries": entries,
        "first": [point_bytes(point, G1).hex() for point in transcript.first],
        "state": transcript.state().hex(),
        "subject": transcript.subject.hex(),
        "version": 1,
    }
    return json.dumps(whole, sort_keys=True, indent=1).encode() + b"\n"


def read_transcript(data: bytes) -> Transcript:
    """A transcript from anyone, its points on the curve, its chain not yet checked. Raises Rejected."""
    try:
        check_json(data, max_bytes=MAX_BYTES, max_depth=6)
        fields = _TranscriptFields.model_validate_json(data)
    except Rejected as error:
        raise Rejected(f"transcript: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise Rejected(f"transcript: {'.'.join(map(str, first['loc']))[:80]}: {first['msg'][:120]}") from None
    entries = tuple(
        Entry(
            entry.name,
            bytes.fromhex(entry.beacon),
            tuple(_read(point) for point in entry.points),
            tuple(Knowledge(_read(p.commitment), int(p.response, 16)) for p in entry.proofs),
        )
        for entry in fields.entries
    )
    made = Transcript(bytes.fromhex(fields.subject), tuple(_read(point) for point in fields.first), entries)
    if made.state().hex() != fields.state:
        raise Rejected("transcript: its state is not the hash of its entries; take it as it was published")
    return made


def _check_open(transcript: Transcript, name: str) -> None:
    if transcript.is_finished:
        raise Rejected("the ceremony is finished; begin a new one")
    if len(transcript.entries) >= MAX_ENTRIES:
        raise Rejected(f"the ceremony has {MAX_ENTRIES} entries; finish it")
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise Rejected(f"give a name of 1 to {MAX_NAME} printable characters")


def _follows(before: Transcript, entry: Entry) -> bool:
    if len(entry.points) != len(before.first):
        return False
    if entry.beacon:
        return not entry.proofs and entry.points == _multiplied(
            before.points, beacon_factors(entry.beacon, len(before.first))
        )
    state = before.state()
    return len(entry.proofs) == len(entry.points) and all(
        _is_known(state, index, entry.name, old, new, proof)
        for index, (old, new, proof) in enumerate(zip(before.points, entry.points, entry.proofs, strict=True))
    )


def _known(state: bytes, index: int, name: str, old: Affine, new: Affine, factor: int, random: Random) -> Knowledge:
    nonce = random(SCALAR_ORDER - 1) + 1
    commitment = _multiplied([old], [nonce])[0]
    challenge = _challenge(state, index, name, old, new, commitment)
    return Knowledge(commitment, (nonce + challenge * factor) % SCALAR_ORDER)


def _is_known(state: bytes, index: int, name: str, old: Affine, new: Affine, proof: Knowledge) -> bool:
    """response * old = commitment + challenge * new"""
    challenge = _challenge(state, index, name, old, new, proof.commitment)
    left, right = _multiplied([old, new], [proof.response, challenge])
    total = sums(G1, to_rows(G1, [right]), to_rows(G1, [proof.commitment]))
    return proof.response < SCALAR_ORDER and to_points(G1, total)[0] == left


def _challenge(state: bytes, index: int, name: str, old: Affine, new: Affine, commitment: Affine) -> int:
    digest = keccak(state + bytes([index]) + keccak(name.encode()) + _points_bytes([old, new, commitment]))
    return int.from_bytes(digest, "big") % SCALAR_ORDER


def _multiplied(points: Sequence[Affine], factors: Sequence[int]) -> tuple[Affine, ...]:
    return tuple(to_points(G1, scaled(G1, to_rows(G1, list(points)), scalar_rows(list(factors)))))


def _points_bytes(points: Sequence[Affine]) -> bytes:
    return b"".join(point_bytes(point, G1) for point in points)


def _entry_bytes(entry: Entry) -> bytes:
    proofs = b"".join(_points_bytes([p.commitment]) + p.response.to_bytes(32, "big") for p in entry.proofs)
    parts = [entry.name.encode(), entry.beacon, _points_bytes(entry.points), proofs]
    return b"".join(keccak(part) for part in parts)


def _read(text: str) -> Affine:
    return read_point(bytes.fromhex(text), G1)


_Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Point = Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _ProofFields(_Strict):
    commitment: _Point
    response: _Hex32


class _EntryFields(_Strict):
    beacon: Annotated[str, Field(pattern=r"^([0-9a-f]{2}){0,64}$")]
    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    points: Annotated[list[_Point], Field(min_length=1, max_length=3)]
    proofs: Annotated[list[_ProofFields], Field(max_length=3)]


class _TranscriptFields(_Strict):
    entries: Annotated[list[_EntryFields], Field(max_length=MAX_ENTRIES)]
    first: Annotated[list[_Point], Field(min_length=1, max_length=3)]
    state: _Hex32
    subject: _Hex32
    version: Literal[1]
