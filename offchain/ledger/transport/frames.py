"""Frames of a link: length (4 bytes, big-endian), payload, MAC (16 bytes). Pure.

The MAC is keyed BLAKE2b over a counter (8 bytes, from 0) and the payload: a frame counts once, and only in its place.
"""

import hashlib
import hmac
from collections.abc import Iterable

from offchain.errors import Bug, Rejected

LENGTH_BYTES = 4
MAC_BYTES = 16
OVERHEAD_BYTES = LENGTH_BYTES + MAC_BYTES
MAX_PAYLOAD_BYTES = 1 << 20


class FrameWriter:
    """Makes frames of one direction."""

    def __init__(self, key: bytes) -> None:
        self._mac = hashlib.blake2b(digest_size=MAC_BYTES, key=key)
        self._count = 0

    def seal(self, payloads: Iterable[bytes]) -> bytes:
        """The frames of `payloads` in a row."""
        parts: list[bytes] = []
        count = self._count
        for payload in payloads:
            mac = self._mac.copy()
            mac.update(count.to_bytes(8, "big") + payload)
            count += 1
            parts += (len(payload).to_bytes(LENGTH_BYTES, "big"), payload, mac.digest())
        self._count = count
        return b"".join(parts)


class FrameReader:
    """Takes frames of one direction apart, however the bytes arrive."""

    def __init__(self, key: bytes, limit: int = MAX_PAYLOAD_BYTES) -> None:
        """`limit`: bytes of a payload."""
        self._mac = hashlib.blake2b(digest_size=MAC_BYTES, key=key)
        self._count = 0
        self._limit = limit
        self._rest = b""
        self._parts: list[bytes] = []
        self._missing = 0
        self._failed = False

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that are whole now.

        Raises Rejected, for good, on a frame that is too long or has a wrong MAC; those before it in `data` are lost.
        """
        if self._failed:
            raise Bug("the link is broken")
        if self._missing > len(data):
            # The rest of a large frame: collect it without looking, or its cost would grow with its square.
            self._parts.append(data)
            self._missing -= len(data)
            return []
        if self._rest or self._parts:
            data = b"".join((self._rest, *self._parts, data))
            self._parts = []
        try:
            return self._split(data)
        except Rejected:
            self._failed = True
            raise

    def _split(self, data: bytes) -> list[bytes]:
        """The hottest loop of a replica in a large group, hence one piece."""
        payloads, offset, size, count = [], 0, len(data), self._count
        self._missing = 0
        while size - offset >= LENGTH_BYTES:
            start = offset + LENGTH_BYTES
            end = start + int.from_bytes(data[offset:start], "big")
            if end - start > self._limit:
                raise Rejected(f"a frame of {end - start} bytes; at most {self._limit} are allowed")
            if end + MAC_BYTES > size:
                self._missing = end + MAC_BYTES - size
                break
            payload = data[start:end]
            offset = end + MAC_BYTES
            mac = self._mac.copy()
            mac.update(count.to_bytes(8, "big") + payload)
            count += 1
            if not hmac.compare_digest(mac.digest(), data[end:offset]):
                raise Rejected("a frame has a wrong MAC")
            payloads.append(payload)
        self._count = count
        self._rest = data[offset:]
        return payloads
