from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Bug, Rejected
from offchain.ledger.transport.frames import LENGTH_BYTES, MAC_BYTES, OVERHEAD_BYTES, FrameReader, FrameWriter

KEY, OTHER = bytes(range(32)), bytes(32)
LIMIT = 4_096


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(edges)]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.binary(max_size=300), max_size=4), max_size=4), st.lists(st.integers(0, 10_000), max_size=12)
)
def test_what_goes_in_comes_out_however_it_is_cut(writes: list[list[bytes]], cuts: list[int]) -> None:
    writer, reader = FrameWriter(KEY), FrameReader(KEY, LIMIT)
    stream = b"".join(writer.seal(payloads) for payloads in writes)
    found = [payload for piece in pieces(stream, cuts) for payload in reader.feed(piece)]
    assert found == [payload for payloads in writes for payload in payloads]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4), st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_never_gives_another_payload(payloads: list[bytes], position: int, bit: int) -> None:
    stream = bytearray(FrameWriter(KEY).seal(payloads))
    stream[position % len(stream)] ^= 1 << bit
    reader, found = FrameReader(KEY, LIMIT), []
    try:
        for byte in stream:
            found += reader.feed(bytes([byte]))
    except Rejected:
        pass
    assert found == payloads[: len(found)]
    assert len(found) < len(payloads)


@pytest.mark.parametrize("end", range(3 * OVERHEAD_BYTES + 15))
def test_a_truncated_stream_gives_whole_frames_only(end: int) -> None:
    payloads = [b"first", b"", b"the third."]
    found = FrameReader(KEY, LIMIT).feed(FrameWriter(KEY).seal(payloads)[:end])
    assert found == payloads[: len(found)]
    assert len(found) == sum(end >= edge for edge in (25, 45, 75))


def test_a_frame_counts_once_and_in_its_place() -> None:
    writer = FrameWriter(KEY)
    first, second = writer.seal([b"one"]), writer.seal([b"two"])
    for stream in (first + first, second, second + first):
        reader = FrameReader(KEY, LIMIT)
        with pytest.raises(Rejected, match="MAC"):
            reader.feed(stream)


def test_the_other_direction_has_another_key() -> None:
    with pytest.raises(Rejected, match="MAC"):
        FrameReader(OTHER, LIMIT).feed(FrameWriter(KEY).seal([b"mirrored"]))


def test_the_limit_is_kept_before_anything_is_collected() -> None:
    writer, reader = FrameWriter(KEY), FrameReader(KEY, LIMIT)
    assert reader.feed(writer.seal([bytes(LIMIT)])) == [bytes(LIMIT)]
    with pytest.raises(Rejected, match="at most 4096"):
        reader.feed((LIMIT + 1).to_bytes(LENGTH_BYTES, "big"))
    with pytest.raises(Bug):
        reader.feed(b"")


def test_a_large_frame_in_small_pieces_costs_linear_time() -> None:
    payload = bytes(1 << 20)
    stream = FrameWriter(KEY).seal([payload])
    reader = FrameReader(KEY)
    found = [got for start in range(0, len(stream), 512) for got in reader.feed(stream[start : start + 512])]
    assert found == [payload]


def test_the_overhead_is_what_it_says() -> None:
    assert len(FrameWriter(KEY).seal([b"abc", b""])) == 3 + 2 * (LENGTH_BYTES + MAC_BYTES)
