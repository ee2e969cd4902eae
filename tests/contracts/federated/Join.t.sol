// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedTerms, TaskPhase } from "../../../contracts/interfaces/FederatedTypes.sol";
import { IFederatedEvents } from "../../../contracts/interfaces/IFederatedEvents.sol";
import { IStakeVault, Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { vm } from "../support/Vm.sol";
import { FederatedWorld } from "./support/FederatedWorld.sol";

contract JoinTest is FederatedWorld {
    function test_a_participants_stake_is_locked_until_it_leaves() public {
        uint256 task = create(_federatedTerms());
        vm.assertEq(uint256(join(task, member(0), STAKE)), 0, "first");
        vm.assertEq(uint256(join(task, member(1), 3 * STAKE)), 1, "second");
        vm.assertEq(locked(member(1), Role.Participant), 3 * STAKE, "locked");
        vm.assertEq(federation.placeOf(task, member(1)), 2, "place");
        vm.assertEq(state_(task).active, 2, "active");
        vm.prank(member(1));
        federation.leave(task);
        vm.assertEq(locked(member(1), Role.Participant), 0, "free");
        vm.assertEq(federation.placeOf(task, member(1)), 0, "no place");
        vm.assertEq(state_(task).active, 1, "gone");
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotAParticipant.selector, task, member(1)));
        vm.prank(member(1));
        federation.leave(task);
    }

    function test_who_may_not_join() public {
        uint256 task = create(_federatedTerms());
        join(task, member(0), STAKE);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.AlreadyJoined.selector, task, member(0)));
        vm.prank(member(0));
        federation.join(task, uint96(STAKE), new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.StakeTooSmall.selector, STAKE, STAKE - 1));
        federation.join(task, uint96(STAKE - 1), new bytes32[](0));
        vm.expectRevert(
            abi.encodeWithSelector(IStakeVault.InsufficientFreeBond.selector, address(this), Role.Participant, STAKE, 0)
        );
        federation.join(task, uint96(STAKE), new bytes32[](0));
        for (uint256 i = 1; i < 8; ++i) {
            join(task, member(i), STAKE);
        }
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NoPlaceLeft.selector, task));
        federation.join(task, uint96(STAKE), new bytes32[](0));
    }

    function test_an_allow_list_admits_those_on_it() public {
        FederatedTerms memory t = _federatedTerms();
        bytes32 a = _allowed(member(0));
        bytes32 b = _allowed(member(1));
        t.allowRoot = a < b ? keccak256(abi.encodePacked(a, b)) : keccak256(abi.encodePacked(b, a));
        uint256 task = create(t);
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = b;
        enrol(member(0), Role.Participant, STAKE);
        vm.prank(member(0));
        federation.join(task, uint96(STAKE), proof);
        enrol(member(2), Role.Participant, STAKE);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotAllowed.selector, task, member(2)));
        vm.prank(member(2));
        federation.join(task, uint96(STAKE), proof);
    }

    function test_places_nobody_used_go_to_others() public {
        uint256 task = started(_federatedTerms(), 3);
        // joining and leaving as often as one likes takes no place from anybody
        for (uint256 i = 0; i < 200; ++i) {
            address account = actor("churn", i % 3);
            if (i < 3) enrol(account, Role.Participant, STAKE);
            vm.prank(account);
            federation.join(task, uint96(STAKE), new bytes32[](0));
            vm.prank(account);
            federation.leave(task);
        }
        vm.assertEq(state_(task).participants, 4, "places");
        vm.assertEq(uint256(join(task, member(7), STAKE)), 3, "the same again");
        vm.assertEq(who(task, 3).account, member(7), "its own");
    }

    function test_who_took_part_comes_back_to_its_place_with_its_releases() public {
        uint256 task = started(_federatedTerms(), 4);
        played(task, 4);
        vm.prank(member(2));
        federation.leave(task);
        vm.assertEq(state_(task).active, 3, "three");
        join(task, member(5), STAKE);
        vm.assertEq(federation.placeOf(task, member(5)), 5, "not the place of one whom rewards await");
        vm.prank(member(2));
        federation.join(task, uint96(STAKE), new bytes32[](0));
        vm.assertEq(federation.placeOf(task, member(2)), 3, "its own");
        vm.assertEq(federation.releasesOf(task, member(2)), 1, "counted on");
        vm.assertEq(claim(task, 1, 2, evenRow(4)) > 0 ? 1 : 0, 1, "and its reward");
    }

    function test_the_start_waits_for_enough_or_the_time() public {
        uint256 task = create(_federatedTerms());
        join(task, member(0), STAKE);
        join(task, member(1), STAKE);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.TooFewParticipants.selector, 3, 2));
        federation.start(task);
        join(task, member(2), STAKE);
        uint64 ends = state_(task).joinEnds;
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.TooEarly.selector, ends, block.timestamp));
        federation.start(task);
        for (uint256 i = 3; i < 8; ++i) {
            join(task, member(i), STAKE);
        }
        federation.start(task);
        requirePhase(task, TaskPhase.Commit);
        vm.assertEq(state_(task).seed != 0 ? 1 : 0, 1, "a seed");
    }

    function test_cancelled_when_too_few_came() public {
        uint256 task = create(_federatedTerms());
        join(task, member(0), STAKE);
        uint64 ends = state_(task).joinEnds;
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.TooEarly.selector, ends, block.timestamp));
        federation.cancel(task);
        vm.warp(ends);
        federation.cancel(task);
        requirePhase(task, TaskPhase.Over);
        federation.withdraw(task);
        vm.assertEq(token.balanceOf(client), 3 * ROUND_REWARD, "all back");
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NothingRefundable.selector, task));
        federation.withdraw(task);
        vm.prank(member(0));
        federation.leave(task);
        vm.assertEq(locked(member(0), Role.Participant), 0, "free");
        vm.expectRevert(
            abi.encodeWithSelector(IFederatedEvents.WrongPhase.selector, task, TaskPhase.Joining, TaskPhase.Over)
        );
        federation.join(task, uint96(STAKE), new bytes32[](0));
    }

    function test_not_cancelled_when_enough_came() public {
        uint256 task = create(_federatedTerms());
        for (uint256 i = 0; i < 3; ++i) {
            join(task, member(i), STAKE);
        }
        vm.warp(state_(task).joinEnds);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.EnoughParticipants.selector, 3, 3));
        federation.cancel(task);
    }

    function _allowed(address account) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(account))));
    }
}
