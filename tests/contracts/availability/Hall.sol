// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { AvailabilityCourt } from "../../../contracts/AvailabilityCourt.sol";
import { OrderTerms } from "../../../contracts/interfaces/IOrderBook.sol";
import { IAvailabilityCourt, Item, NodeAnswer, Target } from "../../../contracts/interfaces/IAvailabilityCourt.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Commitments } from "../../../contracts/libraries/Commitments.sol";
import {
    ChunkOpening,
    Descriptor,
    Header,
    NodeOpening,
    Sample,
    Totals,
    Unit,
    UnitOpening
} from "../../../contracts/libraries/ModelTree.sol";
import { vm } from "../support/Vm.sol";
import { World } from "../support/World.sol";

/// @dev A world with the real availability court, a model of one dense node (1,100 inputs, 2 units) and a test set of
/// two samples; every leaf of them has a proof of at most one sibling.
abstract contract Hall is World {
    uint256 internal constant INPUTS = 1100;
    uint256 internal constant OUTPUTS = 2;

    AvailabilityCourt internal hall;

    address internal asker = actor("asker", 0);
    address internal holder = actor("holder", 0);

    function setUp() public virtual override {
        super.setUp();
        enrol(asker, Role.Verifier, BOND);
    }

    function _newAvailability() internal override returns (address) {
        hall = new AvailabilityCourt(book, proof, vault);
        return address(hall);
    }

    function _terms() internal view virtual override returns (OrderTerms memory terms) {
        terms = super._terms();
        terms.inputSize = uint32(INPUTS);
        terms.outputSize = uint32(OUTPUTS);
        terms.testCommitment = Commitments.testSet(client, testRoot(), 2, TEST_CID, SALT);
    }

    // The model

    function weights(uint256 unit) internal pure returns (bytes memory row) {
        row = new bytes(INPUTS);
        for (uint256 i = 0; i < INPUTS; ++i) {
            row[i] = bytes1(uint8(i + 7 * unit));
        }
    }

    /// @dev Hashes of the two chunks of 1,100 bytes.
    function chunks(bytes memory blob) internal pure returns (bytes32 first, bytes32 second) {
        (first, second) = (keccak256(part(blob, 0, 1024)), keccak256(part(blob, 1024, INPUTS)));
    }

    function part(bytes memory blob, uint256 from, uint256 to) internal pure returns (bytes memory some) {
        some = new bytes(to - from);
        for (uint256 i = from; i < to; ++i) {
            some[i - from] = blob[i];
        }
    }

    function pair(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return keccak256(abi.encode(left, right));
    }

    function one(bytes32 sibling) internal pure returns (bytes32[] memory proof_) {
        proof_ = new bytes32[](1);
        proof_[0] = sibling;
    }

    function blobRoot(bytes memory blob) internal pure returns (bytes32) {
        (bytes32 first, bytes32 second) = chunks(blob);
        return pair(first, second);
    }

    function makeUnit(uint256 index) internal pure returns (Unit memory) {
        return Unit({ weightRoot: blobRoot(weights(index)), bias: -5, multiplier: 1000 + index, shift: 20 });
    }

    function unitLeaf(uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode(uint256(3), makeUnit(index)));
    }

    function makeNode() internal pure returns (Descriptor memory node) {
        node.op = 1;
        node.inputShape = [uint256(1), INPUTS, 0, 0];
        node.shape = [uint256(1), OUTPUTS, 0, 0];
        (node.low, node.high) = (-1000, 1000);
        (node.kernel, node.stride) = ([uint256(1), 1], [uint256(1), 1]);
        (node.rowBytes, node.units) = (INPUTS, OUTPUTS);
        node.unitsRoot = pair(unitLeaf(0), unitLeaf(1));
        node.totals =
            Totals({ elements: INPUTS + OUTPUTS, units: OUTPUTS, weights: INPUTS * OUTPUTS, work: INPUTS * OUTPUTS });
    }

    function makeHeader(Descriptor memory node) internal pure returns (Header memory header) {
        header.inputShape = [uint256(1), INPUTS, 0, 0];
        header.nodes = 1;
        header.outputScale = 0x3FF0000000000000;
        header.nodesRoot = keccak256(abi.encode(uint256(2), node));
    }

    function rootOf(Header memory header) internal pure returns (bytes32) {
        return keccak256(abi.encode(uint256(1), header));
    }

    function validRoot() internal pure returns (bytes32) {
        return rootOf(makeHeader(makeNode()));
    }

    // The test set

    function input(uint256 index) internal pure returns (bytes memory) {
        return weights(100 + index);
    }

    function makeSample(uint256 index) internal pure returns (Sample memory) {
        return Sample({ inputRoot: blobRoot(input(index)), label: int256(index) });
    }

    function sampleLeaf(uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode(uint256(4), makeSample(index)));
    }

    function testRoot() internal pure virtual returns (bytes32) {
        return pair(sampleLeaf(0), sampleLeaf(1));
    }

    // Openings

    function openNode() internal pure returns (NodeOpening memory opening) {
        opening.node = makeNode();
        opening.header = makeHeader(opening.node);
    }

    function answerNode() internal pure returns (NodeAnswer memory answer) {
        answer.opening = openNode();
    }

    function answerOf(Descriptor memory node) internal pure returns (NodeAnswer memory answer) {
        answer.opening.node = node;
        answer.opening.header = makeHeader(node);
    }

    function openUnit(uint256 index) internal pure returns (UnitOpening memory) {
        return UnitOpening({ index: index, unit: makeUnit(index), proof: one(unitLeaf(1 - index)) });
    }

    function openChunk(bytes memory blob, uint256 index) internal pure returns (ChunkOpening memory chunk) {
        (bytes32 first, bytes32 second) = chunks(blob);
        chunk.index = index;
        chunk.data = index == 0 ? part(blob, 0, 1024) : part(blob, 1024, INPUTS);
        chunk.proof = one(index == 0 ? second : first);
    }

    // Orders with chosen roots

    /// @dev One order whose models have these roots, in ScoreCommit.
    function revealedRoots(bytes32[] memory roots) internal returns (uint256 oid) {
        oid = put();
        for (uint256 i = 0; i < roots.length; ++i) {
            if (bonded(provider(i), Role.Provider) == 0) enrol(provider(i), Role.Provider, BOND);
            bytes32 commitment = Commitments.model(oid, provider(i), roots[i], modelCid(provider(i)), SALT);
            vm.prank(provider(i));
            proof.claim(oid, commitment);
        }
        toReveal(oid);
        for (uint256 i = 0; i < roots.length; ++i) {
            vm.prank(provider(i));
            proof.reveal(oid, roots[i], modelCid(provider(i)), SALT);
        }
        vm.prank(client);
        book.releaseTest(oid, testRoot(), 2, TEST_CID, SALT);
        toScoreCommit(oid);
    }

    function revealedRoot(bytes32 root) internal returns (uint256) {
        bytes32[] memory roots = new bytes32[](1);
        roots[0] = root;
        return revealedRoots(roots);
    }

    /// @dev Validators 0 and 1 have scored all models, the same; the clock at the start of Challenge.
    function score(uint256 oid, int64[] memory scores) internal {
        for (uint256 i = 0; i < 2; ++i) {
            if (bonded(validator(i), Role.Validator) == 0) enrol(validator(i), Role.Validator, BOND);
            commitScores(oid, validator(i), scores, VSTAKE);
        }
        toScoreReveal(oid);
        for (uint256 i = 0; i < 2; ++i) {
            revealScores(oid, validator(i), scores);
        }
        toChallenge(oid);
    }

    // Requests

    function target(uint256 oid, Item item) internal pure returns (Target memory) {
        return Target({ oid: oid, item: item, modelIndex: 0, node: 0, unit: 0, chunk: 0 });
    }

    function target(uint256 oid, Item item, uint32 node, uint32 unit, uint32 chunk)
        internal
        pure
        returns (Target memory)
    {
        return Target({ oid: oid, item: item, modelIndex: 0, node: node, unit: unit, chunk: chunk });
    }

    function ask(Target memory wanted) internal returns (uint256) {
        return askAs(asker, wanted);
    }

    function askAs(address who, Target memory wanted) internal returns (uint256 id) {
        vm.prank(who);
        id = hall.request(wanted);
    }

    function bondOf() internal pure returns (uint256) {
        return _parameters().requestBond;
    }

    function pastDeadline(uint256 id) internal {
        vm.warp(hall.requestOf(id).deadline);
    }

    function expectRule(string memory rule) internal {
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.Malformed.selector, rule));
    }
}
