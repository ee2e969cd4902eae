// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ProofTerms } from "../../../../contracts/interfaces/IAccuracyProofs.sol";
import { IAccuracyVerifier } from "../../../../contracts/interfaces/IAccuracyVerifier.sol";
import { AccuracyProofs } from "../../../../contracts/proofs/AccuracyProofs.sol";
import { ChunkDraws } from "../../../../contracts/proofs/ChunkDraws.sol";
import { Groth16Deployment } from "../../../../contracts/proofs/Groth16Deployment.sol";
import { vm } from "../../support/Vm.sol";
import { Groth16Fixture } from "./Groth16Fixture.sol";
import { ProofWorld } from "./ProofWorld.sol";

/// @dev Real proofs: the contract stands where their binding says it does. Of the test set's chunks the first is real.
abstract contract Groth16World is ProofWorld {
    AccuracyProofs internal constant ROUNDS = AccuracyProofs(0xa55Aa55AA55Aa55aA55Aa55AA55Aa55aA55AA55a);
    address internal constant FIRST = 0x0A0A0a0a0a0a0a0A0a0a0A0a0A0A0A0a0a0a0a0a;
    address internal constant SECOND = 0x0B0b0b0b0B0B0B0B0b0b0b0b0B0B0B0B0B0b0B0b;

    function setUp() public virtual override {
        super.setUp();
        opener = address(0x0E0e0e0E0e0E0E0e0E0e0e0E0e0e0e0e0e0e0e0E);
        // code and immutables go there, storage begins empty
        vm.etch(address(ROUNDS), address(proofs).code);
        proofs = ROUNDS;
        verifierKey = registry.register(newVerifier());
    }

    function newVerifier() internal returns (IAccuracyVerifier) {
        return IAccuracyVerifier(
            address(
                new Groth16Deployment(Groth16Fixture.key(), Groth16Fixture.CIRCUIT_HASH, Groth16Fixture.SAMPLES, true)
            )
        );
    }

    function proofTerms() internal view virtual override returns (ProofTerms memory t) {
        t = super.proofTerms();
        (t.draws, t.minimumCorrect) = (2, 6);
    }

    function chunkHash(uint256 chunk) internal pure override returns (uint256) {
        return chunk == 0 ? Groth16Fixture.CHUNK_HASH : super.chunkHash(chunk);
    }

    /// @dev Who has committed there and then proves draw 0, which is the real chunk.
    function drawReal(bytes32 round) internal {
        toDraw(round);
        uint256 n = proofs.termsOf(round).chunks;
        uint256 blockHash = 1;
        while (ChunkDraws.chunkOf(ChunkDraws.seedOf(bytes32(blockHash), round), 0, n) != 0) {
            ++blockHash;
        }
        drawNow(round, bytes32(blockHash));
    }
}
