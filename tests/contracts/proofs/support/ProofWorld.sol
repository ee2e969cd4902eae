// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ProofPhase, ProofTerms, ProverStatus } from "../../../../contracts/interfaces/IAccuracyProofs.sol";
import { IndexedMerkle } from "../../../../contracts/libraries/IndexedMerkle.sol";
import { Parameters } from "../../../../contracts/Parameters.sol";
import { AccuracyProofs } from "../../../../contracts/proofs/AccuracyProofs.sol";
import { VerifierRegistry } from "../../../../contracts/proofs/VerifierRegistry.sol";
import { UtilityToken } from "../../../../contracts/UtilityToken.sol";
import { vm } from "../../support/Vm.sol";
import { World } from "../../support/World.sol";
import { ToyVerifier } from "./ToyVerifier.sol";

/// @dev Rounds over a test set of `chunks()` chunks of 8 samples, with short words for what openers and provers do.
abstract contract ProofWorld is World {
    uint256 internal constant CHUNK = 8;
    uint96 internal constant STAKE = 40 ether;
    bytes32 internal constant KEY = "key";

    VerifierRegistry internal registry;
    AccuracyProofs internal proofs;
    ToyVerifier internal verifier;
    bytes32 internal verifierKey;

    address internal opener = actor("opener", 0);

    function setUp() public virtual override {
        vm.warp(1_000_000);
        vm.roll(1_000);
        token = new UtilityToken(address(this), SUPPLY);
        parameters = new Parameters(address(this), _parameters());
        registry = new VerifierRegistry();
        proofs = new AccuracyProofs(token, parameters, registry);
        verifier = new ToyVerifier("circuit", CHUNK, false);
        verifierKey = registry.register(verifier);
    }

    function chunks() internal pure virtual returns (uint256) {
        return 11;
    }

    function prover(uint256 index) internal pure returns (address) {
        return actor("prover", index);
    }

    function proofTerms() internal view virtual returns (ProofTerms memory) {
        return ProofTerms({
            verifier: verifierKey,
            chunkRoot: chunkRoot(),
            chunks: uint32(chunks()),
            draws: 3,
            minimumCorrect: 18,
            maximumProvers: 5,
            commitSeconds: 600,
            proveSeconds: 900,
            bond: STAKE,
            gated: false
        });
    }

    // The test set

    function chunkHash(uint256 chunk) internal pure virtual returns (uint256) {
        return uint256(keccak256(abi.encode("chunk", chunk))) >> 8;
    }

    function chunkRoot() internal pure returns (bytes32) {
        return IndexedMerkle.rootOfAll(_leaves());
    }

    function pathOf(uint256 chunk) internal pure returns (bytes32[] memory path) {
        bytes32[] memory level = _leaves();
        path = new bytes32[](17);
        uint256 used = 0;
        uint256 width = level.length;
        for (uint256 place = chunk; width > 1; place /= 2) {
            uint256 sibling = place ^ 1;
            if (sibling < width) path[used++] = level[sibling];
            for (uint256 i = 0; i < width / 2; ++i) {
                level[i] = keccak256(abi.encode(level[2 * i], level[2 * i + 1]));
            }
            if (width % 2 == 1) level[width / 2] = level[width - 1];
            width = (width + 1) / 2;
        }
        assembly ("memory-safe") {
            mstore(path, used)
        }
    }

    function _leaves() private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](chunks());
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = keccak256(abi.encode(9, chunkHash(i)));
        }
    }

    // Verbs

    function modelHashOf(address account) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("model", account))) >> 8;
    }

    function openRound(ProofTerms memory terms) internal returns (bytes32) {
        return openRound(KEY, terms);
    }

    function openRound(bytes32 key, ProofTerms memory terms) internal returns (bytes32) {
        vm.prank(opener);
        return proofs.open(key, terms);
    }

    function commit(bytes32 round, address account) internal {
        commit(round, account, modelHashOf(account));
    }

    function commit(bytes32 round, address account, uint256 modelHash) internal {
        uint256 bond = proofs.termsOf(round).bond;
        fund(account, bond);
        vm.prank(account);
        token.approve(address(proofs), bond);
        vm.prank(account);
        proofs.commit(round, modelHash);
    }

    /// @dev As many as `n` provers have committed, and their chunks are drawn.
    function drawn(bytes32 round, uint256 n) internal {
        for (uint256 i = 0; i < n; ++i) {
            commit(round, prover(i));
        }
        toDraw(round);
        drawNow(round, "block hash");
    }

    function drawNow(bytes32 round, bytes32 blockHash) internal {
        proofs.draw(round);
        vm.roll(block.number + 2);
        vm.setBlockhash(block.number - 1, blockHash);
        proofs.draw(round);
    }

    function proofOf(bytes32 round, address account, uint256 chunk, uint256 correct)
        internal
        view
        returns (bytes memory)
    {
        return verifier.prove(modelHashOf(account), chunkHash(chunk), correct, proofs.binding(round, account));
    }

    function submit(bytes32 round, address account, uint256 draw, uint256 correct) internal {
        uint256 chunk = proofs.chunkOf(round, draw);
        bytes memory proof = proofOf(round, account, chunk, correct);
        proofs.submit(round, account, draw, chunkHash(chunk), pathOf(chunk), correct, proof);
    }

    function submitAll(bytes32 round, address account, uint256 correctEach) internal {
        for (uint256 i = 0; i < proofs.termsOf(round).draws; ++i) {
            submit(round, account, i, correctEach);
        }
    }

    // Time

    function toDraw(bytes32 round) internal {
        (uint64 commitUntil,) = proofs.endsOf(round);
        vm.warp(commitUntil);
    }

    function toOver(bytes32 round) internal {
        (, uint64 proveUntil) = proofs.endsOf(round);
        vm.warp(proveUntil);
    }

    // What is seen

    function assertPhase(bytes32 round, ProofPhase expected) internal view {
        vm.assertEq(uint256(proofs.phaseOf(round)), uint256(expected), "phase");
    }

    function assertStatus(bytes32 round, address account, ProverStatus expected) internal view {
        (ProverStatus status,,,) = proofs.proverOf(round, account);
        vm.assertEq(uint256(status), uint256(expected), "status");
    }
}
