// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IProofOfTraining } from "../../contracts/interfaces/IProofOfTraining.sol";
import { Payout } from "../../contracts/interfaces/IRewardTreasury.sol";
import { IStakeVault, Role } from "../../contracts/interfaces/IStakeVault.sol";
import { Lifecycle, Phase } from "../../contracts/libraries/Lifecycle.sol";
import { ScoreFunctions } from "../../contracts/libraries/ScoreFunctions.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

/// @dev What the dispute court of a later version may do, and nobody else.
contract CourtSeamTest is World {
    address private challenger = actor("challenger", 0);

    function test_an_open_dispute_keeps_an_order_from_being_sealed() public {
        uint256 oid = scored();
        vm.expectEmit(address(proof));
        emit IProofOfTraining.DisputeOpened(oid, 1);
        court.open(oid);
        court.open(oid);
        toSealable(oid);
        vm.warp(block.timestamp + 300 days);
        vm.assertTrue(proof.phaseOf(oid) == Phase.Challenge, "two open");
        court.close(oid, 0);
        vm.assertTrue(proof.phaseOf(oid) == Phase.Challenge, "one open");
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.Sealable, Phase.Challenge)
        );
        proof.seal(oid);
        court.close(oid, 0);
        proof.seal(oid);
    }

    function test_closing_stretches_the_window_and_never_shortens_it() public {
        uint256 oid = scored();
        court.open(oid);
        court.open(oid);
        uint64 end = Lifecycle.challengeEnd(windows(oid));
        vm.expectEmit(address(proof));
        emit IProofOfTraining.DisputeClosed(oid, 1, end + 500);
        court.close(oid, end + 500);
        vm.expectEmit(address(proof));
        emit IProofOfTraining.DisputeClosed(oid, 0, end + 500);
        court.close(oid, end + 1);
        vm.warp(end + 499);
        vm.assertTrue(proof.phaseOf(oid) == Phase.Challenge, "stretched");
        court.open(oid);
        court.close(oid, 0);
        vm.warp(end + 500);
        vm.assertTrue(proof.phaseOf(oid) == Phase.Sealable, "over");
    }

    function test_removing_the_false_validation_makes_a_model_eligible_again() public {
        int64[][] memory rows = new int64[][](3);
        rows[0] = row(100, 350);
        rows[1] = row(100, 360);
        rows[2] = row(100, 350);
        uint256 oid = scored(rows);
        vm.assertFalse(proof.tallyOf(oid, 1).eligible, "in conflict");
        court.open(oid);
        // vStake of validator 1 is 40: half to the challenger, half burned
        vm.expectEmit(address(proof));
        emit IProofOfTraining.ValidationRemoved(oid, validator(1), 1, challenger, 40 * UNIT);
        court.remove(oid, validator(1), 1, challenger);
        court.close(oid, 0);
        vm.assertTrue(proof.tallyOf(oid, 1).eligible, "agreed");
        vm.assertEq(proof.tallyOf(oid, 1).score, 350, "the true score");
        vm.assertEq(token.balanceOf(challenger), 20 * UNIT, "challenger");
        vm.assertEq(bonded(validator(1), Role.Validator), BOND - 40 * UNIT, "slashed");
        vm.assertEq(locked(validator(1), Role.Validator), 40 * UNIT, "other validation still backed");
        vm.assertEq(proof.sheetOf(oid, validator(1)).locked, 40 * UNIT, "sheet");
        vm.assertTrue(proof.isRemoved(oid, validator(1), 1) && !proof.isRemoved(oid, validator(1), 0), "marked");
        toSealable(oid);
        (Payout[] memory payouts,) = sealOrder(oid);
        vm.assertEq(payouts.length, 3, "the liar earns nothing");
        vm.assertEq(payouts[0].account, provider(1), "winner");
        vm.assertEq(locked(validator(1), Role.Validator), 0, "rest is free");
        vm.assertEq(bonded(validator(1), Role.Validator), BOND - 40 * UNIT, "and whole");
    }

    function test_a_conspiracy_falls_to_one_removal_each() public {
        uint256 oid = scored();
        court.open(oid);
        for (uint256 i = 0; i < 3; ++i) {
            court.remove(oid, validator(i), 1, challenger);
        }
        court.close(oid, 0);
        vm.assertEq(proof.tallyOf(oid, 1).live, 0, "none left");
        vm.assertEq(proof.tallyOf(oid, 1).distinct, 0, "nothing said");
        toSealable(oid);
        proof.seal(oid);
        vm.assertEq(proof.settlementOf(oid).winner, provider(0), "the honest one");
    }

    function test_disputes_and_requests_open_from_the_commitment_to_scores_on() public {
        uint256 oid = claimed(1);
        _notContestable(oid, Phase.Training);
        toReveal(oid);
        _notContestable(oid, Phase.Reveal);
        reveal(oid, provider(0));
        release(oid);
        toScoreCommit(oid);
        enrol(validator(0), Role.Validator, BOND);
        commitScores(oid, validator(0), row(1), VSTAKE);
        _contestable(oid);
        toScoreReveal(oid);
        revealScores(oid, validator(0), row(1));
        _contestable(oid);
        toChallenge(oid);
        _contestable(oid);
        toSealable(oid);
        _notContestable(oid, Phase.Sealable);
        proof.seal(oid);
        _notContestable(oid, Phase.Sealed);
        _notContestable(99, Phase.None);
    }

    function test_only_validations_that_stand_are_removed() public {
        int64[][] memory rows = new int64[][](2);
        rows[0] = row(100, ScoreFunctions.ABSTAIN);
        rows[1] = row(100, 350);
        uint256 oid = scored(rows);
        _notRemovable(oid, validator(0), 0, abi.encodeWithSelector(IProofOfTraining.NoOpenDispute.selector, oid));
        court.open(oid);
        _notRemovable(oid, validator(0), 2, abi.encodeWithSelector(IProofOfTraining.UnknownModel.selector, oid, 2));
        _noSuchValidation(oid, validator(0), 1);
        _noSuchValidation(oid, validator(5), 0);
        court.remove(oid, validator(0), 0, challenger);
        _noSuchValidation(oid, validator(0), 0);
    }

    function test_unrevealed_scores_are_no_validation() public {
        uint256 oid = revealed(1);
        for (uint256 i = 0; i < 2; ++i) {
            enrol(validator(i), Role.Validator, BOND);
            commitScores(oid, validator(i), row(5), VSTAKE);
        }
        toScoreReveal(oid);
        revealScores(oid, validator(0), row(5));
        toChallenge(oid);
        court.open(oid);
        _noSuchValidation(oid, validator(1), 0);
    }

    function test_nothing_closes_that_is_not_open() public {
        uint256 oid = scored();
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.NoOpenDispute.selector, oid));
        court.close(oid, 0);
    }

    function test_nobody_else_is_a_court() public {
        uint256 oid = scored();
        bytes memory reason = abi.encodeWithSelector(IProofOfTraining.NotACourt.selector, address(this));
        vm.expectRevert(reason);
        proof.disputeOpened(oid);
        vm.expectRevert(reason);
        proof.disputeClosed(oid, 0);
    }

    function test_only_the_dispute_court_removes_validations() public {
        uint256 oid = scored();
        court.open(oid);
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.OnlyCourt.selector, address(court), address(availability))
        );
        availability.remove(oid, validator(0), 0, challenger);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.OnlyCourt.selector, address(court), address(this)));
        proof.replaceValidation(oid, validator(0), 0, challenger, 350);
    }

    function test_models_that_do_not_exist_have_no_tally() public {
        uint256 oid = scored();
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.UnknownModel.selector, oid, 2));
        proof.tallyOf(oid, 2);
    }

    function _contestable(uint256 oid) private {
        uint256 snapshot = vm.snapshotState();
        court.open(oid);
        vm.assertEq(proof.factsOf(oid).openDisputes, 1, "a dispute");
        availability.open(oid);
        vm.assertEq(proof.factsOf(oid).openDisputes, 2, "a request");
        vm.revertToState(snapshot);
    }

    function _notContestable(uint256 oid, Phase actual) private {
        bytes memory reason = abi.encodeWithSelector(IProofOfTraining.NotContestable.selector, oid, actual);
        vm.expectRevert(reason);
        court.open(oid);
        vm.expectRevert(reason);
        availability.open(oid);
    }

    function _noSuchValidation(uint256 oid, address account, uint16 index) private {
        _notRemovable(
            oid, account, index, abi.encodeWithSelector(IProofOfTraining.NoSuchValidation.selector, oid, account, index)
        );
    }

    function _notRemovable(uint256 oid, address account, uint16 index, bytes memory reason) private {
        vm.expectRevert(reason);
        court.remove(oid, account, index, challenger);
    }
}
