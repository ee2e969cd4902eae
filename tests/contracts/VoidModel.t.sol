// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IProofOfTraining, Model, Outcome } from "../../contracts/interfaces/IProofOfTraining.sol";
import { Payout } from "../../contracts/interfaces/IRewardTreasury.sol";
import { IStakeVault, Role } from "../../contracts/interfaces/IStakeVault.sol";
import { Phase } from "../../contracts/libraries/Lifecycle.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

/// @dev A model whose data nobody can post: it costs its provider the claim bond, and can neither win nor share.
contract VoidModelTest is World {
    address private reporter = actor("reporter", 0);

    function test_a_void_model_costs_the_claim_bond() public {
        uint256 oid = scored();
        availability.open(oid);
        uint256 supply = token.totalSupply();
        vm.expectEmit(address(proof));
        emit IProofOfTraining.ModelVoided(oid, 1, provider(1), reporter, 50 * UNIT);
        vm.expectEmit(address(vault));
        emit IStakeVault.Slashed(
            provider(1), Role.Provider, bytes32(oid), 50 * UNIT, reporter, 25 * UNIT, 25 * UNIT, true
        );
        availability.voidModel(oid, 1, reporter);
        vm.assertTrue(proof.isVoid(oid, 1), "void");
        vm.assertTrue(!proof.isVoid(oid, 0), "the other is not");
        vm.assertTrue(!proof.tallyOf(oid, 1).eligible, "and cannot win");
        vm.assertTrue(proof.claimOf(oid, provider(1)).slashed, "marked");
        vm.assertEq(supply - token.totalSupply(), 25 * UNIT, "burned");
        vm.assertEq(token.balanceOf(reporter), 25 * UNIT, "paid");
        vm.assertEq(locked(provider(1), Role.Provider), 0, "nothing locked");
    }

    function test_the_next_best_wins() public {
        uint256 oid = scored();
        _voided(oid, 1);
        availability.close(oid, 0);
        toSealable(oid);
        proof.seal(oid);
        vm.assertEq(proof.settlementOf(oid).winner, provider(0), "the other one");
        vm.assertEq(proof.settlementOf(oid).score, 300, "with its score");
    }

    function test_the_seal_frees_everybody_else_and_the_provider_pays_once() public {
        uint256 oid = scored();
        _voided(oid, 1);
        availability.close(oid, 0);
        toSealable(oid);
        proof.seal(oid);
        vm.assertEq(bonded(provider(1), Role.Provider), BOND - 50 * UNIT, "once");
        vm.assertEq(bonded(provider(0), Role.Provider), BOND, "not the other");
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertEq(locked(provider(i), Role.Provider), 0, "providers free");
            vm.assertEq(locked(validator(i), Role.Validator), 0, "validators free");
            vm.assertEq(bonded(validator(i), Role.Validator), BOND, "and whole, for nobody slashed them");
        }
    }

    function test_without_another_model_the_client_is_refunded() public {
        int64[][] memory rows = new int64[][](1);
        rows[0] = row(300);
        uint256 oid = scored(rows);
        _voided(oid, 0);
        availability.close(oid, 0);
        toSealable(oid);
        proof.seal(oid);
        vm.assertTrue(proof.settlementOf(oid).outcome == Outcome.Refunded, "refunded");
    }

    function test_a_void_model_has_no_share() public {
        uint256 oid = revealed(3);
        enrol(validator(0), Role.Validator, BOND);
        int64[] memory scores = new int64[](3);
        commitScores(oid, validator(0), scores, VSTAKE);
        _voided(oid, 0);
        availability.voidTest(oid, reporter);
        availability.close(oid, 0);
        (Payout[] memory payouts, uint256 tax) = sealOrder(oid);
        vm.assertEq(payouts.length, 2, "two shares");
        vm.assertEq(payouts[0].account, provider(1), "the first that is not void");
        vm.assertEq(payouts[1].account, provider(2), "the second");
        vm.assertEq(payouts[0].amount + payouts[1].amount + tax, REWARD, "nothing lost");
    }

    function test_an_open_request_holds_an_order_that_nobody_scores() public {
        uint256 oid = revealed(1);
        availability.open(oid);
        toScoreReveal(oid);
        vm.assertTrue(proof.phaseOf(oid) == Phase.Challenge, "held");
        availability.voidModel(oid, 0, reporter);
        availability.close(oid, type(uint64).max);
        vm.assertTrue(proof.phaseOf(oid) == Phase.Sealable, "not stretched: nothing can follow");
    }

    function test_an_open_request_holds_an_order_whose_scores_nobody_reveals() public {
        uint256 oid = revealed(1);
        enrol(validator(0), Role.Validator, BOND);
        commitScores(oid, validator(0), row(1), VSTAKE);
        availability.open(oid);
        toChallenge(oid);
        vm.assertTrue(proof.phaseOf(oid) == Phase.Challenge, "held");
        proof.slashUnrevealedScores(oid, validator(0));
        availability.close(oid, 0);
        proof.seal(oid);
    }

    function test_a_model_is_voided_once_while_a_request_is_open_and_if_it_exists() public {
        uint256 oid = scored();
        _refused(oid, 1, abi.encodeWithSelector(IProofOfTraining.NoOpenDispute.selector, oid));
        availability.open(oid);
        _refused(oid, 2, abi.encodeWithSelector(IProofOfTraining.UnknownModel.selector, oid, 2));
        availability.voidModel(oid, 1, reporter);
        _refused(oid, 1, abi.encodeWithSelector(IProofOfTraining.ModelAlreadyVoid.selector, oid, 1));
    }

    function test_nobody_else_voids_models() public {
        uint256 oid = scored();
        availability.open(oid);
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.OnlyAvailability.selector, address(availability), address(court))
        );
        court.voidModel(oid, 1, reporter);
    }

    function test_without_a_reporter_all_is_burned() public {
        uint256 oid = scored();
        availability.open(oid);
        uint256 supply = token.totalSupply();
        availability.voidModel(oid, 1, address(0));
        vm.assertEq(supply - token.totalSupply(), 50 * UNIT, "burned");
    }

    function test_models_are_read_one_by_one() public {
        uint256 oid = scored();
        Model memory model = proof.modelAt(oid, 1);
        vm.assertEq(model.provider, provider(1), "provider");
        vm.assertEq(model.modelRoot, modelRoot(provider(1)), "root");
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.UnknownModel.selector, oid, 2));
        proof.modelAt(oid, 2);
    }

    function _voided(uint256 oid, uint16 index) private {
        availability.open(oid);
        availability.voidModel(oid, index, reporter);
    }

    function _refused(uint256 oid, uint16 index, bytes memory reason) private {
        vm.expectRevert(reason);
        availability.voidModel(oid, index, reporter);
    }
}
