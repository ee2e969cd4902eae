// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ProtocolParameters } from "../../../contracts/interfaces/IParameters.sol";
import { IProofOfTraining, Outcome } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { ScoreFunctions } from "../../../contracts/libraries/ScoreFunctions.sol";
import { vm } from "../support/Vm.sol";
import { World } from "../support/World.sol";

/// @dev Attacks that succeed today, with what they cost and gain: the facts behind docs/protocol.md, "What is known to
/// be open". Whoever closes one turns its test around and moves it (those that the courts closed: Courts.t.sol).
contract OpenAttackTest is World {
    function test_open_seats_bought_at_the_last_moment_refund_the_client_for_locked_capital_alone() public {
        uint256 oid = revealed(1);
        enrol(validator(9), Role.Validator, BOND);
        commitScores(oid, validator(9), row(300), VSTAKE);
        for (uint256 i = 0; i < 4; ++i) {
            enrol(validator(i), Role.Validator, BOND);
            commitScores(oid, validator(i), row(ScoreFunctions.ABSTAIN), VSTAKE + 1);
        }
        toScoreReveal(oid);
        for (uint256 i = 0; i < 4; ++i) {
            revealScores(oid, validator(i), row(ScoreFunctions.ABSTAIN));
        }
        toSealable(oid);
        proof.seal(oid);
        _refunded(oid);
        vm.assertEq(bonded(validator(0), Role.Validator), BOND, "and they lose nothing");
    }

    function test_open_a_raised_least_bond_shuts_validators_out_of_an_order_already_put() public {
        uint256 oid = revealed(1);
        enrol(validator(0), Role.Validator, BOND);
        ProtocolParameters memory p = _parameters();
        p.validatorMinimum = BOND + 1;
        parameters.setParameters(p);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.NotActive.selector, validator(0), BOND + 1, BOND));
        vm.prank(validator(0));
        proof.commitScores(oid, keccak256("scores"), VSTAKE);
    }

    function test_open_one_hand_with_three_claims_has_three_shares() public {
        uint256 oid = claimed(3);
        toReveal(oid);
        for (uint256 i = 0; i < 3; ++i) {
            reveal(oid, provider(i));
        }
        toScoreCommit(oid);
        (Payout[] memory payouts, uint256 tax) = sealOrder(oid);
        vm.assertEq(payouts.length, 3, "shares");
        vm.assertEq(payouts[2].amount, (REWARD - tax) / 3, "a third");
    }

    function _refunded(uint256 oid) private view {
        vm.assertTrue(proof.settlementOf(oid).outcome == Outcome.Refunded, "refunded");
        vm.assertEq(treasury.balanceOf(client), REWARD, "all of it, and the models are known");
    }
}
