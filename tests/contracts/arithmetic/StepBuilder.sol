// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Question } from "../../../contracts/interfaces/IStepVerifier.sol";
import {
    ChunkOpening,
    Descriptor,
    Header,
    NodeOpening,
    Operands,
    TensorOpening,
    Unit,
    UnitOpening
} from "../../../contracts/libraries/ModelTree.sol";

/// @dev A step as a test describes it: the node, the parameters of its units, and the bytes of the tensors it reads.
struct Step {
    Descriptor node;
    /// of each unit; their weight roots are filled in
    Unit[] units;
    bytes[] rows;
    bytes first;
    bytes second;
    uint256 element;
}

/// @dev Builds the trees around one step, the plain way, and shows what the step reads. The node is the second of three;
/// its first input is tensor 0, its second tensor 1.
contract StepBuilder {
    uint256 internal constant NODES = 3;
    uint256 internal constant PLACE = 1;
    uint256 private constant CHUNK = 1024;

    /// @return question about the step's element, and operands with all chunks of weights and inputs
    function build(Step memory step, uint256 unit)
        public
        pure
        returns (Question memory question, Operands memory shown)
    {
        if (step.rows.length > 0) {
            shown.unit = openUnit(step, unit);
        }
        if (step.rows.length > 0) shown.weights = allChunks(step.rows[unit]);
        (shown.node, question.modelRoot) = openNode(step);
        bytes32[] memory tensors = new bytes32[](NODES + 1);
        tensors[0] = blobRoot(step.first);
        tensors[1] = blobRoot(step.second);
        tensors[2] = keccak256("the step's own output");
        question.traceRoot = root(tensors);
        shown.tensors = new TensorOpening[](step.second.length > 0 ? 2 : 1);
        for (uint256 i = 0; i < shown.tensors.length; ++i) {
            shown.tensors[i] = TensorOpening(tensors[i], proof(tensors, i));
        }
        shown.first = allChunks(step.first);
        shown.second = allChunks(step.second);
        (question.node, question.element) = (PLACE, step.element);
    }

    function openNode(Step memory step) public pure returns (NodeOpening memory opening, bytes32 modelRoot) {
        if (step.rows.length > 0) {
            step.node.units = step.rows.length;
            step.node.rowBytes = step.rows[0].length;
            step.node.unitsRoot = root(unitLeaves(step));
        }
        step.node.index = PLACE;
        if (step.second.length > 0) step.node.inputs[1] = 1;
        bytes32[] memory leaves = new bytes32[](NODES);
        leaves[0] = keccak256("another node");
        leaves[PLACE] = keccak256(abi.encode(2, step.node));
        Header memory header = Header([uint256(1), 1, 0, 0], NODES, 0x3FF0000000000000, root(leaves));
        opening = NodeOpening(header, step.node, proof(leaves, PLACE));
        modelRoot = keccak256(abi.encode(1, header));
    }

    function openUnit(Step memory step, uint256 index) public pure returns (UnitOpening memory) {
        bytes32[] memory leaves = unitLeaves(step);
        return UnitOpening(index, step.units[index], proof(leaves, index));
    }

    function unitLeaves(Step memory step) public pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](step.rows.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            step.units[i].weightRoot = blobRoot(step.rows[i]);
            leaves[i] = keccak256(abi.encode(3, step.units[i]));
        }
    }

    function allChunks(bytes memory data) public pure returns (ChunkOpening[] memory openings) {
        bytes32[] memory leaves = chunkLeaves(data);
        openings = new ChunkOpening[](data.length == 0 ? 0 : leaves.length);
        for (uint256 i = 0; i < openings.length; ++i) {
            openings[i] = ChunkOpening(i, chunk(data, i), proof(leaves, i));
        }
    }

    function blobRoot(bytes memory data) public pure returns (bytes32) {
        return root(chunkLeaves(data));
    }

    function chunkLeaves(bytes memory data) public pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[]((data.length + CHUNK - 1) / CHUNK);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = keccak256(chunk(data, i));
        }
    }

    function chunk(bytes memory data, uint256 index) public pure returns (bytes memory piece) {
        uint256 start = index * CHUNK;
        uint256 size = data.length - start < CHUNK ? data.length - start : CHUNK;
        piece = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            piece[i] = data[start + i];
        }
    }

    function root(bytes32[] memory leaves) public pure returns (bytes32) {
        if (leaves.length == 0) return 0;
        bytes32[] memory level = leaves;
        while (level.length > 1) level = _above(level);
        return level[0];
    }

    function proof(bytes32[] memory leaves, uint256 index) public pure returns (bytes32[] memory siblings) {
        bytes32[] memory found = new bytes32[](32);
        uint256 length = 0;
        for (bytes32[] memory level = leaves; level.length > 1; level = _above(level)) {
            if (index ^ 1 < level.length) found[length++] = level[index ^ 1];
            index /= 2;
        }
        siblings = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            siblings[i] = found[i];
        }
    }

    function _above(bytes32[] memory level) private pure returns (bytes32[] memory above) {
        above = new bytes32[]((level.length + 1) / 2);
        for (uint256 i = 0; i < above.length; ++i) {
            bool pair = 2 * i + 1 < level.length;
            above[i] = pair ? keccak256(abi.encode(level[2 * i], level[2 * i + 1])) : level[2 * i];
        }
    }
}

/// @dev Words for steps.
library Steps {
    function flat(uint256 features) internal pure returns (uint256[4] memory) {
        return [uint256(1), features, 0, 0];
    }

    function image(uint256 height, uint256 width, uint256 channels) internal pure returns (uint256[4] memory) {
        return [uint256(3), height, width, channels];
    }

    /// @return node without a window, that clamps to int8
    function plain(uint256 op, uint256[4] memory input, uint256[4] memory output)
        internal
        pure
        returns (Descriptor memory node)
    {
        node.op = op;
        (node.inputShape, node.shape) = (input, output);
        (node.low, node.high) = (-128, 127);
        (node.kernel, node.stride) = ([uint256(1), 1], [uint256(1), 1]);
    }

    /// @return node with a square window, of the output shape that follows
    function windowed(uint256 op, uint256[4] memory input, uint256 channels, uint256[3] memory sides)
        internal
        pure
        returns (Descriptor memory node)
    {
        (uint256 kernel, uint256 stride, uint256 padding) = (sides[0], sides[1], sides[2]);
        uint256 height = (input[1] + 2 * padding - kernel) / stride + 1;
        uint256 width = (input[2] + 2 * padding - kernel) / stride + 1;
        node = plain(op, input, image(height, width, channels));
        node.kernel = [kernel, kernel];
        node.stride = [stride, stride];
        node.padding = [padding, padding, padding, padding];
    }

    /// @return data that looks random, the same for the same seed
    function noise(uint256 seed, uint256 size) internal pure returns (bytes memory data) {
        data = new bytes(size);
        for (uint256 start = 0; start < size; start += 32) {
            bytes32 word = keccak256(abi.encode(seed, start));
            for (uint256 i = 0; i < 32 && start + i < size; ++i) {
                data[start + i] = word[i];
            }
        }
    }

    function at(bytes memory data, uint256 index) internal pure returns (int256) {
        return int8(uint8(data[index]));
    }

    /// @return units that hand accumulators on as they are: * 2 >> 1
    function neutral(uint256 count) internal pure returns (Unit[] memory units) {
        units = new Unit[](count);
        for (uint256 i = 0; i < count; ++i) {
            (units[i].multiplier, units[i].shift) = (2, 1);
        }
    }
}
