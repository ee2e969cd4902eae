// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Add } from "./arithmetic/Add.sol";
import { AveragePool } from "./arithmetic/AveragePool.sol";
import { Concat } from "./arithmetic/Concat.sol";
import { Convolution } from "./arithmetic/Convolution.sol";
import { Dense } from "./arithmetic/Dense.sol";
import { Depthwise } from "./arithmetic/Depthwise.sol";
import { Embedding } from "./arithmetic/Embedding.sol";
import { Lookup } from "./arithmetic/Lookup.sol";
import { MaxPool } from "./arithmetic/MaxPool.sol";
import { Multiply } from "./arithmetic/Multiply.sol";
import { Requantisation } from "./arithmetic/Requantisation.sol";
import { SampleScores } from "./arithmetic/SampleScores.sol";
import { Slice } from "./arithmetic/Slice.sol";
import { IStepVerifier, Question } from "./interfaces/IStepVerifier.sol";
import { Blob, Blobs } from "./libraries/Blobs.sol";
import { IndexedMerkle } from "./libraries/IndexedMerkle.sol";
import { Leaves } from "./libraries/Leaves.sol";
import { Descriptor, NodeOpening, Operands, UnitOpening } from "./libraries/ModelTree.sol";
import { OperationRules } from "./libraries/OperationRules.sol";
import { ScoreFunction } from "./libraries/ScoreFunctions.sol";

