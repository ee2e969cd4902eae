// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAggregatorCommittee } from "../../../contracts/interfaces/IAggregatorCommittee.sol";
import { ProtocolParameters } from "../../../contracts/interfaces/IParameters.sol";
import { IRewardTreasury, Payout, Refutation, RewardClaim } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { RewardTree } from "../../../contracts/libraries/RewardTree.sol";
import { RewardTreasury } from "../../../contracts/RewardTreasury.sol";
import { HostileToken } from "../support/HostileToken.sol";
import { Draft, Rewards } from "../support/Rewards.sol";
import { RewardTrees, Tree } from "../support/RewardTrees.sol";
import { vm } from "../support/Vm.sol";

/// @dev Committees that lie, watchers that lie about committees, and whoever wants the same money twice.
contract RewardRootAttackTest is Rewards {
    using RewardTrees for Tree;

    address private thief = actor("thief", 0);
    address private watcher = actor("watcher", 0);

    function setUp() public override {
        super.setUp();
        seatedWithKeys(4);
        holdOrder();
        holdOrder();
    }

    // Lying committees

    function test_a_lying_committee_takes_nothing_when_one_watches_and_loses_its_stakes() public {
        post(stolen(thief));
        vm.warp(treasury.rootOf(1).effectiveAt - 1);
        RewardClaim memory c = claimFrom(_stolenTree(), 1, thief);
        vm.expectPartialRevert(IRewardTreasury.NotEffective.selector);
        treasury.claim(c);
        Refutation memory r = refutation(1, 1);
        vm.prank(watcher);
        treasury.refute(r);
        vm.assertEq(token.balanceOf(watcher), 300 * UNIT, "who watched");
        vm.warp(block.timestamp + 30 days);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.NoSuchRoot.selector, 1));
        treasury.claim(c);
        vm.assertEq(token.balanceOf(thief), 0, "nothing");
    }

    /// @dev While a root that took everything stands, the orders that it does not cover wait, and lose nothing.
    function test_a_root_over_one_order_that_takes_all_holds_the_others_up_only_until_it_falls() public {
        Draft memory d = draft(1);
        Tree memory tree = treeAfter(0);
        tree.credit(thief, 2 * REWARD);
        falsify(d, tree.state());
        post(d);
        vm.warp(block.timestamp + 1 days);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.TakenByRoot.selector, REWARD, 0));
        treasury.payDirect(orders[2].oid, orders[2].payouts);
    }

    function test_what_a_root_took_is_there_again_after_it_fell() public {
        Draft memory d = draft(1);
        Tree memory tree = treeAfter(0);
        tree.credit(thief, 2 * REWARD);
        falsify(d, tree.state());
        post(d);
        refute(1, 0);
        vm.warp(block.timestamp + 1 days);
        treasury.payDirect(orders[2].oid, orders[2].payouts);
        treasury.payDirect(orders[1].oid, orders[1].payouts);
        vm.assertEq(treasury.totalHeld(), 0, "all is paid");
        vm.assertEq(treasury.totalOwed(), 2 * REWARD, "to those who earned it");
    }

    /// @dev A new order's money never makes up for what a root has promised too much.
    function test_a_wrong_root_that_nobody_refuted_pays_no_more_than_what_was_held() public {
        post(stolen(thief));
        vm.warp(treasury.rootOf(1).effectiveAt);
        holdOrder();
        treasury.claim(claimFrom(_stolenTree(), 1, thief));
        vm.assertEq(token.balanceOf(thief), 2 * REWARD, "what was held for its orders");
        vm.warp(block.timestamp + 1 days);
        treasury.payDirect(orders[3].oid, orders[3].payouts);
        treasury.claimRewards(provider(0));
        vm.assertEq(token.balanceOf(provider(0)), 700 * UNIT, "the order after it is paid");
    }

    /// @dev A root within its window must not lend its growth to one that has taken effect: it may yet fall.
    function test_claims_against_an_old_lie_do_not_eat_what_waits_above_it() public {
        Tree memory tree = treeAfter(0);
        Draft memory d = draft();
        tree.credit(thief, 3 * REWARD);
        tree.total = 2 * REWARD;
        falsify(d, tree.state());
        post(d);
        vm.warp(treasury.rootOf(1).effectiveAt);
        holdOrder();
        d = draft();
        (d.state.total, d.statement.upTo) = (3 * REWARD, 3);
        falsify(d, d.state);
        post(d);
        RewardClaim memory c = claimFrom(tree, 1, thief);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.RootExhausted.selector, 2 * REWARD, 3 * REWARD));
        treasury.claim(c);
    }

    function test_leaves_that_add_up_to_more_than_the_total_leave_the_last_claimants_short_and_nobody_else() public {
        Tree memory tree = treeAfter(0);
        tree.credit(thief, 2 * REWARD);
        tree.credit(actor("thief", 1), 2 * REWARD);
        tree.total = 2 * REWARD;
        Draft memory d = draft();
        falsify(d, tree.state());
        post(d);
        vm.warp(treasury.rootOf(1).effectiveAt);
        holdOrder();
        treasury.claim(claimFrom(tree, 1, thief));
        RewardClaim memory c = claimFrom(tree, 1, actor("thief", 1));
        vm.expectPartialRevert(IRewardTreasury.RootExhausted.selector);
        treasury.claim(c);
        vm.assertEq(token.balanceOf(address(treasury)), REWARD, "the third order's");
    }

    function test_signers_do_not_escape_by_leaving_at_once() public {
        vm.warp(committee.epochEndsAt());
        post(stolen(thief));
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(member(i));
            committee.leave();
        }
        committee.advanceEpoch();
        for (uint256 i = 0; i < 3; ++i) {
            committee.releaseStake(member(i));
            vm.prank(member(i));
            vault.requestExit(Role.Aggregator, BOND);
        }
        vm.warp(treasury.rootOf(1).effectiveAt - 1);
        vm.expectPartialRevert(bytes4(keccak256("StillExiting(uint64,uint64)")));
        vm.prank(member(0));
        vault.withdraw(Role.Aggregator);
        refute(1, 1);
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertEq(vault.bondOf(member(i), Role.Aggregator).exiting, BOND - 1_000 * UNIT, "caught at the door");
        }
    }

    /// @dev A stake that bought a seat is not saved by leaving and standing again with the least one.
    function test_signers_do_not_save_a_large_stake_by_standing_again_with_a_small_one() public {
        vm.warp(committee.epochEndsAt());
        post(stolen(thief));
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(member(i));
            committee.leave();
        }
        committee.advanceEpoch();
        for (uint256 i = 0; i < 3; ++i) {
            committee.releaseStake(member(i));
            vm.startPrank(member(i));
            committee.join(100 * UNIT);
            committee.leave();
            committee.join(100 * UNIT);
            vm.stopPrank();
        }
        refute(1, 1);
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertEq(vault.bondOf(member(i), Role.Aggregator).bonded, BOND - 1_000 * UNIT, "all that it stood with");
            vm.assertEq(committee.stakeOf(member(i)), 0, "and stands no more");
        }
    }

    /// @dev A shorter window, voted in meanwhile, must not let a root pay out before the one that it stands on can fall.
    function test_a_root_takes_no_effect_before_those_it_stands_on() public {
        post(stolen(thief));
        uint64 first = treasury.rootOf(1).effectiveAt;
        ProtocolParameters memory p = _parameters();
        p.fraudSeconds = 1;
        parameters.setParameters(p);
        holdOrder();
        Draft memory d = draft();
        d.state.total = 3 * REWARD;
        falsify(d, d.state);
        post(d);
        vm.assertEq(treasury.rootOf(2).effectiveAt, first, "with it");
        vm.warp(first - 1);
        refute(1, 1);
        vm.assertEq(treasury.cycles(), 0, "both fall");
    }

    function test_the_certificate_of_a_fallen_root_is_worth_nothing() public {
        Draft memory d = stolen(thief);
        bytes memory signatures = sign(d);
        post(d);
        refute(1, 1);
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.Suspended.selector, 1));
        _post(d, signatures);
        committee.advanceEpoch();
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.NotTheEpoch.selector, 2, 1));
        _post(d, signatures);
    }

    function test_the_certificate_of_a_root_above_a_fallen_one_is_worth_nothing() public {
        vm.warp(committee.epochEndsAt());
        post(stolen(thief));
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(member(i));
            committee.leave();
        }
        committee.advanceEpoch();
        holdOrder();
        Draft memory d = draft();
        bytes memory signatures = sign(d);
        refute(1, 1);
        vm.assertFalse(committee.isSuspended(), "none of the signers sits now");
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.WrongCycle.selector, 1, 2));
        _post(d, signatures);
        post(draft());
        vm.assertEq(treasury.coveredUpTo(), 3, "the same committee, another root");
    }

    // Lying watchers

    function test_nobody_refutes_a_right_root() public {
        post(draft());
        Refutation memory r = refutation(1, 1);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.StepIsRight.selector, r.steps[1]));
        treasury.refute(r);
    }

    /// @dev An account that has a leaf cannot be made to look new: no leaf lies below it whose next is above.
    function test_a_known_account_cannot_be_appended_again() public {
        post(draft());
        Refutation memory r = refutation(1, 1);
        Tree memory tree = treeAfter(0);
        takeStep(tree, 1, r.members);
        uint256 known = tree.lowOf(r.payouts[0].account);
        for (uint256 i = 0; i < tree.count; ++i) {
            if (i == known) continue;
            (r.credits[0].leaf, r.credits[0].index, r.credits[0].proof) = (tree.leaves[i], i, tree.prove(i));
            r.credits[0].appended = RewardTrees.climb(tree.hashes(3), 4);
            vm.expectPartialRevert(RewardTree.NotTheLowLeaf.selector);
            treasury.refute(r);
        }
    }

    function test_one_step_is_not_refuted_with_anothers_order_state_or_turn() public {
        holdOrder(pay(provider(3), REWARD), 0);
        post(draft());
        Refutation memory r = refutation(1, 1);
        Refutation memory other = refutation(1, 2);
        (r.oid, r.payouts, r.credits) = (other.oid, other.payouts, other.credits);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.WrongSequence.selector, r.oid, 2, 3));
        treasury.refute(r);
        other.step = 1;
        vm.expectPartialRevert(IRewardTreasury.WrongState.selector);
        treasury.refute(other);
        r = refutation(1, 1);
        (r.members[0], r.members[2]) = (r.members[2], r.members[0]);
        vm.expectPartialRevert(IRewardTreasury.WrongMembers.selector);
        treasury.refute(r);
    }

    /// @dev A step over an order that was settled otherwise is right although it pays nothing, and no payouts refute it.
    function test_an_order_settled_before_the_root_does_not_refute_it() public {
        vm.warp(block.timestamp + 1 days);
        treasury.payDirect(orders[1].oid, orders[1].payouts);
        post(draft());
        Refutation memory r = refutation(1, 0);
        vm.expectPartialRevert(IRewardTreasury.StepIsRight.selector);
        treasury.refute(r);
    }

    /// @dev What was signed before an order was settled otherwise would be wrong after it: it cannot be posted, so nobody
    /// gets the signers slashed by settling an order first.
    function test_nobody_makes_a_signed_root_wrong_by_settling_an_order_first() public {
        vm.warp(block.timestamp + 1 days);
        Draft memory d = draft();
        bytes memory signatures = sign(d);
        treasury.payDirect(orders[2].oid, orders[2].payouts);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.WrongSettledOtherwise.selector, 1, 0));
        _post(d, signatures);
        post(draft());
    }

    /// @dev Nor by settling it while the root waits.
    function test_nobody_makes_a_posted_root_wrong_by_settling_an_order_after_it() public {
        vm.startPrank(member(3));
        treasury.propose(orders[1].oid, orders[1].payouts);
        vm.stopPrank();
        post(draft());
        vm.warp(block.timestamp + 1 days);
        (uint256 oid, Payout[] memory payouts) = (orders[1].oid, orders[1].payouts);
        bytes memory reason = abi.encodeWithSelector(IRewardTreasury.CoveredByRoot.selector, oid, 1, 2);
        vm.expectRevert(reason);
        treasury.payDirect(oid, payouts);
        vm.expectRevert(reason);
        vm.prank(member(0));
        treasury.execute(oid, payouts);
    }

    /// @dev Orders that come between signature and post, or while a root waits, are not in it, and change nothing.
    function test_a_root_is_as_right_when_more_orders_are_sealed() public {
        Draft memory d = draft();
        bytes memory signatures = sign(d);
        holdOrder();
        _post(d, signatures);
        _record(d);
        holdOrder();
        Refutation memory r = refutation(1, 1);
        vm.expectPartialRevert(IRewardTreasury.StepIsRight.selector);
        treasury.refute(r);
    }

    /// @dev Two orders that were sealed in the other order when the committee signed.
    function test_a_reorganised_history_refuses_the_root_instead_of_slashing_its_signers() public {
        Draft memory d = draft();
        bytes32 history = 0;
        for (uint32 q = 2; q > 0; --q) {
            bytes32 hash = keccak256(abi.encode(orders[q].oid, orders[q].payouts, TAX));
            history = keccak256(abi.encode(history, orders[q].oid, hash));
        }
        d.statement.history = history;
        bytes memory signatures = sign(d);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.WrongHistory.selector, treasury.historyAt(2), history));
        _post(d, signatures);
    }

    function test_who_did_not_sign_is_not_slashed() public {
        post(stolen(thief));
        refute(1, 1);
        vm.assertEq(locked(member(3), Role.Aggregator), 1_000 * UNIT, "whole");
        vm.assertTrue(committee.isMember(member(3)), "and sits");
    }

    /// @dev A signature by itself proves nothing: the same statement twice, or two attempts, are what honest members sign.
    function test_an_honest_signer_who_signs_again_after_a_failed_attempt_is_not_slashed() public {
        Draft memory first = draft(1);
        Draft memory second = draft(2);
        vm.assertTrue(first.statement.attempt != second.statement.attempt, "the ledger counts on");
        bytes memory a = signBy(member(0), digestOf(first.statement));
        bytes memory b = signBy(member(0), digestOf(second.statement));
        vm.expectRevert(IAggregatorCommittee.NoEquivocation.selector);
        committee.slashEquivocation(first.statement, a, second.statement, b, first.members);
        vm.expectRevert(IAggregatorCommittee.NoEquivocation.selector);
        committee.slashEquivocation(first.statement, a, first.statement, a, first.members);
    }

    function test_a_reporter_of_its_own_fault_keeps_the_smaller_part() public {
        Draft memory d = stolen(member(0));
        post(d);
        Refutation memory r = refutation(1, 1);
        vm.prank(member(0));
        treasury.refute(r);
        uint256 lost = 3 * 1_000 * UNIT;
        vm.assertEq(token.balanceOf(member(0)), lost / 10, "a tenth of what all three lost");
        vm.assertTrue(token.balanceOf(member(0)) < 1_000 * UNIT, "less than its own stake");
    }

    // Twice

    function test_an_order_of_a_fallen_root_is_paid_once_on_whichever_path() public {
        post(stolen(thief));
        refute(1, 1);
        committee.advanceEpoch();
        vm.startPrank(member(3));
        treasury.propose(orders[1].oid, orders[1].payouts);
        treasury.execute(orders[1].oid, orders[1].payouts);
        vm.stopPrank();
        Draft memory d = draft();
        post(d);
        (uint256 total,) = treasury.rootTotals();
        vm.assertEq(total, REWARD, "the other order");
        vm.warp(block.timestamp + 1 days);
        vm.expectPartialRevert(IRewardTreasury.AlreadyPaid.selector);
        treasury.payDirect(orders[1].oid, orders[1].payouts);
        vm.expectPartialRevert(IRewardTreasury.CoveredByRoot.selector);
        treasury.payDirect(orders[2].oid, orders[2].payouts);
        treasury.claim(claimOf(1, provider(0)));
        treasury.claimRewards(provider(0));
        vm.assertEq(token.balanceOf(provider(0)), 1_400 * UNIT, "both, once each");
    }

    function test_a_claim_against_an_old_root_after_a_later_one_fell_pays_only_what_is_new() public {
        post(draft());
        vm.warp(treasury.rootOf(1).effectiveAt);
        treasury.claim(claimOf(1, provider(0)));
        holdOrder();
        post(stolen(thief));
        refute(2, 0);
        RewardClaim memory c = claimOf(1, provider(0));
        vm.expectPartialRevert(IRewardTreasury.NothingToClaim.selector);
        treasury.claim(c);
        treasury.claim(claimOf(1, validator(0)));
        vm.assertEq(token.balanceOf(validator(0)), 500 * UNIT, "the first root stands");
        committee.advanceEpoch();
        post(draft());
        vm.warp(treasury.rootOf(2).effectiveAt);
        treasury.claim(claimOf(2, provider(0)));
        vm.assertEq(token.balanceOf(provider(0)), 2_100 * UNIT, "each order once");
    }

    function test_a_root_is_posted_once() public {
        Draft memory d = draft();
        bytes memory signatures = sign(d);
        post(d);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.WrongCycle.selector, 2, 1));
        _post(d, signatures);
    }

    /// @dev `claim` has no guard: all is written down before the token is called.
    function test_a_token_that_calls_back_is_asked_for_one_payment() public {
        HostileToken hostile = new HostileToken();
        treasury = new RewardTreasury(hostile, parameters, address(this), committee);
        hostile.transfer(address(treasury), 2 * REWARD);
        for (uint32 q = 1; q <= 2; ++q) {
            bytes32 hash = keccak256(abi.encode(orders[q].oid, orders[q].payouts, TAX));
            treasury.hold(orders[q].oid, hash, REWARD, TAX, client);
        }
        post(draft());
        vm.warp(treasury.rootOf(1).effectiveAt);
        RewardClaim memory c = claimOf(1, provider(0));
        hostile.arm(address(treasury), abi.encodeCall(treasury.claim, (c)));
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.NothingToClaim.selector, provider(0)));
        treasury.claim(c);
    }

    // Standing in the way

    /// @dev A slashed member may stand again, with a new stake, and is not slashed again for the same.
    function test_one_equivocation_suspends_one_epoch_for_one_stake() public {
        Draft memory d = draft();
        (bytes memory a, bytes memory b) = _equivocate(d, 0);
        Draft memory other = _other(d);
        committee.slashEquivocation(d.statement, a, other.statement, b, d.members);
        committee.advanceEpoch();
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.AlreadySlashed.selector, 1, member(0)));
        committee.slashEquivocation(d.statement, a, other.statement, b, d.members);
        vm.assertFalse(committee.isSuspended(), "the others go on");
        post(draft());
    }

    function test_when_all_were_slashed_orders_are_paid_directly() public {
        Draft memory d = stolen(thief);
        d.signers = 15;
        post(d);
        refute(1, 1);
        committee.advanceEpoch();
        vm.assertEq(committee.members().length, 0, "nobody");
        vm.warp(block.timestamp + 1 days);
        treasury.payDirect(orders[1].oid, orders[1].payouts);
        treasury.payDirect(orders[2].oid, orders[2].payouts);
        vm.assertEq(treasury.totalHeld(), 0, "nothing is stuck");
    }

    function test_a_slashed_member_has_no_voice_in_the_multisig() public {
        Draft memory d = draft();
        (bytes memory a, bytes memory b) = _equivocate(d, 0);
        committee.slashEquivocation(d.statement, a, _other(d).statement, b, d.members);
        vm.expectRevert(abi.encodeWithSelector(IRewardTreasury.NotAMember.selector, member(0)));
        vm.prank(member(0));
        treasury.propose(orders[1].oid, orders[1].payouts);
    }

    function _equivocate(Draft memory d, uint256 seat) private view returns (bytes memory a, bytes memory b) {
        a = signBy(member(seat), digestOf(d.statement));
        b = signBy(member(seat), digestOf(_other(d).statement));
    }

    function _other(Draft memory d) private pure returns (Draft memory other) {
        other = abi.decode(abi.encode(d), (Draft));
        other.statement.root = keccak256("another");
    }

    function _stolenTree() private view returns (Tree memory tree) {
        tree = treeAfter(0);
        tree.credit(thief, 2 * REWARD);
    }
}
