"""The replicas' messages have one encoding each, and no bytes do harm."""

from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Bug, Rejected
from offchain.ledger.pbft.codec import decode, digest, encode
from offchain.ledger.pbft.messages import NULL_BATCH, Batch, Message, Offer, Prepare, Status
from offchain.ledger.types import Digest, Sequence, View
from tests.unit.ledger.strategies import MESSAGES

PREPARE = Prepare(View(3), Sequence(7), Digest(bytes(range(32))))


@given(MESSAGES)
@settings(max_examples=400, deadline=None)
def test_a_message_comes_back(message: Message) -> None:
    assert decode(encode(message)) == message


@given(MESSAGES, st.integers(0, 400), st.integers(0, 255), st.binary(max_size=3))
@settings(max_examples=400, deadline=None)
def test_what_decodes_is_the_encoding(message: Message, at: int, byte: int, tail: bytes) -> None:
    data = bytearray(encode(message))
    data[at % len(data)] = byte
    for changed in (bytes(data), bytes(data) + tail, bytes(data[: at % len(data)])):
        with suppress(Rejected):
            assert encode(decode(changed)) == changed


@given(st.binary(max_size=200))
@settings(max_examples=400, deadline=None)
def test_random_bytes_do_no_harm(data: bytes) -> None:
    with suppress(Rejected):
        assert encode(decode(data)) == data


def test_the_layout_of_a_vote() -> None:
    assert encode(PREPARE) == bytes([3]) + (3).to_bytes(8, "big") + (7).to_bytes(8, "big") + bytes(range(32))


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff" * 49, encode(PREPARE)[:-1], encode(PREPARE) + b"\0"])
def test_what_is_no_message_is_rejected(data: bytes) -> None:
    with pytest.raises(Rejected):
        decode(data)


def test_a_lie_about_a_count_costs_no_memory() -> None:
    for tag in (1, 8):
        with pytest.raises(Rejected, match="longer than its message"):
            decode(bytes([tag]) + b"\xff" * 4 + bytes(40))


def test_a_truth_value_is_zero_or_one() -> None:
    data = bytearray(encode(Status(View(1), True, Sequence(0), Digest(bytes(32)), Sequence(0))))
    data[9] = 2
    with pytest.raises(Rejected, match="neither yes nor no"):
        decode(bytes(data))


def test_fields_that_do_not_fit_are_our_own_fault() -> None:
    with pytest.raises(Bug):
        encode(replace(PREPARE, digest=Digest(b"short")))
    with pytest.raises(Bug):
        encode(replace(PREPARE, view=View(2**64)))


def test_a_batch_is_known_by_the_digest_of_its_offer() -> None:
    batch = Batch(NULL_BATCH.time, (Digest(bytes(32)),))
    assert digest(batch) == sha256(encode(Offer(batch))).digest() != digest(NULL_BATCH)
