// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedTerms, TaskPhase } from "../../../contracts/interfaces/FederatedTypes.sol";
import { IFederatedEvents } from "../../../contracts/interfaces/IFederatedEvents.sol";
import { Bond, Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { vm } from "../support/Vm.sol";
import { FederatedWorld } from "./support/FederatedWorld.sol";

contract RoundsTest is FederatedWorld {
    function test_a_whole_task() public {
        uint256 task = started(_federatedTerms(), 4);
        for (uint32 round = 1; round <= 3; ++round) {
            vm.assertEq(state_(task).round, round, "round");
            played(task, 4);
        }
        requirePhase(task, TaskPhase.Over);
        vm.assertEq(state_(task).modelRoot, keccak256(abi.encode("result", task, evenRow(4))), "the last result");
        vm.assertEq(state_(task).refundable, 0, "all rounds were played");
        for (uint32 round = 1; round <= 3; ++round) {
            for (uint256 i = 0; i < 4; ++i) {
                claim(task, round, i, evenRow(4));
            }
        }
        vm.assertEq(token.balanceOf(address(federation)), 0, "all was paid");
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(member(i));
            federation.leave(task);
            vm.assertEq(bondedFree(i), STAKE, "whole");
        }
    }

    function test_objections_are_for_secure_mode() public {
        uint256 task = started(_federatedTerms(), 4);
        revealed(task, 4);
        toAggregate(task);
        post(task, evenRow(4));
        vm.expectPartialRevert(IFederatedEvents.WrongMode.selector);
        vm.prank(member(0));
        federation.object(task);
    }

    function test_phases_follow_the_time() public {
        uint256 task = started(_federatedTerms(), 4);
        uint256 began = block.timestamp;
        commit(task, 0);
        commit(task, 1);
        commit(task, 2);
        vm.warp(began + 99);
        requirePhase(task, TaskPhase.Commit);
        vm.warp(began + 100);
        requirePhase(task, TaskPhase.Reveal);
        reveal(task, 0);
        reveal(task, 1);
        vm.warp(began + 189);
        requirePhase(task, TaskPhase.Reveal);
        reveal(task, 2);
        requirePhase(task, TaskPhase.Request);
        vm.assertEq(round_(task).revealEnds, began + 189, "all have revealed");
        vm.warp(began + 189 + 80);
        requirePhase(task, TaskPhase.Aggregate);
        vm.assertEq(round_(task).postEnds, began + 189 + 80 + 60, "the first leader's time");
        post(task, evenRow(3));
        requirePhase(task, TaskPhase.Challenge);
        vm.warp(began + 189 + 80 + 50);
        requirePhase(task, TaskPhase.Settle);
        federation.finalize(task);
        requirePhase(task, TaskPhase.Commit);
        vm.assertEq(federation.recordOf(task, 1).included, 7, "three of four");
    }

    function test_commits_close_with_the_last_of_the_active() public {
        uint256 task = started(_federatedTerms(), 3);
        vm.warp(block.timestamp + 10);
        committed(task, 3);
        requirePhase(task, TaskPhase.Reveal);
        vm.assertEq(round_(task).commitEnds, block.timestamp, "now");
    }

    function test_wrong_moves_of_a_participant() public {
        uint256 task = started(_federatedTerms(), 4);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotAParticipant.selector, task, address(this)));
        federation.commit(task, "c");
        vm.expectRevert(IFederatedEvents.ZeroWord.selector);
        vm.prank(member(0));
        federation.commit(task, 0);
        commit(task, 0);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.AlreadyDone.selector, task, 0));
        vm.prank(member(0));
        federation.commit(task, "again");
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.BoundUntilRoundEnds.selector, task, 1));
        vm.prank(member(0));
        federation.leave(task);
        // a copied commitment cannot be opened
        bytes32 copied = commitmentOf(task, 0);
        vm.prank(member(1));
        federation.commit(task, copied);
        toReveal_(task);
        vm.expectRevert(
            abi.encodeWithSelector(IFederatedEvents.WrongPhase.selector, task, TaskPhase.Commit, TaskPhase.Reveal)
        );
        vm.prank(member(2));
        federation.commit(task, "late");
        bytes32 root = updateRoot(task, 0);
        vm.expectPartialRevert(IFederatedEvents.WrongOpening.selector);
        vm.prank(member(1));
        federation.reveal(task, root, updateCid(0), 10, SALT);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotDoneBefore.selector, task, 2));
        vm.prank(member(2));
        federation.reveal(task, root, updateCid(0), 10, SALT);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.SamplesOutOfBounds.selector, 1000, 1001));
        vm.prank(member(0));
        federation.reveal(task, root, updateCid(0), 1001, SALT);
        reveal(task, 0);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.AlreadyDone.selector, task, 0));
        vm.prank(member(0));
        federation.reveal(task, root, updateCid(0), 10, SALT);
    }

    function test_a_round_with_too_few_fails_and_the_third_in_a_row_ends_the_task() public {
        FederatedTerms memory t = _federatedTerms();
        t.rounds = 5;
        uint256 task = started(t, 4);
        played(task, 4);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotFailed.selector, task));
        federation.fail(task);
        // round 2: too few commit
        committed(task, 2);
        toReveal_(task);
        federation.fail(task);
        vm.assertEq(federation.recordOf(task, 2).failed ? 1 : 0, 1, "failed");
        vm.assertEq(state_(task).refundable, ROUND_REWARD, "back");
        // round 3: too few reveal
        committed(task, 4);
        reveal(task, 0);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotFailed.selector, task));
        federation.fail(task);
        toEnd(task, round_(task).revealEnds);
        federation.fail(task);
        // round 4: nobody does anything
        toReveal_(task);
        federation.fail(task);
        requirePhase(task, TaskPhase.Over);
        vm.assertEq(state_(task).refundable, 4 * ROUND_REWARD, "and what was not played");
        vm.assertEq(state_(task).modelRoot, keccak256(abi.encode("result", task, evenRow(4))), "the model of round 1");
        vm.prank(member(0));
        federation.leave(task);
    }

    function test_a_final_round_between_two_failed_ones() public {
        uint256 task = started(_federatedTerms(), 4);
        toReveal_(task);
        federation.fail(task);
        vm.assertEq(state_(task).failedInARow, 1, "one");
        played(task, 4);
        vm.assertEq(state_(task).failedInARow, 0, "none in a row");
    }

    function test_the_task_ends_when_a_round_would_begin_with_too_few() public {
        uint256 task = started(_federatedTerms(), 4);
        committed(task, 2);
        vm.prank(member(2));
        federation.leave(task);
        vm.prank(member(3));
        federation.leave(task);
        toReveal_(task);
        federation.fail(task);
        requirePhase(task, TaskPhase.Over);
        vm.assertEq(state_(task).refundable, 3 * ROUND_REWARD, "all of it");
    }

    function test_one_may_join_a_round_that_is_on() public {
        uint256 task = started(_federatedTerms(), 3);
        join(task, member(3), STAKE);
        committed(task, 4);
        requirePhase(task, TaskPhase.Reveal);
        join(task, member(4), STAKE);
        requirePhase(task, TaskPhase.Reveal);
        vm.prank(member(4));
        federation.leave(task);
    }

    function test_a_budget_is_spent_by_releases() public {
        FederatedTerms memory t = _federatedTerms();
        t.privacy.orders = new uint32[](2);
        t.privacy.costs = new uint64[](2);
        t.privacy.limits = new uint64[](2);
        (t.privacy.orders[0], t.privacy.costs[0], t.privacy.limits[0]) = (2000, 10, 9);
        (t.privacy.orders[1], t.privacy.costs[1], t.privacy.limits[1]) = (4000, 7, 14);
        uint256 task = started(t, 4);
        played(task, 4);
        played(task, 4);
        vm.assertEq(federation.releasesOf(task, member(0)), 2, "two");
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.PrivacyBudgetSpent.selector, task, 0, 2));
        vm.prank(member(0));
        federation.commit(task, "one more");
    }

    function bondedFree(uint256 index) private view returns (uint256) {
        Bond memory b = vault.bondOf(member(index), Role.Participant);
        return b.bonded - b.locked;
    }
}
