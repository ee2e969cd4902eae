// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedTerms, TaskPhase } from "../../../contracts/interfaces/FederatedTypes.sol";
import { IFederatedEvents } from "../../../contracts/interfaces/IFederatedEvents.sol";
import { IStakeVault, Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { vm } from "../support/Vm.sol";
import { FederatedWorld } from "./support/FederatedWorld.sol";

/// @dev Whoever tries to gain; what works all the same is in docs/federated.md, What is known to be open.
contract AttacksTest is FederatedWorld {
    /// @dev The round's seed is known to who comes now, and a stake of 1 to 16 bonds moves the draw as one likes.
    function test_nobody_chooses_a_stake_to_lead_the_round_that_is_on() public {
        uint256 task = started(_federatedTerms(), 3);
        uint256 before = vm.snapshotState();
        for (uint256 bonds = 1; bonds <= 16; ++bonds) {
            uint16 index = join(task, actor("grinder", 0), bonds * STAKE);
            revealed(task, 4);
            toAggregate(task);
            vm.assertTrue(federation.leaderOf(task) != index, "not in the round that it came in");
            vm.revertToState(before);
        }
    }

    /// @dev The same with a place of old: out and in again.
    function test_nor_by_leaving_and_coming_back() public {
        uint256 task = started(_federatedTerms(), 4);
        revealed(task, 4);
        toAggregate(task);
        post(task, evenRow(4));
        toSettle(task);
        federation.finalize(task);
        vm.prank(member(3));
        federation.leave(task);
        vm.assertEq(uint256(join(task, member(3), 16 * STAKE)), 3, "its old place");
        revealed(task, 4);
        toAggregate(task);
        for (uint256 attempt = 0; attempt < 3; ++attempt) {
            vm.assertTrue(federation.leaderOf(task) != 3, "never at any attempt");
            vm.warp(round_(task).postEnds);
            federation.replaceLeader(task);
        }
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NobodyCanLead.selector, task));
        federation.leaderOf(task);
        federation.fail(task);
        revealed(task, 4);
        toAggregate(task);
        vm.assertEq(uint256(federation.leaderOf(task)), 3, "in the next one it can");
    }

    /// @dev A stake that is chosen before a round begins is chosen without its seed.
    function test_the_seed_of_a_round_is_not_known_before_its_block() public {
        uint256 task = started(_federatedTerms(), 3);
        revealed(task, 3);
        toAggregate(task);
        post(task, evenRow(3));
        toSettle(task);
        bytes32 mixed = state_(task).nextSeed;
        uint256 before = vm.snapshotState();
        vm.setBlockhash(block.number - 1, keccak256("one"));
        federation.finalize(task);
        bytes32 one = state_(task).seed;
        vm.revertToState(before);
        vm.setBlockhash(block.number - 1, keccak256("other"));
        federation.finalize(task);
        vm.assertTrue(state_(task).seed != one, "another block, another seed");
        vm.assertTrue(one != mixed, "not what was mixed alone");
    }

    /// @dev The stake stays where the court finds it, is lost once, and who lost it does not come back.
    function test_an_accused_leader_takes_nothing_out_and_pays_once() public {
        uint256 task = started(_federatedTerms(), 4);
        revealed(task, 4);
        toAggregate(task);
        uint16 liar = post(task, evenRow(4));
        vm.prank(court_);
        federation.disputeOpened(task);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.BoundUntilRoundEnds.selector, task, 1));
        vm.prank(member(liar));
        federation.leave(task);
        vm.expectPartialRevert(IStakeVault.InsufficientFreeBond.selector);
        vm.prank(member(liar));
        vault.requestExit(Role.Participant, 1);
        vm.prank(court_);
        federation.leaderProvenWrong(task, 1, actor("challenger", 0));
        vm.expectPartialRevert(IFederatedEvents.WrongPhase.selector);
        vm.prank(court_);
        federation.leaderProvenWrong(task, 1, actor("challenger", 1));
        vm.assertEq(token.balanceOf(actor("challenger", 1)), 0, "nothing for the second");
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotAParticipant.selector, task, member(liar)));
        vm.prank(member(liar));
        federation.leave(task);
        enrol(member(liar), Role.Participant, STAKE);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.AlreadyJoined.selector, task, member(liar)));
        vm.prank(member(liar));
        federation.join(task, uint96(STAKE), new bytes32[](0));
        vm.assertEq(locked(member(liar), Role.Participant), 0, "nothing of it is locked");
    }

    /// @dev Open: with no more than the least participants, four bonds (a third of the reward, at least) undo a round whose
    /// updates are public by then. Who is driven out is paid, the others are not.
    function test_open_at_the_minimum_four_bonds_undo_a_round() public {
        uint256 task = started(_federatedTerms(), 3);
        revealed(task, 3);
        for (uint256 k = 0; k < 4; ++k) {
            ask(task, client, 1, k % 2);
            answer(task, 1, k % 2);
        }
        federation.fail(task);
        vm.assertEq(state_(task).refundable, ROUND_REWARD, "the client has its reward back");
        vm.assertEq(token.balanceOf(member(1)), 4 * ASK_BOND, "for this");
        vm.assertGe(4 * ASK_BOND * 3, ROUND_REWARD, "the even share of who was driven out");
    }
}
