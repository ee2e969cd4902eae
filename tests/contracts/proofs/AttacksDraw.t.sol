// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ProofTerms, ProverStatus } from "../../../contracts/interfaces/IAccuracyProofs.sol";
import { ChunkDraws } from "../../../contracts/proofs/ChunkDraws.sol";
import { vm } from "../support/Vm.sol";
import { ProofWorld } from "./support/ProofWorld.sol";

/// @dev Who makes the block that draws, and who takes seats with models that are worth nothing.
contract AttacksDrawTest is ProofWorld {
    /// @dev A model that is right about chunks 0, 1 and 2 alone. Whoever proposes the named block, and names it itself by calling
    /// first, tries other contents of the block until these are drawn: one in 165, so a few hundred hashes.
    function test_open_who_makes_the_block_draws_the_chunks_that_it_likes() public {
        bytes32 round = openRound(proofTerms());
        commit(round, prover(0));
        toDraw(round);
        proofs.draw(round);
        vm.roll(block.number + 2);
        uint256 tries = 0;
        while (!_isMine(ChunkDraws.seedOf(keccak256(abi.encode("content", tries)), round))) ++tries;
        vm.assertLt(tries, 5000, "a second's work");
        vm.setBlockhash(block.number - 1, keccak256(abi.encode("content", tries)));
        proofs.draw(round);
        submitAll(round, prover(0), CHUNK);
        assertStatus(round, prover(0), ProverStatus.Accepted);
    }

    /// @dev Where all chunks are drawn nobody chooses any.
    function test_who_makes_the_block_chooses_nothing_where_all_are_drawn() public {
        ProofTerms memory terms = proofTerms();
        terms.draws = uint16(chunks());
        bytes32 round = openRound(terms);
        drawn(round, 1);
        uint256 seen = 0;
        for (uint256 i = 0; i < chunks(); ++i) {
            seen |= 1 << proofs.chunkOf(round, i);
        }
        vm.assertEq(seen, (1 << chunks()) - 1, "every one");
    }

    /// @dev A proof that nothing is right is soon made, of any model: the seat is kept from others, its bond comes back.
    function test_open_seats_are_kept_from_others_for_the_price_of_proofs() public {
        bytes32 round = openRound(proofTerms());
        drawn(round, 5);
        for (uint256 i = 0; i < 5; ++i) {
            submitAll(round, prover(i), 0);
            assertStatus(round, prover(i), ProverStatus.BelowMinimum);
            proofs.returnBond(round, prover(i));
            vm.assertEq(token.balanceOf(prover(i)), STAKE, "nothing is lost");
        }
    }

    function _isMine(bytes32 seed) private pure returns (bool) {
        for (uint256 i = 0; i < 3; ++i) {
            if (ChunkDraws.chunkOf(seed, i, chunks()) > 2) return false;
        }
        return true;
    }
}
