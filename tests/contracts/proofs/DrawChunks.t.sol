// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    IAccuracyProofs,
    ProofPhase,
    ProofTerms,
    ProverStatus
} from "../../../contracts/interfaces/IAccuracyProofs.sol";
import { ChunkDraws } from "../../../contracts/proofs/ChunkDraws.sol";
import { between, vm } from "../support/Vm.sol";
import { ProofWorld } from "./support/ProofWorld.sol";

contract DrawChunksTest is ProofWorld {
    function test_the_hash_of_a_block_after_the_commits_draws() public {
        bytes32 round = openRound(proofTerms());
        commit(round, prover(0));
        vm.expectRevert(
            abi.encodeWithSelector(IAccuracyProofs.WrongProofPhase.selector, round, ProofPhase.Draw, ProofPhase.Commit)
        );
        proofs.draw(round);
        toDraw(round);
        assertPhase(round, ProofPhase.Draw);
        vm.expectRevert(
            abi.encodeWithSelector(IAccuracyProofs.WrongProofPhase.selector, round, ProofPhase.Prove, ProofPhase.Draw)
        );
        proofs.chunkOf(round, 0);
        vm.expectEmit(address(proofs));
        emit IAccuracyProofs.DrawScheduled(round, 1_001);
        proofs.draw(round);
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.DrawTooEarly.selector, round, 1_002, block.number));
            proofs.draw(round);
            vm.roll(1_001);
        }
        vm.roll(1_002);
        vm.setBlockhash(1_001, "of that block");
        bytes32 seed = keccak256(abi.encode(bytes32("of that block"), round));
        uint64 until = uint64(block.timestamp + 900);
        vm.expectEmit(address(proofs));
        emit IAccuracyProofs.ChunksDrawn(round, seed, until);
        proofs.draw(round);
        assertPhase(round, ProofPhase.Prove);
        (uint64 drawBlock, uint256 attempts, bytes32 found) = proofs.drawOf(round);
        vm.assertTrue(drawBlock == 1_001 && attempts == 1 && found == seed, "the draw");
        (, uint64 proveUntil) = proofs.endsOf(round);
        vm.assertEq(proveUntil, until, "clock");
        vm.expectRevert(
            abi.encodeWithSelector(IAccuracyProofs.WrongProofPhase.selector, round, ProofPhase.Draw, ProofPhase.Prove)
        );
        proofs.draw(round);
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.DrawOutOfRange.selector, 3, 3));
        proofs.chunkOf(round, 3);
    }

    function test_the_hash_is_there_for_256_blocks() public {
        bytes32 round = _waiting();
        proofs.draw(round);
        vm.roll(1_001 + 256);
        vm.setBlockhash(1_001, "just there");
        proofs.draw(round);
        (,, bytes32 seed) = proofs.drawOf(round);
        vm.assertEq(seed, keccak256(abi.encode(bytes32("just there"), round)), "drawn");
    }

    function test_a_draw_that_nobody_reads_is_made_twice_more_and_then_the_round_lapses() public {
        bytes32 round = _waiting();
        for (uint256 attempt = 1; attempt <= 3; ++attempt) {
            assertPhase(round, ProofPhase.Draw);
            uint256 at = block.number;
            vm.expectEmit(address(proofs));
            emit IAccuracyProofs.DrawScheduled(round, uint64(at + 1));
            proofs.draw(round);
            (, uint256 attempts, bytes32 seed) = proofs.drawOf(round);
            vm.assertTrue(attempts == attempt && seed == 0, "nothing drawn");
            vm.roll(at + 1 + 256);
            assertPhase(round, ProofPhase.Draw);
            vm.roll(at + 1 + 257);
        }
        assertPhase(round, ProofPhase.Over);
        assertStatus(round, prover(0), ProverStatus.Committed);
        vm.expectRevert(
            abi.encodeWithSelector(IAccuracyProofs.WrongProofPhase.selector, round, ProofPhase.Draw, ProofPhase.Over)
        );
        proofs.draw(round);
        vm.expectRevert(
            abi.encodeWithSelector(IAccuracyProofs.NotANoShow.selector, round, prover(0), ProverStatus.Committed)
        );
        proofs.slashNoShow(round, prover(0));
        proofs.returnBond(round, prover(0));
        vm.assertEq(token.balanceOf(prover(0)), STAKE, "nothing was asked of it");
        vm.assertEq(token.balanceOf(address(proofs)), 0, "nothing stays");
    }

    /// @dev No chain that we know forgets a hash before its time; were one to, nobody could foresee a draw.
    function test_a_hash_of_zero_draws_nothing() public {
        bytes32 round = _waiting();
        for (uint256 attempt = 1; attempt <= 3; ++attempt) {
            proofs.draw(round);
            vm.roll(block.number + 2);
            vm.setBlockhash(block.number - 1, 0);
        }
        uint256 drawBlock = block.number - 1;
        vm.expectRevert(
            abi.encodeWithSelector(IAccuracyProofs.DrawTooEarly.selector, round, drawBlock + 257, block.number)
        );
        proofs.draw(round);
    }

    function testFuzz_draws_are_a_shuffle(bytes32 seed, uint256 count, uint256 draws) public pure {
        count = between(count, 1, 300);
        draws = between(draws, 1, count);
        uint256[] memory row = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            row[i] = i;
        }
        for (uint256 i = 0; i < draws; ++i) {
            uint256 j = i + uint256(keccak256(abi.encode(seed, i))) % (count - i);
            (row[i], row[j]) = (row[j], row[i]);
        }
        for (uint256 i = draws > 8 ? draws - 8 : 0; i < draws; ++i) {
            vm.assertEq(ChunkDraws.chunkOf(seed, i, count), row[i], "as if the row were there");
        }
    }

    function test_64_draws_of_65536_chunks_differ() public pure {
        for (uint256 i = 0; i < 64; ++i) {
            uint256 chunk = ChunkDraws.chunkOf("seed", i, 65_536);
            vm.assertLt(chunk, 65_536, "in range");
            for (uint256 k = 0; k < i; ++k) {
                vm.assertTrue(ChunkDraws.chunkOf("seed", k, 65_536) != chunk, "each once");
            }
        }
    }

    function _waiting() private returns (bytes32 round) {
        round = openRound(proofTerms());
        commit(round, prover(0));
        toDraw(round);
    }
}
