"""Bids for gas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.chain.fees import bump, suggest
from offchain.chain.networks import FeePolicy
from offchain.chain.transactions import Fees
from offchain.errors import Retryable
from offchain.types import Wei

GWEI = 10**9
DYNAMIC = FeePolicy("eip1559", Wei(GWEI), Wei(100 * GWEI), 25)
LEGACY = FeePolicy("legacy", Wei(GWEI), Wei(100 * GWEI), 25)
fees = st.integers(0, 40 * GWEI)


@given(fees)
def test_a_bid_covers_the_base_fee_and_the_tip(base_fee: int) -> None:
    bid = suggest(DYNAMIC, base_fee=base_fee, gas_price=0)
    assert bid.tip == GWEI
    assert base_fee + GWEI <= bid.maximum <= 100 * GWEI


@given(fees)
def test_a_legacy_bid_is_the_nodes_price_or_the_least(price: int) -> None:
    assert suggest(LEGACY, base_fee=0, gas_price=price) == Fees(max(price, GWEI), None)


@pytest.mark.parametrize("policy", [DYNAMIC, LEGACY])
def test_above_the_maximum_nothing_is_bid(policy: FeePolicy) -> None:
    with pytest.raises(Retryable, match=r"gas costs .* above the network's maximum of 100 gwei"):
        suggest(policy, base_fee=101 * GWEI, gas_price=101 * GWEI)


@given(fees, fees)
def test_a_replacement_raises_both_by_what_nodes_demand(old: int, fresh: int) -> None:
    before = Fees(old + 1, min(old + 1, GWEI))
    after = bump(DYNAMIC, before, Fees(fresh + GWEI, GWEI))
    assert after is not None
    assert after.tip is not None
    assert before.tip is not None
    assert after.maximum * 10 >= before.maximum * 11
    assert after.tip * 10 >= before.tip * 11
    assert after.tip <= after.maximum
    assert after.maximum >= fresh + GWEI


@given(fees)
def test_legacy_replacements_stay_legacy(old: int) -> None:
    after = bump(LEGACY, Fees(old + 10, None), Fees(GWEI, None))
    assert after is not None
    assert after.tip is None
    assert after.maximum * 10 >= (old + 10) * 11


def test_the_maximum_stops_replacements() -> None:
    assert bump(DYNAMIC, Fees(90 * GWEI, GWEI), Fees(GWEI, GWEI)) is None


def test_fields_of_a_transaction() -> None:
    assert Fees(3, None).fields() == {"gasPrice": 3}
    assert Fees(3, 1).fields() == {"type": 2, "maxFeePerGas": 3, "maxPriorityFeePerGas": 1}
