"""Content identifiers (CIDs) of UnixFS files, as far as Assay uses them.

Everything here is the SHA-256 of a dag-pb root block. On chain that is a `bytes32`; for people it is CIDv0, the base58
of the multihash (`Qm…`). CIDv1 names of the same block are read, so that what gateways and newer tools print can be
pasted; other codecs and hashes are other blocks and are refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Self

import base58

from offchain.errors import Bug, Rejected
from offchain.types import CidDigest

DIGEST_BYTES = 32
MULTIHASH_SHA2_256 = bytes([0x12, DIGEST_BYTES])
"""Multihash prefix: function sha2-256 and the digest's length."""
CID_V1_DAG_PB = bytes([0x01, 0x70])
"""Prefix of a CIDv1: version and codec."""

_MAX_TEXT = 80
_HEX = re.compile(r"0x[0-9a-fA-F]{64}")
_BASE58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]+")
_BASE32 = re.compile(r"[a-z2-7]+")


@dataclass(frozen=True, slots=True, order=True)
class Cid:
    """The CID of a file: `digest` is the 32-byte SHA-256 of its root block. `str()` gives CIDv0."""

    digest: CidDigest

    def __post_init__(self) -> None:
        if len(self.digest) != DIGEST_BYTES:
            raise Bug(f"a CID digest has {DIGEST_BYTES} bytes, not {len(self.digest)}")

    @classmethod
    def parse(cls, text: str, *, source: str = "CID") -> Self:
        """Reads CIDv0 (`Qm…`), CIDv1 of dag-pb and sha2-256 (`b…` or `z…`) or `0x` and 64 hex digits.

        Raises Rejected, naming `source` (a flag, file or field), for anything else.
        """
        try:
            return cls(CidDigest(_digest(text)))
        except ValueError as error:
            raise Rejected(f"{source}: {text[:_MAX_TEXT]!r} is not a CID Assay can use: {error}") from None

    @classmethod
    def of(cls, digest: bytes) -> Self:
        """The CID whose block has that SHA-256."""
        return cls(CidDigest(digest))

    @property
    def multihash(self) -> bytes:
        """The 34 bytes by which dag-pb links (CIDv0) name the block."""
        return MULTIHASH_SHA2_256 + self.digest

    @property
    def v1(self) -> str:
        """The same block's CIDv1 in base32 (`bafybei…`), which gateways with subdomains need."""
        encoded = base64.b32encode(CID_V1_DAG_PB + self.multihash).decode("ascii")
        return "b" + encoded.rstrip("=").lower()

    def hex(self) -> str:
        """`0x` and the digest, the form of transactions and events."""
        return "0x" + self.digest.hex()

    def __str__(self) -> str:
        encoded: bytes = base58.b58encode(self.multihash)
        return encoded.decode("ascii")


def _digest(text: str) -> bytes:
    """The digest inside any accepted text form. Raises ValueError with the reason."""
    if len(text) > _MAX_TEXT:
        raise ValueError(f"longer than {_MAX_TEXT} characters")
    if text.startswith("0x"):
        if not _HEX.fullmatch(text):
            raise ValueError("0x must be followed by 64 hexadecimal digits")
        return bytes.fromhex(text[2:])
    if text.startswith("Qm"):
        return _of_multihash(_from_base58(text))
    if text.startswith("z"):
        return _of_v1(_from_base58(text[1:]))
    if text.startswith("b"):
        return _of_v1(_from_base32(text[1:]))
    raise ValueError("expected Qm…, bafybei… or 0x and 64 hexadecimal digits")


def _from_base58(text: str) -> bytes:
    if not _BASE58.fullmatch(text):
        raise ValueError("not base58")
    decoded: bytes = base58.b58decode(text)
    return decoded


def _from_base32(text: str) -> bytes:
    if not _BASE32.fullmatch(text):
        raise ValueError("not base32 in lower case")
    try:
        decoded = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except binascii.Error:
        raise ValueError("not base32") from None
    if base64.b32encode(decoded).decode("ascii").rstrip("=").lower() != text:
        raise ValueError("base32 with stray bits")
    return decoded


def _of_v1(raw: bytes) -> bytes:
    if not raw.startswith(CID_V1_DAG_PB):
        raise ValueError("not a CIDv1 of codec dag-pb (add the file with CID version 0)")
    return _of_multihash(raw[len(CID_V1_DAG_PB) :])


def _of_multihash(raw: bytes) -> bytes:
    if not raw.startswith(MULTIHASH_SHA2_256) or len(raw) != len(MULTIHASH_SHA2_256) + DIGEST_BYTES:
        raise ValueError("not a sha2-256 multihash of 32 bytes")
    return raw[len(MULTIHASH_SHA2_256) :]
