// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IProofOfTraining, Outcome } from "../../contracts/interfaces/IProofOfTraining.sol";
import { Payout } from "../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../contracts/interfaces/IStakeVault.sol";
import { Phase } from "../../contracts/libraries/Lifecycle.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

/// @dev A test set whose data nobody can post was never released: the providers share, validators have their stake back.
contract VoidTestTest is World {
    address private reporter = actor("reporter", 0);

    function test_a_void_test_set_shares_the_reward() public {
        uint256 oid = scored();
        availability.open(oid);
        vm.expectEmit(address(proof));
        emit IProofOfTraining.TestVoided(oid, reporter);
        availability.voidTest(oid, reporter);
        vm.assertTrue(proof.isTestVoid(oid), "void");
        vm.assertTrue(!proof.factsOf(oid).testReleased, "as if never released");
        vm.assertTrue(!proof.tallyOf(oid, 1).eligible, "nothing to win");
        availability.close(oid, type(uint64).max);
        (Payout[] memory payouts, uint256 tax) = sealOrder(oid);
        vm.assertTrue(proof.settlementOf(oid).outcome == Outcome.Shared, "shared");
        vm.assertEq(payouts.length, 2, "by all who revealed");
        vm.assertEq(payouts[0].amount + payouts[1].amount + tax, REWARD, "nothing lost");
    }

    function test_the_order_is_sealable_at_once_when_nothing_else_is_open() public {
        uint256 oid = scored();
        court.open(oid);
        availability.open(oid);
        availability.voidTest(oid, reporter);
        availability.close(oid, type(uint64).max);
        vm.assertTrue(proof.phaseOf(oid) == Phase.Challenge, "a dispute is open");
        court.close(oid, type(uint64).max);
        vm.assertTrue(proof.phaseOf(oid) == Phase.Sealable, "none is");
    }

    function test_nobody_is_slashed_for_scores_that_were_not_revealed() public {
        uint256 oid = _committed();
        availability.open(oid);
        availability.voidTest(oid, reporter);
        availability.close(oid, 0);
        toSealable(oid);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.NotSlashable.selector, oid, validator(0)));
        proof.slashUnrevealedScores(oid, validator(0));
        proof.seal(oid);
        for (uint256 i = 0; i < 2; ++i) {
            vm.assertEq(bonded(validator(i), Role.Validator), BOND, "whole");
            vm.assertEq(locked(validator(i), Role.Validator), 0, "free");
            vm.assertEq(locked(provider(i), Role.Provider), 0, "providers too");
        }
        vm.assertTrue(!proof.sheetOf(oid, validator(0)).slashed, "not marked either");
    }

    function test_what_was_slashed_before_stays_so() public {
        uint256 oid = _committed();
        toScoreReveal(oid);
        revealScores(oid, validator(1), row(1, 2));
        toChallenge(oid);
        proof.slashUnrevealedScores(oid, validator(0));
        court.open(oid);
        court.remove(oid, validator(1), 0, reporter);
        availability.open(oid);
        availability.voidTest(oid, reporter);
        availability.close(oid, 0);
        court.close(oid, 0);
        proof.seal(oid);
        vm.assertEq(bonded(validator(0), Role.Validator), BOND - 2 * VSTAKE, "for the clock");
        vm.assertEq(bonded(validator(1), Role.Validator), BOND - VSTAKE, "for the lie");
        vm.assertEq(locked(validator(0), Role.Validator) + locked(validator(1), Role.Validator), 0, "all free");
    }

    function test_void_during_commitment_nobody_commits_or_reveals_any_more() public {
        uint256 oid = _committed();
        availability.open(oid);
        availability.voidTest(oid, reporter);
        enrol(validator(2), Role.Validator, BOND);
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.ScoreCommit, Phase.Challenge)
        );
        vm.prank(validator(2));
        proof.commitScores(oid, keccak256("scores"), VSTAKE);
        availability.close(oid, 0);
        vm.assertTrue(proof.phaseOf(oid) == Phase.Sealable, "at once");
    }

    function test_no_validation_is_live_any_more() public {
        uint256 oid = scored();
        vm.assertTrue(proof.isLive(oid, validator(0), 1), "live");
        court.open(oid);
        availability.open(oid);
        availability.voidTest(oid, reporter);
        vm.assertTrue(!proof.isLive(oid, validator(0), 1), "not any more");
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.NoSuchValidation.selector, oid, validator(0), uint256(1))
        );
        court.remove(oid, validator(0), 1, reporter);
    }

    function test_models_can_still_be_void_and_without_any_the_client_is_refunded() public {
        uint256 oid = scored();
        availability.open(oid);
        availability.voidTest(oid, reporter);
        availability.voidModel(oid, 0, reporter);
        availability.voidModel(oid, 1, reporter);
        availability.close(oid, 0);
        proof.seal(oid);
        vm.assertTrue(proof.settlementOf(oid).outcome == Outcome.Refunded, "refunded");
        vm.assertEq(treasury.balanceOf(client), REWARD, "all of it");
        vm.assertEq(bonded(provider(0), Role.Provider), BOND - 50 * UNIT, "the providers pay for it");
    }

    function test_a_test_set_is_voided_once_and_while_a_request_is_open() public {
        uint256 oid = scored();
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.NoOpenDispute.selector, oid));
        availability.voidTest(oid, reporter);
        availability.open(oid);
        availability.voidTest(oid, reporter);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.TestAlreadyVoid.selector, oid));
        availability.voidTest(oid, reporter);
    }

    function test_nobody_else_voids_test_sets() public {
        uint256 oid = scored();
        court.open(oid);
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.OnlyAvailability.selector, address(availability), address(court))
        );
        court.voidTest(oid, reporter);
    }

    function _committed() private returns (uint256 oid) {
        oid = revealed(2);
        for (uint256 i = 0; i < 2; ++i) {
            enrol(validator(i), Role.Validator, BOND);
            commitScores(oid, validator(i), row(1, 2), VSTAKE);
        }
    }
}
