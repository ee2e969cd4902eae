// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IProofOfTraining } from "../../contracts/interfaces/IProofOfTraining.sol";
import { IStakeVault, Role } from "../../contracts/interfaces/IStakeVault.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

contract SlashTest is World {
    address private reporter = actor("reporter", 0);

    function test_an_unrevealed_claim_is_slashed_for_the_reporter() public {
        uint256 oid = claimed(2);
        toReveal(oid);
        reveal(oid, provider(1));
        release(oid);
        toScoreCommit(oid);
        uint256 supply = token.totalSupply();
        vm.expectEmit(address(vault));
        emit IStakeVault.Slashed(
            provider(0), Role.Provider, bytes32(oid), 50 * UNIT, reporter, 5 * UNIT, 45 * UNIT, true
        );
        vm.prank(reporter);
        proof.slashUnrevealedClaim(oid, provider(0));
        vm.assertEq(bonded(provider(0), Role.Provider), BOND - 50 * UNIT, "bond");
        vm.assertEq(locked(provider(0), Role.Provider), 0, "lock");
        vm.assertEq(token.balanceOf(reporter), 5 * UNIT, "reporter");
        vm.assertEq(supply - token.totalSupply(), 45 * UNIT, "burned");
        vm.assertTrue(proof.claimOf(oid, provider(0)).slashed, "marked");
    }

    function test_claims_are_slashable_from_the_end_of_the_window_once_and_if_unrevealed() public {
        uint256 oid = claimed(2);
        toReveal(oid);
        reveal(oid, provider(1));
        release(oid);
        _claimSafe(oid, provider(0));
        toScoreCommit(oid);
        _claimSafe(oid, provider(1));
        _claimSafe(oid, provider(2));
        proof.slashUnrevealedClaim(oid, provider(0));
        _claimSafe(oid, provider(0));
        toSealable(oid);
        proof.seal(oid);
        _claimSafe(oid, provider(0));
        vm.assertEq(bonded(provider(0), Role.Provider), BOND - 50 * UNIT, "once");
    }

    function test_a_claim_is_slashable_until_the_seal_even_when_nobody_revealed() public {
        uint256 oid = claimed(1);
        toSealable(oid);
        proof.slashUnrevealedClaim(oid, provider(0));
        proof.seal(oid);
        vm.assertEq(treasury.balanceOf(client), REWARD, "refunded");
    }

    function test_unrevealed_scores_cost_all_the_stake_behind_them() public {
        uint256 oid = _committed();
        toScoreReveal(oid);
        revealScores(oid, validator(1), row(1, 2));
        _scoresSafe(oid, validator(0));
        toChallenge(oid);
        vm.expectEmit(address(proof));
        emit IProofOfTraining.ScoresSlashed(oid, validator(0), 2 * VSTAKE, reporter);
        vm.prank(reporter);
        proof.slashUnrevealedScores(oid, validator(0));
        vm.assertEq(bonded(validator(0), Role.Validator), BOND - 2 * VSTAKE, "bond");
        vm.assertEq(token.balanceOf(reporter), 2 * VSTAKE / 10, "reporter");
        vm.assertEq(proof.sheetOf(oid, validator(0)).locked, 0, "nothing locked");
        _scoresSafe(oid, validator(0));
        _scoresSafe(oid, validator(1));
        _scoresSafe(oid, validator(2));
        toSealable(oid);
        proof.seal(oid);
        _scoresSafe(oid, validator(0));
        vm.assertEq(bonded(validator(0), Role.Validator), BOND - 2 * VSTAKE, "once");
    }

    function test_the_seal_slashes_what_is_left_for_the_sealer() public {
        uint256 oid = _committed();
        claimed(3);
        toScoreReveal(oid);
        revealScores(oid, validator(1), row(1, 2));
        toSealable(oid);
        vm.prank(reporter);
        proof.seal(oid);
        vm.assertEq(token.balanceOf(reporter), 2 * VSTAKE / 10, "sealer's share");
        vm.assertEq(locked(validator(0), Role.Validator), 0, "slashed");
        vm.assertEq(locked(validator(1), Role.Validator), 0, "freed");
        vm.assertEq(bonded(validator(1), Role.Validator), BOND, "whole");
        vm.assertTrue(proof.sheetOf(oid, validator(0)).slashed, "marked");
    }

    function test_the_seal_slashes_claims_too() public {
        uint256 oid = claimed(3);
        toReveal(oid);
        reveal(oid, provider(1));
        toScoreCommit(oid);
        vm.expectEmit(address(proof));
        emit IProofOfTraining.ClaimSlashed(oid, provider(0), 50 * UNIT, reporter);
        vm.prank(reporter);
        proof.seal(oid);
        vm.assertEq(token.balanceOf(reporter), 10 * UNIT, "two claims");
        vm.assertEq(bonded(provider(1), Role.Provider), BOND, "revealed: whole");
        vm.assertEq(locked(provider(1), Role.Provider), 0, "revealed: free");
    }

    function test_reporting_yourself_never_pays() public {
        uint256 oid = claimed(1);
        toSealable(oid);
        uint256 before = token.balanceOf(provider(0)) + bonded(provider(0), Role.Provider);
        vm.prank(provider(0));
        proof.slashUnrevealedClaim(oid, provider(0));
        uint256 afterwards = token.balanceOf(provider(0)) + bonded(provider(0), Role.Provider);
        vm.assertEq(before - afterwards, 45 * UNIT, "nine tenths lost");
    }

    function test_nor_does_sealing_yourself() public {
        uint256 oid = claimed(1);
        toSealable(oid);
        uint256 before = token.balanceOf(provider(0)) + bonded(provider(0), Role.Provider);
        vm.prank(provider(0));
        proof.seal(oid);
        vm.assertEq(
            before - token.balanceOf(provider(0)) - bonded(provider(0), Role.Provider), 45 * UNIT, "nine tenths lost"
        );
    }

    function _committed() private returns (uint256 oid) {
        oid = revealed(2);
        for (uint256 i = 0; i < 2; ++i) {
            enrol(validator(i), Role.Validator, BOND);
            commitScores(oid, validator(i), row(1, 2), VSTAKE);
        }
    }

    function _claimSafe(uint256 oid, address account) private {
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.NotSlashable.selector, oid, account));
        proof.slashUnrevealedClaim(oid, account);
    }

    function _scoresSafe(uint256 oid, address account) private {
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.NotSlashable.selector, oid, account));
        proof.slashUnrevealedScores(oid, account);
    }
}
