// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IRewardTreasury, Payout, Proposal } from "../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../contracts/interfaces/IStakeVault.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

contract TreasuryTest is World {
    uint256 private constant TAX = REWARD / 20;

    uint256 private oid;
    Payout[] private payouts;
    bytes32 private hash;

    function setUp() public override {
        super.setUp();
        seated(4);
        oid = scored();
        toSealable(oid);
        (Payout[] memory list,) = sealOrder(oid);
        for (uint256 i = 0; i < list.length; ++i) {
            payouts.push(list[i]);
        }
        hash = proof.settlementOf(oid).payoutsHash;
    }

    function test_propose_confirm_execute_pays_everyone() public {
        vm.expectEmit(address(treasury));
        emit IRewardTreasury.RewardProposed(oid, aggregator(1), 1, hash);
        vm.expectEmit(address(treasury));
        emit IRewardTreasury.RewardConfirmed(oid, aggregator(1), 1, 3);
        _propose(1);
        _confirm(3);
        vm.expectEmit(address(treasury));
        emit IRewardTreasury.RewardConfirmed(oid, aggregator(0), 3, 3);
        _confirm(0);
        vm.assertEq(treasury.proposalOf(oid).confirmations, 3, "confirmations");
        vm.assertTrue(treasury.hasConfirmed(oid, aggregator(1)), "has");
        vm.assertFalse(treasury.hasConfirmed(oid, aggregator(2)), "has not");
        vm.expectEmit(address(treasury));
        emit IRewardTreasury.RewardExecuted(oid, aggregator(2), hash);
        vm.expectEmit(address(treasury));
        emit IRewardTreasury.Credited(oid, payouts[0].account, payouts[0].amount, payouts[0].amount);
        _execute(2);
        for (uint256 i = 0; i < payouts.length; ++i) {
            vm.assertEq(treasury.balanceOf(payouts[i].account), payouts[i].amount, "payout");
        }
        vm.assertEq(treasury.balanceOf(aggregator(0)), TAX - 2 * (TAX / 3), "the first has the dust");
        vm.assertEq(treasury.balanceOf(aggregator(1)), TAX / 3, "tax");
        vm.assertEq(treasury.balanceOf(aggregator(2)), 0, "did not confirm");
        vm.assertEq(treasury.balanceOf(aggregator(3)), TAX / 3, "tax");
        vm.assertEq(treasury.totalOwed(), REWARD, "all of it");
        vm.assertEq(treasury.totalHeld(), 0, "none left");
        vm.assertTrue(treasury.holdingOf(oid).paid, "paid");
    }

    function test_accounts_pull_and_anyone_may_push_them() public {
        _settle();
        address winner = payouts[0].account;
        uint256 amount = payouts[0].amount;
        uint256 before = token.balanceOf(winner);
        vm.expectEmit(address(treasury));
        emit IRewardTreasury.RewardsClaimed(winner, amount);
        vm.prank(actor("anyone", 0));
        treasury.claimRewards(winner);
        vm.assertEq(token.balanceOf(winner) - before, amount, "to that account only");
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.NothingToClaim.selector, winner));
        treasury.claimRewards(winner);
    }

    function test_an_order_is_paid_once() public {
        _settle();
        bytes memory paid = abi.encodeWithSelector(IRewardTreasury.AlreadyPaid.selector, oid);
        vm.expectRevert(paid);
        _propose(0);
        vm.expectRevert(paid);
        _confirm(3);
        vm.expectRevert(paid);
        _execute(0);
        vm.warp(block.timestamp + 60 days);
        vm.expectRevert(paid);
        treasury.payDirect(oid, payouts);
    }

    function test_a_committee_can_pay_nothing_but_what_was_sealed() public {
        Payout[] memory theirs = payouts;
        theirs[0].account = aggregator(0);
        bytes memory reason = abi.encodeWithSelector(
            IRewardTreasury.PayoutsMismatch.selector, hash, Commitments.payouts(oid, theirs, TAX)
        );
        vm.expectRevert(reason);
        vm.prank(aggregator(0));
        treasury.propose(oid, theirs);
        _propose(0);
        _confirm(1);
        _confirm(2);
        vm.expectRevert(reason);
        vm.prank(aggregator(0));
        treasury.execute(oid, theirs);
        vm.warp(block.timestamp + 1 days);
        vm.expectRevert(reason);
        treasury.payDirect(oid, theirs);
    }

    function test_only_members_act() public {
        address stranger = actor("stranger", 0);
        bytes memory reason = abi.encodeWithSelector(IRewardTreasury.NotAMember.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(reason);
        treasury.propose(oid, payouts);
        vm.expectRevert(reason);
        treasury.confirm(oid);
        vm.expectRevert(reason);
        treasury.execute(oid, payouts);
        vm.stopPrank();
    }

    function test_signers_are_distinct() public {
        _propose(0);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.AlreadyProposed.selector, oid));
        _propose(1);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.AlreadyConfirmed.selector, oid, aggregator(0)));
        _confirm(0);
        _confirm(1);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.AlreadyConfirmed.selector, oid, aggregator(1)));
        _confirm(1);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.ThresholdNotReached.selector, 3, 2));
        _execute(0);
    }

    function test_nothing_is_confirmed_or_executed_without_a_proposal() public {
        bytes memory reason = abi.encodeWithSelector(IRewardTreasury.NotProposed.selector, oid);
        vm.expectRevert(reason);
        _confirm(0);
        vm.expectRevert(reason);
        _execute(0);
    }

    function test_orders_that_are_not_sealed_hold_nothing() public {
        uint256 other = put();
        bytes memory reason = abi.encodeWithSelector(IRewardTreasury.NothingHeld.selector, other);
        vm.startPrank(aggregator(0));
        vm.expectRevert(reason);
        treasury.propose(other, payouts);
        vm.expectRevert(reason);
        treasury.confirm(other);
        vm.expectRevert(reason);
        treasury.execute(other, payouts);
        vm.expectRevert(reason);
        treasury.payDirect(other, payouts);
        vm.stopPrank();
    }

    function test_a_proposal_ends_with_its_epoch() public {
        _propose(0);
        _confirm(1);
        _confirm(2);
        vm.warp(committee.epochEndsAt());
        committee.advanceEpoch();
        bytes memory reason = abi.encodeWithSelector(IRewardTreasury.NotProposed.selector, oid);
        vm.expectRevert(reason);
        _execute(0);
        vm.expectRevert(reason);
        _confirm(3);
        vm.assertFalse(treasury.hasConfirmed(oid, aggregator(1)), "old confirmations are void");
        _propose(3);
        Proposal memory p = treasury.proposalOf(oid);
        vm.assertTrue(p.epoch == 2 && p.confirmations == 1, "anew");
    }

    function test_a_stalling_committee_is_passed_by() public {
        uint64 directAt = treasury.holdingOf(oid).directAt;
        vm.warp(directAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.NotStalled.selector, directAt, directAt - 1));
        treasury.payDirect(oid, payouts);
        vm.warp(directAt);
        vm.expectEmit(address(treasury));
        emit IRewardTreasury.RewardPaidDirectly(oid, address(this), hash);
        treasury.payDirect(oid, payouts);
        vm.assertEq(treasury.balanceOf(client), TAX, "the tax goes back");
        vm.assertEq(treasury.balanceOf(payouts[0].account), payouts[0].amount, "winner");
        vm.assertEq(treasury.totalOwed(), REWARD, "all of it");
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.AlreadyPaid.selector, oid));
        treasury.payDirect(oid, payouts);
    }

    function test_only_the_proof_puts_into_the_treasury() public {
        bytes memory reason =
            abi.encodeWithSelector(IRewardTreasury.OnlyProofOfTraining.selector, address(proof), address(this));
        vm.expectRevert(reason);
        treasury.hold(9, hash, 1, 0, client);
        vm.expectRevert(reason);
        treasury.refund(9, client, 1);
    }

    function test_what_is_held_must_be_there_and_only_once() public {
        vm.startPrank(address(proof));
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.AlreadyHeld.selector, oid));
        treasury.hold(oid, hash, 0, 0, client);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.AlreadyHeld.selector, oid));
        treasury.refund(oid, client, 0);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.Unfunded.selector, REWARD + 1, REWARD));
        treasury.hold(9, hash, 1, 0, client);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.Unfunded.selector, REWARD + 1, REWARD));
        treasury.refund(9, client, 1);
        vm.stopPrank();
    }

    function test_a_refund_says_so() public {
        uint256 other = put();
        toReveal(other);
        vm.expectEmit(address(treasury));
        emit IRewardTreasury.Refunded(other, client, REWARD);
        vm.expectEmit(address(treasury));
        emit IRewardTreasury.Credited(other, client, REWARD, REWARD);
        proof.seal(other);
        vm.assertTrue(treasury.holdingOf(other).paid, "paid from the start");
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.AlreadyPaid.selector, other));
        treasury.payDirect(other, payouts);
    }

    function test_a_former_member_has_no_voice() public {
        vm.prank(aggregator(0));
        committee.leave();
        vm.warp(committee.epochEndsAt());
        committee.advanceEpoch();
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.NotAMember.selector, aggregator(0)));
        _propose(0);
    }

    function test_a_lone_member_is_a_quorum() public {
        for (uint256 i = 1; i < 4; ++i) {
            vm.prank(aggregator(i));
            committee.leave();
        }
        vm.warp(committee.epochEndsAt());
        committee.advanceEpoch();
        _propose(0);
        _execute(0);
        vm.assertEq(treasury.balanceOf(aggregator(0)), TAX, "all the tax");
    }

    function test_winning_twice_adds_up() public {
        _settle();
        uint256 once = treasury.balanceOf(payouts[0].account);
        uint256 other = scored();
        toSealable(other);
        (Payout[] memory list,) = sealOrder(other);
        vm.warp(block.timestamp + 1 days);
        treasury.payDirect(other, list);
        vm.assertEq(treasury.balanceOf(payouts[0].account), 2 * once, "twice");
        vm.assertEq(locked(provider(1), Role.Provider), 0, "free");
    }

    function _settle() private {
        _propose(0);
        _confirm(1);
        _confirm(2);
        _execute(3);
    }

    function _propose(uint256 index) private {
        vm.prank(aggregator(index));
        treasury.propose(oid, payouts);
    }

    function _confirm(uint256 index) private {
        vm.prank(aggregator(index));
        treasury.confirm(oid);
    }

    function _execute(uint256 index) private {
        vm.prank(aggregator(index));
        treasury.execute(oid, payouts);
    }
}
