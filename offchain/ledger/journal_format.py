"""The bytes of the journal and of its guard. Pure.

Journal: a header, then records, each as length (4 bytes), chain (16 bytes), payload. Numbers are big-endian. The chain
is a running hash over header and records: a record counts only where it stands, in this file. The header says how long
the file was when it took its name, and what the chain was then, so that a file which began anew cannot be cut below
that.

Guard: two slots, written in turns, a block apart, so that a torn write leaves the other one.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from offchain.errors import Rejected

MAGIC = b"assayLJ1"
GUARD_MAGIC = b"assayLG1"
OWNER_BYTES = 32
CHAIN_BYTES = 16
SLOT_BYTES = 4096
_HEADER = struct.Struct(">8s32sQQ16s16s")
_RECORD = struct.Struct(">I16s")
_SLOT = struct.Struct(">8sQQQ16s16s")
HEADER_BYTES = _HEADER.size


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a journal went: its generation (how often it began anew), length in bytes, and chain there."""

    generation: int
    length: int
    chain: bytes


@dataclass(frozen=True, slots=True)
class Contents:
    """A journal read up to where it stops to make sense. `marks`: length and chain after the header and each record."""

    owner: bytes
    generation: int
    base: tuple[int, bytes]
    records: tuple[bytes, ...]
    marks: tuple[tuple[int, bytes], ...]
    torn: bool


def _hash(*parts: bytes) -> bytes:
    return hashlib.blake2b(b"".join(parts), digest_size=CHAIN_BYTES).digest()


def frame(chain: bytes, records: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The bytes of `records` after a journal with this chain, and the chain after them."""
    parts = []
    for record in records:
        chain = _hash(chain, record)
        parts.append(_RECORD.pack(len(record), chain))
        parts.append(record)
    return b"".join(parts), chain


def begin(owner: bytes, generation: int, records: Sequence[bytes]) -> tuple[bytes, Mark]:
    """A whole new journal that holds `records`."""
    seed = _hash(MAGIC, owner, generation.to_bytes(8, "big"))
    body, chain = frame(seed, records)
    length = HEADER_BYTES + len(body)
    plain = _HEADER.pack(MAGIC, owner, generation, length, chain, bytes(CHAIN_BYTES))[:-CHAIN_BYTES]
    return plain + _hash(plain) + body, Mark(generation, length, chain)


def read(data: bytes) -> Contents:
    """What `data` holds. Raises Rejected when not even the header is whole."""
    if len(data) < HEADER_BYTES:
        raise Rejected("it ends within its header")
    magic, owner, generation, base_length, base_chain, check = _HEADER.unpack_from(data)
    if magic != MAGIC or check != _hash(data[: HEADER_BYTES - CHAIN_BYTES]):
        raise Rejected("its header is damaged")
    chain = _hash(MAGIC, owner, generation.to_bytes(8, "big"))
    offset, records, marks = HEADER_BYTES, [], [(HEADER_BYTES, chain)]
    while len(data) - offset >= _RECORD.size:
        length, expected = _RECORD.unpack_from(data, offset)
        record = data[offset + _RECORD.size : offset + _RECORD.size + length]
        if len(record) < length or (following := _hash(chain, record)) != expected:
            break
        chain = following
        offset += _RECORD.size + length
        records.append(record)
        marks.append((offset, chain))
    torn = offset < len(data)
    return Contents(owner, generation, (base_length, base_chain), tuple(records), tuple(marks), torn)


def write_slot(number: int, mark: Mark) -> tuple[int, bytes]:
    """Where the guard's `number`-th entry goes, and its bytes."""
    plain = _SLOT.pack(GUARD_MAGIC, number, mark.generation, mark.length, mark.chain, bytes(CHAIN_BYTES))[:-CHAIN_BYTES]
    return number % 2 * SLOT_BYTES, plain + _hash(plain)


def read_guard(data: bytes) -> tuple[int, Mark]:
    """Number and contents of the guard's newest whole entry. Raises Rejected when there is none."""
    found = []
    for offset in (0, SLOT_BYTES):
        slot = data[offset : offset + _SLOT.size]
        if len(slot) == _SLOT.size and slot[-CHAIN_BYTES:] == _hash(slot[:-CHAIN_BYTES]):
            magic, number, generation, length, chain, _ = _SLOT.unpack(slot)
            if magic == GUARD_MAGIC:
                found.append((number, Mark(generation, length, chain)))
    if not found:
        raise Rejected("it holds no whole entry")
    return max(found, key=lambda entry: entry[0])
