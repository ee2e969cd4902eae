"""Trees of blocks: what the importer writes, the reader reads; what anybody else writes, it refuses."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Rejected
from offchain.storage.bounds import Missing, WrongContent
from offchain.storage.cid import Cid
from offchain.storage.dagpb import Link, decode, encode_branch, encode_leaf, varint
from offchain.storage.unixfs import (
    CANONICAL,
    MAX_BLOCK_BYTES,
    Importer,
    Profile,
    cid_of,
    cid_of_chunks,
    cid_of_file,
    read_tree,
    root_size,
)

SMALL = Profile(chunk=7, links=3)
"""A profile in which a few hundred bytes make a deep tree."""


class Blocks(dict[bytes, bytes]):
    """Blocks by digest, and how many were asked for."""

    asked = 0

    def keep(self, cid: Cid, block: bytes) -> None:
        assert hashlib.sha256(block).digest() == cid.digest
        self[cid.digest] = block

    def put(self, block: bytes) -> Cid:
        cid = Cid.of(hashlib.sha256(block).digest())
        self.keep(cid, block)
        return cid

    def fetch(self, cids: Sequence[Cid]) -> Iterator[bytes]:
        for cid in cids:
            self.asked += 1
            if cid.digest not in self:
                raise Missing(str(cid))
            yield self[cid.digest]


def anything(size: int, source: str) -> None:
    """Admits every size."""


def read(cid: Cid, blocks: Blocks, profile: Profile = SMALL, admit: Callable[[int, str], None] = anything) -> bytes:
    return b"".join(read_tree(cid, blocks.fetch, admit=admit, source="peer", profile=profile))


def imported(data: bytes, profile: Profile = SMALL) -> tuple[Cid, Blocks]:
    blocks = Blocks()
    return cid_of_chunks([data], blocks.keep, profile), blocks


@given(st.binary(max_size=600), st.integers(1, 20), st.integers(2, 5))
def test_every_tree_reads_back(data: bytes, chunk: int, links: int) -> None:
    profile = Profile(chunk, links)
    cid, blocks = imported(data, profile)
    assert read(cid, blocks, profile) == data
    assert root_size(cid, blocks[cid.digest], source="", profile=profile) == len(data)


@given(st.binary(max_size=600), st.lists(st.integers(0, 600), max_size=12))
def test_the_cid_does_not_depend_on_how_the_bytes_arrive(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]
    assert cid_of_chunks(pieces, profile=SMALL) == cid_of_chunks([data], profile=SMALL)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 3 * CANONICAL.chunk + 5), st.integers(1, 2**20))
def test_the_canonical_profile_reads_back_too(size: int, piece: int) -> None:
    data = (b"assay" * (size // 5 + 1))[:size]
    blocks = Blocks()
    cid = cid_of_chunks((data[at : at + piece] for at in range(0, size, piece)), blocks.keep)
    assert cid == cid_of(data)
    assert read(cid, blocks, CANONICAL) == data
    assert max(map(len, blocks.values())) <= MAX_BLOCK_BYTES


def test_a_file_is_read_as_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 3_000_001)
    assert cid_of_file(path) == cid_of(b"x" * 3_000_001)


def test_the_importer_holds_no_more_than_a_chunk_and_the_open_branches() -> None:
    importer = Importer()
    piece = bytes(1024 * 1024)
    for _ in range(200):
        importer.update(piece)
        assert len(importer._pending) < CANONICAL.chunk
        assert sum(map(len, importer._levels)) < 3 * CANONICAL.links


def test_the_size_is_admitted_before_a_second_block_is_asked_for() -> None:
    cid, blocks = imported(bytes(500))

    def refuse(size: int, source: str) -> None:
        assert size == 500
        raise Rejected("too large")

    with pytest.raises(Rejected, match="too large"):
        read(cid, blocks, admit=refuse)
    assert blocks.asked == 1


@given(st.binary(min_size=1, max_size=400), st.data())
def test_any_changed_block_is_noticed(data: bytes, draw: st.DataObject) -> None:
    cid, blocks = imported(data)
    victim = draw.draw(st.sampled_from(sorted(blocks)))
    block = bytearray(blocks[victim])
    block[draw.draw(st.integers(0, len(block) - 1))] ^= draw.draw(st.integers(1, 255))
    blocks[victim] = bytes(block)
    with pytest.raises(WrongContent, match="wrong bytes"):
        read(cid, blocks)


@given(st.binary(min_size=1, max_size=400), st.data())
def test_a_truncated_block_is_noticed(data: bytes, draw: st.DataObject) -> None:
    cid, blocks = imported(data)
    victim = draw.draw(st.sampled_from(sorted(blocks)))
    blocks[victim] = blocks[victim][: draw.draw(st.integers(0, len(blocks[victim]) - 1))]
    with pytest.raises(WrongContent):
        read(cid, blocks)


def refused(blocks: Blocks, root: Cid, says: str = "profile") -> None:
    with pytest.raises(Rejected, match=says) as caught:
        read(root, blocks)
    assert "\n" not in str(caught.value)


def link(blocks: Blocks, block: bytes, size: int, total: int | None = None) -> Link:
    return Link(blocks.put(block).digest, size, len(block) if total is None else total)


def test_honest_hashes_over_lying_sizes_are_refused() -> None:
    # The root says 9 bytes; its leaves hold 7 and 7.
    blocks = Blocks()
    leaf = encode_leaf(b"1234567")
    root = blocks.put(encode_branch([link(blocks, leaf, 7), link(blocks, leaf, 2)]))
    refused(blocks, root)


def test_lying_totals_are_refused() -> None:
    blocks = Blocks()
    leaf = encode_leaf(b"1234567")
    root = blocks.put(encode_branch([link(blocks, leaf, 7), link(blocks, leaf, 7, total=99)]))
    refused(blocks, root)


def test_small_chunks_in_the_middle_are_refused() -> None:
    blocks = Blocks()
    links = [link(blocks, encode_leaf(part), len(part)) for part in (b"123", b"1234567")]
    refused(blocks, blocks.put(encode_branch(links)))


def test_too_many_links_are_refused() -> None:
    blocks = Blocks()
    links = [link(blocks, encode_leaf(b"1234567"), 7)] * 4
    refused(blocks, blocks.put(encode_branch(links)))


def test_a_deeper_tree_than_needed_is_refused() -> None:
    blocks = Blocks()
    leaf = encode_leaf(b"1234567")
    block, total = leaf, len(leaf)
    for _ in range(5):
        child = link(blocks, block, 7, total)
        block = encode_branch([child])
        total += len(block)
    refused(blocks, blocks.put(block))


def test_a_chain_of_branches_ends_where_the_size_says() -> None:
    # A branch cannot contain itself (that needs a hash collision), but a long chain can be built from the bottom.
    blocks = Blocks()
    child = link(blocks, encode_leaf(b""), 0)
    for _ in range(5000):
        child = link(blocks, encode_branch([child]), 0, 0)
    refused(blocks, Cid.of(child.digest))
    assert blocks.asked == 1


def test_a_leaf_where_a_branch_belongs_is_refused() -> None:
    blocks = Blocks()
    data = bytes(25)
    leaf = encode_leaf(data[:21])
    links = [Link(blocks.put(leaf).digest, 21, SMALL.total(21, 1)), link(blocks, encode_leaf(data[21:]), 4)]
    root = blocks.put(encode_branch(SMALL.links_of(25, 2, [entry.digest for entry in links])))
    refused(blocks, root)


def test_a_file_that_claims_to_be_enormous_costs_one_block() -> None:
    blocks = Blocks()
    root = blocks.put(encode_branch([link(blocks, encode_leaf(b""), 2**62)]))
    refused(blocks, root)
    assert blocks.asked == 1


FILE = b"\x08\x02"


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (b"", "without UnixFS data"),
        (b"\x0a\x02\x08\x01", "not a file"),  # an empty directory
        (b"\x0a\x04\x08\x00\x18\x00", "not a file"),  # type raw
        (b"\x0a\x02\x08\x02", "without a size"),
        (b"\x0a\x7f\x08\x02", "truncated"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "truncated"),
        (b"\xff" * 40, "truncated"),
        (b"\x0d\x00\x00\x00\x00", "wire type"),
        (b"\x1a\x00", "dag-pb field 3"),
        (b"\x0a\x06\x08\x02\x18\x00\x18\x00", "profile"),  # size twice
        (b"\x0a\x05\x08\x02\x18\x80\x00", "profile"),  # a longer varint than needed
        (b"\x0a\x04\x18\x00\x08\x02", "profile"),  # fields in another order
        (b"\x0a\x06\x08\x02\x12\x00\x18\x00", "profile"),  # empty data written out
        (b"\x0a\x07\x08\x02\x12\x01a\x18\x02", "profile"),  # one byte, said to be two
        (b"\x0a\x04\x08\x02\x18\x00\x0a\x04\x08\x02\x18\x00", "profile"),
        (b"\x12\x02\x18\x01\x0a\x04\x08\x02\x18\x00", "without a hash"),
        (b"\x12\x06\x0a\x04\x01\x55\x12\x20\x0a\x04\x08\x02\x18\x00", "CIDv0"),
        (encode_branch([Link(bytes(32), 1, 9)])[:-2] + b"\x12\x01", "profile|truncated|dag-pb"),
    ],
)
def test_foreign_or_hostile_blocks_are_refused_in_one_line(block: bytes, says: str) -> None:
    blocks = Blocks()
    refused(blocks, blocks.put(block), says)


@given(st.binary(max_size=300))
def test_no_block_does_anything_but_read_or_be_refused(block: bytes) -> None:
    blocks = Blocks()
    root = blocks.put(block)
    try:
        data = read(root, blocks)
    except (Rejected, Missing):
        return
    assert cid_of_chunks([data], profile=SMALL) == root


@given(st.binary(min_size=1, max_size=300), st.data())
def test_a_tree_reads_only_if_it_is_the_one_the_profile_writes(data: bytes, draw: st.DataObject) -> None:
    """Mutates a root and names it by its new hash: it is refused, or it was canonical for other bytes all along."""
    cid, blocks = imported(data)
    block = bytearray(blocks[cid.digest])
    block[draw.draw(st.integers(0, len(block) - 1))] ^= draw.draw(st.integers(1, 255))
    root = blocks.put(bytes(block))
    try:
        found = read(root, blocks)
    except (Rejected, Missing):
        return
    assert cid_of_chunks([found], profile=SMALL) == root


@given(st.integers(0, 2**63 - 1))
def test_integers_are_written_as_protobuf_does(value: int) -> None:
    block = b"\x0a" + varint(len(FILE + b"\x18" + varint(value))) + FILE + b"\x18" + varint(value)
    assert decode(block) is not None
    assert len(varint(value)) == max(1, -(-value.bit_length() // 7))
