// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedTerms } from "../../../../contracts/interfaces/FederatedTypes.sol";
import { ToyVerifier } from "../../proofs/support/ToyVerifier.sol";
import { vm } from "../../support/Vm.sol";
import { FederatedWorld } from "./FederatedWorld.sol";

/// @dev Federated tasks with proofs of accuracy: four chunks of 64 samples, two of which each proves in a round.
abstract contract ProvenWorld is FederatedWorld {
    uint256 internal constant CHUNKS = 4;
    uint256 internal constant DRAWS = 2;
    uint32 internal constant MINIMUM = 60;
    uint32 internal constant BASELINE = 40;
    uint32 internal constant PROVE_SECONDS = 300;

    ToyVerifier internal verifier;
    bytes32 internal verifierKey;

    function setUp() public virtual override {
        super.setUp();
        verifier = new ToyVerifier("circuit", 64, false);
        verifierKey = registry.register(verifier);
    }

    function _provenTerms() internal view returns (FederatedTerms memory t) {
        t = _federatedTerms();
        t.windows.prove = PROVE_SECONDS;
        t.accuracy.verifier = verifierKey;
        t.accuracy.chunkRoot = keccak256(abi.encodePacked(_pair(0), _pair(2)));
        t.accuracy.chunks = uint32(CHUNKS);
        t.accuracy.draws = uint16(DRAWS);
        (t.accuracy.minimumCorrect, t.accuracy.baseline) = (MINIMUM, BASELINE);
    }

    function proofRound(uint256 task) internal view returns (bytes32) {
        return federation.proofRoundOf(task, state_(task).round);
    }

    function modelHash(uint256 task, uint256 index) internal view returns (uint256) {
        return uint256(keccak256(abi.encode("model", task, state_(task).round, index))) >> 8;
    }

    function commitModel(uint256 task, uint256 index) internal {
        uint256 hash = modelHash(task, index);
        vm.prank(accountAt(task, index));
        federation.commitModel(task, hash);
    }

    /// @dev Fixes which chunks are to be proven, once the commits are over.
    function drawn(uint256 task) internal {
        federation.drawChunks(task);
        uint256 block_ = block.number;
        vm.roll(block_ + 2);
        vm.setBlockhash(block_ + 1, keccak256(abi.encode(block_)));
        proofs.draw(proofRound(task));
    }

    /// @dev All that the participant owes, for `correct` samples in all.
    function prove(uint256 task, uint256 index, uint256 correct) internal {
        proveOne(task, index, 0, correct / 2);
        proveOne(task, index, 1, correct - correct / 2);
    }

    function proveOne(uint256 task, uint256 index, uint256 draw, uint256 correct) internal {
        bytes32 round = proofRound(task);
        uint256 chunk = proofs.chunkOf(round, draw);
        bytes memory proof = proofFor(task, index, chunk, correct);
        proofs.submit(round, accountAt(task, index), draw, chunkHash(chunk), path(chunk), correct, proof);
    }

    function proofFor(uint256 task, uint256 index, uint256 chunk, uint256 correct)
        internal
        view
        returns (bytes memory)
    {
        uint256 binding = proofs.binding(proofRound(task), accountAt(task, index));
        return verifier.prove(modelHash(task, index), chunkHash(chunk), correct, binding);
    }

    function chunkHash(uint256 chunk) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("chunk", chunk))) >> 8;
    }

    function path(uint256 chunk) internal pure returns (bytes32[] memory proof) {
        proof = new bytes32[](2);
        proof[0] = _leaf(chunk ^ 1);
        proof[1] = _pair((chunk ^ 2) & 2);
    }

    // Stretches

    /// @dev `n` commit to models and updates, and reveal these; the chunks are drawn.
    function revealedAndDrawn(uint256 task, uint256 n) internal {
        for (uint256 i = 0; i < n; ++i) {
            commitModel(task, i);
            commit(task, i);
        }
        toReveal_(task);
        drawn(task);
        for (uint256 i = 0; i < n; ++i) {
            reveal(task, i);
        }
    }

    /// @dev Until proofs can be counted: the requests' time and, where some are missing, theirs is over.
    function toCount(uint256 task) internal {
        toEnd(task, round_(task).answerEnds);
        (, uint64 proveUntil) = proofs.endsOf(proofRound(task));
        (uint256 committed, uint256 proven) = proofs.countsOf(proofRound(task));
        if (proven < committed) toEnd(task, proveUntil);
    }

    /// @dev A whole round of `correct.length` who prove so many samples each, up to its posting.
    function provenRound(uint256 task, uint256[] memory correct) internal returns (uint16 leader) {
        uint256 n = correct.length;
        revealedAndDrawn(task, n);
        for (uint256 i = 0; i < n; ++i) {
            prove(task, i, correct[i]);
        }
        toCount(task);
        federation.countProofs(task);
        return post(task, evenRow(n));
    }

    function claimProven(uint256 task, uint32 round, uint256 index) internal returns (uint256 paid) {
        address account = accountAt(task, index);
        uint256 before = token.balanceOf(account);
        federation.claimReward(task, round, uint16(index), "", new bytes32[](0));
        return token.balanceOf(account) - before;
    }

    function counts(uint256 a, uint256 b, uint256 c, uint256 d) internal pure returns (uint256[] memory correct) {
        correct = new uint256[](4);
        (correct[0], correct[1], correct[2], correct[3]) = (a, b, c, d);
    }

    function _pair(uint256 chunk) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(_leaf(chunk), _leaf(chunk + 1)));
    }

    function _leaf(uint256 chunk) private pure returns (bytes32) {
        return keccak256(abi.encode(9, chunkHash(chunk)));
    }
}
