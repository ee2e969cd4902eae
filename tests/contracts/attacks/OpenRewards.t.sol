// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ProtocolParameters } from "../../../contracts/interfaces/IParameters.sol";
import { IRewardTreasury, Refutation } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Draft, Rewards } from "../support/Rewards.sol";
import { RewardTrees, Tree } from "../support/RewardTrees.sol";
import { vm } from "../support/Vm.sol";

/// @dev Attacks on rewards by root that succeed; docs/protocol.md says what they cost and what bounds them.
contract OpenRewardsTest is Rewards {
    using RewardTrees for Tree;

    address private thief = actor("thief", 0);

    function setUp() public override {
        super.setUp();
        seatedWithKeys(4);
        holdOrder();
        holdOrder();
    }

    /// @dev The statement counts the orders that were settled otherwise, it does not name them. A chain that forgets which
    /// one it was, but not how many, makes a right root wrong: workers sign on final blocks only.
    function test_a_chain_that_changes_its_mind_after_finality_has_honest_signers_slashed() public {
        vm.warp(block.timestamp + 1 days);
        uint256 fork = vm.snapshotState();
        treasury.payDirect(orders[1].oid, orders[1].payouts);
        Draft memory d = draft();
        vm.revertToState(fork);
        treasury.payDirect(orders[2].oid, orders[2].payouts);
        post(d);
        Refutation memory r = refutation(1, 0);
        treasury.refute(r);
        vm.assertEq(committee.stakeOf(member(0)), 0, "it signed what was right on the other fork");
    }

    /// @dev The window is read when a root is posted. With the shortest one nobody can look in time.
    function test_the_owner_and_a_quorum_take_what_is_held_if_the_window_is_a_second() public {
        ProtocolParameters memory p = _parameters();
        p.fraudSeconds = 1;
        parameters.setParameters(p);
        post(stolen(thief));
        vm.warp(block.timestamp + 1);
        Tree memory tree = treeAfter(0);
        tree.credit(thief, 2 * REWARD);
        treasury.claim(claimFrom(tree, 1, thief));
        vm.assertEq(token.balanceOf(thief), 2 * REWARD, "all that was held");
    }

    /// @dev What stands on a lie that took effect cannot be refuted by who does not know the liars' tree.
    function test_after_one_lie_that_nobody_refuted_nobody_can_refute_the_next() public {
        post(stolen(thief));
        vm.warp(treasury.rootOf(1).effectiveAt);
        holdOrder();
        post(draft());
        Refutation memory r = refutation(2, 0);
        vm.expectPartialRevert(IRewardTreasury.WrongRoot.selector);
        treasury.refute(r);
    }
}
