"""Fixed-width big-endian fields and counted lists: what messages and the journal's records are made of."""

import struct
from collections.abc import Callable
from typing import Any

from offchain.errors import Bug
from offchain.ledger.pbft.messages import Batch
from offchain.ledger.types import Digest

COUNT = struct.Struct(">I")
BATCH = struct.Struct(">QI")
DIGEST_BYTES = 32


def of_32_bytes(value: bytes) -> bytes:
    """`value`; struct would cut or fill a digest of another length in silence. Raises Bug."""
    if len(value) != DIGEST_BYTES:
        raise Bug(f"a digest of {len(value)} bytes")
    return value


def encode_digests(values: tuple[Digest, ...]) -> bytes:
    """A counted list of digests."""
    return b"".join([COUNT.pack(len(values)), *map(of_32_bytes, values)])


def encode_batch(batch: Batch) -> bytes:
    """A batch without a tag."""
    return b"".join([BATCH.pack(batch.time, len(batch.bundles)), *map(of_32_bytes, batch.bundles)])


class Reader:
    """Reads fields one after the other; raises struct.error at the end of the data."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def fields(self, form: struct.Struct) -> tuple[Any, ...]:
        """The next values of this form."""
        values = form.unpack_from(self.data, self.at)
        self.at += form.size
        return values

    def count(self, size: int) -> int:
        """How many items of at least `size` bytes follow; so a lie about it costs no memory."""
        (count,) = self.fields(COUNT)
        if count * size > len(self.data) - self.at:
            raise struct.error("a list is longer than its message")
        return int(count)

    def take(self, length: int) -> bytes:
        """The next bytes."""
        end = self.at + length
        if end > len(self.data):
            raise struct.error("the message ends early")
        value = self.data[self.at : end]
        self.at = end
        return value

    def digests(self) -> tuple[Digest, ...]:
        """A counted list of digests."""
        count = self.count(DIGEST_BYTES)
        return tuple([Digest(self.take(DIGEST_BYTES)) for _ in range(count)])

    def items(self, form: struct.Struct, kind: Callable[..., Any]) -> tuple[Any, ...]:
        """A counted list of `kind`, each made of the fields of `form`."""
        count = self.count(form.size)
        block = self.take(count * form.size)
        return tuple([kind(*fields) for fields in form.iter_unpack(block)])

    def batch(self) -> Batch:
        """A batch without a tag."""
        time, count = self.fields(BATCH)
        if count * DIGEST_BYTES > len(self.data) - self.at:
            raise struct.error("a list is longer than its message")
        return Batch(time, tuple([Digest(self.take(DIGEST_BYTES)) for _ in range(count)]))

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self.data) - self.at)

    def end(self) -> None:
        """Raises struct.error unless all was read."""
        if self.at != len(self.data):
            raise struct.error("the message goes on after its end")
