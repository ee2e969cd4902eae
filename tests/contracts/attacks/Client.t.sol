// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IOrderBook, OrderTerms } from "../../../contracts/interfaces/IOrderBook.sol";
import { IProofOfTraining, Outcome } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Commitments } from "../../../contracts/libraries/Commitments.sol";
import { Phase } from "../../../contracts/libraries/Lifecycle.sol";
import { ScoreFunction } from "../../../contracts/libraries/ScoreFunctions.sol";
import { vm } from "../support/Vm.sol";
import { World } from "../support/World.sol";

/// @dev A client that wants models without paying for them. What it can still do is in docs/protocol.md, "What is
/// known to be open".
contract ClientAttackTest is World {
    uint256 private constant TAX = REWARD / 20;

    function test_a_client_cannot_ask_for_an_accuracy_that_nobody_can_reach() public {
        OrderTerms memory t = _terms();
        t.minimumScorePpm = 1_000_001;
        _refused(t, abi.encodeWithSelector(IOrderBook.UnattainableScore.selector, int64(1_000_000), int64(1_000_001)));
        t.minimumScorePpm = type(int64).max;
        _refused(t, abi.encodeWithSelector(IOrderBook.UnattainableScore.selector, int64(1_000_000), type(int64).max));
        t.minimumScorePpm = 1_000_000;
        vm.assertEq(put(t), 1, "a perfect model can win");
    }

    function test_a_client_cannot_ask_for_an_error_below_zero() public {
        OrderTerms memory t = _terms();
        t.scoreFunction = ScoreFunction.MeanAbsoluteError;
        t.outputSize = 1;
        t.minimumScorePpm = 1;
        _refused(t, abi.encodeWithSelector(IOrderBook.UnattainableScore.selector, int64(0), int64(1)));
        t.minimumScorePpm = 0;
        vm.assertEq(put(t), 1, "a perfect model can win");
    }

    function test_a_client_cannot_ask_for_more_validators_than_an_order_has_places() public {
        OrderTerms memory t = _terms();
        t.minimumValidators = 5;
        _refused(t, abi.encodeWithSelector(IOrderBook.LimitOutOfBounds.selector, "minimumValidators", 5, 1, 4));
    }

    function test_a_client_that_keeps_its_test_data_pays_all_the_same() public {
        uint256 oid = claimed(2);
        toReveal(oid);
        reveal(oid, provider(0));
        reveal(oid, provider(1));
        toScoreCommit(oid);
        (Payout[] memory payouts, uint256 tax) = sealOrder(oid);
        vm.assertTrue(proof.settlementOf(oid).outcome == Outcome.Shared, "shared");
        vm.assertEq(payouts[0].amount + payouts[1].amount + tax, REWARD, "nothing left for the client");
    }

    function test_a_client_cannot_release_in_the_second_in_which_the_window_ends() public {
        uint256 oid = claimed(1);
        toReveal(oid);
        reveal(oid, provider(0));
        toScoreCommit(oid);
        _late(oid);
        vm.warp(block.timestamp - 1);
        release(oid);
        vm.assertTrue(proof.phaseOf(oid) == Phase.Reveal, "the last second is inside");
    }

    function test_a_client_cannot_tailor_the_test_to_a_friend_after_the_models_are_known() public {
        uint256 oid = claimed(1);
        toReveal(oid);
        reveal(oid, provider(0));
        bytes32 other = keccak256("what the friend is good at");
        bytes32 actual = Commitments.testSet(client, other, SAMPLES, TEST_CID, SALT);
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.WrongTestSet.selector, oid, _terms().testCommitment, actual));
        vm.prank(client);
        book.releaseTest(oid, other, SAMPLES, TEST_CID, SALT);
    }

    function test_a_client_cannot_use_the_test_commitment_of_another() public {
        address copier = actor("copier", 0);
        fund(copier, REWARD);
        vm.prank(copier);
        token.approve(address(book), REWARD);
        OrderTerms memory t = _terms();
        vm.prank(copier);
        uint256 oid = book.put(t);
        enrol(provider(0), Role.Provider, BOND);
        claim(oid, provider(0));
        toReveal(oid);
        bytes32 actual = Commitments.testSet(copier, TEST_ROOT, SAMPLES, TEST_CID, SALT);
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.WrongTestSet.selector, oid, t.testCommitment, actual));
        vm.prank(copier);
        book.releaseTest(oid, TEST_ROOT, SAMPLES, TEST_CID, SALT);
    }

    function test_a_client_cannot_cancel_once_somebody_works_for_it_even_in_the_same_block() public {
        uint256 oid = claimed(1);
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.OrderHasClaims.selector, oid, 1));
        vm.prank(client);
        book.cancel(oid);
    }

    function test_a_cancelled_order_takes_no_bond() public {
        uint256 oid = put();
        enrol(provider(0), Role.Provider, BOND);
        vm.prank(client);
        book.cancel(oid);
        bytes32 commitment = modelCommitment(oid, provider(0));
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.Training, Phase.Cancelled)
        );
        vm.prank(provider(0));
        proof.claim(oid, commitment);
        vm.assertEq(locked(provider(0), Role.Provider), 0, "nothing locked");
    }

    function test_a_client_that_stalls_the_committee_gains_the_tax_and_no_more() public {
        uint256 oid = scored();
        toSealable(oid);
        (Payout[] memory payouts, uint256 tax) = sealOrder(oid);
        vm.warp(block.timestamp + _parameters().stallDelay);
        vm.prank(client);
        treasury.payDirect(oid, payouts);
        vm.assertEq(tax, TAX, "tax");
        vm.assertEq(treasury.balanceOf(client), tax, "the client");
        vm.assertEq(treasury.totalOwed(), REWARD, "everybody else as if settled");
    }

    function _late(uint256 oid) private {
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.WrongPhase.selector, oid, Phase.Reveal, Phase.Sealable));
        vm.prank(client);
        book.releaseTest(oid, TEST_ROOT, SAMPLES, TEST_CID, SALT);
    }

    function _refused(OrderTerms memory t, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(client);
        book.put(t);
    }
}
