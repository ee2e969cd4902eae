// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { NodeOpening, Operands, UnitOpening } from "../libraries/ModelTree.sol";
import { ScoreFunction } from "../libraries/ScoreFunctions.sol";

/// @dev One output element of one node, in the trace of one sample.
struct Question {
    bytes32 modelRoot;
    bytes32 traceRoot;
    uint256 node;
    uint256 element;
}

/// @title One step of an evaluation, executed
/// @notice Stateless. Checks every operand against the roots and computes, in the arithmetic of
/// `docs/integer-networks.md`. Reverts when an opening does not lead to its root or a chunk is missing; it never
/// reverts for a valid model and complete operands.
interface IStepVerifier {
    /// @notice `what` ("node", "unit", "weights", "tensor", "first", "second") does not lead to its root.
    error WrongOpening(string what, bytes32 expected, bytes32 actual);
    error WrongNode(uint256 expected, uint256 actual);
    error WrongUnit(uint256 expected, uint256 actual);
    error WrongElement(uint256 elements, uint256 actual);
    error WrongRange(uint256 terms, uint256 from, uint256 to);
    /// @notice A chunk, or the opening of a tensor, that the step reads was not given.
    error ChunkMissing(string what, uint256 index);
    /// @notice A chunk has not the length that its place in the blob demands.
    error WrongLength(uint256 expected, uint256 actual);
    error UnknownOperation(uint256 op);
    error NotDivisible(uint256 op);
    error WrongOutput(uint256 expected, uint256 actual);
    error UnknownScoreFunction(ScoreFunction fn);

    /// @return the output element, computed whole
    function element(Question calldata question, Operands calldata operands) external pure returns (int256);

    /// @return the combined terms [from, to) of the element's reduction, before bias and requantisation: their sum, or
    /// for a max-pool the largest real one (-128 if there is none). Dense, convolutions and pools only.
    function part(Question calldata question, uint256 from, uint256 to, Operands calldata operands)
        external
        pure
        returns (int256);

    /// @notice Combines the parts of a whole reduction and finishes it: bias, requantisation, clamp.
    /// @return the output element
    function finish(
        Question calldata question,
        NodeOpening calldata node,
        UnitOpening calldata unit,
        int64[] calldata parts
    ) external pure returns (int256);

    /// @return how many terms the reduction of each output element of the node has; 0 for operations without one
    function terms(bytes32 modelRoot, uint256 node, NodeOpening calldata opening) external pure returns (uint256);

    /// @param output the last tensor, int32 big-endian, row-major
    /// @return what one sample scores
    function sampleScore(ScoreFunction fn, bytes calldata output, int256 label) external pure returns (int64);
}
