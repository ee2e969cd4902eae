"""Verifiers against liars, worker against worker, through the deployed contracts."""

from collections.abc import Iterator

import pytest

from offchain.chain.enums import Role
from offchain.dispute.state import Verdict
from offchain.roles.lies import Defence, FlipOneSample
from tests.integration.roles.court_stage import (
    OID,
    Courthouse,
    courthouse,
    liar,
    play,
    score,
    validator,
    verifier,
)


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Courthouse]:
    with courthouse(tmp_path_factory.mktemp("court")) as house:
        yield house


@pytest.fixture
def house(building: Courthouse) -> Iterator[Courthouse]:
    """The building as it was before the first test."""
    snapshot = building.client.request("evm_snapshot")
    building.act += 1
    yield building
    assert building.client.request("evm_revert", snapshot)


@pytest.mark.parametrize("defence", list(Defence))
def test_one_false_sample_among_honest_scores_is_proven_false(house: Courthouse, defence: Defence) -> None:
    contracts = house.stage.contracts
    false = liar(FlipOneSample(0), defence)
    score(house, {"validator0": validator, "validator1": validator, "validator2": false})
    before = {name: house.wealth(name) for name in house.accounts}
    players = {"verifier0": verifier, "validator2": false}
    play(house, players)
    if defence is Defence.SILENT:
        from offchain.chain.devnet import travel

        travel(house.client, 31)
        play(house, players)
    (case,) = house.cases()
    assert case.dispute.verdict is Verdict.FALSE
    assert contracts.is_removed(OID, house.address("validator2"), 0)
    order = contracts.order(OID)
    stake, share = order.minimum_v_stake, order.dispute_share_ppm
    gained = {name: house.wealth(name) - amount for name, amount in before.items()}
    assert gained == {name: 0 for name in before} | {
        "validator2": -stake,
        "verifier0": stake * share // 1_000_000,
    }
    assert contracts.bond(house.address("verifier0"), Role.VERIFIER).locked == 0
