// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ProofPhase } from "../../../../contracts/interfaces/IAccuracyProofs.sol";
import { NodeLayout } from "../../../../contracts/interfaces/IHandoverVerifier.sol";
import {
    ChunkProof,
    ClaimStatus,
    Handover,
    PieceOpening,
    PrivateOutcome,
    PrivatePhase,
    PrivateState,
    PrivateTerms
} from "../../../../contracts/interfaces/IPrivateOrders.sol";
import { IndexedMerkle } from "../../../../contracts/libraries/IndexedMerkle.sol";
import { HandoverVerifier } from "../../../../contracts/proofs/HandoverVerifier.sol";
import { PrivateOrders } from "../../../../contracts/proofs/PrivateOrders.sol";
import { vm } from "../../support/Vm.sol";
import { ProofWorld } from "./ProofWorld.sol";
import { Sealing } from "./Sealing.sol";

/// @dev Private orders, with short words for what their clients and providers do. Models have 30 elements, two pieces.
abstract contract PrivateWorld is ProofWorld {
    uint96 internal constant ESCROW = 900 ether;
    uint96 internal constant LOCK = 60 ether;
    uint96 internal constant ASK = 1 ether;
    uint32 internal constant ELEMENTS = 30;
    uint32 internal constant SAMPLE_SIZE = 100;
    uint256 internal constant SHIFT = 20;
    bytes32 internal constant CLIENT_SECRET = keccak256("client's key of this order");
    bytes32 internal constant TEST_KEY = keccak256("test key");

    HandoverVerifier internal handovers;
    PrivateOrders internal orders;

    function setUp() public virtual override {
        super.setUp();
        handovers = new HandoverVerifier();
        orders = new PrivateOrders(token, parameters, proofs, handovers);
    }

    // Terms

    function layout() internal pure returns (NodeLayout[] memory rows) {
        rows = new NodeLayout[](1);
        // 22 + 20 bits: five to an element
        rows[0] = NodeLayout({ first: 26, units: 7 });
    }

    function openTerms() internal view returns (PrivateTerms memory terms) {
        terms.reward = ESCROW;
        terms.bond = LOCK;
        terms.requestBond = ASK;
        terms.verifier = verifierKey;
        terms.chunkRoot = chunkRoot();
        terms.chunks = uint32(chunks());
        terms.draws = 3;
        terms.minimumCorrect = 12;
        terms.maximumClaims = 4;
        terms.manifestCid = "manifest";
        terms.clientKey = handovers.publicKeyOf(CLIENT_SECRET);
        terms.elements = ELEMENTS;
        terms.layoutHash = keccak256(abi.encode(SHIFT, layout()));
        terms.claimSeconds = 600;
        terms.proveSeconds = 700;
        terms.handoverSeconds = 500;
        terms.disputeSeconds = 400;
        terms.answerSeconds = 300;
    }

    /// @dev with a test set of two chunks of 8 samples of 100 numbers: 33 elements, two pieces each
    function sealedTerms() internal view returns (PrivateTerms memory terms) {
        terms = openTerms();
        (Sealing.File memory a, Sealing.File memory b) = testFiles();
        terms.chunks = 2;
        terms.draws = 2;
        terms.minimumCorrect = 8;
        terms.chunkRoot = IndexedMerkle.rootOfAll(testLeaves());
        terms.testKeyHash = keccak256(abi.encode(TEST_KEY));
        terms.testRoot = Sealing.rootOf(Sealing.join(a.pieces, b.pieces));
        terms.sampleSize = SAMPLE_SIZE;
        terms.releaseSeconds = 350;
    }

    function testElements(uint256 chunk) internal pure returns (uint256[] memory elements) {
        elements = new uint256[](33);
        for (uint256 i = 0; i < 33; ++i) {
            uint256 word = uint256(keccak256(abi.encode("sample", chunk, i)));
            // the fourth of a sample has 7 numbers, the labels 8
            elements[i] = word >> (i == 32 ? 128 : i % 4 == 3 ? 200 : 8);
        }
    }

    function testFiles() internal pure returns (Sealing.File memory a, Sealing.File memory b) {
        a = Sealing.seal(TEST_KEY, 2, testElements(0), 0);
        b = Sealing.seal(TEST_KEY, 2, testElements(1), 2);
    }

    function testLeaves() internal pure returns (bytes32[] memory level) {
        (Sealing.File memory a, Sealing.File memory b) = testFiles();
        level = new bytes32[](2);
        level[0] = keccak256(abi.encode(9, a.digest));
        level[1] = keccak256(abi.encode(9, b.digest));
    }

    // Models

    function modelOf(address account) internal pure returns (uint256[] memory elements) {
        elements = new uint256[](ELEMENTS);
        for (uint256 i = 0; i < ELEMENTS; ++i) {
            elements[i] = uint256(keccak256(abi.encode("element", account, i))) >> 8;
        }
        // multipliers that networks have: 1 << 21 of every unit
        uint256 five = 0;
        for (uint256 i = 0; i < 5; ++i) {
            five = five << 42 | 1 << 21;
        }
        (elements[26], elements[27]) = (five, 1 << 63 | 1 << 21);
    }

    function dataKeyOf(address account) internal pure returns (bytes32) {
        return keccak256(abi.encode("data key", account));
    }

    function fileOf(address account) internal pure returns (Sealing.File memory) {
        return Sealing.seal(dataKeyOf(account), 1, modelOf(account), 0);
    }

    // Verbs

    function putOrder(PrivateTerms memory terms) internal returns (uint256 oid) {
        fund(client, terms.reward);
        vm.startPrank(client);
        token.approve(address(orders), terms.reward);
        oid = orders.put(terms);
        vm.stopPrank();
    }

    function claimOrder(uint256 oid, address account) internal {
        claimOrder(oid, account, fileOf(account).digest);
    }

    function claimOrder(uint256 oid, address account, uint256 modelHash) internal {
        fund(account, LOCK);
        vm.startPrank(account);
        token.approve(address(orders), LOCK);
        orders.claim(oid, modelHash);
        vm.stopPrank();
    }

    function drawOf(uint256 oid) internal {
        bytes32 round = orders.stateOf(oid).round;
        if (proofs.phaseOf(round) == ProofPhase.Commit) toDraw(round);
        drawNow(round, "block hash");
    }

    function prove(uint256 oid, address account, uint256 correctEach) internal {
        uint256 draws = orders.termsOf(oid).draws;
        for (uint256 i = 0; i < draws; ++i) {
            proveOne(oid, account, i, correctEach);
        }
    }

    function proveOne(uint256 oid, address account, uint256 draw, uint256 correct) internal {
        bytes32 round = orders.stateOf(oid).round;
        uint256 chunk = proofs.chunkOf(round, draw);
        (uint256 hash, bytes32[] memory path) = leafOf(oid, chunk);
        bytes memory proof = toyProof(oid, account, hash, correct);
        proofs.submit(round, account, draw, hash, path, correct, proof);
    }

    function toyProof(uint256 oid, address account, uint256 hash, uint256 correct)
        internal
        view
        returns (bytes memory)
    {
        (, uint256 modelHash) = orders.claimOf(oid, account);
        return verifier.prove(modelHash, hash, correct, proofs.binding(orders.stateOf(oid).round, account));
    }

    function leafOf(uint256 oid, uint256 chunk) internal view returns (uint256, bytes32[] memory) {
        if (orders.termsOf(oid).testKeyHash == 0) return (chunkHash(chunk), pathOf(chunk));
        return (testHash(chunk), Sealing.pathOf(testLeaves(), chunk));
    }

    function testHash(uint256 chunk) internal pure returns (uint256) {
        (Sealing.File memory a, Sealing.File memory b) = testFiles();
        return chunk == 0 ? a.digest : b.digest;
    }

    /// @dev the sealed key of an honest winner: what the client's private key opens to the data key
    function handoverOf(uint256 oid, address account, bytes[] memory pieces)
        internal
        view
        returns (Handover memory handover)
    {
        bytes32 secret = keccak256(abi.encode("ephemeral", account));
        handover.ephemeralKey = handovers.publicKeyOf(secret);
        bytes32 clientKey = orders.stateOf(oid).clientKey;
        bytes32 context = orders.sealingContext(oid, account, clientKey, handover.ephemeralKey);
        // a stream: sealing zeros shows it
        (bytes32 stream,) = handovers.unseal(secret, clientKey, context, 0);
        handover.sealedKey = stream ^ dataKeyOf(account);
        handover.keyHash = keccak256(abi.encode(dataKeyOf(account)));
        handover.root = Sealing.rootOf(pieces);
        handover.cid = "file";
    }

    function handOver(uint256 oid, address account) internal {
        Handover memory handover = handoverOf(oid, account, fileOf(account).pieces);
        vm.prank(account);
        orders.handOver(oid, handover);
    }

    /// @dev `n` have claimed, proven 4 + their place, and the last of them is the winner
    function awarded(uint256 oid, uint256 n) internal {
        for (uint256 i = 0; i < n; ++i) {
            claimOrder(oid, prover(i));
        }
        drawOf(oid);
        for (uint256 i = 0; i < n; ++i) {
            prove(oid, prover(i), 4 + i);
        }
        orders.advance(oid);
    }

    function ask(uint256 oid, uint256 first, uint256 count) internal {
        fund(client, count * ASK);
        vm.startPrank(client);
        token.approve(address(orders), count * ASK);
        orders.request(oid, first, count);
        vm.stopPrank();
    }

    function nothing() internal pure returns (PieceOpening memory) {
        return PieceOpening("", new bytes32[](0));
    }

    // What is seen

    function assertPrivatePhase(uint256 oid, PrivatePhase expected) internal view {
        vm.assertEq(uint256(orders.phaseOf(oid)), uint256(expected), "phase of the order");
    }

    function assertOutcome(uint256 oid, PrivateOutcome expected) internal view {
        PrivateState memory state = orders.stateOf(oid);
        vm.assertEq(uint256(state.outcome), uint256(expected), "outcome");
        vm.assertEq(state.held, 0, "nothing is held");
    }

    function assertClaim(uint256 oid, address account, ClaimStatus expected) internal view {
        (ClaimStatus status,) = orders.claimOf(oid, account);
        vm.assertEq(uint256(status), uint256(expected), "claim");
    }

    function assertBalance(address account, uint256 expected, string memory what) internal view {
        vm.assertEq(token.balanceOf(account), expected, what);
    }

    function chunkProofOf(uint256 chunk) internal pure returns (ChunkProof memory) {
        return ChunkProof(chunk, testHash(chunk), Sealing.pathOf(testLeaves(), chunk));
    }
}
