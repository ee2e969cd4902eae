// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Item, Target } from "../../../contracts/interfaces/IAvailabilityCourt.sol";
import { Outcome } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { ChunkOpening } from "../../../contracts/libraries/ModelTree.sol";
import { ScoreFunctions } from "../../../contracts/libraries/ScoreFunctions.sol";
import { Materials } from "../invariants/Materials.sol";
import { vm } from "../support/Vm.sol";

/// @dev What a client got for nothing before there were courts, and what it gets now: one verifier with the least bond
/// undoes it. With data that are withheld and yet answered for, one by one, it still does: that is at the end.
contract CourtsAttackTest is Materials {
    address private verifier = actor("verifier", 0);

    function test_one_lying_validator_loses_its_stake_and_the_model_wins() public {
        uint256 oid = _scored(_truths(), row(1, 1));
        _enrolVerifier();
        _challenge(oid, 0);
        _challenge(oid, 1);
        vm.warp(block.timestamp + 1000);
        proof.seal(oid);
        vm.assertTrue(proof.settlementOf(oid).outcome == Outcome.Won, "won");
        vm.assertEq(bonded(validator(1), Role.Validator), BOND - 2 * VSTAKE, "the liar pays for both lies");
        vm.assertEq(bonded(verifier, Role.Verifier), 100 * UNIT, "the verifier's bond is whole");
        vm.assertEq(token.balanceOf(verifier), VSTAKE, "and it earned half of the liar's stake");
        vm.assertEq(treasury.balanceOf(client), 0, "nothing for the client");
    }

    function test_a_test_set_that_nobody_can_fetch_pays_the_providers() public {
        uint256 oid = revealed(2);
        _enrolVerifier();
        uint256 id = _askForSample(oid);
        toScoreReveal(oid);
        hall.expire(id);
        (Payout[] memory payouts,) = sealOrder(oid);
        vm.assertTrue(proof.settlementOf(oid).outcome == Outcome.Shared, "shared");
        vm.assertEq(payouts.length, 2, "by the providers");
        vm.assertEq(treasury.balanceOf(client), 0, "nothing for the client");
        vm.assertEq(locked(verifier, Role.Verifier), 0, "and the bond is back");
    }

    function test_a_model_that_nobody_can_fetch_cannot_win_by_its_friends() public {
        uint256 oid = _scored(row(ScoreFunctions.ABSTAIN, _truths()[1]), row(40, ScoreFunctions.ABSTAIN));
        _enrolVerifier();
        Target memory target;
        (target.oid, target.item) = (oid, Item.Header);
        vm.prank(verifier);
        uint256 id = hall.request(target);
        vm.warp(block.timestamp + 60);
        hall.expire(id);
        proof.slashVoidValidation(oid, validator(1), 0);
        vm.warp(block.timestamp + 1000);
        proof.seal(oid);
        vm.assertEq(proof.settlementOf(oid).winner, provider(1), "who can be evaluated");
        vm.assertEq(bonded(provider(0), Role.Provider), BOND - 50 * UNIT, "the claim bond");
        vm.assertEq(bonded(validator(1), Role.Validator), BOND - VSTAKE, "and the vStake of the friend");
        vm.assertEq(token.balanceOf(verifier), 25 * UNIT + VSTAKE / 2, "half of both to who asked");
    }

    function test_a_lie_against_the_honest_costs_the_challenger() public {
        uint256 oid = _scored(_truths(), _truths());
        _enrolVerifier();
        vm.prank(verifier);
        uint256 id = disputes.open(oid, validator(0), 0);
        _postTrueSums(id, 0);
        vm.warp(block.timestamp + 60);
        disputes.timeOut(id);
        vm.assertEq(bonded(verifier, Role.Verifier), 85 * UNIT, "cStake");
        vm.assertEq(token.balanceOf(validator(0)), 15 * UNIT / 2, "half of it to the honest");
        vm.assertTrue(proof.isLive(oid, validator(0), 0), "whose validation stands");
    }

    function test_open_a_client_that_answers_for_single_samples_keeps_its_data_back_and_earns_the_bonds() public {
        uint256 oid = revealed(2);
        _enrolVerifier();
        uint256 id = _askForSample(oid);
        ChunkOpening memory chunk;
        chunk.data = _input(0);
        vm.prank(client);
        hall.answerSample(id, _sample(0), _sampleProof(0), chunk);
        vm.assertEq(token.balanceOf(client), 3 * UNIT, "the asker's bond");
        toScoreReveal(oid);
        proof.seal(oid);
        vm.assertTrue(proof.settlementOf(oid).outcome == Outcome.Refunded, "refunded");
        vm.assertEq(treasury.balanceOf(client), REWARD, "all of it, and the models are known");
    }

    function test_open_an_accomplice_saves_half_of_a_liars_stake() public {
        uint256 oid = _scored(_truths(), row(1, 1));
        _enrolVerifier();
        uint256 before = token.balanceOf(verifier) + bonded(validator(1), Role.Validator);
        _challenge(oid, 0);
        uint256 afterwards = token.balanceOf(verifier) + bonded(validator(1), Role.Validator);
        vm.assertEq(before - afterwards, VSTAKE / 2, "lost between the two of them");
        vm.assertTrue(!proof.isLive(oid, validator(1), 0), "and the lie is gone all the same");
    }

    /// @dev The model's files are nowhere, so nobody but its provider and the validators in league with it can evaluate it;
    /// each leaf that is asked for is shown, and earns the bond.
    function test_open_a_model_kept_back_wins_by_a_false_score_if_its_provider_answers_for_single_leaves() public {
        uint256 oid = _scored(row(ScoreFunctions.ABSTAIN, _truths()[1]), row(40, ScoreFunctions.ABSTAIN));
        vm.assertTrue(_truths()[0] < 40, "the score is false");
        _enrolVerifier();
        Target memory target;
        (target.oid, target.item) = (oid, Item.Header);
        vm.prank(verifier);
        uint256 id = hall.request(target);
        vm.prank(provider(0));
        hall.answerHeader(id, _header(0));
        vm.assertEq(token.balanceOf(provider(0)), 3 * UNIT, "the asker's bond");
        vm.warp(block.timestamp + 1000);
        proof.seal(oid);
        vm.assertEq(proof.settlementOf(oid).winner, provider(0), "who can be evaluated by its friends alone");
    }

    /// @dev The friend says the same as the liar. An honest challenge that was on its way is moot, and begins again.
    function test_open_a_friend_who_wins_keeps_the_lie_for_the_price_of_half_a_stake() public {
        uint256 oid = _scored(_truths(), row(1, 1));
        _enrolVerifier();
        address friend = actor("friend", 0);
        enrol(friend, Role.Verifier, 100 * UNIT);
        vm.prank(friend);
        uint256 staged = disputes.counter(oid, validator(1), 0, 1);
        vm.warp(block.timestamp + 30);
        vm.prank(verifier);
        uint256 honest = disputes.open(oid, validator(1), 0);
        vm.warp(block.timestamp + 30);
        disputes.timeOut(staged);
        disputes.dismiss(honest);
        vm.assertEq(int256(proof.seatOf(oid, validator(1), 0).score), 1, "the lie stands where it stood");
        vm.assertEq(token.balanceOf(friend), VSTAKE / 2, "and half of the stake stays in the family");
        vm.prank(verifier);
        uint256 again = disputes.counter(oid, validator(1), 0, _truths()[0]);
        vm.assertEq(disputes.disputeOf(again).defendant, friend, "whom the next challenge meets");
        vm.warp(block.timestamp + 60);
        disputes.timeOut(again);
        vm.assertEq(bonded(friend, Role.Verifier), 85 * UNIT, "each turn costs one of them a stake");
        vm.assertEq(int256(proof.seatOf(oid, validator(1), 0).score), int256(_truths()[0]), "until nobody pays it");
    }

    /// @dev The liar is silent, so its clock decides.
    function _challenge(uint256 oid, uint16 index) private {
        vm.prank(verifier);
        uint256 id = disputes.open(oid, validator(1), index);
        vm.warp(block.timestamp + 60);
        disputes.timeOut(id);
    }

    function _postTrueSums(uint256 id, uint256 kind) private {
        int64[] memory sums = new int64[](COUNT / 2);
        for (uint256 i = 0; i < sums.length; ++i) {
            sums[i] = _trueSum(kind, 2 * i, 2 * i + 2);
        }
        vm.prank(validator(0));
        disputes.postSums(id, sums);
    }

    function _askForSample(uint256 oid) private returns (uint256) {
        Target memory target;
        (target.oid, target.item) = (oid, Item.Sample);
        vm.prank(verifier);
        return hall.request(target);
    }

    function _enrolVerifier() private {
        enrol(verifier, Role.Verifier, 100 * UNIT);
    }

    function _truths() private pure returns (int64[] memory) {
        return row(_trueSum(0, 0, COUNT), _trueSum(1, 0, COUNT));
    }

    /// @dev Two models, two validators with the same stake; the clock at the start of Challenge.
    function _scored(int64[] memory first, int64[] memory second) private returns (uint256 oid) {
        oid = revealed(2);
        int64[][2] memory rows = [first, second];
        for (uint256 i = 0; i < 2; ++i) {
            enrol(validator(i), Role.Validator, BOND);
            commitScores(oid, validator(i), rows[i], VSTAKE);
        }
        toScoreReveal(oid);
        for (uint256 i = 0; i < 2; ++i) {
            revealScores(oid, validator(i), rows[i]);
        }
        toChallenge(oid);
    }
}
