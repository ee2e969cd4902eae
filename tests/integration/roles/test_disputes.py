"""Verifiers against liars, worker against worker, through the deployed contracts."""

from collections.abc import Iterator

import pytest

from offchain.chain.devnet import travel
from offchain.chain.enums import Role
from offchain.dispute.state import Verdict
from offchain.protocol.scores import ABSTAIN, PPM
from offchain.protocol.settlement import Outcome
from offchain.roles.challenge import DisputePlayer, judge, open_challenge, view_order
from offchain.roles.context import RoleContext
from offchain.roles.lies import Conspiracy, CopyWithNoise, Defence, FlipOneSample
from offchain.roles.settled import compute_settlement, sealed_payouts
from offchain.roles.validations import read_validations
from tests.integration.roles.court_stage import (
    OID,
    Courthouse,
    client_worker,
    courthouse,
    liar,
    play,
    score,
    validator,
    verifier,
)
from tests.integration.roles.killing import Inline

POOR, GOOD = 0, 1
"""Model indices."""


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


def wealth(house: Courthouse) -> dict[str, int]:
    return {name: house.wealth(name) for name in house.accounts}


def gains(house: Courthouse, before: dict[str, int]) -> dict[str, int]:
    """Whose wealth has changed, and by how much."""
    return {name: gain for name, amount in before.items() if (gain := house.wealth(name) - amount)}


def shares(house: Courthouse) -> tuple[int, int]:
    """A validation's stake, and what the winner has of it."""
    order = house.stage.contracts.order(OID)
    return order.minimum_v_stake, order.minimum_v_stake * order.dispute_share_ppm // PPM


def wait_for_the_clock(house: Courthouse) -> None:
    travel(house.client, house.stage.contracts.order(OID).move_seconds + 1)


def end_the_window(house: Courthouse) -> None:
    """No more challenges, also where disputes have stretched the window."""
    facts, windows = house.stage.contracts.facts(OID), house.stage.contracts.order(OID).windows
    assert facts.open_disputes == 0
    travel(house.client, max(windows.challenge_end, facts.challenge_until) - house.client.now())


@pytest.mark.parametrize("defence", list(Defence))
def test_one_false_sample_among_honest_scores_is_proven_false(house: Courthouse, defence: Defence) -> None:
    contracts = house.stage.contracts
    false = liar(FlipOneSample(GOOD), defence)
    score(house, {"validator0": validator, "validator1": validator, "validator2": false})
    before = wealth(house)
    players = {"verifier0": verifier, "validator2": false}
    play(house, players)
    if defence is Defence.SILENT:
        assert house.cases()[0].is_open
        wait_for_the_clock(house)
        play(house, players)
    (case,) = house.cases()
    assert case.dispute.verdict is Verdict.FALSE
    assert contracts.is_removed(OID, house.address("validator2"), GOOD)
    assert not contracts.is_removed(OID, house.address("validator2"), POOR), "its other validation stays"
    stake, share = shares(house)
    assert gains(house, before) == {"validator2": -stake, "verifier0": share}
    assert contracts.bond(house.address("verifier0"), Role.VERIFIER).locked == 0


def test_one_verifier_defeats_a_conspiracy_of_all_validators(house: Courthouse) -> None:
    contracts = house.stage.contracts
    provider, favourite = house.address("provider1"), house.address("provider0")
    false = liar(Conspiracy(favourite))
    liars = {f"validator{i}": false for i in range(3)}
    score(house, liars)
    assert compute_settlement(contracts, OID).winner == favourite, "so it would end without the verifier"
    minimum = contracts.protocol_parameters().verifier_minimum
    assert contracts.bond(house.address("verifier0"), Role.VERIFIER).bonded == minimum
    before = wealth(house)
    play(house, {"verifier0": verifier, **liars})
    assert [case.dispute.verdict for case in house.cases()] == [Verdict.FALSE] * 3
    stake, share = shares(house)
    assert gains(house, before) == {"verifier0": 3 * share} | dict.fromkeys(liars, -stake)
    end_the_window(house)
    house.work("client", client_worker)
    settled = contracts.settlement(OID)
    assert (settled.outcome, settled.winner, settled.model_index) == (Outcome.WON, provider, GOOD)


