"""From bytes to the CID of a UnixFS file and back, in the one profile Assay uses.

The profile is Kubo's classic default: chunks of 256 KiB, each a dag-pb leaf, in a balanced tree with up to 174 links a
branch, SHA-256, CIDv0. All leaves have the same depth, so the size of a file fixes the shape of its tree, down to every
number in every branch; only digests are free. `read_tree` uses that: a block that hashes to its CID but is not what the
profile writes is refused, and so "is this content what the CID says" has one answer whatever the backend
(docs/decisions/storage.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from offchain.errors import Rejected
from offchain.storage.bounds import WrongContent
from offchain.storage.cid import Cid
from offchain.storage.dagpb import Branch, Leaf, Link, decode, encode_branch, encode_leaf, leaf_envelope

Emit = Callable[[Cid, bytes], None]
"""Receives each finished block, children before their branch, the root last."""

Fetch = Callable[[Sequence[Cid]], Iterable[bytes]]
"""Gives the blocks of those CIDs, in their order; untrusted."""


@dataclass(frozen=True, slots=True)
class Profile:
    """`chunk`: bytes of file in a full leaf; `links`: children of a full branch."""

    chunk: int
    links: int

    def span(self, depth: int) -> int:
        """File bytes below a full node with `depth` levels of branches."""
        return int(self.chunk * self.links**depth)

    def depth(self, size: int) -> int:
        """Levels of branches in the tree of a file of `size` bytes."""
        depth = 0
        while self.span(depth) < size:
            depth += 1
        return depth

    def shares(self, size: int, depth: int) -> list[int]:
        """File bytes below each child of a branch over `size` bytes with `depth` levels."""
        span = self.span(depth - 1)
        full, rest = divmod(size, span)
        return [span] * full + [rest] * (rest > 0)

    def total(self, size: int, depth: int) -> int:
        """Bytes of all blocks of a subtree."""
        if depth == 0:
            before, after = leaf_envelope(size)
            return len(before) + size + len(after)
        links = self.links_of(size, depth, None)
        return len(encode_branch(links)) + sum(link.total for link in links)

    def links_of(self, size: int, depth: int, digests: Sequence[bytes] | None) -> list[Link]:
        """The links that a branch must have; digests of zeros when they don't matter."""
        shares = self.shares(size, depth)
        totals = {share: self.total(share, depth - 1) for share in set(shares)}
        return [
            Link(digests[index] if digests else bytes(32), share, totals[share]) for index, share in enumerate(shares)
        ]


CANONICAL = Profile(chunk=256 * 1024, links=174)
"""The profile of everything in Assay."""

MAX_BLOCK_BYTES = CANONICAL.chunk + 64
"""No block of the canonical profile is larger; ask nobody for more."""


class Importer:
    """Computes the CID of a stream of bytes, one leaf in memory; `emit` receives the blocks if wanted.

    Call `update` as often as needed, then `finish` once.
    """

    __slots__ = ("_emit", "_levels", "_pending", "_profile", "size")

    def __init__(self, emit: Emit | None = None, profile: Profile = CANONICAL) -> None:
        self._emit = emit
        self._profile = profile
        self._pending = bytearray()
        self._levels: list[list[Link]] = [[]]
        self.size = 0
        """Bytes so far."""

    def update(self, data: bytes) -> None:
        """Takes the next bytes of the file."""
        self.size += len(data)
        chunk, view, start = self._profile.chunk, memoryview(data), 0
        if self._pending:
            start = min(chunk - len(self._pending), len(data))
            self._pending += view[:start]
            if len(self._pending) == chunk:
                self._leaf(memoryview(bytes(self._pending)))
                self._pending.clear()
        while len(data) - start >= chunk:
            self._leaf(view[start : start + chunk])
            start += chunk
        self._pending += view[start:]

    def finish(self) -> Cid:
        """The CID of everything taken."""
        if self._pending or self.size == 0:
            self._leaf(memoryview(bytes(self._pending)))
            self._pending.clear()
        depth = 0
        while depth + 1 < len(self._levels) or len(self._levels[depth]) > 1:
            if self._levels[depth]:
                self._branch(depth)
            depth += 1
        return Cid.of(self._levels[depth][0].digest)

    def _leaf(self, data: memoryview) -> None:
        before, after = leaf_envelope(len(data))
        sha = hashlib.sha256(before)
        sha.update(data)
        sha.update(after)
        digest = sha.digest()
        if self._emit is not None:
            self._emit(Cid.of(digest), b"".join((before, data, after)))
        self._put(0, Link(digest, len(data), len(before) + len(data) + len(after)))

    def _put(self, depth: int, link: Link) -> None:
        if depth == len(self._levels):
            self._levels.append([])
        self._levels[depth].append(link)
        if len(self._levels[depth]) == self._profile.links:
            self._branch(depth)

    def _branch(self, depth: int) -> None:
        links = self._levels[depth]
        block = encode_branch(links)
        digest = hashlib.sha256(block).digest()
        if self._emit is not None:
            self._emit(Cid.of(digest), block)
        self._levels[depth] = []
        size, total = sum(link.size for link in links), sum(link.total for link in links)
        self._put(depth + 1, Link(digest, size, total + len(block)))


