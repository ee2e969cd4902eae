// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedTerms, Mode, TaskPhase } from "../../../contracts/interfaces/FederatedTypes.sol";
import { IFederatedEvents } from "../../../contracts/interfaces/IFederatedEvents.sol";
import { Bitmaps } from "../../../contracts/federated/Bitmaps.sol";
import { SecureGroups } from "../../../contracts/federated/SecureGroups.sol";
import { vm } from "../support/Vm.sol";
import { FederatedWorld } from "./support/FederatedWorld.sol";

contract SecureTest is FederatedWorld {
    using Bitmaps for uint128;

    function _federatedTerms() internal pure override returns (FederatedTerms memory t) {
        t = super._federatedTerms();
        t.mode = Mode.Secure;
        t.groupSize = 3;
        (t.windows.keys, t.windows.shares, t.windows.reveal, t.windows.unmask) = (30, 20, 0, 10);
    }

    function test_a_whole_round_and_its_rewards_by_groups() public {
        uint256 task = _unmasked(7, 7, 7);
        uint128[] memory columns = federation.columnsOf(task);
        vm.assertEq(columns.length, 2, "two groups of seven");
        vm.assertEq(columns[0] | columns[1], 127, "all are in one");
        vm.assertEq(columns[0] & columns[1], 0, "of the two");
        uint32[] memory weights = federation.columnWeights(task);
        vm.assertEq(uint256(weights[0]) + weights[1], 7, "survivors");
        bytes memory row = abi.encodePacked(int64(30), int64(90), int64(60));
        uint16 leader = post(task, row);
        toSettle(task);
        federation.finalize(task);
        uint256 pool = ROUND_REWARD * 9 / 10;
        uint256 whole = 0;
        for (uint256 i = 0; i < 7; ++i) {
            uint256 column = columns[0].has(i) ? 0 : 1;
            uint256 part = pool * (column == 0 ? 30 : 60) / 90 / weights[column];
            uint256 paid = claim(task, 1, i, row);
            if (i != leader) vm.assertEq(paid, part, "an equal part of its group's");
            whole += paid;
        }
        vm.assertEq(whole, ROUND_REWARD, "all was paid");
    }

    function test_the_sets_only_shrink() public {
        uint256 task = started(_federatedTerms(), 4);
        join(task, member(4), STAKE);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotDoneBefore.selector, task, 4));
        vm.prank(member(4));
        federation.postKeys(task, "h", "c");
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(member(i));
            federation.postKeys(task, "h", "c");
        }
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.AlreadyDone.selector, task, 0));
        vm.prank(member(0));
        federation.postKeys(task, "h", "c");
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.BoundUntilRoundEnds.selector, task, 1));
        vm.prank(member(0));
        federation.leave(task);
        toEnd(task, round_(task).keysEnd);
        requirePhase(task, TaskPhase.Shares);
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(member(i));
            federation.postShares(task, "seeds", "h", "c");
        }
        toEnd(task, round_(task).sharesEnd);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotDoneBefore.selector, task, 3));
        vm.prank(member(3));
        federation.postMasked(task, "y", "c");
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.WrongMode.selector, task, Mode.Plain, Mode.Secure));
        vm.prank(member(0));
        federation.commit(task, "c");
        for (uint256 i = 0; i < 3; ++i) {
            requirePhase(task, TaskPhase.Commit);
            vm.prank(member(i));
            federation.postMasked(task, "y", "c");
        }
        requirePhase(task, TaskPhase.Request);
        vm.assertEq(federation.releasesOf(task, member(0)), 1, "a release");
        vm.assertEq(who(task, 2).seedsRoot, bytes32("seeds"), "its seeds");
        toAggregate(task);
        requirePhase(task, TaskPhase.Unmask);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotIncluded.selector, task, 1, 3));
        vm.prank(member(3));
        federation.postUnmask(task, "h", "c");
    }

    function test_a_place_on_the_roster_is_its_holders_until_the_round_ends() public {
        uint256 task = started(_federatedTerms(), 4);
        vm.prank(member(3));
        federation.leave(task);
        vm.assertEq(uint256(join(task, member(5), STAKE)), 4, "not in a group that others know by its account");
        toEnd(task, round_(task).commitEnds);
        federation.fail(task);
        vm.assertEq(uint256(round_(task).roster), 23, "who is there");
        vm.assertEq(uint256(join(task, member(6), STAKE)), 3, "now it is free");
    }

    function test_a_round_without_enough_to_unmask_fails() public {
        uint256 task = _unmasked(4, 4, 2);
        vm.assertEq(federation.columnsOf(task).length, 0, "3 of 4 are needed");
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.TooFewColumns.selector, task, 4));
        federation.replaceLeader(task);
        federation.fail(task);
        vm.assertEq(state_(task).refundable, ROUND_REWARD, "back");
    }

    function test_a_group_that_cannot_be_unmasked_is_no_column() public {
        uint256 task = _masked(7, 6);
        uint128[] memory groups = SecureGroups.assign(state_(task).seed, 1, 127, 3);
        vm.assertEq(groups.length, 2, "two");
        for (uint256 i = 0; i < 6; ++i) {
            if (groups[1].has(i)) _unmask(task, i);
        }
        uint128[] memory columns = federation.columnsOf(task);
        vm.assertEq(columns.length, 1, "the second group alone");
        vm.assertEq(columns[0], groups[1] & 63, "those of it who posted a vector");
        toEnd(task, round_(task).unmaskEnds);
        bytes memory row = abi.encodePacked(int64(30), int64(60));
        uint16 leader = post(task, row);
        toSettle(task);
        federation.finalize(task);
        for (uint256 i = 0; i < 6; ++i) {
            uint256 paid = claim(task, 1, i, row);
            if (groups[0].has(i) && i != leader) vm.assertEq(paid, 0, "of no column");
            if (groups[1].has(i)) vm.assertGe(paid, 1, "of the column");
        }
    }

    function test_more_than_half_undo_a_posting_and_its_leader_pays() public {
        uint256 task = _unmasked(7, 7, 7);
        vm.expectPartialRevert(IFederatedEvents.WrongPhase.selector);
        federation.object(task);
        uint16 leader = post(task, abi.encodePacked(int64(30), int64(90), int64(60)));
        uint256 supply = token.totalSupply();
        for (uint256 i = 1; i <= 4; ++i) {
            requirePhase(task, TaskPhase.Challenge);
            vm.prank(member((leader + i) % 7));
            federation.object(task);
        }
        requirePhase(task, TaskPhase.Aggregate);
        vm.assertEq(uint256(who(task, leader).stake), STAKE - PENALTY, "the penalty");
        vm.assertEq(supply - token.totalSupply(), PENALTY, "all of it burned");
        uint16 next = post(task, abi.encodePacked(int64(30), int64(90), int64(60)));
        vm.assertTrue(next != leader, "another leads");
        vm.prank(member((leader + 1) % 7));
        federation.object(task);
        toSettle(task);
        federation.finalize(task);
    }

    function test_half_undo_nothing_and_outsiders_have_no_say() public {
        uint256 task = _unmasked(7, 6, 6);
        uint16 leader = post(task, abi.encodePacked(int64(30), int64(90), int64(60)));
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotIncluded.selector, task, 1, 6));
        vm.prank(member(6));
        federation.object(task);
        for (uint256 i = 1; i <= 3; ++i) {
            vm.prank(member((leader + i) % 6));
            federation.object(task);
        }
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.AlreadyDone.selector, task, (leader + 1) % 6));
        vm.prank(member((leader + 1) % 6));
        federation.object(task);
        toSettle(task);
        vm.expectPartialRevert(IFederatedEvents.WrongPhase.selector);
        vm.prank(member((leader + 4) % 6));
        federation.object(task);
        federation.finalize(task);
        vm.assertEq(uint256(who(task, leader).stake), STAKE, "nothing lost");
    }

    /// @dev In phase Aggregate, `masked` of `n` having posted vectors and `answered` what unmasks.
    function _unmasked(uint256 n, uint256 masked, uint256 answered) private returns (uint256 task) {
        task = _masked(n, masked);
        for (uint256 i = 0; i < answered; ++i) {
            _unmask(task, i);
        }
        toEnd(task, round_(task).unmaskEnds);
    }

    function _unmask(uint256 task, uint256 index) private {
        vm.prank(member(index));
        federation.postUnmask(task, "h", "c");
    }

    /// @dev In phase Unmask, `masked` of `n` having posted vectors.
    function _masked(uint256 n, uint256 masked) private returns (uint256 task) {
        task = started(_federatedTerms(), n);
        for (uint256 i = 0; i < n; ++i) {
            vm.prank(member(i));
            federation.postKeys(task, "h", "c");
        }
        toEnd(task, round_(task).keysEnd);
        for (uint256 i = 0; i < n; ++i) {
            vm.prank(member(i));
            federation.postShares(task, "seeds", "h", "c");
        }
        toEnd(task, round_(task).sharesEnd);
        for (uint256 i = 0; i < masked; ++i) {
            vm.prank(member(i));
            federation.postMasked(task, keccak256(abi.encode("y", i)), "c");
        }
        toEnd(task, round_(task).requestEnds);
    }
}
