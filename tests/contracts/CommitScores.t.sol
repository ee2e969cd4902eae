// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IProofOfTraining, ScoreSheet } from "../../contracts/interfaces/IProofOfTraining.sol";
import { IStakeVault, Role } from "../../contracts/interfaces/IStakeVault.sol";
import { Phase } from "../../contracts/libraries/Lifecycle.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

contract CommitScoresTest is World {
    uint256 private oid;

    function setUp() public override {
        super.setUp();
        oid = revealed(2);
        for (uint256 i = 0; i < 6; ++i) {
            enrol(validator(i), Role.Validator, BOND);
        }
    }

    function test_a_commitment_locks_vstake_for_each_model() public {
        vm.expectEmit(address(proof));
        emit IProofOfTraining.ScoresCommitted(oid, validator(0), SALT, VSTAKE, 2 * VSTAKE);
        _commit(0, VSTAKE);
        ScoreSheet memory sheet = proof.sheetOf(oid, validator(0));
        vm.assertEq(sheet.commitment, SALT, "commitment");
        vm.assertEq(sheet.vStake, VSTAKE, "vStake");
        vm.assertEq(sheet.locked, 2 * VSTAKE, "sheet");
        vm.assertTrue(!sheet.revealed && !sheet.slashed, "fresh");
        vm.assertEq(locked(validator(0), Role.Validator), 2 * VSTAKE, "vault");
        vm.assertEq(proof.factsOf(oid).scoreCommits, 1, "facts");
    }

    function test_commitments_have_a_window() public {
        uint256 other = revealed(1);
        vm.warp(block.timestamp - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, other, Phase.ScoreCommit, Phase.Reveal)
        );
        vm.prank(validator(0));
        proof.commitScores(other, SALT, VSTAKE);
        toScoreReveal(other);
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, other, Phase.ScoreCommit, Phase.Sealable)
        );
        vm.prank(validator(0));
        proof.commitScores(other, SALT, VSTAKE);
    }

    function test_bad_commitments_are_refused() public {
        _commit(0, VSTAKE);
        _refused(0, VSTAKE, abi.encodeWithSelector(IProofOfTraining.AlreadyCommitted.selector, oid, validator(0)));
        _refused(
            1, 10 * UNIT - 1, abi.encodeWithSelector(IProofOfTraining.VStakeTooSmall.selector, 10 * UNIT, 10 * UNIT - 1)
        );
        _refused(9, VSTAKE, abi.encodeWithSelector(IProofOfTraining.NotActive.selector, validator(9), 100 * UNIT, 0));
        vm.expectRevert(IProofOfTraining.CommitmentRequired.selector);
        vm.prank(validator(1));
        proof.commitScores(oid, 0, VSTAKE);
    }

    function test_vstake_must_be_covered_however_hostile() public {
        _uncovered(BOND / 2 + 1, BOND + 2);
        _uncovered(type(uint128).max, uint256(type(uint128).max) * 2);
        _uncovered(type(uint256).max / 2 + 1, type(uint256).max);
        _uncovered(type(uint256).max, type(uint256).max);
        _commit(0, BOND / 2);
    }

    function test_when_full_a_higher_vstake_displaces_the_lowest_and_latest() public {
        _commit(0, 30 * UNIT);
        _commit(1, 20 * UNIT);
        _commit(2, 20 * UNIT);
        _commit(3, 40 * UNIT);
        _refused(
            4, 20 * UNIT, abi.encodeWithSelector(IProofOfTraining.TooManyValidators.selector, oid, 20 * UNIT, 20 * UNIT)
        );
        vm.expectEmit(address(proof));
        emit IProofOfTraining.ValidatorDisplaced(oid, validator(2), validator(4));
        _commit(4, 21 * UNIT);
        vm.assertEq(locked(validator(2), Role.Validator), 0, "displaced: free again");
        vm.assertEq(proof.sheetOf(oid, validator(2)).commitment, 0, "displaced: forgotten");
        vm.assertEq(proof.validatorsOf(oid)[2], validator(4), "in its place");
        vm.assertEq(proof.factsOf(oid).scoreCommits, 4, "as many as before");
        // validator 1 is now the lowest, and the displaced one may come back
        _commit(2, 22 * UNIT);
        vm.assertEq(proof.validatorsOf(oid)[1], validator(2), "back");
        // 4 (21) goes next, then 2 (22)
        _commit(1, 23 * UNIT);
        vm.assertEq(proof.validatorsOf(oid)[2], validator(1), "lowest is 4");
        vm.assertEq(locked(validator(4), Role.Validator), 0, "free");
    }

    function test_a_displaced_validator_can_reveal_nothing() public {
        for (uint256 i = 0; i < 5; ++i) {
            commitScores(oid, validator(i), row(1, 2), VSTAKE + i);
        }
        toScoreReveal(oid);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.NothingCommitted.selector, oid, validator(0)));
        revealScores(oid, validator(0), row(1, 2));
    }

    function _uncovered(uint256 vStake, uint256 expected) private {
        _refused(
            0,
            vStake,
            abi.encodeWithSelector(
                IStakeVault.InsufficientFreeBond.selector, validator(0), Role.Validator, expected, BOND
            )
        );
    }

    function _commit(uint256 index, uint256 vStake) private {
        vm.prank(validator(index));
        proof.commitScores(oid, SALT, vStake);
    }

    function _refused(uint256 index, uint256 vStake, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(validator(index));
        proof.commitScores(oid, SALT, vStake);
    }
}