def cid_of_chunks(chunks: Iterable[bytes], emit: Emit | None = None, profile: Profile = CANONICAL) -> Cid:
    """The CID of the concatenation of `chunks`, which may have any sizes."""
    importer = Importer(emit, profile)
    for chunk in chunks:
        importer.update(chunk)
    return importer.finish()


def cid_of(data: bytes) -> Cid:
    """The CID of `data` as a file."""
    return cid_of_chunks([data])


def file_chunks(path: Path, size: int = 1024 * 1024) -> Iterator[bytes]:
    """The bytes of a file, piece by piece. Raises OSError."""
    with path.open("rb") as file:
        while piece := file.read(size):
            yield piece


def cid_of_file(path: Path) -> Cid:
    """The CID of a file, read as a stream. Raises OSError."""
    return cid_of_chunks(file_chunks(path))


def verify_block(cid: Cid, block: bytes) -> bool:
    """Whether the block is the one that the CID names."""
    return hashlib.sha256(block).digest() == cid.digest


def root_size(cid: Cid, block: bytes, *, source: str, profile: Profile = CANONICAL) -> int:
    """Bytes of the file whose (already verified) root block this is. Raises Rejected if the profile can't write it."""
    node = _decode(cid, block, source)
    size = len(node.data) if isinstance(node, Leaf) else node.size
    _require_canonical(cid, block, node, size, profile.depth(size), source, profile)
    return size


def read_tree(
    cid: Cid, fetch: Fetch, *, admit: Callable[[int, str], None], source: str, profile: Profile = CANONICAL
) -> Iterator[bytes]:
    """The bytes of a file, block by block, each verified before it is parsed and parsed before it is given.

    `admit(size, source)` is asked once the root block proves the size, before a second block is fetched, and may raise.
    Raises Rejected when a block has the right hash but not the form that the profile gives it, WrongContent when
    `source` gives other bytes than asked for.
    """
    root = _fetch_one(cid, fetch, source)
    size = root_size(cid, root, source=source, profile=profile)
    admit(size, source)
    yield from _walk(cid, root, size, profile.depth(size), fetch, source, profile)


def _walk(
    cid: Cid, block: bytes, size: int, depth: int, fetch: Fetch, source: str, profile: Profile
) -> Iterator[bytes]:
    node = _decode(cid, block, source)
    _require_canonical(cid, block, node, size, depth, source, profile)
    if isinstance(node, Leaf):
        yield node.data
        return
    children = [Cid.of(digest) for digest in node.digests]
    shares = profile.shares(size, depth)
    for child, share, raw in zip(children, shares, fetch(children), strict=True):
        if not verify_block(child, raw):
            raise WrongContent(f"{source}: gave wrong bytes for block {child} of {cid}")
        yield from _walk(child, raw, share, depth - 1, fetch, source, profile)


def _fetch_one(cid: Cid, fetch: Fetch, source: str) -> bytes:
    for block in fetch([cid]):
        if verify_block(cid, block):
            return block
    raise WrongContent(f"{source}: gave wrong bytes for block {cid}")


def _decode(cid: Cid, block: bytes, source: str) -> Leaf | Branch:
    try:
        return decode(block)
    except ValueError as error:
        raise Rejected(f"{source}: {cid} holds {error}; add a plain file, with Assay's profile") from None


def _require_canonical(
    cid: Cid, block: bytes, node: Leaf | Branch, size: int, depth: int, source: str, profile: Profile
) -> None:
    """Encoding again catches every freedom that a foreign or hostile encoder could have taken."""
    if isinstance(node, Leaf):
        same = depth == 0 and len(node.data) == size and encode_leaf(node.data) == block
    else:
        same = depth > 0 and len(node.digests) == len(profile.shares(size, depth))
        same = same and encode_branch(profile.links_of(size, depth, node.digests)) == block
    if not same:
        raise Rejected(
            f"{source}: {cid} was not added with Assay's profile; add the file with CIDv0 and 256 KiB chunks"
        )
