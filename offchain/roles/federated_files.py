"""A participant's files: its own directory, which keeps what it made or fetched, and the store that all share.

Every file has been verified against its CID by the store, and against the root on chain here. An update stays in the
directory until it is revealed; the results and measures that it computes are kept too, and found by their roots: so a
leader that publishes nothing, or posts right roots with other CIDs (which no contract can see), hides nothing.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from offchain.errors import Bug, Rejected
from offchain.federated.homomorphic.messages import card_of
from offchain.federated.measures import Measures, MeasuresShape, parse_measures
from offchain.federated.results import Result, ResultShape
from offchain.federated.vector_tree import CHUNK, FileTree, LeafKind, chunk_count, masked_tree, update_tree
from offchain.model.keccak import Bytes
from offchain.protocol.hashing import keccak, keccak_of_pieces
from offchain.storage.cid import Cid
from offchain.storage.files import temporary_file
from offchain.storage.local import LocalStore
from offchain.storage.store import Store
from offchain.types import CidDigest, Root

DIGEST_BYTES = 32
_PIECE = 1 << 20

Update = npt.NDArray[np.int16]
Vector = npt.NDArray[Any]
"""An update int16 (d,), or a masked vector uint32 (d,)."""


class RoundFiles:
    """Reads raise Retryable while a file cannot be had, Rejected when it is not what the chain says."""

    def __init__(self, own: LocalStore, shared: Store, roots: Path) -> None:
        """`roots`: a directory in which it is noted which file of one's own has which root."""
        self._own = own
        self._shared = shared
        self._roots = roots

    def keep(self, content: bytes | Bytes) -> CidDigest:
        """Keeps a file to oneself; where it would be found."""
        return self._own.add(content if isinstance(content, bytes) else content.tobytes()).digest

    def keep_computed(self, content: bytes | Bytes, root: Root) -> CidDigest:
        """Keeps a result or measures that were computed here; found by their root from now on."""
        digest = self.keep(content)
        self._roots.mkdir(parents=True, exist_ok=True)
        draft = self._roots / f".{root.hex()}.{threading.get_ident()}"
        draft.write_bytes(digest)
        draft.replace(self._roots / root.hex())
        return digest

    def keep_pieces(self, pieces: Iterable[bytes]) -> tuple[CidDigest, bytes]:
        """Keeps a file that is made piece by piece: where it would be found, and its keccak256."""
        self._roots.mkdir(parents=True, exist_ok=True)
        with temporary_file(self._roots) as (path, write):
            digest = keccak_of_pieces(_written(pieces, write))
            return self._own.add_file(path).digest, digest

    def own(self, root: Root) -> CidDigest | None:
        """Where the file of that root is that was computed here, if one was and is still there."""
        path = self._roots / root.hex()
        digest = CidDigest(path.read_bytes()) if path.is_file() else None
        return digest if digest is not None and len(digest) == DIGEST_BYTES and self.has(digest) else None

    def publish(self, digest: CidDigest) -> None:
        """Puts a file that was kept where all find it."""
        path = self._own.path_of(Cid(digest))
        if path is None:
            raise Rejected(f"{self._own.location}: {Cid(digest)} is gone; restore the directory of this participant")
        if self._shared.add_file(path).digest != digest:
            raise Bug(f"{Cid(digest)} has another CID in {self._shared.location}")

    def is_public(self, digest: CidDigest) -> bool:
        """Whether the shared store keeps the file itself."""
        return self._shared.has(Cid(digest))

    def has(self, digest: CidDigest) -> bool:
        """Whether the file is at hand."""
        return self._own.has(Cid(digest))

    def vector(self, digest: CidDigest, root: Root, dimension: int, kind: LeafKind) -> Vector:
        """An update (int16) or a masked vector (uint32) of that root, mapped into memory."""
        dtype = np.dtype("<i2" if kind is LeafKind.UPDATE else "<u4")
        vector = self._mapped(digest, dtype.itemsize * dimension).view(dtype)
        _require_root(vector_tree(vector), root, digest)
        return vector

    def kept(self, digest: CidDigest) -> bytes:
        """A file of one's own. Raises Rejected when it is gone."""
        path = self._own.path_of(Cid(digest))
        if path is None:
            raise Rejected(f"{self._own.location}: {Cid(digest)} is gone; restore the directory of this participant")
        return path.read_bytes()

    def message(self, digest: CidDigest, digest_of: bytes, max_bytes: int) -> bytes:
        """A message of secure aggregation with that keccak256."""
        path = self._own.path_of(Cid(digest))
        content = path.read_bytes() if path else self._shared.read(Cid(digest), max_bytes=max_bytes)
        if keccak(content) != digest_of:
            raise Rejected(f"{Cid(digest)}: its hash is not the one on chain; whoever posted it lied about its file")
        return content

    def sealed(self, digest: CidDigest, root: Root, dimension: int, size: int) -> tuple[Bytes, Vector]:
        """A file of ciphertexts, mapped into memory, and the card with that root that stands for it on chain."""
        content = self._mapped(digest, size)
        card = card_of(keccak_of_pieces(_pieces(content)), dimension)
        _require_root(vector_tree(card), root, digest)
        return content, card

    def large(self, digest: CidDigest, digest_of: bytes, size: int) -> Bytes:
        """A file of `size` bytes with that keccak256, mapped into memory."""
        content = self._mapped(digest, size)
        if keccak_of_pieces(_pieces(content)) != digest_of:
            raise Rejected(f"{Cid(digest)}: its hash is not the one on chain; whoever posted it lied about its file")
        return content

    def result(self, digest: CidDigest, root: Root, shape: ResultShape) -> Result:
        """A result of that root, mapped into memory; one's own if it was computed here."""
        digest = self.own(root) or digest
        result = Result(shape, self._mapped(digest, shape.file_bytes))
        _require_root(result.tree, root, digest)
        return result

    def measures(self, digest: CidDigest, root: Root, shape: MeasuresShape) -> Measures:
        """Measures of that root; one's own if they were computed here."""
        digest = self.own(root) or digest
        found = parse_measures(self._mapped(digest, shape.file_bytes).tobytes(), shape)
        if found.root != root:
            raise Rejected(f"{Cid(digest)}: its root is not the one on chain; whoever posted it lied about its file")
        return found

    def assemble(self, chunks: dict[int, bytes], root: Root, dimension: int, kind: LeafKind) -> CidDigest | None:
        """Keeps a vector whose chunks were all shown on chain; None while some are missing."""
        if set(chunks) != set(range(chunk_count(dimension))):
            return None
        content = b"".join(chunks[index] for index in sorted(chunks))
        width = len(content) // dimension
        if FileTree(kind, np.frombuffer(content, dtype=np.uint8), width * CHUNK).root != root:
            raise Bug("chunks that the contract has checked do not make the vector")
        return self.keep(content)

    def _mapped(self, digest: CidDigest, size: int) -> Bytes:
        cid = Cid(digest)
        path = self._own.path_of(cid) or self._fetch(cid, size)
        if path.stat().st_size != size:
            raise Rejected(f"{cid}: a file of {path.stat().st_size} bytes; the task's have {size}")
        return np.memmap(path, dtype=np.uint8, mode="r")

    def _fetch(self, cid: Cid, size: int) -> Path:
        self._own.add(self._shared.read(cid, max_bytes=size, size=size))
        path = self._own.path_of(cid)
        if path is None:
            raise Bug(f"{self._own.location}: {cid} is not where it was put")
        return path


def vector_tree(vector: Vector) -> FileTree:
    """The tree of an update or of a masked vector, as its numbers say."""
    return masked_tree(vector) if vector.dtype == np.uint32 else update_tree(vector)


def _require_root(tree: FileTree, root: Root, digest: CidDigest) -> None:
    if tree.root != root:
        raise Rejected(f"{Cid(digest)}: its root is not the one on chain; whoever posted it lied about its file")


def _pieces(content: Bytes) -> Iterator[memoryview]:
    return (content[start : start + _PIECE].data for start in range(0, len(content), _PIECE))


def _written(pieces: Iterable[bytes], write: Callable[[bytes], object]) -> Iterator[bytes]:
    for piece in pieces:
        write(piece)
        yield piece
