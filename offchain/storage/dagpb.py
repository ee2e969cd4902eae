"""The two kinds of blocks in a UnixFS file: leaves that hold bytes and branches that hold links.

A block is a dag-pb node (protobuf: links first, then data) whose data is a UnixFS message. Every encoder may choose; we
write the one encoding that Kubo writes, and `decode` is only trusted by callers that encode again and compare.
Specifications: https://ipld.io/specs/codecs/dag-pb/spec/ and https://specs.ipfs.tech/unixfs/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from offchain.storage.cid import DIGEST_BYTES, MULTIHASH_SHA2_256

_FILE = b"\x08\x02"
"""UnixFS field 1 (type) = 2 (file)."""
_LINK_HEAD = b"\x0a" + bytes([len(MULTIHASH_SHA2_256) + DIGEST_BYTES]) + MULTIHASH_SHA2_256
"""dag-pb link field 1 (hash): key, length and multihash prefix of a CIDv0."""
_NO_NAME = b"\x12\x00"
"""dag-pb link field 2 (name), which files leave empty."""
_MAX_VARINT_BITS = 63


@dataclass(frozen=True, slots=True)
class Link:
    """A child of a branch: SHA-256 of its block, file bytes below it, bytes of its block and all blocks below."""

    digest: bytes
    size: int
    total: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """A decoded leaf."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Branch:
    """A decoded branch: the file bytes it claims to hold and the digests of its children."""

    size: int
    digests: tuple[bytes, ...]


def varint(value: int) -> bytes:
    """Unsigned LEB128, as protobuf writes integers."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def leaf_envelope(size: int) -> tuple[bytes, bytes]:
    """What stands before and after the `size` bytes of a leaf."""
    before = _FILE + (b"\x12" + varint(size) if size else b"")
    after = b"\x18" + varint(size)
    return b"\x0a" + varint(len(before) + size + len(after)) + before, after


def encode_leaf(data: bytes) -> bytes:
    """The block of a leaf."""
    before, after = leaf_envelope(len(data))
    return b"".join((before, data, after))


def encode_branch(links: Sequence[Link]) -> bytes:
    """The block of a branch."""
    parts = []
    for link in links:
        body = _LINK_HEAD + link.digest + _NO_NAME + b"\x18" + varint(link.total)
        parts += [b"\x12", varint(len(body)), body]
    size = sum(link.size for link in links)
    data = _FILE + b"\x18" + varint(size) + b"".join(b"\x20" + varint(link.size) for link in links)
    parts += [b"\x0a", varint(len(data)), data]
    return b"".join(parts)


def decode(block: bytes) -> Leaf | Branch:
    """Reads a block of a UnixFS file. Raises ValueError, with the reason, for anything else.

    Unknown or repeated fields are not told apart from an odd encoding: encode again and compare.
    """
    digests: list[bytes] = []
    data: bytes | None = None
    for field, value in _fields(block):
        if field == 2 and isinstance(value, bytes):
            digests.append(_link_digest(value))
        elif field == 1 and isinstance(value, bytes):
            data = value
        else:
            raise ValueError(f"an unexpected dag-pb field {field}")
    if data is None:
        raise ValueError("a dag-pb node without UnixFS data")
    return _decode_file(data, tuple(digests))


def _decode_file(data: bytes, digests: tuple[bytes, ...]) -> Leaf | Branch:
    content, size = b"", None
    for field, value in _fields(data):
        if field == 1 and value != 2:
            raise ValueError("a UnixFS node that is not a file, such as a directory")
        if field == 2 and isinstance(value, bytes):
            content = value
        if field == 3 and isinstance(value, int):
            size = value
    if size is None:
        raise ValueError("a UnixFS file without a size")
    if digests and content:
        raise ValueError("a UnixFS node with both links and content")
    return Branch(size, digests) if digests else Leaf(content)


def _link_digest(body: bytes) -> bytes:
    for field, value in _fields(body):
        if field == 1 and isinstance(value, bytes):
            if value.startswith(MULTIHASH_SHA2_256) and len(value) == len(MULTIHASH_SHA2_256) + DIGEST_BYTES:
                return value[len(MULTIHASH_SHA2_256) :]
            raise ValueError("a link that is not a CIDv0 (raw leaves or another hash)")
    raise ValueError("a link without a hash")


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message: (number, varint or bytes)."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        value, at = _read_varint(message, at)
        match key & 7:
            case 0:
                yield key >> 3, value
            case 2:
                if value > len(message) - at:
                    raise ValueError("a truncated block")
                yield key >> 3, message[at : at + value]
                at += value
            case other:
                raise ValueError(f"an unexpected protobuf wire type {other}")


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < _MAX_VARINT_BITS:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("a truncated or oversized integer")
