// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { TaskPhase } from "../../../contracts/interfaces/FederatedTypes.sol";
import { IFederatedEvents } from "../../../contracts/interfaces/IFederatedEvents.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { IndexedMerkle } from "../../../contracts/libraries/IndexedMerkle.sol";
import { vm } from "../support/Vm.sol";
import { FederatedWorld } from "./support/FederatedWorld.sol";

contract RequestsTest is FederatedWorld {
    address private asker = actor("asker", 0);

    function test_an_answer_earns_the_author_the_askers_bond() public {
        uint256 task = started(_federatedTerms(), 4);
        revealed(task, 4);
        ask(task, asker, 1, 0);
        vm.assertEq(locked(asker, Role.Verifier), ASK_BOND, "locked");
        vm.warp(round_(task).requestEnds);
        requirePhase(task, TaskPhase.Answer);
        vm.prank(actor("somebody who saw it", 0));
        answer(task, 1, 0);
        vm.assertEq(token.balanceOf(member(1)), ASK_BOND, "not who was first to repeat it");
        vm.assertEq(bonded(asker, Role.Verifier), 0, "paid");
        requirePhase(task, TaskPhase.Aggregate);
        vm.assertEq(round_(task).postEnds, block.timestamp + 60, "the leader has its whole time");
        vm.assertEq(round_(task).included, 15, "all are in");
    }

    function test_the_fourth_answer_drops_an_update_and_pays_for_it() public {
        uint256 task = started(_federatedTerms(), 4);
        revealed(task, 4);
        for (uint256 i = 0; i < 4; ++i) {
            ask(task, actor("asker", i), 1, i % 2);
        }
        enrol(asker, Role.Verifier, ASK_BOND);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.EnoughRequests.selector, task, 1));
        vm.prank(asker);
        federation.request(task, 1, 0);
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(round_(task).included, 15, "in");
            answer(task, 1, i % 2);
        }
        vm.assertEq(round_(task).included, 13, "out");
        vm.assertEq(token.balanceOf(member(1)), 4 * ASK_BOND, "paid");
        vm.assertGe(4 * ASK_BOND, ROUND_REWARD / 4, "no less than its even share");
        vm.assertEq(who(task, 1).stake, STAKE, "no fault of its");
        toAggregate(task);
        post(task, evenRow(3));
        toSettle(task);
        federation.finalize(task);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotIncluded.selector, task, 1, 1));
        federation.claimReward(task, 1, 1, evenRow(3), new bytes32[](0));
        // in the next round it is asked anew
        revealed(task, 4);
        ask(task, actor("asker", 5), 1, 0);
    }

    function test_who_does_not_answer_is_excluded_and_pays() public {
        uint256 task = started(_federatedTerms(), 4);
        revealed(task, 4);
        ask(task, asker, 1, 0);
        ask(task, actor("asker", 1), 1, 1);
        uint64 expires = round_(task).requestEnds + 70;
        vm.warp(expires - 1);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.TooEarly.selector, expires, expires - 1));
        federation.expire(task, 1);
        vm.warp(expires);
        bytes memory content = chunkOf(task, 1, 0);
        bytes32[] memory proof = sibling(task, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.TooLate.selector, expires, expires));
        federation.answer(task, 1, 0, content, proof);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotRequested.selector, task, 2, 0));
        federation.expire(task, 2);
        federation.expire(task, 1);
        vm.assertEq(token.balanceOf(asker), STAKE * DISPUTE_PPM / PPM, "the first asker's part");
        vm.assertEq(locked(asker, Role.Verifier) + locked(actor("asker", 1), Role.Verifier), 0, "both are free");
        vm.assertEq(bonded(member(1), Role.Participant), 0, "all that it had in the task");
        vm.assertEq(round_(task).included, 13, "out");
        vm.assertEq(state_(task).active, 3, "excluded");
        requirePhase(task, TaskPhase.Aggregate);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotAParticipant.selector, task, member(1)));
        vm.prank(member(1));
        federation.leave(task);
        enrol(member(1), Role.Participant, STAKE);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.AlreadyJoined.selector, task, member(1)));
        vm.prank(member(1));
        federation.join(task, uint96(STAKE), new bytes32[](0));
    }

    function test_the_round_waits_for_all_requests_and_can_fail_afterwards() public {
        uint256 task = started(_federatedTerms(), 3);
        revealed(task, 3);
        ask(task, asker, 0, 0);
        ask(task, actor("asker", 1), 2, 0);
        vm.warp(round_(task).requestEnds + 1000);
        answer_is_late(task, 2);
        federation.expire(task, 0);
        requirePhase(task, TaskPhase.Answer);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotFailed.selector, task));
        federation.fail(task);
        federation.expire(task, 2);
        federation.fail(task);
        requirePhase(task, TaskPhase.Over);
        vm.assertEq(state_(task).refundable, 3 * ROUND_REWARD, "back");
    }

    function test_wrong_questions_and_answers() public {
        uint256 task = started(_federatedTerms(), 4);
        committed(task, 3);
        toReveal_(task);
        for (uint256 i = 0; i < 3; ++i) {
            reveal(task, i);
        }
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotIncluded.selector, task, 1, 3));
        federation.request(task, 3, 0);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotIncluded.selector, task, 1, 500));
        federation.request(task, 500, 0);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.ChunkOutOfRange.selector, 2, 2));
        federation.request(task, 0, 2);
        bytes memory content = chunkOf(task, 1, 1);
        bytes32[] memory proof = sibling(task, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotRequested.selector, task, 1, 1));
        federation.answer(task, 1, 1, content, proof);
        ask(task, asker, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotRequested.selector, task, 1, 0));
        federation.answer(task, 1, 0, content, proof);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.WrongLength.selector, 88, 87));
        federation.answer(task, 1, 1, new bytes(87), proof);
        vm.expectPartialRevert(IFederatedEvents.WrongOpening.selector);
        federation.answer(task, 1, 1, new bytes(88), proof);
        vm.expectRevert(abi.encodeWithSelector(IndexedMerkle.WrongProofLength.selector, 1, 0));
        federation.answer(task, 1, 1, content, new bytes32[](0));
        federation.answer(task, 1, 1, content, proof);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotRequested.selector, task, 1, 1));
        federation.answer(task, 1, 1, content, proof);
    }

    function answer_is_late(uint256 task, uint256 index) private {
        bytes memory content = chunkOf(task, index, 0);
        bytes32[] memory proof = sibling(task, index, 0);
        vm.expectPartialRevert(IFederatedEvents.TooLate.selector);
        federation.answer(task, uint16(index), 0, content, proof);
    }
}
