// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { AvailabilityCourt } from "../../../contracts/AvailabilityCourt.sol";
import { DisputeCourt } from "../../../contracts/DisputeCourt.sol";
import { OrderTerms } from "../../../contracts/interfaces/IOrderBook.sol";
import { Commitments } from "../../../contracts/libraries/Commitments.sol";
import { Descriptor, Header, NodeOpening, Sample } from "../../../contracts/libraries/ModelTree.sol";
import { StepVerifier } from "../../../contracts/StepVerifier.sol";
import { Trees } from "../dispute/support/Trees.sol";
import { draw, vm } from "../support/Vm.sol";
import { World } from "../support/World.sol";

/// @dev The real courts, and models and a test set that they can decide about: small, but real to the last step. Each
/// provider's model takes two elements of the input for its outputs, at places of its own; the label is always 0, so a
/// sample scores 1 if the first of the two is the larger.
abstract contract Materials is World {
    uint256 internal constant COUNT = 40;
    uint256 internal constant COPIER = 4;
    uint256 private constant INPUTS = 10;
    uint8 private constant LARGE = 5;
    uint8 private constant LITTLE = 3;

    DisputeCourt internal disputes;
    AvailabilityCourt internal hall;
    StepVerifier private steps;
    bytes32 internal testRoot;
    bytes32[] private leaves;

    function setUp() public override {
        steps = new StepVerifier();
        for (uint256 s = 0; s < COUNT; ++s) {
            leaves.push(keccak256(abi.encode(uint256(4), _sample(s))));
        }
        testRoot = Trees.root(leaves);
        super.setUp();
    }

    function _newCourt() internal override returns (address) {
        disputes = new DisputeCourt(book, proof, vault, steps);
        return address(disputes);
    }

    function _newAvailability() internal override returns (address) {
        hall = new AvailabilityCourt(book, proof, vault);
        return address(hall);
    }

    function _terms() internal view virtual override returns (OrderTerms memory t) {
        t = super._terms();
        t.inputSize = uint32(INPUTS);
        t.outputSize = 2;
        t.testCommitment = Commitments.testSet(client, testRoot, uint32(COUNT), TEST_CID, SALT);
    }

    function release(uint256 oid) internal override {
        address owner = book.getOrder(oid).client;
        vm.prank(owner);
        book.releaseTest(oid, testRoot, uint32(COUNT), TEST_CID, SALT);
    }

    // Models

    /// @return kind which model is this provider's
    function _kindOf(address account) internal pure returns (uint256 kind) {
        while (provider(kind) != account) ++kind;
    }

    function modelRoot(address account) internal pure override returns (bytes32) {
        return keccak256(abi.encode(uint256(1), _header(_kindOf(account))));
    }

    function _node(uint256 kind) internal pure returns (Descriptor memory node) {
        node.op = 10;
        node.inputShape = [uint256(1), INPUTS, 0, 0];
        node.shape = [uint256(1), 2, 0, 0];
        (node.low, node.high) = (-1000, 1000);
        (node.kernel, node.stride) = ([uint256(1), 1], [uint256(1), 1]);
        node.offset = 2 * kind;
        (node.totals.elements, node.totals.work) = (INPUTS + 2, 2);
    }

    function _header(uint256 kind) internal pure returns (Header memory header) {
        header.inputShape = [uint256(1), INPUTS, 0, 0];
        header.nodes = 1;
        header.outputScale = 0x3FF0000000000000;
        header.nodesRoot = keccak256(abi.encode(uint256(2), _node(kind)));
    }

    function _openNode(uint256 kind) internal pure returns (NodeOpening memory opening) {
        opening.header = _header(kind);
        opening.node = _node(kind);
    }

    // Samples and scores

    function _input(uint256 s) internal pure returns (bytes memory input) {
        input = new bytes(INPUTS);
        for (uint256 kind = 0; kind < INPUTS / 2; ++kind) {
            bool right = _scoreOf(kind, s) == 1;
            input[2 * kind] = bytes1(right ? LARGE : LITTLE);
            input[2 * kind + 1] = bytes1(right ? LITTLE : LARGE);
        }
    }

    function _sample(uint256 s) internal pure returns (Sample memory) {
        return Sample({ inputRoot: keccak256(_input(s)), label: 0 });
    }

    function _sampleProof(uint256 s) internal view returns (bytes32[] memory) {
        return Trees.proofOf(leaves, s);
    }

    /// @return the output that scores `score`: the true one, if that is the true score
    function _output(int64 score) internal pure returns (bytes memory) {
        require(score == 0 || score == 1, "no output scores that");
        (uint8 first, uint8 second) = score == 1 ? (LARGE, LITTLE) : (LITTLE, LARGE);
        return abi.encodePacked(uint32(first), uint32(second));
    }

    function _scoreOf(uint256 kind, uint256 s) internal pure returns (int64) {
        return draw(kind, s) % 4 == 0 ? int64(0) : int64(1);
    }

    /// @return sum the true score of samples [low, high)
    function _trueSum(uint256 kind, uint256 low, uint256 high) internal pure returns (int64 sum) {
        for (uint256 s = low; s < high; ++s) {
            sum += _scoreOf(kind, s);
        }
    }
}
