// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IProofOfTraining, Outcome } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { IStakeVault, Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Commitments } from "../../../contracts/libraries/Commitments.sol";
import { Phase } from "../../../contracts/libraries/Lifecycle.sol";
import { ScoreFunctions } from "../../../contracts/libraries/ScoreFunctions.sol";
import { vm } from "../support/Vm.sol";
import { World } from "../support/World.sol";

/// @dev A validator that wants pay without work, or wants others to have worked for nothing.
contract ValidatorAttackTest is World {
    int64 private constant ABSTAIN = ScoreFunctions.ABSTAIN;

    function test_a_copied_commitment_to_scores_cannot_be_opened_and_costs_the_stake() public {
        uint256 oid = revealed(1);
        _enrol(2);
        commitScores(oid, validator(0), row(300), VSTAKE);
        bytes32 copied = Commitments.scores(oid, validator(0), row(300), SALT);
        vm.prank(validator(1));
        proof.commitScores(oid, copied, VSTAKE);
        toScoreReveal(oid);
        revealScores(oid, validator(0), row(300));
        bytes32 actual = Commitments.scores(oid, validator(1), row(300), SALT);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.WrongOpening.selector, copied, actual));
        vm.prank(validator(1));
        proof.revealScores(oid, row(300), SALT);
        toChallenge(oid);
        proof.slashUnrevealedScores(oid, validator(1));
        vm.assertEq(bonded(validator(1), Role.Validator), BOND - VSTAKE, "slashed");
    }

    function test_scores_seen_in_a_reveal_cannot_be_committed_any_more() public {
        uint256 oid = revealed(1);
        _enrol(2);
        commitScores(oid, validator(0), row(300), VSTAKE);
        toScoreReveal(oid);
        revealScores(oid, validator(0), row(300));
        bytes32 seen = Commitments.scores(oid, validator(1), row(300), SALT);
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.ScoreCommit, Phase.ScoreReveal)
        );
        vm.prank(validator(1));
        proof.commitScores(oid, seen, VSTAKE);
    }

    function test_the_last_to_reveal_cannot_fit_its_scores_to_those_of_others() public {
        uint256 oid = revealed(1);
        _enrol(2);
        commitScores(oid, validator(0), row(300), VSTAKE);
        commitScores(oid, validator(1), row(299), VSTAKE);
        toScoreReveal(oid);
        revealScores(oid, validator(0), row(300));
        bytes32 committed = Commitments.scores(oid, validator(1), row(299), SALT);
        bytes32 wanted = Commitments.scores(oid, validator(1), row(300), SALT);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.WrongOpening.selector, committed, wanted));
        vm.prank(validator(1));
        proof.revealScores(oid, row(300), SALT);
    }

    function test_keeping_scores_back_when_they_turn_out_unwelcome_costs_all_the_stake_behind_them() public {
        uint256 oid = revealed(2);
        _enrol(2);
        commitScores(oid, validator(0), row(300, 310), VSTAKE);
        commitScores(oid, validator(1), row(300, 310), VSTAKE);
        toScoreReveal(oid);
        revealScores(oid, validator(0), row(300, 310));
        toSealable(oid);
        (Payout[] memory payouts,) = sealOrder(oid);
        vm.assertEq(bonded(validator(1), Role.Validator), BOND - 2 * VSTAKE, "slashed for both models");
        vm.assertEq(payouts.length, 2, "the winner and the one validator that revealed");
    }

    function test_a_validator_that_abstains_from_the_winner_is_paid_nothing() public {
        int64[][] memory rows = new int64[][](2);
        rows[0] = row(ABSTAIN, 310);
        rows[1] = row(300, ABSTAIN);
        uint256 oid = scored(rows);
        toSealable(oid);
        (Payout[] memory payouts,) = sealOrder(oid);
        vm.assertEq(payouts.length, 2, "payouts");
        vm.assertEq(payouts[1].account, validator(0), "the one that scored the winner");
        vm.assertEq(locked(validator(1), Role.Validator), 0, "free");
    }

    function test_a_validator_that_abstains_locks_as_much_as_one_that_scores() public {
        uint256 oid = revealed(3);
        _enrol(1);
        int64[] memory scores = new int64[](3);
        (scores[0], scores[1], scores[2]) = (300, ABSTAIN, ABSTAIN);
        commitScores(oid, validator(0), scores, VSTAKE);
        vm.assertEq(locked(validator(0), Role.Validator), 3 * VSTAKE, "for all three");
    }

    function test_a_huge_vstake_neither_wraps_nor_locks_less_than_it_says() public {
        uint256 oid = revealed(2);
        _enrol(1);
        uint256[4] memory stakes = [type(uint256).max, type(uint256).max / 2 + 1, 2 ** 128, 2 ** 128 + VSTAKE];
        for (uint256 i = 0; i < stakes.length; ++i) {
            uint256 needed = stakes[i] > type(uint256).max / 2 ? type(uint256).max : stakes[i] * 2;
            bytes memory reason = abi.encodeWithSelector(
                IStakeVault.InsufficientFreeBond.selector, validator(0), Role.Validator, needed, BOND
            );
            vm.expectRevert(reason);
            vm.prank(validator(0));
            proof.commitScores(oid, keccak256("c"), stakes[i]);
        }
        vm.assertEq(locked(validator(0), Role.Validator), 0, "nothing locked");
    }

    function test_scores_out_of_range_cannot_be_revealed() public {
        int64[5] memory absurd = [type(int64).max, type(int64).min + 1, -1, int64(uint64(SAMPLES)) + 1, 2 ** 40];
        for (uint256 i = 0; i < absurd.length; ++i) {
            uint256 oid = revealed(1);
            if (i == 0) _enrol(1);
            commitScores(oid, validator(0), row(absurd[i]), VSTAKE);
            toScoreReveal(oid);
            vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.ScoreOutOfRange.selector, 0, absurd[i]));
            vm.prank(validator(0));
            proof.revealScores(oid, row(absurd[i]), SALT);
        }
    }

    function test_places_taken_cheaply_and_early_are_lost_to_any_higher_stake() public {
        uint256 oid = revealed(1);
        _enrol(5);
        for (uint256 i = 0; i < 4; ++i) {
            commitScores(oid, validator(i), row(ABSTAIN), VSTAKE);
        }
        commitScores(oid, validator(4), row(300), VSTAKE + 1);
        vm.assertEq(locked(validator(3), Role.Validator), 0, "the displaced is free");
        toScoreReveal(oid);
        for (uint256 i = 0; i < 3; ++i) {
            revealScores(oid, validator(i), row(ABSTAIN));
        }
        revealScores(oid, validator(4), row(300));
        toSealable(oid);
        proof.seal(oid);
        vm.assertTrue(proof.settlementOf(oid).outcome == Outcome.Won, "one honest validator is enough here");
    }

    function test_the_displaced_is_neither_slashed_nor_held() public {
        uint256 oid = revealed(1);
        _enrol(5);
        for (uint256 i = 0; i < 5; ++i) {
            commitScores(oid, validator(i), row(300), VSTAKE + i);
        }
        toScoreReveal(oid);
        for (uint256 i = 1; i < 5; ++i) {
            revealScores(oid, validator(i), row(300));
        }
        toChallenge(oid);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.NotSlashable.selector, oid, validator(0)));
        proof.slashUnrevealedScores(oid, validator(0));
        toSealable(oid);
        proof.seal(oid);
        vm.assertEq(bonded(validator(0), Role.Validator), BOND, "whole");
        vm.assertEq(locked(validator(0), Role.Validator), 0, "free");
    }

    function test_a_commitment_in_the_second_in_which_the_half_ends_is_too_late() public {
        uint256 oid = revealed(1);
        _enrol(1);
        toScoreReveal(oid);
        bytes32 commitment = Commitments.scores(oid, validator(0), row(300), SALT);
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.ScoreCommit, Phase.Sealable)
        );
        vm.prank(validator(0));
        proof.commitScores(oid, commitment, VSTAKE);
        vm.warp(block.timestamp - 1);
        commitScores(oid, validator(0), row(300), VSTAKE);
    }

    function _enrol(uint256 n) private {
        for (uint256 i = 0; i < n; ++i) {
            enrol(validator(i), Role.Validator, BOND);
        }
    }
}
