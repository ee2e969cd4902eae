"""What a private order's manifest says: which circuit, which proof system, where the samples are. Untrusted input.

Canonical JSON. The test set is one file of sealed pieces (`pieces.py`), chunk after chunk; the key of an open one is
here. The hashes of the chunks are public, so that who finds another chunk under the key can show which was promised.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offchain.errors import Rejected
from offchain.proofs.circuit import MAX_DESCRIPTION_BYTES, Circuit, parse_circuit
from offchain.proofs.pieces import (
    ELEMENTS,
    PIECE_BYTES,
    Message,
    PieceTree,
    cut,
    first_fault,
    open_message,
    piece_count,
    seal,
)
from offchain.proofs.poseidon2 import CHUNK
from offchain.proofs.private_order import PrivateTerms
from offchain.proofs.statement import Chunk, chunk_elements
from offchain.proofs.unpacking import chunk_element_count, chunk_overfills, unpack_chunk
from offchain.protocol.strict_json import check_json
from offchain.storage.cid import Cid
from offchain.types import Root

MAX_CHUNKS: Final = 4096
MAX_MANIFEST_BYTES: Final = 2 * MAX_DESCRIPTION_BYTES + 80 * MAX_CHUNKS
MAX_TEST_BYTES: Final = 1 << 30
_MAX_DEPTH = 2


@dataclass(frozen=True, slots=True)
class PrivateManifest:
    """What the client publishes beside the order's terms.

    title: at most 200 characters. system: the proof system. chunk_hashes: the leaves of the terms' `chunk_root`. test:
    the file of sealed pieces; test_key: 32 bytes, or None where the client keeps it until claims are over. train: a
    data set to train on, if there is one.
    """

    title: str
    circuit: Circuit
    system: str
    chunk_hashes: tuple[int, ...]
    test: Cid
    test_key: bytes | None
    train: Cid | None

    def encode(self) -> bytes:
        """Canonical JSON; `parse_manifest` reads it."""
        fields = {
            "chunk_hashes": [f"{chunk_hash:064x}" for chunk_hash in self.chunk_hashes],
            "circuit": self.circuit.description().decode(),
            "system": self.system,
            "test": str(self.test),
            "test_key": None if self.test_key is None else self.test_key.hex(),
            "title": self.title,
            "train": None if self.train is None else str(self.train),
            "version": 1,
        }
        return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def parse_manifest(data: bytes) -> PrivateManifest:
    """The manifest in bytes from anyone. Raises Rejected, naming the field."""
    try:
        check_json(data, max_bytes=MAX_MANIFEST_BYTES, max_depth=_MAX_DEPTH)
        fields = _Fields.model_validate_json(data)
    except Rejected as error:
        raise Rejected(f"manifest: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "top level"
        raise Rejected(f"manifest: {place[:80]}: {first['msg'][:160]}") from None
    return PrivateManifest(
        title=fields.title,
        circuit=parse_circuit(fields.circuit.encode()),
        system=fields.system,
        chunk_hashes=tuple(int(chunk_hash, 16) for chunk_hash in fields.chunk_hashes),
        test=Cid.parse(fields.test),
        test_key=None if fields.test_key is None else bytes.fromhex(fields.test_key),
        train=None if fields.train is None else Cid.parse(fields.train),
    )


class TestFile:
    """A test set as sealed pieces, chunk after chunk, and what is on chain about it."""

    __test__ = False  # not a test, whatever pytest thinks of its name

    def __init__(self, circuit: Circuit, data: bytes) -> None:
        """Raises Rejected unless the bytes are whole chunks of the circuit's."""
        self.circuit = circuit
        self.elements = chunk_element_count(circuit)
        self.each = piece_count(self.elements)
        if not data or len(data) % (self.each * PIECE_BYTES):
            raise Rejected(f"the test set's file has {len(data)} bytes; chunks of this circuit take {self.each} pieces")
        self.pieces = cut(data)
        self.tree = PieceTree(self.pieces)

    @classmethod
    def of(cls, circuit: Circuit, chunks: Sequence[Chunk], key: bytes) -> TestFile:
        """Seals the chunks under a key of 32 bytes. Raises Rejected unless they are the circuit's."""
        each = piece_count(chunk_element_count(circuit))
        sealed = [seal(key, CHUNK, chunk_elements(circuit, chunk), at * each) for at, chunk in enumerate(chunks)]
        return cls(circuit, b"".join(sealed))

    @property
    def data(self) -> bytes:
        """The file."""
        return b"".join(self.pieces)

    @property
    def root(self) -> Root:
        """Over the sealed pieces."""
        return self.tree.root

    @property
    def chunks(self) -> int:
        """How many there are."""
        return len(self.pieces) // self.each

    def fault(self, key: bytes, chunk: int, digest: int) -> int | None:
        """The first piece of a chunk that leads elsewhere than to the digest, or holds what are no samples."""
        own = self.pieces[chunk * self.each : (chunk + 1) * self.each]
        message = Message(CHUNK, self.elements, digest, chunk * self.each)
        found = first_fault(key, message, own)
        if found is not None:
            return found
        element = chunk_overfills(self.circuit, open_message(key, message, own))
        return None if element is None else element // ELEMENTS

    def open(self, key: bytes, chunk: int) -> Chunk:
        """The samples of a chunk without a fault."""
        own = self.pieces[chunk * self.each : (chunk + 1) * self.each]
        message = Message(CHUNK, self.elements, 0, chunk * self.each)
        return unpack_chunk(self.circuit, open_message(key, message, own))


def test_file_bytes(terms: PrivateTerms, circuit: Circuit) -> int:
    """How large the order's test file must be."""
    return terms.chunks * piece_count(chunk_element_count(circuit)) * PIECE_BYTES


_Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    chunk_hashes: Annotated[tuple[_Hash, ...], Field(min_length=1, max_length=MAX_CHUNKS)]
    circuit: Annotated[str, Field(max_length=MAX_DESCRIPTION_BYTES)]
    system: Annotated[str, Field(pattern="^[a-z0-9]{1,32}$")]
    test: Annotated[str, Field(max_length=128)]
    test_key: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None
    title: Annotated[str, Field(max_length=200)]
    train: Annotated[str, Field(max_length=128)] | None
    version: Literal[1]
