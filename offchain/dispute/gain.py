"""Whether a challenge pays: the winner's share of the stake at risk against the gas of the longest game. Pure."""

from dataclasses import dataclass

from offchain.dispute.segments import SEGMENTS
from offchain.types import Ppm, Wei

PPM = 1_000_000
CERTAIN = Ppm(PPM)
OPEN_GAS = 350_000
"""Gas of opening a dispute, an upper estimate."""
PICK_GAS = 200_000
"""Gas of a move that picks from a list, an upper estimate."""
COMPUTE_GAS = 1_000_000
"""Gas of a step; no move may need more (docs/dispute.md)."""
MOST_TERMS = 1 << 20
"""Terms of the largest reduction that a valid model has."""
MOST_CHUNKS = 1 << 10
"""Chunks of the largest tensor that a valid model has."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What a challenger reckons with.

    gas_price: wei of the chain's coin. coin_price_ppm: token wei for a wei of the coin, in millionths.
    chance_ppm: that nobody else is faster, who then has the winner's share.
    """

    gas_price: Wei
    coin_price_ppm: Ppm
    chance_ppm: Ppm = CERTAIN


def rounds(things: int) -> int:
    """How often a range of `things` is divided until one is left."""
    found = 0
    while things > 1:
        things = -(-things // SEGMENTS)
        found += 1
    return found


def most_gas(sample_count: int) -> int:
    """An upper estimate of what a challenger pays for in the longest game about a test set of this size, in gas."""
    contests = rounds(MOST_TERMS)
    picks = rounds(sample_count) + 1 + rounds(MOST_CHUNKS) + contests
    return OPEN_GAS + picks * PICK_GAS + COMPUTE_GAS


def gas_cost(gas: int, prices: Prices) -> Wei:
    """What this gas costs in wei of the token, rounded up."""
    return Wei(-(-gas * prices.gas_price * prices.coin_price_ppm // PPM))


def expected_gain(v_stake: Wei, share_ppm: Ppm, prices: Prices) -> Wei:
    """What winning against a validation with this stake is worth on average, in wei of the token, rounded down."""
    return Wei(v_stake * share_ppm * prices.chance_ppm // PPM**2)


def challenge_pays(v_stake: Wei, share_ppm: Ppm, sample_count: int, prices: Prices) -> bool:
    """Whether proving this validation false is worth the gas of the longest game. It is the caller's to know it false.

    share_ppm: the order's `disputeSharePpm`.
    """
    return expected_gain(v_stake, share_ppm, prices) > gas_cost(most_gas(sample_count), prices)
