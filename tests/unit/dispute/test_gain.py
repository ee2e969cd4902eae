"""When a challenge pays."""

from offchain.dispute.gain import (
    COMPUTE_GAS,
    OPEN_GAS,
    PICK_GAS,
    Prices,
    challenge_pays,
    expected_gain,
    gas_cost,
    most_gas,
)
from offchain.types import TOKEN, Ppm, Wei

HALF = Ppm(500_000)
PRICES = Prices(gas_price=Wei(10**9), coin_price_ppm=Ppm(2_000_000))


def test_gas_is_that_of_the_longest_game() -> None:
    # One sample: the tensor, two rounds of hashes, four of parts; a million samples: four rounds more.
    assert most_gas(1) == OPEN_GAS + 7 * PICK_GAS + COMPUTE_GAS
    assert most_gas(10**6) == most_gas(1) + 4 * PICK_GAS


def test_gas_costs_tokens_rounded_up() -> None:
    assert gas_cost(1_000_000, PRICES) == 2 * 10**15
    assert gas_cost(1, Prices(Wei(1), Ppm(1))) == 1
    assert gas_cost(10**6, Prices(Wei(0), Ppm(10**6))) == 0


def test_the_gain_is_discounted() -> None:
    assert expected_gain(Wei(10 * TOKEN), HALF, PRICES) == 5 * TOKEN
    slower = Prices(PRICES.gas_price, PRICES.coin_price_ppm, chance_ppm=Ppm(250_000))
    assert expected_gain(Wei(10 * TOKEN), HALF, slower) == 5 * TOKEN // 4
    assert expected_gain(Wei(1), HALF, PRICES) == 0


def test_a_challenge_pays_when_the_gain_is_more_than_the_gas() -> None:
    cost = gas_cost(most_gas(1000), PRICES)
    assert not challenge_pays(Wei(2 * cost), HALF, 1000, PRICES)
    assert challenge_pays(Wei(2 * cost + 2), HALF, 1000, PRICES)
    assert not challenge_pays(Wei(2 * cost + 2), HALF, 10**6, PRICES)
    assert not challenge_pays(Wei(10**30), Ppm(0), 1, PRICES)