/// @title One step of an evaluation, executed
/// @notice Checks where operands come from; what they come to is in `arithmetic/`, one library for each operation.
contract StepVerifier is IStepVerifier {
    /// @inheritdoc IStepVerifier
    function element(Question calldata question, Operands calldata operands) external pure returns (int256) {
        Descriptor calldata node = _node(question.modelRoot, question.node, operands.node);
        _checkElement(node, question.element);
        uint256 whole = _terms(node);
        if (whole > 0) {
            int256 value = _reduced(question, node, operands, 0, whole);
            return _finished(node, operands.unit, value);
        }
        return Requantisation.clamp(_mapped(question, node, operands), node.low, node.high);
    }

    /// @inheritdoc IStepVerifier
    function part(Question calldata question, uint256 from, uint256 to, Operands calldata operands)
        external
        pure
        returns (int256)
    {
        Descriptor calldata node = _divisible(question, operands.node);
        uint256 whole = _terms(node);
        if (from >= to || to > whole) revert WrongRange(whole, from, to);
        return _reduced(question, node, operands, from, to);
    }

    /// @inheritdoc IStepVerifier
    function finish(
        Question calldata question,
        NodeOpening calldata opening,
        UnitOpening calldata unit,
        int64[] calldata parts
    ) external pure returns (int256) {
        Descriptor calldata node = _divisible(question, opening);
        bool largest = node.op == OperationRules.MAX_POOL2D;
        int256 value = largest ? MaxPool.NEUTRAL : int256(0);
        for (uint256 i = 0; i < parts.length; ++i) {
            if (!largest) value += parts[i];
            else if (parts[i] > value) value = parts[i];
        }
        if (OperationRules.isWeighted(node.op)) _checkUnit(node, _unitOf(node, question.element), unit);
        return _finished(node, unit, value);
    }

    /// @inheritdoc IStepVerifier
    function terms(bytes32 modelRoot, uint256 node, NodeOpening calldata opening) external pure returns (uint256) {
        return _terms(_node(modelRoot, node, opening));
    }

    /// @inheritdoc IStepVerifier
    function sampleScore(ScoreFunction fn, bytes calldata output, int256 label) external pure returns (int64) {
        // at most 2^40 in magnitude
        return int64(SampleScores.score(fn, output, label));
    }

    /// @return value the sum, or the largest, of the terms [from, to)
    function _reduced(
        Question calldata question,
        Descriptor calldata node,
        Operands calldata operands,
        uint256 from,
        uint256 to
    ) private pure returns (int256) {
        Blob memory input = _first(question, operands);
        uint256 index = question.element;
        if (node.op == OperationRules.MAX_POOL2D) return MaxPool.largest(node, index, input, from, to);
        if (node.op == OperationRules.AVERAGE_POOL2D) return AveragePool.sum(node, index, input, from, to);
        _checkUnit(node, _unitOf(node, index), operands.unit);
        Blob memory weights = _weights(node, operands);
        if (node.op == OperationRules.DENSE) return Dense.sum(weights, input, from, to);
        if (node.op == OperationRules.CONV2D) return Convolution.sum(node, index, weights, input, from, to);
        return Depthwise.sum(node, index, weights, input, from, to);
    }

    /// @return the output element that a reduction comes to; `unit` was checked if the operation is weighted
    function _finished(Descriptor calldata node, UnitOpening calldata opening, int256 value)
        private
        pure
        returns (int256)
    {
        if (OperationRules.isWeighted(node.op)) {
            value = Requantisation.requantise(value + opening.unit.bias, opening.unit.multiplier, opening.unit.shift);
        } else if (node.op == OperationRules.AVERAGE_POOL2D) {
            value = Requantisation.requantise(value, node.multipliers[0], node.shift);
        }
        return Requantisation.clamp(value, node.low, node.high);
    }

    /// @return the result of an operation without a reduction, before its clamp
    function _mapped(Question calldata question, Descriptor calldata node, Operands calldata operands)
        private
        pure
        returns (int256)
    {
        uint256 index = question.element;
        Blob memory first = _first(question, operands);
        if (node.op == OperationRules.SLICE) return Slice.element(node, first, index);
        if (node.op == OperationRules.LOOKUP) {
            _checkUnit(node, 0, operands.unit);
            return Lookup.element(_weights(node, operands), first, index);
        }
        if (node.op == OperationRules.EMBEDDING) {
            _checkUnit(node, Embedding.row(node, first, index), operands.unit);
            return Embedding.element(node, _weights(node, operands), index);
        }
        if (node.op == OperationRules.CONCAT) {
            uint256 rest = OperationRules.elementsOf(node.shape) - first.length;
            return Concat.element(first, _second(question, operands, rest), index);
        }
        Blob memory second = _second(question, operands, first.length);
        if (node.op == OperationRules.ADD) return Add.element(node, first, second, index);
        return Multiply.element(node, first, second, index);
    }

    /// @return node the descriptor at its place under the model root
    function _node(bytes32 modelRoot, uint256 index, NodeOpening calldata opening)
        private
        pure
        returns (Descriptor calldata node)
    {
        node = opening.node;
        bytes32 root = Leaves.ofHeader(opening.header);
        if (root != modelRoot) revert WrongOpening("node", modelRoot, root);
        if (node.index != index) revert WrongNode(index, node.index);
        root = IndexedMerkle.rootOfCalldata(Leaves.ofNode(node), index, opening.header.nodes, opening.proof);
        if (root != opening.header.nodesRoot) revert WrongOpening("node", opening.header.nodesRoot, root);
        if (node.op < OperationRules.DENSE || node.op > OperationRules.CONCAT) revert UnknownOperation(node.op);
    }

    /// @return node the same, of an operation whose elements are reductions of terms
    function _divisible(Question calldata question, NodeOpening calldata opening)
        private
        pure
        returns (Descriptor calldata node)
    {
        node = _node(question.modelRoot, question.node, opening);
        if (_terms(node) == 0) revert NotDivisible(node.op);
        _checkElement(node, question.element);
    }

    function _checkElement(Descriptor calldata node, uint256 index) private pure {
        uint256 elements = OperationRules.elementsOf(node.shape);
        if (index >= elements) revert WrongElement(elements, index);
    }

    /// @dev A convolution's channels are its units, and the last side of its output; a dense layer's output has one side.
    function _unitOf(Descriptor calldata node, uint256 index) private pure returns (uint256) {
        return node.op == OperationRules.DENSE ? index : index % node.shape[3];
    }

    function _checkUnit(Descriptor calldata node, uint256 index, UnitOpening calldata opening) private pure {
        if (opening.index != index) revert WrongUnit(index, opening.index);
        bytes32 root = IndexedMerkle.rootOfCalldata(Leaves.ofUnit(opening.unit), index, node.units, opening.proof);
        if (root != node.unitsRoot) revert WrongOpening("unit", node.unitsRoot, root);
    }

    /// @dev The weights of the unit, which was checked.
    function _weights(Descriptor calldata node, Operands calldata operands) private pure returns (Blob memory) {
        return Blobs.open("weights", operands.unit.unit.weightRoot, node.rowBytes, operands.weights);
    }

    function _first(Question calldata question, Operands calldata operands) private pure returns (Blob memory) {
        bytes32 root = _tensor(question, operands, 0);
        return Blobs.open("first", root, OperationRules.elementsOf(operands.node.node.inputShape), operands.first);
    }

    function _second(Question calldata question, Operands calldata operands, uint256 elements)
        private
        pure
        returns (Blob memory)
    {
        return Blobs.open("second", _tensor(question, operands, 1), elements, operands.second);
    }

    /// @return root the root of the node's first or second input, under the root of the trace: the network's input, then
    /// the output of each node
    function _tensor(Question calldata question, Operands calldata operands, uint256 which)
        private
        pure
        returns (bytes32 root)
    {
        if (which >= operands.tensors.length) revert ChunkMissing("tensor", which);
        root = operands.tensors[which].root;
        bytes32 actual = IndexedMerkle.rootOfCalldata(
            root, operands.node.node.inputs[which], operands.node.header.nodes + 1, operands.tensors[which].proof
        );
        if (actual != question.traceRoot) revert WrongOpening("tensor", question.traceRoot, actual);
    }

    /// @return how many terms each output element is a reduction of; 0 if it is none
    function _terms(Descriptor calldata node) private pure returns (uint256) {
        if (OperationRules.isWeighted(node.op)) return node.rowBytes;
        bool pools = node.op == OperationRules.MAX_POOL2D || node.op == OperationRules.AVERAGE_POOL2D;
        return pools ? node.kernel[0] * node.kernel[1] : 0;
    }
}
