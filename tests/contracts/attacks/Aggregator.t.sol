// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAggregatorCommittee } from "../../../contracts/interfaces/IAggregatorCommittee.sol";
import { ProtocolParameters } from "../../../contracts/interfaces/IParameters.sol";
import { OrderTerms } from "../../../contracts/interfaces/IOrderBook.sol";
import { IProofOfTraining } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { Phase } from "../../../contracts/libraries/Lifecycle.sol";
import { IRewardTreasury, Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Commitments } from "../../../contracts/libraries/Commitments.sol";
import { vm } from "../support/Vm.sol";
import { World } from "../support/World.sol";

/// @dev Aggregators that want another's money, the tax twice, or that nobody is paid.
contract AggregatorAttackTest is World {
    uint256 private constant TAX = REWARD / 20;

    function test_a_committee_of_one_takes_the_tax_and_can_pay_nobody_but_those_who_earned() public {
        seated(1);
        (uint256 oid, Payout[] memory payouts) = _sealed();
        Payout[] memory theirs = _copy(payouts);
        theirs[0].account = aggregator(0);
        bytes32 actual = Commitments.payouts(oid, theirs, TAX);
        bytes32 expected = proof.settlementOf(oid).payoutsHash;
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.PayoutsMismatch.selector, expected, actual));
        vm.prank(aggregator(0));
        treasury.propose(oid, theirs);
        vm.prank(aggregator(0));
        treasury.propose(oid, payouts);
        vm.prank(aggregator(0));
        treasury.execute(oid, payouts);
        vm.assertEq(treasury.balanceOf(aggregator(0)), TAX, "the tax and no more");
    }

    function test_the_payouts_of_one_order_do_not_pay_another() public {
        seated(1);
        (uint256 first, Payout[] memory payouts) = _sealed();
        (uint256 second,) = _sealed();
        bytes32 actual = Commitments.payouts(second, payouts, TAX);
        bytes32 expected = proof.settlementOf(second).payoutsHash;
        vm.assertTrue(expected != proof.settlementOf(first).payoutsHash, "equal payouts, other hash");
        payouts[0].amount += 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                IRewardTreasury.PayoutsMismatch.selector, expected, Commitments.payouts(second, payouts, TAX)
            )
        );
        vm.prank(aggregator(0));
        treasury.propose(second, payouts);
        vm.assertTrue(actual == expected, "the same people earned the same");
    }

    function test_proposals_voided_by_epoch_after_epoch_end_in_direct_payment() public {
        ProtocolParameters memory p = _parameters();
        p.epochSeconds = 600;
        parameters.setParameters(p);
        seated(4);
        (uint256 oid, Payout[] memory payouts) = _sealed();
        uint256 deadline = treasury.holdingOf(oid).directAt;
        while (block.timestamp < deadline) {
            _propose(oid, payouts, 0);
            _confirm(oid, 1);
            vm.warp(committee.epochEndsAt() > block.timestamp ? committee.epochEndsAt() : block.timestamp);
            committee.advanceEpoch();
            vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.NotProposed.selector, oid));
            _confirm(oid, 2);
        }
        vm.prank(actor("anyone", 0));
        treasury.payDirect(oid, payouts);
        vm.assertEq(treasury.balanceOf(payouts[0].account), payouts[0].amount, "the winner");
        vm.assertEq(treasury.balanceOf(client), TAX, "who stalls earns no tax");
        vm.assertEq(treasury.balanceOf(aggregator(0)), 0, "nothing");
    }

    function test_an_epoch_cannot_be_cut_short_to_void_a_proposal() public {
        seated(4);
        (uint256 oid, Payout[] memory payouts) = _sealed();
        vm.warp(committee.epochEndsAt() > block.timestamp ? committee.epochEndsAt() : block.timestamp);
        committee.advanceEpoch();
        _propose(oid, payouts, 0);
        uint64 ends = committee.epochEndsAt();
        vm.expectRevert(
            abi.encodeWithSelector(IAggregatorCommittee.EpochNotOver.selector, ends, uint64(block.timestamp))
        );
        committee.advanceEpoch();
        _confirm(oid, 1);
        _confirm(oid, 2);
        vm.prank(aggregator(3));
        treasury.execute(oid, payouts);
    }

    function test_the_tax_is_not_taken_twice_by_a_new_epoch_or_by_direct_payment() public {
        seated(1);
        (uint256 oid, Payout[] memory payouts) = _sealed();
        _propose(oid, payouts, 0);
        vm.prank(aggregator(0));
        treasury.execute(oid, payouts);
        vm.warp(block.timestamp + 30 days);
        committee.advanceEpoch();
        bytes memory paid = abi.encodeWithSelector(IRewardTreasury.AlreadyPaid.selector, oid);
        vm.expectRevert(paid);
        _propose(oid, payouts, 0);
        vm.expectRevert(paid);
        treasury.payDirect(oid, payouts);
        vm.assertEq(treasury.balanceOf(aggregator(0)), TAX, "once");
    }

    function test_a_seat_bought_for_one_moment_stays_paid_for_the_whole_epoch() public {
        enrol(aggregator(0), Role.Aggregator, BOND);
        vm.startPrank(aggregator(0));
        committee.join(BOND);
        committee.advanceEpoch();
        committee.leave();
        vm.stopPrank();
        vm.assertEq(locked(aggregator(0), Role.Aggregator), BOND, "still bound");
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.StakeStillBound.selector, 2, 1));
        committee.releaseStake(aggregator(0));
        vm.warp(committee.epochEndsAt());
        committee.advanceEpoch();
        committee.releaseStake(aggregator(0));
        vm.assertEq(locked(aggregator(0), Role.Aggregator), 0, "free");
    }

    function test_candidates_at_the_least_stake_keep_nobody_out() public {
        uint256 least = _parameters().aggregatorMinimum;
        for (uint256 i = 0; i < 128; ++i) {
            enrol(aggregator(i), Role.Aggregator, least);
            vm.prank(aggregator(i));
            committee.join(least);
        }
        address honest = aggregator(200);
        enrol(honest, Role.Aggregator, least + 1);
        vm.prank(honest);
        committee.join(least + 1);
        committee.advanceEpoch();
        vm.assertEq(committee.members()[0], honest, "the highest stake sits first");
        vm.assertEq(locked(aggregator(127), Role.Aggregator), 0, "the displaced is free");
    }

    function test_rewards_that_round_to_nothing_still_settle() public {
        ProtocolParameters memory p = _parameters();
        p.minimumReward = 1;
        parameters.setParameters(p);
        seated(1);
        uint256 oid = _tiny();
        toSealable(oid);
        (Payout[] memory payouts, uint256 tax) = sealOrder(oid);
        vm.assertEq(tax, 0, "no tax");
        _propose(oid, payouts, 0);
        vm.prank(aggregator(0));
        treasury.execute(oid, payouts);
        vm.assertEq(treasury.balanceOf(payouts[0].account), 1, "the winner has the one wei");
        vm.assertEq(treasury.totalHeld(), 0, "nothing stays behind");
    }

    function test_who_delays_the_seal_holds_nobody_because_anyone_seals() public {
        uint256 oid = scored();
        toSealable(oid);
        vm.warp(block.timestamp + 365 days);
        vm.prank(provider(1));
        proof.seal(oid);
        vm.assertEq(locked(validator(0), Role.Validator), 0, "free");
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.Sealable, Phase.Sealed));
        proof.seal(oid);
    }

    function test_a_sealer_gains_no_more_than_the_reporters_share() public {
        uint256 oid = claimed(2);
        toReveal(oid);
        toScoreCommit(oid);
        address sealer = actor("sealer", 0);
        vm.prank(sealer);
        proof.seal(oid);
        vm.assertEq(token.balanceOf(sealer), 2 * _parameters().claimBond / 10, "the bounty");
    }

    function _sealed() private returns (uint256 oid, Payout[] memory payouts) {
        oid = scored();
        toSealable(oid);
        (payouts,) = sealOrder(oid);
    }

    function _tiny() private returns (uint256 oid) {
        fund(client, 1);
        vm.prank(client);
        token.approve(address(book), 1);
        OrderTerms memory t = _terms();
        t.reward = 1;
        vm.prank(client);
        oid = book.put(t);
        enrol(provider(0), Role.Provider, BOND);
        enrol(validator(0), Role.Validator, BOND);
        claim(oid, provider(0));
        toReveal(oid);
        reveal(oid, provider(0));
        release(oid);
        toScoreCommit(oid);
        commitScores(oid, validator(0), row(300), VSTAKE);
        toScoreReveal(oid);
        revealScores(oid, validator(0), row(300));
    }

    function _copy(Payout[] memory list) private pure returns (Payout[] memory copied) {
        return abi.decode(abi.encode(list), (Payout[]));
    }

    function _propose(uint256 oid, Payout[] memory payouts, uint256 who) private {
        vm.prank(aggregator(who));
        treasury.propose(oid, payouts);
    }

    function _confirm(uint256 oid, uint256 who) private {
        vm.prank(aggregator(who));
        treasury.confirm(oid);
    }
}