def test_one_verifier_with_the_least_stake_suffices_where_everybody_lies_about_everything(house: Courthouse) -> None:
    """No true validation of any model is left, so its own scores take the places that the best model needs."""
    contracts, verifying = house.stage.contracts, house.address("verifier0")
    best, favourite = house.address("provider1"), house.address("provider0")
    liars = {f"validator{i}": liar(Conspiracy(favourite, slander=2)) for i in range(3)}
    score(house, liars)
    assert compute_settlement(contracts, OID).winner == favourite, "so it would end without the verifier"
    before = wealth(house)
    play(house, {"verifier0": verifier, **liars})
    cases = house.cases()
    assert [case.dispute.verdict for case in cases] == [Verdict.FALSE] * 6
    assert sum(case.dispute.counter != ABSTAIN for case in cases) == 2, "as many places as the model needs"
    assert contracts.bond(verifying, Role.VERIFIER).locked == 2 * contracts.order(OID).challenge_stake
    stake, share = shares(house)
    assert gains(house, before) == {"verifier0": 6 * share} | dict.fromkeys(liars, -2 * stake)
    end_the_window(house)
    house.work("client", client_worker)
    settled = contracts.settlement(OID)
    assert (settled.outcome, settled.winner, settled.model_index) == (Outcome.WON, best, GOOD)
    paid = {payout.account: payout.amount for payout in sealed_payouts(contracts, OID)}
    assert set(paid) == {best, verifying}, "the validators' part is the verifier's"
    house.work("verifier0", verifier)
    bond = contracts.bond(verifying, Role.VERIFIER)
    assert (bond.bonded, bond.locked) == (contracts.protocol_parameters().verifier_minimum, 0)
    sent = house.client.nonce(verifying)
    house.work("verifier0", verifier)
    assert house.client.nonce(verifying) == sent, "and there is nothing left to do"


def test_an_accomplice_cannot_empty_the_places_that_the_best_model_needs(house: Courthouse) -> None:
    """It challenges at once, so as to win against a liar that gives in, and would leave nothing in the place."""
    contracts = house.stage.contracts
    false = liar(FlipOneSample(GOOD))
    score(house, {"validator0": validator, "validator1": false})
    accused = house.address("validator1")

    def pretend(context: RoleContext) -> None:
        view = view_order(context.contracts, OID)
        open_challenge(context, view, judge(context, view, accused, GOOD)[0], take_place=False)

    house.mortal("verifier1").alive(pretend)
    play(house, {"verifier0": verifier, "validator1": false})
    assert house.cases()[1].dispute.verdict is Verdict.FALSE
    seat = read_validations(contracts, OID)[3]
    assert (seat.validator, seat.holder, seat.score) == (accused, house.address("verifier0"), 48)
    assert contracts.tally(OID, GOOD).eligible


def test_a_place_that_was_emptied_before_is_taken_without_a_dispute(house: Courthouse) -> None:
    """The accomplice has won already when the verifier comes."""
    contracts = house.stage.contracts
    false = liar(FlipOneSample(GOOD))
    score(house, {"validator0": validator, "validator1": false})
    accused = house.address("validator1")

    def pretend(context: RoleContext) -> None:
        view = view_order(context.contracts, OID)
        open_challenge(context, view, judge(context, view, accused, GOOD)[0], take_place=False)

    def accomplice(context: RoleContext) -> DisputePlayer:
        return DisputePlayer(context, OID, 1, executor=Inline())

    house.mortal("verifier1").alive(pretend)
    play(house, {"verifier1": accomplice, "validator1": false})
    assert not contracts.tally(OID, GOOD).eligible, "one true validation, and the order wants two"
    house.work("verifier0", verifier)
    assert len(house.cases()) == 1
    assert contracts.tally(OID, GOOD).eligible
    end_the_window(house)
    house.work("client", client_worker)
    assert contracts.settlement(OID).model_index == GOOD
    assert contracts.bond(house.address("verifier0"), Role.VERIFIER).locked > 0
    house.work("verifier0", verifier)
    assert contracts.bond(house.address("verifier0"), Role.VERIFIER).locked == 0


