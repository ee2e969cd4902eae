"""What each role does when: tables of situations and actions."""

from dataclasses import replace

import pytest

from offchain.chain.views import Claim, Holding, Proposal, ScoreSheet
from offchain.roles import aggregator_rules, client_rules, provider_rules, validator_rules
from offchain.roles.aggregator_rules import (
    AdvanceEpoch,
    CommitteeView,
    Confirm,
    Execute,
    Join,
    MultisigView,
    PayDirect,
    Propose,
    committee_actions,
    order_actions,
    turn,
)
from offchain.roles.client_rules import ReleaseTest, client_actions
from offchain.roles.order_view import sealable_since
from offchain.roles.provider_rules import RevealModel, StopTraining, SubmitClaim, provider_actions
from offchain.roles.validator_rules import (
    CommitScores,
    RevealScores,
    SlashClaim,
    SlashScores,
    scoring_actions,
    slash_actions,
)
from offchain.types import OrderId, Seconds, Wei
from tests.simulation.evm import account
from tests.unit.roles.views import (
    CLIENT,
    ME,
    NO_CLAIM,
    NO_SHEET,
    OTHER,
    THIRD,
    candidate,
    claimed,
    scores,
    test_set,
    view,
)

TRAINING, REVEAL, COMMIT, SCORE_REVEAL, CHALLENGE, OVER = 1050, 1120, 1155, 1175, 1200, 1220

# Client


def test_the_client_releases_its_test_set_once_in_the_reveal_phase() -> None:
    record = test_set()
    assert client_actions(view(REVEAL, test_released=False), record, 0) == (ReleaseTest(record),)
    assert client_actions(view(REVEAL, test_released=False), None, 0) == (client_rules.OpeningLost(),)
    assert client_actions(view(REVEAL), record, 0) == ()
    assert client_actions(view(TRAINING, test_released=False), record, 0) == ()
    assert client_actions(view(COMMIT), record, 0) == ()


def test_the_client_leaves_sealing_to_others_for_a_while() -> None:
    assert client_actions(view(OVER + 9), None, 10) == ()
    assert client_actions(view(OVER + 10), None, 10) == (client_rules.Seal(),)
    assert client_actions(view(1100 + 10, claims=0, reveals=0), None, 10) == (client_rules.Seal(),)


@pytest.mark.parametrize(
    ("facts", "since"),
    [
        ({"claims": 0}, 1100),
        ({"reveals": 0}, 1150),
        ({"test_released": False}, 1150),
        ({"score_commits": 0}, 1170),
        ({"score_reveals": 0}, 1190),
        ({}, 1220),
        ({"challenge_until": 1300}, 1300),
    ],
)
def test_an_order_is_sealable_since_the_window_after_which_nothing_could_follow(
    facts: dict[str, int], since: int
) -> None:
    assert sealable_since(view(5000, **facts)) == since
    assert view(since, **facts).phase.name == "SEALABLE"
    assert view(since - 1, **facts).phase.name != "SEALABLE"


# Provider


def act(now: int, claim: Claim, *known: object, training: bool = False) -> tuple[object, ...]:
    return provider_actions(view(now, reveals=0), claim, known, training=training, margin=5)  # type: ignore[arg-type]


def test_a_provider_claims_its_best_and_replaces_it_only_by_a_better_one() -> None:
    poor, good, equal = candidate("poor", 5), candidate("good", 8), candidate("equal", 8)
    assert act(TRAINING, NO_CLAIM) == ()
    assert act(TRAINING, NO_CLAIM, poor, good, equal) == (SubmitClaim(good),)
    assert act(TRAINING, claimed(poor), poor, good) == (SubmitClaim(good),)
    assert act(TRAINING, claimed(good), poor, good, equal) == ()
    assert act(TRAINING, claimed(equal), good, equal) == ()
    assert act(TRAINING, claimed(candidate("lost", 9)), poor) == (SubmitClaim(poor),)


def test_of_models_with_one_score_the_surer_is_claimed() -> None:
    good, a_little, surer = candidate("good", 8), candidate("a_little", 8, 0.46), candidate("surer", 8, 0.4)
    assert act(TRAINING, NO_CLAIM, good, a_little) == (SubmitClaim(a_little),)
    assert act(TRAINING, claimed(good), good, a_little) == ()
    assert act(TRAINING, claimed(good), good, a_little, surer) == (SubmitClaim(surer),)
    assert act(TRAINING, claimed(candidate("good", 8)), good, candidate("sure but worse", 7, 0.1)) == ()


