// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    IAccuracyProofs,
    ProofPhase,
    ProofTerms,
    ProverStatus
} from "../../../contracts/interfaces/IAccuracyProofs.sol";
import { IndexedMerkle } from "../../../contracts/libraries/IndexedMerkle.sol";
import { vm } from "../support/Vm.sol";
import { ProofWorld } from "./support/ProofWorld.sol";

contract SubmitProofTest is ProofWorld {
    function test_all_draws_in_any_order_make_an_accuracy() public {
        bytes32 round = openRound(proofTerms());
        drawn(round, 2);
        submit(round, prover(0), 2, 8);
        vm.expectEmit(address(proofs));
        emit IAccuracyProofs.ChunkProven(round, prover(0), 0, 3, 11);
        this.submitAs(round, 0, 3);
        vm.assertTrue(proofs.hasProven(round, prover(0), 0) && proofs.hasProven(round, prover(0), 2), "two");
        vm.assertFalse(proofs.hasProven(round, prover(0), 1) || proofs.hasProven(round, prover(0), 64), "one not");
        assertStatus(round, prover(0), ProverStatus.Committed);
        vm.expectEmit(address(proofs));
        emit IAccuracyProofs.ChunkProven(round, prover(0), 1, 7, 18);
        this.submitAs(round, 1, 7);
        (ProverStatus status,, uint256 correct, uint256 proven) = proofs.proverOf(round, prover(0));
        vm.assertEq(uint256(status), uint256(ProverStatus.Accepted), "the minimum, just");
        vm.assertTrue(correct == 18 && proven == 3, "what was proven");
        submitAll(round, prover(1), 5);
        assertStatus(round, prover(1), ProverStatus.BelowMinimum);
        assertPhase(round, ProofPhase.Prove);
        toOver(round);
        assertPhase(round, ProofPhase.Over);
        assertStatus(round, prover(0), ProverStatus.Accepted);
    }

    /// @dev Its opener waits for it, so it is over as soon as all have proven.
    function test_a_gated_round_ends_with_its_last_proof() public {
        ProofTerms memory t = proofTerms();
        (t.gated, t.bond) = (true, 0);
        bytes32 round = openRound(t);
        vm.startPrank(opener);
        proofs.commitFor(round, prover(0), modelHashOf(prover(0)));
        proofs.commitFor(round, prover(1), modelHashOf(prover(1)));
        proofs.endCommits(round);
        vm.stopPrank();
        drawNow(round, "block hash");
        submitAll(round, prover(0), 8);
        (uint256 committed, uint256 finished) = proofs.countsOf(round);
        vm.assertTrue(committed == 2 && finished == 1, "counts");
        assertPhase(round, ProofPhase.Prove);
        submitAll(round, prover(1), 5);
        assertPhase(round, ProofPhase.Over);
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.AlreadyProven.selector, round, prover(0), 0));
        proofs.submit(round, prover(0), 0, 1, new bytes32[](0), 0, "");
    }

    /// @dev The prover that proves: for `expectEmit`, which looks at the next call.
    function submitAs(bytes32 round, uint256 draw, uint256 correct) external {
        submit(round, prover(0), draw, correct);
    }

    function test_one_below_the_minimum_is_below_it() public {
        bytes32 round = openRound(proofTerms());
        drawn(round, 1);
        submit(round, prover(0), 0, 8);
        submit(round, prover(0), 1, 8);
        submit(round, prover(0), 2, 1);
        assertStatus(round, prover(0), ProverStatus.BelowMinimum);
    }

    function test_anybody_may_hand_a_proof_in() public {
        bytes32 round = openRound(proofTerms());
        drawn(round, 1);
        vm.startPrank(actor("anyone", 0));
        submitAll(round, prover(0), 8);
        vm.stopPrank();
        assertStatus(round, prover(0), ProverStatus.Accepted);
    }

    function test_proofs_have_their_time() public {
        bytes32 round = openRound(proofTerms());
        commit(round, prover(0));
        _refuse(round, ProofPhase.Commit);
        toDraw(round);
        _refuse(round, ProofPhase.Draw);
        drawNow(round, "block hash");
        toOver(round);
        vm.warp(block.timestamp - 1);
        submit(round, prover(0), 0, 8);
        vm.warp(block.timestamp + 1);
        _refuse(round, ProofPhase.Over);
    }

    function test_a_stranger_proves_nothing() public {
        bytes32 round = openRound(proofTerms());
        drawn(round, 1);
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.NotCommitted.selector, round, prover(1)));
        proofs.submit(round, prover(1), 0, 1, new bytes32[](0), 0, "");
    }

    function test_a_draw_is_one_of_the_rounds_and_once() public {
        bytes32 round = openRound(proofTerms());
        drawn(round, 1);
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.DrawOutOfRange.selector, 3, 3));
        proofs.submit(round, prover(0), 3, 1, new bytes32[](0), 0, "");
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.DrawOutOfRange.selector, 3, type(uint256).max));
        proofs.submit(round, prover(0), type(uint256).max, 1, new bytes32[](0), 0, "");
        submit(round, prover(0), 1, 6);
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.AlreadyProven.selector, round, prover(0), 1));
        proofs.submit(round, prover(0), 1, 1, new bytes32[](0), 8, "");
    }

    function test_a_count_above_the_chunk_is_refused() public {
        bytes32 round = openRound(proofTerms());
        drawn(round, 1);
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.CountOutOfRange.selector, 8, 9));
        proofs.submit(round, prover(0), 0, 1, new bytes32[](0), 9, "");
    }

    function test_a_chunk_that_was_not_drawn_is_refused() public {
        bytes32 round = openRound(proofTerms());
        drawn(round, 1);
        uint256 other = (proofs.chunkOf(round, 0) + 1) % chunks();
        bytes memory proof = proofOf(round, prover(0), other, 8);
        bytes32[] memory path = pathOf(other);
        // its own path has another length, or leads elsewhere from the drawn chunk's place
        (bool ok,) =
            address(proofs).call(abi.encodeCall(proofs.submit, (round, prover(0), 0, chunkHash(other), path, 8, proof)));
        vm.assertFalse(ok, "not the drawn one");
        path = pathOf(proofs.chunkOf(round, 0));
        vm.expectPartialRevert(IAccuracyProofs.WrongChunk.selector);
        proofs.submit(round, prover(0), 0, chunkHash(other), path, 8, proof);
    }

    function test_a_path_is_exact() public {
        bytes32 round = openRound(proofTerms());
        drawn(round, 1);
        uint256 chunk = proofs.chunkOf(round, 0);
        bytes memory proof = proofOf(round, prover(0), chunk, 8);
        bytes32[] memory path = pathOf(chunk);
        bytes32 node = path[1];
        path[1] = keccak256("elsewhere");
        vm.expectPartialRevert(IAccuracyProofs.WrongChunk.selector);
        proofs.submit(round, prover(0), 0, chunkHash(chunk), path, 8, proof);
        path[1] = node;
        bytes32[] memory longer = new bytes32[](path.length + 1);
        for (uint256 i = 0; i < path.length; ++i) {
            longer[i] = path[i];
        }
        vm.expectRevert(abi.encodeWithSelector(IndexedMerkle.WrongProofLength.selector, chunk, longer.length));
        proofs.submit(round, prover(0), 0, chunkHash(chunk), longer, 8, proof);
        proofs.submit(round, prover(0), 0, chunkHash(chunk), path, 8, proof);
        vm.assertTrue(proofs.hasProven(round, prover(0), 0), "the right one goes through");
    }

    function test_a_round_of_one_chunk_needs_no_path() public {
        ProofTerms memory t = proofTerms();
        (t.chunks, t.draws, t.minimumCorrect) = (1, 1, 8);
        t.chunkRoot = keccak256(abi.encode(9, chunkHash(0)));
        bytes32 round = openRound(t);
        drawn(round, 1);
        bytes memory proof = proofOf(round, prover(0), 0, 8);
        proofs.submit(round, prover(0), 0, chunkHash(0), new bytes32[](0), 8, proof);
        assertStatus(round, prover(0), ProverStatus.Accepted);
    }

    function _refuse(bytes32 round, ProofPhase actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAccuracyProofs.WrongProofPhase.selector, round, ProofPhase.Prove, actual)
        );
        proofs.submit(round, prover(0), 0, 1, new bytes32[](0), 0, "");
    }
}
