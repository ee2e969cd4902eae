// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    ChunkProof,
    ClaimStatus,
    PrivateOutcome,
    PrivateTerms
} from "../../../contracts/interfaces/IPrivateOrders.sol";
import { Poseidon2 } from "../../../contracts/proofs/Poseidon2.sol";
import { vm } from "../support/Vm.sol";
import { PrivateWorld } from "./support/PrivateWorld.sol";
import { Sealing } from "./support/Sealing.sol";

/// @dev What a client tries with a test set that nobody can prove anything about, and claimants with models that are none.
contract AttacksPrivateTest is PrivateWorld {
    uint256 private oid;

    /// @dev Samples of 62 numbers: 17 elements, so the last three that the sponge takes are two and a filler. With a filler that
    /// is not zero every word follows from those before, and no circuit has such a chunk: its provers would be no-shows.
    function test_fillers_that_are_not_zero_are_a_fault() public {
        for (uint256 order = 0; order < 2; ++order) {
            uint256 snapshot = vm.snapshotState();
            // what counts as zero is zero
            (uint256 digest, bytes[] memory pieces) = _chunkOf17(order == 0 ? 1 : Poseidon2.ORDER);
            _releasedChunk(digest, pieces);
            ChunkProof memory chunk = ChunkProof(0, digest, new bytes32[](0));
            if (order == 1) {
                vm.expectPartialRevert(bytes4(keccak256("NoFault(uint256)")));
                orders.disputeTest(oid, chunk, 0, nothing(), Sealing.opening(pieces, 0));
                continue;
            }
            orders.disputeTest(oid, chunk, 0, nothing(), Sealing.opening(pieces, 0));
            assertOutcome(oid, PrivateOutcome.Shared);
            assertClaim(oid, prover(0), ClaimStatus.Returned);
            assertBalance(prover(0), ESCROW + LOCK, "the reward, and the bond");
            vm.revertToState(snapshot);
        }
    }

    /// @dev A model of zeros is soon proven: its bond comes back, and its place is taken until then.
    function test_open_places_are_kept_from_others_for_the_price_of_proofs() public {
        oid = putOrder(openTerms());
        for (uint256 i = 0; i < 4; ++i) {
            claimOrder(oid, prover(i));
        }
        drawOf(oid);
        for (uint256 i = 0; i < 4; ++i) {
            prove(oid, prover(i), 0);
        }
        orders.advance(oid);
        assertOutcome(oid, PrivateOutcome.Refunded);
        for (uint256 i = 0; i < 4; ++i) {
            assertBalance(prover(i), LOCK, "nothing is lost");
        }
    }

    function _chunkOf17(uint256 filler) private pure returns (uint256 digest, bytes[] memory pieces) {
        uint256[] memory words = new uint256[](28);
        for (uint256 i = 0; i < 17; ++i) {
            // a sample is 31 and 31 numbers; the labels 8 of 16 bits
            words[i] = uint256(keccak256(abi.encode("sample", i))) >> (i == 16 ? 128 : 8);
        }
        words[17] = filler;
        uint256[4] memory s = [uint256(0), 0, 0, 2 << 64 | 17];
        for (uint256 i = 0; i < 18; i += 3) {
            (s[0], s[1], s[2], s[3]) = Poseidon2.permute(
                addmod(s[0], words[i], Poseidon2.ORDER),
                addmod(s[1], words[i + 1], Poseidon2.ORDER),
                addmod(s[2], words[i + 2], Poseidon2.ORDER),
                s[3]
            );
        }
        for (uint256 i = 0; i < 4; ++i) {
            words[24 + i] = s[i];
        }
        pieces = new bytes[](1);
        pieces[0] = Sealing.encrypt(TEST_KEY, 0, abi.encodePacked(words));
        return (s[0], pieces);
    }

    function _releasedChunk(uint256 digest, bytes[] memory pieces) private {
        PrivateTerms memory terms = sealedTerms();
        (terms.chunks, terms.draws, terms.sampleSize) = (1, 1, 62);
        terms.chunkRoot = keccak256(abi.encode(9, digest));
        terms.testRoot = Sealing.rootOf(pieces);
        oid = putOrder(terms);
        claimOrder(oid, prover(0));
        vm.warp(block.timestamp + terms.claimSeconds);
        vm.prank(client);
        orders.release(oid, TEST_KEY);
    }
}
