// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    AggregationRule,
    FederatedTerms,
    FederatedWindows,
    Mode,
    OptimizerKind,
    OptimizerTerms,
    Participant,
    PrivacyTerms,
    RoundState,
    RuleTerms,
    TaskPhase,
    TaskState
} from "../../../../contracts/interfaces/FederatedTypes.sol";
import { FederatedAnnex } from "../../../../contracts/federated/FederatedAnnex.sol";
import { FederatedExtension } from "../../../../contracts/federated/FederatedExtension.sol";
import { FederatedTraining } from "../../../../contracts/federated/FederatedTraining.sol";
import { Role } from "../../../../contracts/interfaces/IStakeVault.sol";
import { AccuracyProofs } from "../../../../contracts/proofs/AccuracyProofs.sol";
import { VerifierRegistry } from "../../../../contracts/proofs/VerifierRegistry.sol";
import { vm } from "../../support/Vm.sol";
import { World } from "../../support/World.sol";

/// @dev A deployment with federated tasks whose court is an account that tests play, and short words for what participants do.
/// An update has 300 parameters: two chunks.
abstract contract FederatedWorld is World {
    /// @dev So many contracts of this world come before FederatedTraining.
    uint256 internal constant FEDERATION_NONCE = 13;
    uint256 internal constant STAKE = 100 * UNIT;
    uint256 internal constant ASK_BOND = 10 * UNIT;
    uint256 internal constant PENALTY = 20 * UNIT;
    uint256 internal constant ROUND_REWARD = 120 * UNIT;
    uint256 internal constant DIMENSION = 300;
    uint256 internal constant REPORTER_PPM = 100_000;
    uint256 internal constant DISPUTE_PPM = 500_000;
    /// @dev The last row of the measures in secure mode, as a leaf.
    bytes32 internal constant GROUP_ROOTS = keccak256("roots of groups");

    FederatedTraining internal federation;
    FederatedExtension internal extension;
    FederatedAnnex internal annex;
    VerifierRegistry internal registry;
    AccuracyProofs internal proofs;
    address internal court_ = actor("federated court", 0);
    uint256 private _first;

    function setUp() public virtual override {
        _first = vm.getNonce(address(this));
        super.setUp();
        registry = new VerifierRegistry();
        proofs = new AccuracyProofs(token, parameters, registry);
        extension = new FederatedExtension(token, vault, parameters, proofs);
        annex = new FederatedAnnex(token, vault, parameters, proofs);
        federation = new FederatedTraining(token, vault, parameters, court_, address(extension), address(annex), proofs);
    }

    function federationAt() internal view override returns (address) {
        return vm.computeCreateAddress(address(this), _first + FEDERATION_NONCE);
    }

    function federatedCourtAt() internal view override returns (address) {
        return court_;
    }

    function member(uint256 index) internal pure returns (address) {
        return actor("member", index);
    }

    function _federatedTerms() internal pure virtual returns (FederatedTerms memory t) {
        t.specHash = keccak256("spec");
        t.specCid = keccak256("spec cid");
        t.modelRoot = keccak256("model");
        t.modelCid = keccak256("model cid");
        t.dimension = uint32(DIMENSION);
        t.rounds = 3;
        t.minimumParticipants = 3;
        t.maximumParticipants = 8;
        t.mode = Mode.Plain;
        t.scaleBits = 14;
        t.maximumSamples = 1000;
        t.rule = RuleTerms({ rule: AggregationRule.Mean, parameter: 0, selected: 0 });
        t.optimizer = OptimizerTerms({ kind: OptimizerKind.FedAvg, learningRate: 65_536, beta1: 0, beta2: 0, tau: 0 });
        t.windows = FederatedWindows({
            join: 1000,
            keys: 0,
            shares: 0,
            commit: 100,
            reveal: 90,
            request: 80,
            answer: 70,
            unmask: 0,
            aggregate: 60,
            challenge: 50,
            move: 40,
            prove: 0
        });
        t.reward = uint96(ROUND_REWARD);
        t.bond = uint96(STAKE);
        t.leaderPenalty = uint96(PENALTY);
        t.requestBond = uint96(ASK_BOND);
        t.leaderSharePpm = 100_000;
    }

    // Verbs

    function create(FederatedTerms memory terms) internal returns (uint256 task) {
        uint256 whole = uint256(terms.reward) * terms.rounds;
        fund(client, whole);
        vm.prank(client);
        token.approve(address(federation), whole);
        vm.prank(client);
        return federation.create(terms);
    }

    function join(uint256 task, address account, uint256 stake) internal returns (uint16) {
        enrol(account, Role.Participant, stake);
        vm.prank(account);
        return federation.join(task, uint96(stake), new bytes32[](0));
    }

    /// @dev A task that `n` have joined, each with one bond, and that has begun.
    function started(FederatedTerms memory terms, uint256 n) internal returns (uint256 task) {
        task = create(terms);
        for (uint256 i = 0; i < n; ++i) {
            join(task, member(i), STAKE);
        }
        vm.warp(block.timestamp + terms.windows.join);
        federation.start(task);
    }

    /// @dev Of the participant in the round that is on: a tree over the chunks.
    function updateRoot(uint256 task, uint256 index) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(chunkLeaf(task, index, 0), chunkLeaf(task, index, 1)));
    }

    function chunkOf(uint256 task, uint256 index, uint256 chunk) internal view returns (bytes memory content) {
        uint256 width = federation.termsOf(task).mode == Mode.Secure ? 4 : 2;
        content = new bytes(width * (chunk == 0 ? 256 : DIMENSION - 256));
        bytes32 word = keccak256(abi.encode(task, federation.taskOf(task).round, index, chunk));
        for (uint256 i = 0; i < content.length; ++i) {
            content[i] = word[i % 32];
        }
    }

    function chunkLeaf(uint256 task, uint256 index, uint256 chunk) internal view returns (bytes32) {
        uint256 kind = federation.termsOf(task).mode == Mode.Secure ? 8 : 5;
        return keccak256(abi.encodePacked(kind, chunkOf(task, index, chunk)));
    }

    function sibling(uint256 task, uint256 index, uint256 chunk) internal view returns (bytes32[] memory proof) {
        proof = new bytes32[](1);
        proof[0] = chunkLeaf(task, index, 1 - chunk);
    }

    function accountAt(uint256 task, uint256 index) internal view returns (address) {
        return federation.participantAt(task, uint16(index)).account;
    }

    function updateCid(uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode("update cid", index));
    }

    function commitmentOf(uint256 task, uint256 index) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                block.chainid,
                address(federation),
                task,
                federation.taskOf(task).round,
                accountAt(task, index),
                updateRoot(task, index),
                updateCid(index),
                uint32(10 + index),
                SALT
            )
        );
    }

    function commit(uint256 task, uint256 index) internal {
        bytes32 commitment = commitmentOf(task, index);
        vm.prank(accountAt(task, index));
        federation.commit(task, commitment);
    }

    function reveal(uint256 task, uint256 index) internal {
        bytes32 root = updateRoot(task, index);
        vm.prank(accountAt(task, index));
        federation.reveal(task, root, updateCid(index), uint32(10 + index), SALT);
    }

    function ask(uint256 task, address asker, uint256 index, uint256 chunk) internal {
        enrol(asker, Role.Verifier, ASK_BOND);
        vm.prank(asker);
        federation.request(task, uint16(index), uint32(chunk));
    }

    function answer(uint256 task, uint256 index, uint256 chunk) internal {
        federation.answer(task, uint16(index), uint32(chunk), chunkOf(task, index, chunk), sibling(task, index, chunk));
    }

    /// @dev Row 0 says that all contribute alike, each a half of <a, a>.
    function evenRow(uint256 n) internal pure returns (bytes memory row) {
        for (uint256 i = 0; i < n; ++i) {
            row = bytes.concat(row, bytes8(uint64(50)));
        }
        return bytes.concat(row, bytes8(uint64(100)));
    }

    function rowLeaf(bytes memory row) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint256(7), row));
    }

    function post(uint256 task, bytes memory row) internal returns (uint16 leader) {
        leader = federation.leaderOf(task);
        bytes32 measures = rowLeaf(row);
        if (federation.termsOf(task).mode == Mode.Secure) {
            measures = keccak256(abi.encodePacked(measures, GROUP_ROOTS));
        }
        vm.prank(accountAt(task, leader));
        federation.post(task, keccak256(abi.encode("result", task, row)), "cid", measures, "cid", 0);
    }

    function claim(uint256 task, uint32 round, uint256 index, bytes memory row) internal returns (uint256 paid) {
        address account = accountAt(task, index);
        uint256 before = token.balanceOf(account);
        bytes32[] memory proof = new bytes32[](federation.termsOf(task).mode == Mode.Secure ? 1 : 0);
        if (proof.length != 0) proof[0] = GROUP_ROOTS;
        federation.claimReward(task, round, uint16(index), row, proof);
        return token.balanceOf(account) - before;
    }

    // Stretches

    function committed(uint256 task, uint256 n) internal {
        for (uint256 i = 0; i < n; ++i) {
            commit(task, i);
        }
    }

    /// @dev From the beginning of a round to its requests.
    function revealed(uint256 task, uint256 n) internal {
        committed(task, n);
        toReveal_(task);
        for (uint256 i = 0; i < n; ++i) {
            reveal(task, i);
        }
        toEnd(task, round_(task).revealEnds);
    }

    function toReveal_(uint256 task) internal {
        toEnd(task, round_(task).commitEnds);
    }

    function toAggregate(uint256 task) internal {
        toEnd(task, round_(task).answerEnds);
    }

    function toSettle(uint256 task) internal {
        toEnd(task, round_(task).challengeEnds);
    }

    /// @dev A whole round of `n` who all do their part.
    function played(uint256 task, uint256 n) internal {
        revealed(task, n);
        toAggregate(task);
        post(task, evenRow(n));
        toSettle(task);
        federation.finalize(task);
    }

    function toEnd(uint256, uint64 end) internal {
        if (block.timestamp < end) vm.warp(end);
    }

    // Reads

    function round_(uint256 task) internal view returns (RoundState memory) {
        return federation.roundOf(task);
    }

    function state_(uint256 task) internal view returns (TaskState memory) {
        return federation.taskOf(task);
    }

    function who(uint256 task, uint256 index) internal view returns (Participant memory) {
        return federation.participantAt(task, uint16(index));
    }

    function requirePhase(uint256 task, TaskPhase expected) internal view {
        vm.assertEq(uint256(federation.phaseOf(task)), uint256(expected), "phase");
    }
}
