"""The protocol's parameters at deployment, in one reviewed place."""

from dataclasses import replace

from offchain.chain.views import ProtocolParameters
from offchain.types import TOKEN, Ppm, Wei

SUPPLY = Wei(1_000_000_000 * TOKEN)
"""Minted once, at deployment."""

TESTNET_PARAMETERS = ProtocolParameters(
    provider_minimum=Wei(100 * TOKEN),
    validator_minimum=Wei(100 * TOKEN),
    verifier_minimum=Wei(50 * TOKEN),
    aggregator_minimum=Wei(500 * TOKEN),
    claim_bond=Wei(10 * TOKEN),
    minimum_v_stake=Wei(5 * TOKEN),
    challenge_stake=Wei(10 * TOKEN),  # five disputes at once with the least bond of a verifier
    request_bond=Wei(2 * TOKEN),  # far above the gas of the answer that earns it
    exit_delay=7 * 24 * 3600,  # longer than any order's windows are likely to be, so that no fault outlives its stake
    validator_share_ppm=Ppm(150_000),
    aggregator_tax_ppm=Ppm(20_000),
    reporter_share_ppm=Ppm(100_000),  # well below a half: reporting oneself must never pay
    dispute_share_ppm=Ppm(500_000),
    move_seconds=3600,  # a defendant that was asleep has to find the machine, too
    stall_delay=24 * 3600,
    fraud_seconds=3600,  # refuting takes one transaction, and every aggregator watches
    update_seconds=3600,
    epoch_seconds=24 * 3600,
    max_members=13,
    max_claims=16,
    max_validators=16,
    minimum_window=60,
    maximum_window=30 * 24 * 3600,
    minimum_reward=Wei(1 * TOKEN),
    max_model_bytes=64 * 2**20,
    max_tensor_bytes=32 * 2**20,
)
"""For public test networks."""

DEVELOPMENT_PARAMETERS = replace(
    TESTNET_PARAMETERS,
    exit_delay=30,
    move_seconds=30,
    stall_delay=60,
    fraud_seconds=5,
    update_seconds=4,
    epoch_seconds=3600,
    minimum_window=1,
)
"""For development chains: everything fits into a demonstration of a few minutes."""

DEVELOPMENT_CHAINS = frozenset({31337, 1337})


def default_parameters(chain_id: int) -> ProtocolParameters:
    """What to deploy with on this chain."""
    return DEVELOPMENT_PARAMETERS if chain_id in DEVELOPMENT_CHAINS else TESTNET_PARAMETERS
