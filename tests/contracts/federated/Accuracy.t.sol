// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { AccuracyRecord, FederatedTerms, TaskPhase } from "../../../contracts/interfaces/FederatedTypes.sol";
import { IAccuracyProofs, ProofPhase, ProverStatus } from "../../../contracts/interfaces/IAccuracyProofs.sol";
import { IFederatedEvents } from "../../../contracts/interfaces/IFederatedEvents.sol";
import { IVerifierRegistry } from "../../../contracts/interfaces/IVerifierRegistry.sol";
import { vm } from "../support/Vm.sol";
import { ProvenWorld } from "./support/ProvenWorld.sol";

/// @dev Proofs of accuracy in plain rounds.
contract AccuracyTest is ProvenWorld {
    function test_the_best_leads_and_all_are_paid_by_what_they_have_proven() public {
        uint256 task = started(_provenTerms(), 4);
        uint16 leader = provenRound(task, counts(61, 127, 100, 90));
        vm.assertEq(uint256(leader), 1, "the best");
        toSettle(task);
        federation.finalize(task);
        AccuracyRecord memory a = federation.accuracyOf(task, 1);
        vm.assertEq(a.merits, 21 + 87 + 60 + 50, "above the baseline");
        vm.assertEq(a.rewarded, 15, "all");
        uint256 pool = ROUND_REWARD * 9 / 10;
        uint256 dust = pool - pool * 21 / 218 - pool * 87 / 218 - pool * 60 / 218 - pool * 50 / 218;
        vm.assertEq(claimProven(task, 1, 0), pool * 21 / 218, "little");
        vm.assertEq(claimProven(task, 1, 3), pool * 50 / 218, "more");
        vm.assertEq(claimProven(task, 1, 1), ROUND_REWARD / 10 + pool * 87 / 218 + dust, "the leader");
        vm.assertEq(claimProven(task, 1, 2), pool * 60 / 218, "more still");
        vm.assertEq(token.balanceOf(address(federation)), 2 * ROUND_REWARD, "the whole reward of the round");
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.AlreadyClaimed.selector, task, 1, 1));
        federation.claimReward(task, 1, 1, "", new bytes32[](0));
        vm.assertEq(state_(task).round, 2, "the next");
        vm.assertEq(uint256(round_(task).modelled), 0, "begins anew");
    }

    function test_a_row_of_measures_is_not_asked_for() public {
        uint256 task = started(_provenTerms(), 4);
        provenRound(task, counts(61, 127, 100, 90));
        toSettle(task);
        federation.finalize(task);
        bytes memory row = evenRow(4);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.WrongLength.selector, 0, row.length));
        federation.claimReward(task, 1, 0, row, new bytes32[](0));
    }

    function test_order_of_leaders_is_count_then_stake_then_draw() public {
        uint256 task = create(_provenTerms());
        // 0, 3 and 4 prove most; 3 and 4 have more at stake; 5 is nobody's equal
        uint256[] memory correct = new uint256[](6);
        (correct[0], correct[1], correct[2], correct[3], correct[4], correct[5]) = (120, 110, 110, 120, 120, 119);
        for (uint256 i = 0; i < 6; ++i) {
            join(task, member(i), i == 3 || i == 4 ? 2 * STAKE : i == 2 ? STAKE + 1 : STAKE);
        }
        vm.warp(block.timestamp + 1000);
        federation.start(task);
        revealedAndDrawn(task, 6);
        for (uint256 i = 0; i < 6; ++i) {
            prove(task, i, correct[i]);
        }
        toCount(task);
        federation.countProofs(task);
        uint256[6] memory order;
        for (uint256 k = 0; k < 6; ++k) {
            order[k] = federation.leaderOf(task);
            toEnd(task, round_(task).postEnds);
            federation.replaceLeader(task);
        }
        vm.assertTrue(order[0] == 3 || order[0] == 4, "count, then stake");
        vm.assertEq(order[0] + order[1], 7, "both of them");
        vm.assertEq(order[2], 0, "the last of the best");
        vm.assertEq(order[3], 5, "one sample less");
        vm.assertEq(order[4], 2, "a wei more");
        vm.assertEq(order[5], 1, "than this one");
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NobodyCanLead.selector, task));
        federation.leaderOf(task);
        federation.fail(task);
    }

    function test_equal_in_both_are_drawn() public {
        uint256[4] memory times;
        for (uint256 k = 0; k < 12; ++k) {
            vm.warp(block.timestamp + 17);
            uint256 task = started(_provenTerms(), 4);
            ++times[provenRound(task, counts(100, 100, 99, 100))];
        }
        vm.assertTrue(times[0] != 0 && times[1] != 0 && times[3] != 0, "each of the three");
        vm.assertEq(times[2], 0, "and nobody else");
    }

    function test_below_the_minimum_is_left_out_and_not_punished() public {
        uint256 task = started(_provenTerms(), 4);
        provenRound(task, counts(100, 59, 100, 60));
        vm.assertEq(uint256(round_(task).included), 13, "without 1");
        toSettle(task);
        federation.finalize(task);
        vm.assertEq(uint256(federation.recordOf(task, 1).included), 13, "for good");
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotIncluded.selector, task, 1, 1));
        federation.claimReward(task, 1, 1, "", new bytes32[](0));
        vm.assertEq(who(task, 1).stake, STAKE, "whole");
        uint256 pool = ROUND_REWARD * 9 / 10;
        vm.assertEq(federation.accuracyOf(task, 1).merits, 60 + 60 + 20, "of those who are in");
        uint256 least = claimProven(task, 1, 3);
        vm.assertEq(least, federation.recordOf(task, 1).leader == 3 ? 0 : pool * 20 / 140, "just accepted");
    }

    function test_a_no_show_pays_leads_no_more_and_then_goes() public {
        FederatedTerms memory t = _provenTerms();
        t.leaderPenalty = uint96(STAKE * 6 / 10);
        uint256 task = started(t, 4);
        address reporter = actor("reporter", 0);
        revealedAndDrawn(task, 4);
        for (uint256 i = 0; i < 3; ++i) {
            prove(task, i, 100);
        }
        // half of what it owes is nothing
        proveOne(task, 3, 0, 64);
        toEnd(task, round_(task).answerEnds);
        requirePhase(task, TaskPhase.Prove);
        vm.expectRevert(
            abi.encodeWithSelector(IFederatedEvents.ProofsNotOver.selector, task, ProofPhase.Over, ProofPhase.Prove)
        );
        federation.countProofs(task);
        toCount(task);
        vm.prank(reporter);
        federation.countProofs(task);
        vm.assertEq(uint256(round_(task).included), 7, "left out");
        vm.assertEq(who(task, 3).stake, STAKE * 4 / 10, "the penalty");
        vm.assertEq(token.balanceOf(reporter), STAKE * 6 / 10 * REPORTER_PPM / PPM, "a part for who reports it");
        vm.assertEq(uint256(state_(task).barred), 8, "leads no more");
        post(task, evenRow(3));
        toSettle(task);
        federation.finalize(task);
        revealedAndDrawn(task, 4);
        for (uint256 i = 0; i < 3; ++i) {
            prove(task, i, 100);
        }
        toCount(task);
        federation.countProofs(task);
        vm.assertTrue(who(task, 3).excluded, "who cannot pay twice");
        vm.assertEq(who(task, 3).stake, 0, "loses the rest");
        vm.assertEq(state_(task).active, 3, "and goes");
    }

    function test_the_round_waits_for_proofs_and_goes_on_with_the_last() public {
        uint256 task = started(_provenTerms(), 4);
        revealedAndDrawn(task, 4);
        requirePhase(task, TaskPhase.Request);
        toEnd(task, round_(task).answerEnds);
        requirePhase(task, TaskPhase.Prove);
        vm.assertEq(round_(task).postEnds, 0, "not known yet");
        vm.expectPartialRevert(IFederatedEvents.WrongPhase.selector);
        federation.leaderOf(task);
        for (uint256 i = 0; i < 4; ++i) {
            prove(task, i, 100);
        }
        vm.warp(block.timestamp + 7);
        federation.countProofs(task);
        requirePhase(task, TaskPhase.Aggregate);
        vm.assertEq(round_(task).countedAt, block.timestamp, "now");
        vm.assertEq(round_(task).postEnds, block.timestamp + 60, "the leader's time");
        vm.expectPartialRevert(IFederatedEvents.WrongPhase.selector);
        federation.countProofs(task);
    }

    function test_an_update_needs_a_model_and_a_model_binds() public {
        uint256 task = started(_provenTerms(), 4);
        bytes32 commitment = commitmentOf(task, 0);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotDoneBefore.selector, task, 0));
        vm.prank(member(0));
        federation.commit(task, commitment);
        vm.expectRevert(
            abi.encodeWithSelector(IFederatedEvents.TooEarly.selector, round_(task).commitEnds, block.timestamp)
        );
        federation.drawChunks(task);
        commitModel(task, 0);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.AlreadyDone.selector, task, 0));
        vm.prank(member(0));
        federation.commitModel(task, 5);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.BoundUntilRoundEnds.selector, task, 1));
        vm.prank(member(0));
        federation.leave(task);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotAParticipant.selector, task, address(this)));
        federation.commitModel(task, 5);
        // past the order of the field
        vm.expectPartialRevert(IAccuracyProofs.NotInField.selector);
        vm.prank(member(1));
        federation.commitModel(task, type(uint256).max);
        vm.prank(member(1));
        federation.leave(task);
        bytes32 round = proofRound(task);
        vm.expectRevert(
            abi.encodeWithSelector(IAccuracyProofs.NotTheOpener.selector, round, address(federation), address(this))
        );
        proofs.commitFor(round, member(2), 5);
        toReveal_(task);
        vm.expectPartialRevert(IFederatedEvents.WrongPhase.selector);
        vm.prank(member(2));
        federation.commitModel(task, 5);
    }

    function test_a_task_without_proofs_asks_for_none() public {
        uint256 task = started(_federatedTerms(), 4);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NoProofsAsked.selector, task));
        vm.prank(member(0));
        federation.commitModel(task, 5);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NoProofsAsked.selector, task));
        federation.drawChunks(task);
        played(task, 4);
        vm.assertEq(federation.accuracyOf(task, 1).proofRound, 0, "nothing");
    }

    function test_claiming_too_much_and_copying_lose() public {
        uint256 task = started(_provenTerms(), 5);
        commitModel(task, 0);
        commitModel(task, 1);
        commitModel(task, 2);
        commitModel(task, 3);
        // member 4 commits to the model of member 0
        uint256 copied = modelHash(task, 0);
        vm.prank(member(4));
        federation.commitModel(task, copied);
        committed(task, 5);
        drawn(task);
        for (uint256 i = 0; i < 5; ++i) {
            reveal(task, i);
        }
        bytes32 round = proofRound(task);
        uint256 chunk = proofs.chunkOf(round, 0);
        bytes memory proof = proofFor(task, 0, chunk, 50);
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.InvalidProof.selector, round, member(0), 0));
        proofs.submit(round, member(0), 0, chunkHash(chunk), path(chunk), 51, proof);
        proofs.submit(round, member(0), 0, chunkHash(chunk), path(chunk), 50, proof);
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.InvalidProof.selector, round, member(4), 0));
        proofs.submit(round, member(4), 0, chunkHash(chunk), path(chunk), 50, proof);
        proveOne(task, 0, 1, 50);
        prove(task, 1, 90);
        prove(task, 2, 90);
        toCount(task);
        federation.countProofs(task);
        vm.assertEq(uint256(round_(task).included), 7, "without who claims too much and who copies");
        vm.assertEq(who(task, 3).stake, STAKE - PENALTY, "and both");
        vm.assertEq(who(task, 4).stake, STAKE - PENALTY, "pay");
        vm.assertEq(uint256(federation.leaderOf(task)), 0, "the best leads");
    }

    function test_a_proof_of_one_round_is_none_in_the_next() public {
        uint256 task = started(_provenTerms(), 4);
        provenRound(task, counts(100, 100, 100, 100));
        bytes memory old = proofFor(task, 0, 0, 50);
        toSettle(task);
        federation.finalize(task);
        revealedAndDrawn(task, 4);
        bytes32 round = proofRound(task);
        uint256 draw = proofs.chunkOf(round, 0) == 0 ? 0 : 1;
        uint256 chunk = proofs.chunkOf(round, draw);
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.InvalidProof.selector, round, member(0), draw));
        proofs.submit(round, member(0), draw, chunkHash(chunk), path(chunk), 50, old);
    }

    function test_too_few_accepted_fail_the_round() public {
        uint256 task = started(_provenTerms(), 4);
        revealedAndDrawn(task, 4);
        for (uint256 i = 0; i < 4; ++i) {
            prove(task, i, i < 2 ? 100 : 10);
        }
        toCount(task);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotFailed.selector, task));
        federation.fail(task);
        federation.countProofs(task);
        federation.fail(task);
        vm.assertEq(state_(task).refundable, ROUND_REWARD, "back");
        vm.assertEq(uint256(round_(task).modelled), 0, "anew");
    }

    function test_too_few_revealed_need_no_proofs() public {
        uint256 task = started(_provenTerms(), 4);
        for (uint256 i = 0; i < 4; ++i) {
            commitModel(task, i);
            commit(task, i);
        }
        reveal(task, 0);
        toEnd(task, round_(task).answerEnds);
        requirePhase(task, TaskPhase.Prove);
        federation.fail(task);
        vm.assertEq(state_(task).round, 2, "goes on");
    }

    function test_a_draw_that_nobody_makes_costs_nobody() public {
        uint256 task = started(_provenTerms(), 4);
        for (uint256 i = 0; i < 4; ++i) {
            commitModel(task, i);
            commit(task, i);
        }
        for (uint256 i = 0; i < 4; ++i) {
            reveal(task, i);
        }
        for (uint256 k = 0; k < 3; ++k) {
            federation.drawChunks(task);
            vm.roll(block.number + 300);
        }
        toEnd(task, round_(task).answerEnds);
        (ProverStatus status,,,) = proofs.proverOf(proofRound(task), member(0));
        vm.assertEq(uint256(status), uint256(ProverStatus.Committed), "nothing could be proven");
        federation.countProofs(task);
        vm.assertEq(uint256(round_(task).included), 0, "nobody");
        vm.assertEq(who(task, 0).stake, STAKE, "and nobody pays");
        federation.fail(task);
    }

    function test_terms_of_proofs() public {
        FederatedTerms memory t = _provenTerms();
        t.accuracy.minimumCorrect = BASELINE;
        _refused(t, "minimumCorrect", BASELINE, BASELINE + 1, type(uint32).max);
        t = _provenTerms();
        t.windows.prove = 0;
        _refused(t, "prove", 0, 1, 30 days);
        t = _federatedTerms();
        t.windows.prove = 1;
        _refused(t, "prove", 1, 0, 0);
        t = _federatedTerms();
        t.accuracy.draws = 3;
        _refused(t, "verifier", 3, 0, 0);
        t = _provenTerms();
        t.accuracy.verifier = "another";
        vm.expectRevert(abi.encodeWithSelector(IVerifierRegistry.UnknownVerifier.selector, bytes32("another")));
        federation.create(t);
        t = _provenTerms();
        t.accuracy.draws = 5;
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.TermOutOfRange.selector, "draws", 1, 4, 5));
        federation.create(t);
    }

    function _refused(FederatedTerms memory t, string memory name, uint256 actual, uint256 low, uint256 high) private {
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.TermOutOfBounds.selector, name, actual, low, high));
        federation.create(t);
    }
}