def test_a_provider_sends_no_claim_that_might_come_too_late() -> None:
    good = candidate("good", 8)
    assert act(1094, NO_CLAIM, good) == (SubmitClaim(good),)
    assert act(1095, NO_CLAIM, good) == ()


def test_a_provider_reveals_what_it_claimed() -> None:
    good, better = candidate("good", 8), candidate("better", 9)
    assert act(REVEAL, claimed(good), good, better) == (RevealModel(good),)
    assert act(REVEAL, claimed(good), better) == (provider_rules.OpeningLost(),)
    assert act(REVEAL, claimed(good, revealed=True), good) == ()
    assert act(REVEAL, NO_CLAIM, good, training=True) == (StopTraining(),)
    assert act(REVEAL, claimed(good), good, training=True) == (StopTraining(), RevealModel(good))


# Validator


def committed(name: str, **changes: object) -> ScoreSheet:
    sheet = ScoreSheet(scores(name).commitment, Wei(10), Wei(20), False, False)
    return replace(sheet, **changes)  # type: ignore[arg-type]


def test_a_validator_commits_once_and_reveals_what_it_committed() -> None:
    one, two = scores("one"), scores("two")
    assert scoring_actions(view(COMMIT), NO_SHEET, [], margin=2) == ()
    assert scoring_actions(view(COMMIT), NO_SHEET, [one], margin=2) == (CommitScores(one),)
    assert scoring_actions(view(COMMIT), NO_SHEET, [scores("new", vstake=0)], margin=2) == ()
    assert scoring_actions(view(1168), NO_SHEET, [one], margin=2) == ()
    assert scoring_actions(view(COMMIT), committed("one"), [one], margin=2) == ()
    assert scoring_actions(view(SCORE_REVEAL), committed("one"), [one, two], margin=2) == (RevealScores(one),)
    assert scoring_actions(view(SCORE_REVEAL), committed("one", revealed=True), [one], margin=2) == ()
    assert scoring_actions(view(SCORE_REVEAL), committed("one"), [two], margin=2) == (validator_rules.OpeningLost(),)
    assert scoring_actions(view(SCORE_REVEAL), NO_SHEET, [one], margin=2) == ()


def slashes(now: int, least: int = 1, **sheet: object) -> tuple[object, ...]:
    claims = {OTHER: claimed(candidate("x", 1)), THIRD: claimed(candidate("y", 1), revealed=True)}
    sheets = {OTHER: committed("x", **sheet), THIRD: committed("y", revealed=True)}
    return slash_actions(view(now, claims=2), claims, sheets, least_reward=Wei(least))


def test_faults_are_reported_when_they_are_faults_and_pay() -> None:
    assert slashes(REVEAL) == ()
    assert slashes(COMMIT) == (SlashClaim(OTHER),)
    assert slashes(SCORE_REVEAL) == (SlashClaim(OTHER),)
    assert slashes(CHALLENGE) == (SlashClaim(OTHER), SlashScores(OTHER))
    assert slashes(OVER) == (SlashClaim(OTHER), SlashScores(OTHER))
    assert slashes(CHALLENGE, slashed=True) == (SlashClaim(OTHER),)
    assert slashes(CHALLENGE, least=3) == (SlashClaim(OTHER),)  # a tenth of 20 is less than 3
    assert slashes(CHALLENGE, least=8) == ()


# Aggregator

MEMBERS = tuple(account(index) for index in range(20, 24))
COMMITTEE = CommitteeView(
    account=MEMBERS[1],
    epoch=3,
    epoch_ends_at=Seconds(9000),
    members=MEMBERS,
    candidates=MEMBERS,
    threshold=3,
    locked_stake=Wei(500),
    free_bond=Wei(0),
    now=Seconds(5000),
)
SEALED_AT = 2000


def multisig(confirmations: int, *, epoch: int = 3, confirmed: bool = False, paid: bool = False) -> MultisigView:
    holding = Holding(b"h" * 32, Wei(1000), Wei(20), Seconds(SEALED_AT), Seconds(2500), CLIENT, paid, 1)
    return MultisigView(holding, Proposal(epoch, confirmations), confirmed)


