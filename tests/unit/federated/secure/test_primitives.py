"""Streams, seeds, shares and boxes by themselves."""

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import Bug, Rejected
from offchain.federated.secure.boxes import Route, open_box, seal, share_commitment, unseal
from offchain.federated.secure.masking import (
    LOW_ORDER_KEYS,
    add_stream,
    agree,
    load_key,
    masked_vector,
    pair_seed,
    public_of,
    word_at,
)
from offchain.federated.secure.messages import Keys, Secret, Shares
from offchain.federated.secure.shamir import PRIME, lagrange, polynomial, reconstruct, share_of
from offchain.federated.secure.terms import Position, Seed

QUICK = settings(max_examples=40, deadline=None)


def test_the_stream_of_rfc_8439() -> None:
    """Appendix A.1, the first two and the fourth test vector; their nonce is 0."""
    zero, key = Seed(bytes(32)), Seed(bytes((0, 0xFF)) + bytes(30))
    assert [word_at(zero, place) for place in (0, 1, 15)] == [0xADE0B876, 0x903DF1A0, 0x8665EEB2]
    assert [word_at(zero, place) for place in (16, 31)] == [0xBEE7079F, 0x6F4D794B]
    assert [word_at(key, place) for place in (32, 47)] == [0xFB4DD572, 0x96F0992E]


@pytest.mark.parametrize("length", [1, 16, 17, (1 << 14) - 1, 1 << 14, (1 << 14) + 1, 40_000])
def test_streams_are_one_word_for_each_coordinate(length: int) -> None:
    seed, vector = Seed(b"s" * 32), np.zeros(length, dtype=np.uint32)
    add_stream(vector, seed, 1)
    places = {0, length - 1, length // 2, min(length - 1, (1 << 14) - 1), min(length - 1, 1 << 14)}
    assert {place: int(vector[place]) for place in places} == {place: word_at(seed, place) for place in places}
    add_stream(vector, seed, -1)
    assert not vector.any()


def test_masks_wrap_around_and_leave_the_update_alone() -> None:
    update = np.array([-(2**15), -1, 0, 2**15 - 1], dtype=np.int16)
    kept, seed = update.copy(), Seed(b"m" * 32)
    vector = masked_vector(update, 3, [(seed, 1), (Seed(b"o" * 32), -1)])
    expected = [
        (3 * int(value) + word_at(seed, place) - word_at(Seed(b"o" * 32), place)) % 2**32
        for place, value in enumerate(update)
    ]
    assert vector.tolist() == expected
    assert np.array_equal(update, kept)
    with pytest.raises(Rejected):
        masked_vector(update.astype(np.int32), 1, [])


def test_both_of_a_pair_get_one_seed_and_no_other_pair_or_session_does() -> None:
    one, other = b"1" * 32, b"2" * 32
    first, second = Position(3), Position(8)
    seed = pair_seed(load_key(one), public_of(other), b"session", first, second)
    assert seed == pair_seed(load_key(other), public_of(one), b"session", second, first)
    others = {
        pair_seed(load_key(one), public_of(other), b"another", first, second),
        pair_seed(load_key(one), public_of(other), b"session", first, Position(9)),
        pair_seed(load_key(one), public_of(one), b"session", first, second),
    }
    assert len(others | {seed}) == 4


def test_keys_of_low_order_are_those_that_every_exchange_makes_zero() -> None:
    assert len(LOW_ORDER_KEYS) == 14
    for key in LOW_ORDER_KEYS:
        with pytest.raises(ValueError):
            X25519PrivateKey.from_private_bytes(b"k" * 32).exchange(X25519PublicKey.from_public_bytes(key))
        with pytest.raises(Rejected):
            agree(load_key(b"k" * 32), key, b"")
    for u in (2, 9, 2**255 - 20 - 1, 2**255 - 1):
        agree(load_key(b"k" * 32), u.to_bytes(32, "little"), b"")


@QUICK
@given(st.data())
def test_any_threshold_many_shares_give_the_secret(data: st.DataObject) -> None:
    threshold = data.draw(st.integers(1, 12))
    secret, seed = (data.draw(st.binary(min_size=32, max_size=32)) for _ in range(2))
    coefficients = polynomial(secret, threshold, seed)
    places = data.draw(st.sets(st.integers(0, 127), min_size=threshold, max_size=threshold + 4))
    shares = {place: share_of(coefficients, place) for place in places}
    value, consistent = reconstruct(shares, threshold)
    assert (value, consistent) == (int.from_bytes(secret, "big"), True)
    spoilt = data.draw(st.sampled_from(sorted(places)))
    shares[spoilt] = (shares[spoilt] + data.draw(st.integers(1, PRIME - 1))) % PRIME
    value, consistent = reconstruct(shares, threshold)
    assert not consistent or (len(places) == threshold and value != int.from_bytes(secret, "big"))


@QUICK
@given(
    secret=st.binary(min_size=32, max_size=32),
    other=st.binary(min_size=32, max_size=32),
    seed=st.binary(min_size=32, max_size=32),
)
def test_fewer_shares_fit_every_secret(secret: bytes, other: bytes, seed: bytes) -> None:
    """With any t − 1 shares and any secret there is exactly one polynomial: the shares say nothing about it."""
    coefficients = polynomial(secret, 4, seed)
    shares = {place: share_of(coefficients, place) for place in (0, 5, 9)}
    base, values = (-1, 0, 5, 9), (int.from_bytes(other, "big"), *shares.values())
    shares[77] = sum(value * weight for value, weight in zip(values, lagrange(base, 77), strict=True)) % PRIME
    assert reconstruct(shares, 4) == (int.from_bytes(other, "big"), True)
    del shares[0]
    with pytest.raises(Bug):
        reconstruct(shares, 4)


def test_a_box_opens_for_its_route_only() -> None:
    route, pair = Route(b"s" * 32, Position(1), Position(2)), (b"\0" + b"a" * 32, b"\0" + b"b" * 32)
    dealer, recipient = b"d" * 32, b"r" * 32
    box = seal(route, dealer, public_of(recipient), pair)
    assert unseal(route, recipient, public_of(dealer), box) == pair
    assert unseal(route, dealer, public_of(recipient), box) == pair
    for other in (Route(b"t" * 32, Position(1), Position(2)), Route(b"s" * 32, Position(2), Position(1))):
        assert unseal(other, recipient, public_of(dealer), box) is None
    assert unseal(route, b"x" * 32, public_of(dealer), box) is None
    assert unseal(route, recipient, public_of(dealer), box[:-1] + bytes((box[-1] ^ 1,))) is None
    assert unseal(route, recipient, bytes(32), box) is None
    keys = Keys(bytes(32), (bytes(32), bytes(32), public_of(dealer)), bytes(32))
    commitments = tuple((b"", b"", share_commitment(route, secret, pair[secret])) for secret in Secret)
    boxes = (b"", b"", box)
    assert open_box(route, recipient, keys, Shares(boxes, (commitments[0], commitments[1]), ())) == pair
    assert open_box(route, recipient, keys, Shares(boxes, (commitments[1], commitments[0]), ())) is None
