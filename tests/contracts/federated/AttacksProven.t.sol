// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedTerms, TaskPhase } from "../../../contracts/interfaces/FederatedTypes.sol";
import { IFederatedEvents } from "../../../contracts/interfaces/IFederatedEvents.sol";
import { vm } from "../support/Vm.sol";
import { ProvenWorld } from "./support/ProvenWorld.sol";

/// @dev What participants try in rounds with proofs of accuracy.
contract AttacksProvenTest is ProvenWorld {
    /// @dev Commits to a model, shows no update, proves nothing, pays, leaves: its place was never used, so a newcomer has it, and
    /// would have been barred from leading with it.
    function test_a_no_show_leaves_no_bar_behind_for_who_takes_its_place() public {
        FederatedTerms memory t = _provenTerms();
        t.leaderPenalty = 1;
        uint256 task = started(t, 5);
        _roundWithout4(task);
        vm.assertEq(uint256(state_(task).barred), 16, "the no-show leads no more");
        vm.assertEq(who(task, 4).stake, STAKE - 1, "and has paid");
        post(task, evenRow(4));
        toSettle(task);
        federation.finalize(task);
        address gone = accountAt(task, 4);
        vm.prank(gone);
        federation.leave(task);
        address newcomer = actor("newcomer", 0);
        join(task, newcomer, STAKE);
        vm.assertEq(accountAt(task, 4), newcomer, "in its place");
        vm.assertEq(uint256(state_(task).barred), 0, "with a clean sheet");
    }

    /// @dev Who has committed to a model owes its proof, update or not, and cannot go before the count.
    function test_a_model_without_an_update_is_owed_all_the_same() public {
        uint256 task = started(_provenTerms(), 5);
        for (uint256 i = 0; i < 5; ++i) {
            commitModel(task, i);
            if (i != 4) commit(task, i);
        }
        address last = accountAt(task, 4);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.BoundUntilRoundEnds.selector, task, 1));
        vm.prank(last);
        federation.leave(task);
        toReveal_(task);
        drawn(task);
        // proven best of all, it leads nothing and is paid nothing: nothing of it is in the round
        prove(task, 4, 128);
        for (uint256 i = 0; i < 4; ++i) {
            reveal(task, i);
            prove(task, i, 100 + i);
        }
        toCount(task);
        federation.countProofs(task);
        vm.assertEq(uint256(round_(task).included), 15, "the others");
        vm.assertEq(uint256(post(task, evenRow(4))), 3, "the best of them leads");
        toSettle(task);
        federation.finalize(task);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotIncluded.selector, task, 1, 4));
        federation.claimReward(task, 1, 4, "", new bytes32[](0));
    }

    /// @dev Nobody needs those who stay away: a round in which nobody proves fails, all the same, and the next begins.
    function test_a_round_of_no_shows_only_fails_and_the_reward_goes_back() public {
        uint256 task = started(_provenTerms(), 4);
        revealedAndDrawn(task, 4);
        toCount(task);
        federation.countProofs(task);
        requirePhase(task, TaskPhase.Aggregate);
        federation.fail(task);
        requirePhase(task, TaskPhase.Commit);
        federation.withdraw(task);
        vm.assertEq(token.balanceOf(client), ROUND_REWARD, "the client's");
    }

    /// @dev Open: counts are public while requests are taken, and pay is not even: who is second drives the best out with four
    /// bonds, which the best keeps, and has its lead and the largest part of its share.
    function test_open_the_second_drives_the_best_out_and_gains_more_than_the_bonds() public {
        FederatedTerms memory t = _provenTerms();
        t.accuracy.minimumCorrect = BASELINE + 1;
        uint256 task = started(t, 5);
        revealedAndDrawn(task, 5);
        for (uint256 i = 0; i < 5; ++i) {
            prove(task, i, i < 2 ? 128 - i : BASELINE + 1);
        }
        uint256 snapshot = vm.snapshotState();
        _paidTo1(task, 5, 0);
        uint256 honest = token.balanceOf(member(1));
        vm.revertToState(snapshot);
        for (uint256 k = 0; k < 4; ++k) {
            ask(task, actor("asker", k), 0, k % 2);
            answer(task, 0, k % 2);
        }
        _paidTo1(task, 4, 1);
        vm.assertEq(token.balanceOf(member(0)), 4 * ASK_BOND, "the best has the bonds");
        vm.assertGe(token.balanceOf(member(1)), honest + 4 * ASK_BOND + ROUND_REWARD / 10, "a gain");
    }

    function _paidTo1(uint256 task, uint256 n, uint16 leader) private {
        toCount(task);
        federation.countProofs(task);
        vm.assertEq(uint256(post(task, evenRow(n))), leader, "the best of those in it");
        toSettle(task);
        federation.finalize(task);
        claimProven(task, 1, 1);
    }

    function _roundWithout4(uint256 task) private {
        for (uint256 i = 0; i < 5; ++i) {
            commitModel(task, i);
            if (i != 4) commit(task, i);
        }
        toReveal_(task);
        drawn(task);
        for (uint256 i = 0; i < 4; ++i) {
            reveal(task, i);
            prove(task, i, 100);
        }
        toCount(task);
        federation.countProofs(task);
    }
}