def settle(state: MultisigView | None, now: int = SEALED_AT, who: int = 1) -> tuple[object, ...]:
    sealed = view(now, is_sealed=True)
    return order_actions(sealed, replace(COMMITTEE, account=MEMBERS[who]), state, stagger=10)


def test_members_take_turns() -> None:
    assert [turn(member, MEMBERS, OrderId(1)) for member in MEMBERS] == [3, 0, 1, 2]
    assert [turn(member, MEMBERS, OrderId(6)) for member in MEMBERS] == [2, 3, 0, 1]
    assert turn(ME, MEMBERS, OrderId(1)) == 4
    assert turn(ME, (), OrderId(1)) == 0


def test_propose_confirm_execute() -> None:
    assert settle(multisig(0)) == (Propose(),)
    assert settle(multisig(0), who=2) == ()
    assert settle(multisig(0), now=SEALED_AT + 10, who=2) == (Propose(),)
    assert settle(multisig(1, confirmed=True)) == ()
    assert settle(multisig(1), who=2) == (Confirm(),)
    assert settle(multisig(3), who=0) == (Confirm(),), "the tax is for those who confirmed"
    assert settle(multisig(3, confirmed=True)) == (Execute(),)
    assert settle(multisig(3, confirmed=True), who=2) == ()
    assert settle(multisig(3, confirmed=True), now=SEALED_AT + 50, who=2) == (Execute(),)
    assert settle(multisig(3, confirmed=True, paid=True)) == ()


def test_a_proposal_of_another_epoch_is_void() -> None:
    assert settle(multisig(3, epoch=2)) == (Propose(),)


def test_a_stalled_order_is_paid_directly_by_anyone() -> None:
    assert settle(multisig(1), now=2500) == (PayDirect(),)
    stranger = replace(COMMITTEE, account=ME)
    assert order_actions(view(2499, is_sealed=True), stranger, multisig(0), stagger=10) == ()
    assert order_actions(view(2539, is_sealed=True), stranger, multisig(0), stagger=10) == ()
    assert order_actions(view(2540, is_sealed=True), stranger, multisig(0), stagger=10) == (PayDirect(),)


def test_sealing_is_done_in_turn_too() -> None:
    assert order_actions(view(OVER), COMMITTEE, None, stagger=10) == (aggregator_rules.Seal(),)
    other = replace(COMMITTEE, account=MEMBERS[2])
    assert order_actions(view(OVER + 9), other, None, stagger=10) == ()
    assert order_actions(view(OVER + 10), other, None, stagger=10) == (aggregator_rules.Seal(),)
    assert order_actions(view(CHALLENGE), COMMITTEE, None, stagger=10) == ()


def test_who_is_no_candidate_joins_if_it_can() -> None:
    outside = replace(COMMITTEE, account=ME, locked_stake=Wei(0), free_bond=Wei(500))
    assert committee_actions(outside, stake=Wei(500), stagger=10, payment_waits=False) == (Join(Wei(500)),)
    assert committee_actions(outside, stake=Wei(501), stagger=10, payment_waits=False) == ()
    leaving = replace(outside, locked_stake=Wei(500), members=(ME,))
    assert committee_actions(leaving, stake=Wei(500), stagger=10, payment_waits=False) == ()


def test_epochs_start_when_they_are_due() -> None:
    def actions(now: int, who: int = 0) -> tuple[object, ...]:
        seen = replace(COMMITTEE, account=MEMBERS[who], now=Seconds(now))
        return committee_actions(seen, stake=Wei(500), stagger=10, payment_waits=False)

    assert actions(8999) == ()
    assert actions(9000) == (AdvanceEpoch(3),)
    assert actions(9000, who=1) == ()
    assert actions(9010, who=1) == (AdvanceEpoch(3),)


def test_the_first_epoch_waits_for_a_committee_that_bears_a_fault_or_for_a_payment() -> None:
    alone = replace(
        COMMITTEE, account=MEMBERS[0], epoch=0, epoch_ends_at=Seconds(0), candidates=MEMBERS[:1], members=()
    )
    assert committee_actions(alone, stake=Wei(500), stagger=10, payment_waits=False) == ()
    assert committee_actions(alone, stake=Wei(500), stagger=10, payment_waits=True) == (AdvanceEpoch(0),)
    four = replace(alone, candidates=MEMBERS)
    assert committee_actions(four, stake=Wei(500), stagger=10, payment_waits=False) == (AdvanceEpoch(0),)
