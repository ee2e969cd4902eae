// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAggregatorCommittee } from "../../contracts/interfaces/IAggregatorCommittee.sol";
import { IRewardTreasury, Payout, Refutation } from "../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../contracts/interfaces/IStakeVault.sol";
import { Draft, Rewards } from "./support/Rewards.sol";
import { RewardTrees, Tree } from "./support/RewardTrees.sol";
import { vm } from "./support/Vm.sol";

/// @dev `refute`.
contract RefuteRootTest is Rewards {
    using RewardTrees for Tree;

    address private thief = actor("thief", 0);
    address private watcher = actor("watcher", 0);

    function setUp() public override {
        super.setUp();
        seatedWithKeys(4);
        holdOrder();
        holdOrder(pay(provider(1), 300 * UNIT, provider(0), 650 * UNIT), TAX);
        holdOrder();
    }

    function test_a_wrong_root_falls_and_its_signers_pay() public {
        bytes32 right = draft().steps[2];
        Draft memory d = stolen(thief);
        post(d);
        Refutation memory r = refutation(1, 2);
        vm.expectEmit(address(treasury));
        emit IRewardTreasury.RootRefuted(1, watcher, 1, 2, right, d.steps[2]);
        vm.expectEmit(address(committee));
        emit IAggregatorCommittee.EpochSuspended(1);
        vm.expectEmit(address(committee));
        emit IAggregatorCommittee.MemberSlashed(member(0), 1, 1_000 * UNIT, watcher);
        vm.prank(watcher);
        treasury.refute(r);
        vm.assertEq(treasury.cycles(), 0, "fallen");
        vm.assertEq(treasury.rootOf(1).root, bytes32(0), "fallen");
        vm.assertEq(treasury.coveredUpTo(), 0, "open again");
        vm.assertEq(treasury.totalHeld(), 3 * REWARD, "held again");
        (uint256 total,) = treasury.rootTotals();
        vm.assertEq(total, 0, "nothing given");
        vm.assertEq(token.balanceOf(watcher), 3 * 1_000 * UNIT / 10, "the reporter's share of three stakes");
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertEq(bonded(member(i), Role.Aggregator), BOND - 1_000 * UNIT, "slashed");
            vm.assertFalse(committee.isMember(member(i)), "no seat");
        }
        vm.assertEq(locked(member(3), Role.Aggregator), 1_000 * UNIT, "who did not sign");
        vm.assertEq(committee.slashedOf(1), 7, "seats");
        vm.assertEq(committee.candidates().length, 1, "unlisted");
    }

    function test_anyone_starts_the_next_epoch_at_once() public {
        post(stolen(thief));
        refute(1, 2);
        vm.assertTrue(committee.isSuspended(), "suspended");
        vm.assertEq(committee.epochEndsAt(), uint64(block.timestamp), "over");
        committee.advanceEpoch();
        vm.assertFalse(committee.isSuspended(), "anew");
        vm.assertEq(committee.members()[0], member(3), "the honest one");
        post(draft());
        vm.warp(treasury.rootOf(1).effectiveAt);
        treasury.claim(claimOf(1, provider(0)));
        vm.assertEq(token.balanceOf(provider(0)), (700 + 650 + 700) * UNIT, "what was earned");
    }

    function test_any_step_that_is_wrong() public {
        for (uint256 step = 0; step < 3; ++step) {
            uint256 before = vm.snapshotState();
            Draft memory d = draft();
            d.steps[step] = keccak256("wrong");
            if (step == 2) d = stolen(thief);
            else close(d);
            post(d);
            refute(1, step);
            vm.assertEq(treasury.cycles(), 0, "fallen");
            vm.revertToState(before);
        }
    }

    function test_all_roots_on_top_fall_too_but_only_the_signers_of_the_wrong_one_pay() public {
        post(draft(1));
        Draft memory wrong = draft(2);
        wrong.steps[0] = wrong.steps[0] ^ bytes32(uint256(1));
        Tree memory tree = treeAfter(1);
        tree.credit(thief, REWARD);
        falsify(wrong, tree.state());
        post(wrong);
        Draft memory top = draft(3);
        top.signers = 14;
        post(top);
        vm.expectEmit(true, true, false, false, address(treasury));
        emit IRewardTreasury.RootRefuted(2, address(this), 3, 0, 0, 0);
        refute(2, 0);
        vm.assertEq(treasury.cycles(), 1, "the first stands");
        vm.assertEq(treasury.coveredUpTo(), 1, "the first");
        vm.assertEq(treasury.totalHeld(), 2 * REWARD, "two orders");
        (uint256 total,) = treasury.rootTotals();
        vm.assertEq(total, REWARD, "one order");
        vm.assertEq(committee.slashedOf(1), 7, "those of the second");
        vm.assertEq(locked(member(3), Role.Aggregator), 1_000 * UNIT, "not those of the third");
    }

    function test_an_order_settled_otherwise_must_change_nothing() public {
        vm.warp(block.timestamp + 1 days);
        treasury.payDirect(orders[1].oid, orders[1].payouts);
        Draft memory d = draft(1);
        Tree memory tree = treeAfter(0);
        tree.credit(provider(0), 700 * UNIT);
        tree.credit(validator(0), 250 * UNIT);
        tree.credit(d.members[1], TAX);
        falsify(d, tree.state());
        post(d);
        Refutation memory r = refutation(1, 0);
        vm.assertEq(r.credits.length, 0, "no witness needed");
        delete r.payouts;
        treasury.refute(r);
        vm.assertEq(treasury.cycles(), 0, "fallen");
    }

    function test_a_tax_to_another_than_whose_turn_it_is() public {
        Draft memory d = draft(1);
        Tree memory tree = treeAfter(0);
        tree.credit(provider(0), 700 * UNIT);
        tree.credit(validator(0), 250 * UNIT);
        tree.credit(d.members[0], TAX);
        falsify(d, tree.state());
        post(d);
        refute(1, 0);
        vm.assertEq(treasury.cycles(), 0, "fallen");
    }

    function test_signers_of_a_past_epoch_lose_the_stakes_of_the_present() public {
        vm.warp(committee.epochEndsAt());
        post(stolen(thief));
        _stand(4);
        committee.advanceEpoch();
        vm.assertEq(committee.epoch(), 2, "another epoch");
        refute(1, 2);
        vm.assertEq(committee.slashedOf(1), 7, "in the epoch they signed in");
        vm.assertEq(committee.slashedOf(2), 0, "not in this");
        vm.assertFalse(committee.isMember(member(0)), "no seat");
        vm.assertTrue(committee.isSuspended(), "for three of its members are gone");
    }

    function test_signers_who_have_left_lose_what_is_on_its_way_out() public {
        vm.warp(committee.epochEndsAt());
        post(stolen(thief));
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(member(i));
            committee.leave();
        }
        committee.advanceEpoch();
        for (uint256 i = 0; i < 3; ++i) {
            committee.releaseStake(member(i));
            vm.prank(member(i));
            vault.requestExit(Role.Aggregator, BOND);
        }
        refute(1, 2);
        vm.assertFalse(committee.isSuspended(), "nobody of the present epoch signed");
        vm.assertEq(vault.bondOf(member(0), Role.Aggregator).exiting, BOND - 1_000 * UNIT, "what it had stood with");
    }

    // Refused

    function test_a_right_step_stands() public {
        post(draft());
        for (uint256 step = 0; step < 3; ++step) {
            Refutation memory r = refutation(1, step);
            _refused(r, abi.encodeWithSelector(IRewardTreasury.StepIsRight.selector, r.steps[step]));
        }
    }

    function test_not_after_the_window() public {
        post(stolen(thief));
        uint64 effectiveAt = treasury.rootOf(1).effectiveAt;
        vm.warp(effectiveAt);
        _refused(
            refutation(1, 2), abi.encodeWithSelector(IRewardTreasury.WindowOver.selector, effectiveAt, effectiveAt)
        );
        vm.warp(effectiveAt - 1);
        refute(1, 2);
    }

    function test_only_a_root_that_stands() public {
        post(stolen(thief));
        Refutation memory r = refutation(1, 2);
        r.cycle = 2;
        _refused(r, abi.encodeWithSelector(IRewardTreasury.NoSuchRoot.selector, 2));
        r.cycle = 0;
        _refused(r, abi.encodeWithSelector(IRewardTreasury.NoSuchRoot.selector, 0));
        r.cycle = 1;
        treasury.refute(r);
        _refused(r, abi.encodeWithSelector(IRewardTreasury.NoSuchRoot.selector, 1));
    }

    function test_only_with_the_roots_own_steps_and_members() public {
        post(stolen(thief));
        Refutation memory r = refutation(1, 2);
        bytes32 right = r.steps[1];
        r.steps[1] = keccak256("another");
        vm.expectPartialRevert(IRewardTreasury.WrongRoot.selector);
        treasury.refute(r);
        r.steps[1] = right;
        r.step = 3;
        _refused(r, abi.encodeWithSelector(IRewardTreasury.NoSuchStep.selector, 3, 3));
        r.step = 2;
        r.members[0] = thief;
        bytes32 actual = keccak256(abi.encodePacked(r.members));
        bytes32 expected = committee.membersHashOf(1);
        _refused(r, abi.encodeWithSelector(IRewardTreasury.WrongMembers.selector, expected, actual));
    }

    function test_only_from_the_states_that_were_signed() public {
        post(draft(1));
        post(stolen(thief));
        Refutation memory r = refutation(2, 1);
        r.parent.total += 1;
        vm.expectPartialRevert(IRewardTreasury.WrongRoot.selector);
        treasury.refute(r);
        r.parent.total -= 1;
        r.previous.total += 1;
        vm.expectPartialRevert(IRewardTreasury.WrongState.selector);
        treasury.refute(r);
        r.previous.total -= 1;
        treasury.refute(r);
    }

    function test_the_first_root_starts_from_nothing() public {
        post(stolen(thief));
        Refutation memory r = refutation(1, 0);
        r.parent.total = 1;
        r.previous.total = 1;
        vm.expectPartialRevert(IRewardTreasury.WrongState.selector);
        treasury.refute(r);
    }

    function test_only_with_the_order_of_the_step_and_its_payouts() public {
        post(stolen(thief));
        Refutation memory r = refutation(1, 2);
        r.oid = orders[2].oid;
        _refused(r, abi.encodeWithSelector(IRewardTreasury.WrongSequence.selector, r.oid, 3, 2));
        r.oid = orders[3].oid;
        r.payouts[0].amount += 1;
        vm.expectPartialRevert(IRewardTreasury.PayoutsMismatch.selector);
        treasury.refute(r);
        r.payouts[0].amount -= 1;
        assembly {
            mstore(mload(add(r, 288)), 2)
        }
        _refused(r, abi.encodeWithSelector(IRewardTreasury.WrongCreditCount.selector, 3, 2));
    }

    function test_payouts_to_nobody_and_of_nothing_need_no_witness() public {
        Payout[] memory list = new Payout[](3);
        list[0] = Payout(provider(0), 0);
        list[1] = Payout(address(0), 5);
        list[2] = Payout(provider(0), 7);
        holdOrder(list, 0);
        Draft memory d = draft();
        d.state.total += 5;
        falsify(d, d.state);
        post(d);
        Refutation memory r = refutation(1, 3);
        vm.assertEq(r.credits[0].proof.length + r.credits[1].proof.length + r.credits[3].proof.length, 0, "empty");
        treasury.refute(r);
    }

    function _stand(uint256 index) private {
        _standWithKey(index, 500 * UNIT);
    }

    function _refused(Refutation memory r, bytes memory reason) private {
        vm.expectRevert(reason);
        treasury.refute(r);
    }
}
