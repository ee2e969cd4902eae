"""The contract's pure rules and their Python twins give the same, over vectors drawn from hashes.

`tests/contracts/federated/Twins.t.sol` draws the same vectors and has the same digests.
"""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.errors import Bug
from offchain.federated.contribution import contributions, rewards
from offchain.federated.privacy.budget import PrivacyTerms, admits
from offchain.federated.sortition import MAX_WEIGHT, draw, weight_of
from offchain.protocol.hashing import keccak
from offchain.types import Wei

DRAWS = "3a0915faac9884770b92e0bbd8aeca54a6e80768f75dccea25f90d9a41b7e141"
PARTS = "a9472530463e8b78409dd0a8b2c01e51d616c949502210561c51bc1ab9f5d231"
ADMITTED = 710_825_297_309_597_695
CASES = 60


def words(*numbers: int | bytes) -> bytes:
    return b"".join(n if isinstance(n, bytes) else n.to_bytes(32, "big") for n in numbers)


def drawn(seed: bytes, index: int) -> int:
    return int.from_bytes(keccak(words(seed, index)), "big")


def seeds() -> Iterator[tuple[int, bytes]]:
    return ((k, keccak(words(k))) for k in range(CASES))


def test_the_contract_draws_the_same_leaders() -> None:
    found = []
    for k, seed in seeds():
        nibbles = drawn(seed, 1) | drawn(seed, 2) << 256
        eligible = drawn(seed, 3) & ((1 << 128) - 1) | 1
        weights = {i: (nibbles >> 4 * i & 15) + 1 for i in range(128) if eligible >> i & 1}
        found.append(draw(seed, k, k % 5, weights))
    assert keccak(bytes(found)).hex() == DRAWS


def test_the_contract_divides_the_same() -> None:
    found = b""
    for k, seed in seeds():
        *products, whole = (_signed(drawn(seed, i)) >> k % 32 for i in range(2 + k % 20))
        pool = Wei(drawn(seed, 99) % 2**90)
        parts = rewards(pool, contributions([*products, abs(whole)]))
        found += words(*parts)
    assert keccak(found).hex() == PARTS


def test_the_contract_admits_the_same() -> None:
    bits = 0
    for k, seed in seeds():
        costs = tuple(1 + drawn(seed, i) % 1000 for i in range(8))
        limits = tuple(drawn(seed, 8 + i) % 30_000 for i in range(8))
        terms = PrivacyTerms(1, 1, tuple(range(2000, 2800, 100)), costs, limits)
        bits |= admits(terms, 4 * k) << k
    assert bits == ADMITTED
    assert 0 < bits.bit_count() < CASES


@given(st.binary(min_size=32, max_size=32), st.dictionaries(st.integers(0, 127), st.integers(1, 16), min_size=1))
def test_somebody_eligible_is_drawn(seed: bytes, weights: dict[int, int]) -> None:
    assert draw(seed, 1, 0, weights) in weights


def test_weights_are_whole_bonds() -> None:
    assert [weight_of(Wei(stake), Wei(10)) for stake in (10, 19, 20, 159, 160, 10**9)] == [1, 1, 2, 15, 16, MAX_WEIGHT]
    with pytest.raises(Bug):
        weight_of(Wei(9), Wei(10))


def _signed(word: int) -> int:
    return int.from_bytes(words(word)[:8], "big", signed=True)
