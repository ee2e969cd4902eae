// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IRewardTreasury, RewardClaim } from "../../contracts/interfaces/IRewardTreasury.sol";
import { Draft, Rewards } from "./support/Rewards.sol";
import { RewardTrees, Tree } from "./support/RewardTrees.sol";
import { vm } from "./support/Vm.sol";

/// @dev `claim` of rewards by root.
contract ClaimRootTest is Rewards {
    using RewardTrees for Tree;

    function setUp() public override {
        super.setUp();
        seatedWithKeys(4);
        holdOrder();
        holdOrder();
        post(draft());
    }

    function test_an_account_is_paid_all_that_it_earned() public {
        _toEffect(1);
        vm.expectEmit(address(treasury));
        emit IRewardTreasury.RootClaimed(provider(0), 1, 1_400 * UNIT, 1_400 * UNIT);
        treasury.claim(claimOf(1, provider(0)));
        vm.assertEq(token.balanceOf(provider(0)), 1_400 * UNIT, "both orders");
        vm.assertEq(treasury.claimedOf(provider(0)), 1_400 * UNIT, "kept");
        (uint256 total, uint256 paid) = treasury.rootTotals();
        vm.assertEq(total, 2 * REWARD, "given");
        vm.assertEq(paid, 1_400 * UNIT, "paid");
    }

    function test_members_take_the_tax_in_turns() public {
        _toEffect(1);
        treasury.claim(claimOf(1, member(1)));
        treasury.claim(claimOf(1, member(2)));
        vm.assertEq(token.balanceOf(member(1)), TAX, "order 1");
        vm.assertEq(token.balanceOf(member(2)), TAX, "order 2");
    }

    function test_all_claim_and_nothing_is_left() public {
        _toEffect(1);
        treasury.claim(claimOf(1, provider(0)));
        treasury.claim(claimOf(1, validator(0)));
        treasury.claim(claimOf(1, member(1)));
        treasury.claim(claimOf(1, member(2)));
        vm.assertEq(token.balanceOf(address(treasury)), 0, "empty");
    }

    function test_a_later_root_pays_what_came_since() public {
        _toEffect(1);
        treasury.claim(claimOf(1, provider(0)));
        holdOrder();
        post(draft());
        _toEffect(2);
        treasury.claim(claimOf(1, validator(0)));
        vm.assertEq(token.balanceOf(validator(0)), 500 * UNIT, "an old root is as good for what it says");
        treasury.claim(claimOf(2, validator(0)));
        vm.assertEq(token.balanceOf(validator(0)), 750 * UNIT, "and the rest");
        treasury.claim(claimOf(2, provider(0)));
        vm.assertEq(token.balanceOf(provider(0)), 2_100 * UNIT, "three orders");
    }

    /// @dev The total of its own cycle is all that a claim shows. What a later root gave has been paid beyond it, so it
    /// must be claimed against that.
    function test_an_old_root_that_later_claims_have_overtaken_pays_no_more() public {
        _toEffect(1);
        holdOrder(pay(provider(0), 900 * UNIT), 0);
        post(draft());
        _toEffect(2);
        treasury.claim(claimOf(2, provider(0)));
        RewardClaim memory c = claimOf(1, validator(0));
        uint256 paid = (1_400 + 900) * UNIT;
        bytes memory reason =
            abi.encodeWithSelector(IRewardTreasury.RootExhausted.selector, 2 * REWARD, paid + 500 * UNIT);
        _refused(c, reason);
        treasury.claim(claimOf(2, validator(0)));
        vm.assertEq(token.balanceOf(validator(0)), 500 * UNIT, "nothing is lost");
    }

    function test_not_within_the_window() public {
        uint64 effectiveAt = treasury.rootOf(1).effectiveAt;
        vm.warp(effectiveAt - 1);
        RewardClaim memory c = claimOf(1, provider(0));
        _refused(c, abi.encodeWithSelector(IRewardTreasury.NotEffective.selector, effectiveAt, effectiveAt - 1));
    }

    function test_not_twice() public {
        _toEffect(1);
        RewardClaim memory c = claimOf(1, provider(0));
        treasury.claim(c);
        _refused(c, abi.encodeWithSelector(IRewardTreasury.NothingToClaim.selector, provider(0)));
    }

    function test_not_against_an_old_root_once_a_later_has_paid() public {
        holdOrder();
        post(draft());
        _toEffect(2);
        treasury.claim(claimOf(2, provider(0)));
        RewardClaim memory c = claimOf(1, provider(0));
        _refused(c, abi.encodeWithSelector(IRewardTreasury.NothingToClaim.selector, provider(0)));
    }

    function test_only_against_a_root_that_stands() public {
        _toEffect(1);
        RewardClaim memory c = claimOf(1, provider(0));
        c.cycle = 0;
        _refused(c, abi.encodeWithSelector(IRewardTreasury.NoSuchRoot.selector, 0));
        c.cycle = 2;
        _refused(c, abi.encodeWithSelector(IRewardTreasury.NoSuchRoot.selector, 2));
    }

    function test_only_what_is_in_the_tree() public {
        _toEffect(1);
        RewardClaim memory c = claimOf(1, provider(0));
        c.leaf.total += 1;
        _wrongRoot(c);
        c.leaf.total -= 1;
        c.leaf.account = actor("thief", 0);
        _wrongRoot(c);
        c.leaf.account = provider(0);
        c.index ^= 1;
        _wrongRoot(c);
        c.index ^= 1;
        c.count += 1;
        _wrongRoot(c);
        c.count -= 1;
        c.stateTotal += 1;
        _wrongRoot(c);
        c.stateTotal -= 1;
        c.stepsHash = keccak256("another");
        _wrongRoot(c);
    }

    function test_a_proof_of_another_length_leads_elsewhere() public {
        _toEffect(1);
        RewardClaim memory c = claimOf(1, provider(0));
        bytes32[] memory longer = new bytes32[](4);
        for (uint256 i = 0; i < 3; ++i) {
            longer[i] = c.proof[i];
        }
        c.proof = longer;
        _wrongRoot(c);
        c.proof = new bytes32[](2);
        _wrongRoot(c);
        c.proof = new bytes32[](0);
        _wrongRoot(c);
    }

    function test_nobody_claims_nothing() public {
        _toEffect(1);
        RewardClaim memory c = claimOf(1, address(0));
        vm.assertEq(c.leaf.account, address(0), "leaf 0");
        _refused(c, abi.encodeWithSelector(IRewardTreasury.NothingToClaim.selector, address(0)));
    }

    /// @dev A root that is wrong and that nobody refuted: its leaves add up to more than its total.
    function test_claims_never_pay_more_than_the_roots_total() public {
        holdOrder();
        Tree memory tree = treeAfter(1);
        Draft memory d = draft();
        tree.credit(actor("thief", 0), REWARD + 1);
        tree.total -= 1;
        falsify(d, tree.state());
        post(d);
        _toEffect(2);
        treasury.claim(claimOf(1, provider(0)));
        treasury.claim(claimOf(1, validator(0)));
        treasury.claim(claimOf(1, member(1)));
        treasury.claim(claimOf(1, member(2)));
        RewardClaim memory c = claimFrom(tree, 2, actor("thief", 0));
        _refused(c, abi.encodeWithSelector(IRewardTreasury.RootExhausted.selector, 3 * REWARD, 3 * REWARD + 1));
    }

    function _wrongRoot(RewardClaim memory c) private {
        vm.expectPartialRevert(IRewardTreasury.WrongRoot.selector);
        treasury.claim(c);
    }

    function _refused(RewardClaim memory c, bytes memory reason) private {
        vm.expectRevert(reason);
        treasury.claim(c);
    }

    function _toEffect(uint64 cycle) private {
        vm.warp(treasury.rootOf(cycle).effectiveAt);
    }
}
