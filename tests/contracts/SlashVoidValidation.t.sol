// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IProofOfTraining } from "../../contracts/interfaces/IProofOfTraining.sol";
import { IStakeVault, Role } from "../../contracts/interfaces/IStakeVault.sol";
import { ScoreFunctions } from "../../contracts/libraries/ScoreFunctions.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

/// @dev Whoever claimed to have evaluated what nobody can show loses that validation's stake; nobody else does.
contract SlashVoidValidationTest is World {
    address private reporter = actor("reporter", 0);

    function test_anyone_slashes_for_the_reporter_of_the_void() public {
        uint256 oid = _void();
        uint256 supply = token.totalSupply();
        vm.expectEmit(address(proof));
        emit IProofOfTraining.ValidationRemoved(oid, validator(1), 1, reporter, 2 * VSTAKE);
        vm.expectEmit(address(vault));
        emit IStakeVault.Slashed(validator(1), Role.Validator, bytes32(oid), 2 * VSTAKE, reporter, VSTAKE, VSTAKE, true);
        vm.prank(actor("anyone", 0));
        proof.slashVoidValidation(oid, validator(1), 1);
        vm.assertEq(bonded(validator(1), Role.Validator), BOND - 2 * VSTAKE, "its stake");
        vm.assertEq(locked(validator(1), Role.Validator), 2 * VSTAKE, "the other validation's stays locked");
        vm.assertEq(proof.sheetOf(oid, validator(1)).locked, 2 * VSTAKE, "as the sheet says");
        vm.assertEq(supply - token.totalSupply(), VSTAKE, "half burned");
        vm.assertTrue(proof.isRemoved(oid, validator(1), 1), "removed");
        vm.assertEq(proof.tallyOf(oid, 1).live, 2, "out of the tally");
    }

    function test_once_for_each_validation() public {
        uint256 oid = _void();
        for (uint256 i = 0; i < 3; ++i) {
            proof.slashVoidValidation(oid, validator(i), 1);
            _safe(oid, validator(i), 1);
            _safe(oid, validator(i), 0);
        }
        vm.assertEq(proof.tallyOf(oid, 1).live, 0, "none left");
        vm.assertEq(proof.tallyOf(oid, 1).distinct, 0, "nothing said");
        availability.close(oid, 0);
        toSealable(oid);
        proof.seal(oid);
        for (uint256 i = 0; i < 3; ++i) {
            _safe(oid, validator(i), 1);
            vm.assertEq(locked(validator(i), Role.Validator), 0, "free");
            vm.assertEq(bonded(validator(i), Role.Validator), BOND - (i + 1) * VSTAKE, "one validation each");
        }
        vm.assertEq(proof.settlementOf(oid).winner, provider(0), "the model that can be had");
    }

    function test_not_after_the_seal() public {
        uint256 oid = _void();
        availability.close(oid, 0);
        toSealable(oid);
        proof.seal(oid);
        _safe(oid, validator(0), 1);
        vm.assertEq(bonded(validator(0), Role.Validator), BOND, "whole");
    }

    function test_not_once_the_test_set_is_void() public {
        uint256 oid = _void();
        availability.voidTest(oid, reporter);
        _safe(oid, validator(0), 1);
    }

    function test_not_who_abstained_or_never_scored() public {
        int64[][] memory rows = new int64[][](2);
        rows[0] = row(300, ScoreFunctions.ABSTAIN);
        rows[1] = row(300, 350);
        uint256 oid = scored(rows);
        availability.open(oid);
        availability.voidModel(oid, 1, reporter);
        _safe(oid, validator(0), 1);
        _safe(oid, validator(2), 1);
        _safe(oid, validator(1), 0);
        _safe(oid, validator(1), 2);
        _safe(oid + 1, validator(1), 1);
    }

    function test_a_score_that_is_revealed_later_costs_nothing_and_counts_nothing() public {
        uint256 oid = revealed(2);
        for (uint256 i = 0; i < 2; ++i) {
            enrol(validator(i), Role.Validator, BOND);
            commitScores(oid, validator(i), row(300, 350), VSTAKE);
        }
        toScoreReveal(oid);
        revealScores(oid, validator(0), row(300, 350));
        availability.open(oid);
        availability.voidModel(oid, 1, reporter);
        vm.expectEmit(address(proof));
        emit IProofOfTraining.ValidationRemoved(oid, validator(1), 1, address(0), 0);
        revealScores(oid, validator(1), row(300, 350));
        vm.assertEq(proof.tallyOf(oid, 1).live, 1, "not counted");
        vm.assertEq(proof.tallyOf(oid, 0).live, 2, "the other is");
        vm.assertTrue(proof.isRemoved(oid, validator(1), 1), "removed");
        _safe(oid, validator(1), 1);
        proof.slashVoidValidation(oid, validator(0), 1);
        vm.assertEq(proof.sheetOf(oid, validator(1)).locked, 2 * VSTAKE, "all of it still locked");
        availability.close(oid, 0);
        toSealable(oid);
        proof.seal(oid);
        vm.assertEq(bonded(validator(1), Role.Validator), BOND, "and free at the seal");
        vm.assertEq(locked(validator(1), Role.Validator), 0, "all of it");
        vm.assertEq(bonded(validator(0), Role.Validator), BOND - VSTAKE, "who claimed to know it pays");
    }

    function test_what_the_court_removed_before_costs_no_more() public {
        uint256 oid = scored();
        court.open(oid);
        court.remove(oid, validator(0), 1, reporter);
        availability.open(oid);
        availability.voidModel(oid, 1, reporter);
        _safe(oid, validator(0), 1);
    }

    function test_a_void_models_validations_are_not_disputable() public {
        uint256 oid = _void();
        vm.assertTrue(!proof.isLive(oid, validator(0), 1), "not live");
        vm.assertTrue(proof.isLive(oid, validator(0), 0), "the other is");
        court.open(oid);
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.NoSuchValidation.selector, oid, validator(0), uint256(1))
        );
        court.remove(oid, validator(0), 1, reporter);
    }

    function test_scores_are_read_one_by_one() public {
        int64[][] memory rows = new int64[][](1);
        rows[0] = row(300, ScoreFunctions.ABSTAIN);
        uint256 oid = scored(rows);
        vm.assertEq(proof.scoreOf(oid, validator(0), 0), 300, "score");
        vm.assertEq(proof.scoreOf(oid, validator(0), 1), ScoreFunctions.ABSTAIN, "abstention");
        vm.assertTrue(!proof.isLive(oid, validator(0), 1), "which is not live");
        vm.assertTrue(!proof.isLive(oid, validator(0), 2), "nor is a model that is not there");
        bytes4 error = IProofOfTraining.NoSuchValidation.selector;
        vm.expectRevert(abi.encodeWithSelector(error, oid, validator(0), uint256(2)));
        proof.scoreOf(oid, validator(0), 2);
        vm.expectRevert(abi.encodeWithSelector(error, oid, validator(1), uint256(0)));
        proof.scoreOf(oid, validator(1), 0);
    }

    function _void() private returns (uint256 oid) {
        oid = scored();
        availability.open(oid);
        availability.voidModel(oid, 1, reporter);
    }

    function _safe(uint256 oid, address account, uint16 index) private {
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.NotSlashable.selector, oid, account));
        proof.slashVoidValidation(oid, account, index);
    }
}