def test_copies_with_noise_are_proven_false_one_model_after_the_other(house: Courthouse) -> None:
    copier = liar(CopyWithNoise(lambda _: None, noise=2))
    score(house, {"validator0": validator, "validator1": copier})
    before = wealth(house)
    play(house, {"verifier0": verifier, "validator0": validator, "validator1": copier})
    assert [case.dispute.verdict for case in house.cases()] == [Verdict.FALSE] * 2
    stake, share = shares(house)
    assert gains(house, before) == {"verifier0": 2 * share, "validator1": -2 * stake}


def test_who_challenges_the_truth_loses_its_stake(house: Courthouse) -> None:
    order = house.stage.contracts.order(OID)
    score(house, {"validator0": validator, "validator1": validator})
    before = wealth(house)
    honest = house.address("validator0")

    def accuse(context: RoleContext) -> None:
        view = view_order(context.contracts, OID)
        judged = judge(context, view, honest, None)
        assert [item.is_false for item in judged] == [False, False]
        assert open_challenge(context, view, judged[GOOD], take_place=False) == 1
        assert open_challenge(context, view, judged[GOOD], take_place=False) == 1, "the same dispute, not another"

    house.mortal("verifier1").alive(accuse)
    players = {"validator0": validator, "verifier1": verifier}
    play(house, players)
    (case,) = house.cases()
    assert case.is_open, "the honest validator has answered, and the accuser has nothing to say"
    wait_for_the_clock(house)
    play(house, players)
    (case,) = house.cases()
    assert case.dispute.verdict is Verdict.STANDS
    share = order.challenge_stake * order.dispute_share_ppm // PPM
    assert gains(house, before) == {"verifier1": -order.challenge_stake, "validator0": share}


def test_an_accomplice_who_challenges_first_and_loses_keeps_nobody_else_out(house: Courthouse) -> None:
    contracts = house.stage.contracts
    false = liar(FlipOneSample(GOOD))
    score(house, {"validator0": validator, "validator2": validator, "validator1": false})
    accused = house.address("validator1")

    def pretend(context: RoleContext) -> None:
        view = view_order(context.contracts, OID)
        open_challenge(context, view, judge(context, view, accused, GOOD)[0], take_place=False)

    house.mortal("verifier1").alive(pretend)
    players = {"verifier0": verifier, "validator1": false}
    play(house, players)
    assert len(house.cases()) == 1, "the verifier leaves it to whoever was first"
    wait_for_the_clock(house)
    play(house, players)
    verdicts = [case.dispute.verdict for case in house.cases()]
    assert verdicts == [Verdict.STANDS, Verdict.FALSE]
    assert house.cases()[1].dispute.challenger == house.address("verifier0")
    assert contracts.is_removed(OID, accused, GOOD)


def test_a_verifier_that_starts_late_and_alone_still_finds_all(house: Courthouse) -> None:
    """Its first look is in the last minute of the challenge window; the liars have scored both models falsely."""
    false = liar(CopyWithNoise(lambda _: None), Defence.SILENT)
    score(house, {"validator0": false, "validator1": false})
    windows = house.stage.contracts.order(OID).windows
    travel(house.client, windows.challenge_end - house.client.now() - 60)
    play(house, {"verifier0": verifier})
    assert len(house.cases()) == 4
    wait_for_the_clock(house)
    play(house, {"verifier0": verifier})
    assert [case.dispute.verdict for case in house.cases()] == [Verdict.FALSE] * 4


def test_two_verifiers_do_not_pay_for_one_proof_twice(house: Courthouse) -> None:
    false = liar(FlipOneSample(POOR))
    score(house, {"validator0": validator, "validator1": false})
    play(house, {"verifier0": verifier, "verifier1": verifier, "validator1": false})
    (case,) = house.cases()
    assert (case.dispute.verdict, case.dispute.challenger) == (Verdict.FALSE, house.address("verifier0"))
