// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IStepVerifier, Question } from "../../../contracts/interfaces/IStepVerifier.sol";
import { IndexedMerkle } from "../../../contracts/libraries/IndexedMerkle.sol";
import { ChunkOpening, Operands, TensorOpening } from "../../../contracts/libraries/ModelTree.sol";
import { OperationRules as Op } from "../../../contracts/libraries/OperationRules.sol";
import { ScoreFunction } from "../../../contracts/libraries/ScoreFunctions.sol";
import { StepVerifier } from "../../../contracts/StepVerifier.sol";
import { vm } from "../support/Vm.sol";
import { Step, StepBuilder, Steps } from "./StepBuilder.sol";

/// @dev What a step refuses: every operand that is not under its root, and every question without an answer.
contract OpeningsTest {
    StepVerifier private immutable VERIFIER = new StepVerifier();
    StepBuilder private immutable BUILDER = new StepBuilder();

    /// @dev A bit of each field of an opening; the error names what was opened, and the root expected.
    function test_a_wrong_header() public {
        (Question memory question, Operands memory shown) = _dense();
        shown.node.header.nodes += 1;
        _expectOpening("node", question.modelRoot, keccak256(abi.encode(1, shown.node.header)));
        VERIFIER.element(question, shown);
    }

    function test_a_wrong_descriptor() public {
        (Question memory question, Operands memory shown) = _dense();
        shown.node.node.low -= 1;
        _refuses("node", shown.node.header.nodesRoot, question, shown);
        (question, shown) = _dense();
        shown.node.node.totals.work += 1;
        _refuses("node", shown.node.header.nodesRoot, question, shown);
        (question, shown) = _dense();
        shown.node.proof[0] ^= bytes32(uint256(1));
        _refuses("node", shown.node.header.nodesRoot, question, shown);
    }

    function test_another_node() public {
        (Question memory question, Operands memory shown) = _dense();
        question.node = 2;
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongNode.selector, 2, 1));
        VERIFIER.element(question, shown);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongNode.selector, 2, 1));
        VERIFIER.terms(question.modelRoot, 2, shown.node);
    }

    function test_a_wrong_unit() public {
        (Question memory question, Operands memory shown) = _dense();
        shown.unit.unit.bias += 1;
        _refuses("unit", shown.node.node.unitsRoot, question, shown);
        shown.unit.unit.bias -= 1;
        shown.unit.index = 2;
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongUnit.selector, 1, 2));
        VERIFIER.element(question, shown);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongUnit.selector, 1, 2));
        VERIFIER.part(question, 0, 1, shown);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongUnit.selector, 1, 2));
        VERIFIER.finish(question, shown.node, shown.unit, new int64[](1));
    }

    /// @dev A convolution's unit is the channel of its element, a lookup's the only one, an embedding's the token's row.
    function test_units_of_other_operations() public {
        Step memory step;
        step.node = Steps.windowed(Op.CONV2D, Steps.image(3, 3, 1), 2, [uint256(2), 1, 0]);
        (step.first, step.rows, step.units) = (Steps.noise(1, 9), _rows(2, 4), Steps.neutral(2));
        step.element = 3;
        (Question memory question, Operands memory shown) = BUILDER.build(step, 0);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongUnit.selector, 1, 0));
        VERIFIER.element(question, shown);
        step.node = Steps.plain(Op.EMBEDDING, Steps.flat(3), Steps.image(3, 1, 4));
        (step.first, step.rows, step.units) = (hex"80817f", _rows(2, 4), Steps.neutral(2));
        step.element = 9;
        (question, shown) = BUILDER.build(step, 0);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongUnit.selector, 1, 0));
        VERIFIER.element(question, shown);
    }

    function test_wrong_tensors() public {
        (Question memory question, Operands memory shown) = _multiply();
        shown.tensors[1].proof[0] ^= bytes32(uint256(1));
        _refuses("tensor", question.traceRoot, question, shown);
        (question, shown) = _multiply();
        shown.tensors[1] = shown.tensors[0];
        _refuses("tensor", question.traceRoot, question, shown);
        TensorOpening[] memory one = new TensorOpening[](1);
        one[0] = shown.tensors[0];
        shown.tensors = one;
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.ChunkMissing.selector, "tensor", 1));
        VERIFIER.element(question, shown);
    }

    function test_wrong_chunks() public {
        (Question memory question, Operands memory shown) = _dense();
        shown.weights[0].data[5] ^= 0x01;
        _refuses("weights", shown.unit.unit.weightRoot, question, shown);
        (question, shown) = _dense();
        shown.first[2].data[5] ^= 0x01;
        _refuses("first", shown.tensors[0].root, question, shown);
        (question, shown) = _multiply();
        shown.second[1].proof[0] ^= bytes32(uint256(1));
        _refuses("second", shown.tensors[1].root, question, shown);
    }

    /// @dev A chunk at another place than its own, and a proof that is too short or too long.
    function test_misplaced_chunks() public {
        (Question memory question, Operands memory shown) = _dense();
        shown.first[0].index = 1;
        _refuses("first", shown.tensors[0].root, question, shown);
        shown.first[0].index = 3;
        vm.expectRevert(abi.encodeWithSelector(IndexedMerkle.IndexOutOfRange.selector, 3, 3));
        VERIFIER.element(question, shown);
        shown.first[0].index = 0;
        shown.first[0].proof = new bytes32[](1);
        vm.expectRevert(abi.encodeWithSelector(IndexedMerkle.WrongProofLength.selector, 0, 1));
        VERIFIER.element(question, shown);
        shown.first[0].proof = new bytes32[](3);
        vm.expectRevert(abi.encodeWithSelector(IndexedMerkle.WrongProofLength.selector, 0, 3));
        VERIFIER.element(question, shown);
    }

    /// @dev A tree may be over chunks of any length; only the right one counts.
    function test_chunks_of_the_wrong_length() public {
        Step memory step = _step();
        step.first = Steps.noise(1, 2499);
        (Question memory question, Operands memory shown) = BUILDER.build(step, 1);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongLength.selector, 452, 451));
        VERIFIER.element(question, shown);
        step.first = Steps.noise(1, 2501);
        (question, shown) = BUILDER.build(step, 1);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongLength.selector, 452, 453));
        VERIFIER.element(question, shown);
    }

    function test_missing_chunks() public {
        (Question memory question, Operands memory shown) = _dense();
        ChunkOpening memory last = shown.first[2];
        shown.first[2] = shown.first[0];
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.ChunkMissing.selector, "first", 2));
        VERIFIER.element(question, shown);
        // a part that doesn't read it
        VERIFIER.part(question, 0, 2048, shown);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.ChunkMissing.selector, "first", 2));
        VERIFIER.part(question, 0, 2049, shown);
        shown.first[2] = last;
        shown.weights = new ChunkOpening[](0);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.ChunkMissing.selector, "weights", 0));
        VERIFIER.element(question, shown);
    }

    function test_missing_chunks_of_a_second_input() public {
        (Question memory question, Operands memory shown) = _multiply();
        question.element = 1200;
        shown.second[1] = shown.second[0];
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.ChunkMissing.selector, "second", 1));
        VERIFIER.element(question, shown);
        question.element = 1023;
        VERIFIER.element(question, shown);
    }

    function test_elements_out_of_range() public {
        (Question memory question, Operands memory shown) = _dense();
        question.element = 3;
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongElement.selector, 3, 3));
        VERIFIER.element(question, shown);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongElement.selector, 3, 3));
        VERIFIER.part(question, 0, 1, shown);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongElement.selector, 3, 3));
        VERIFIER.finish(question, shown.node, shown.unit, new int64[](2));
    }

    function test_ranges_of_terms() public {
        (Question memory question, Operands memory shown) = _dense();
        uint256[2][3] memory wrong = [[uint256(0), 2501], [uint256(7), 7], [uint256(8), 7]];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongRange.selector, 2500, wrong[i][0], wrong[i][1]));
            VERIFIER.part(question, wrong[i][0], wrong[i][1], shown);
        }
    }

    function test_operations_without_terms() public {
        (Question memory question, Operands memory shown) = _multiply();
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.NotDivisible.selector, Op.MULTIPLY));
        VERIFIER.part(question, 0, 1, shown);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.NotDivisible.selector, Op.MULTIPLY));
        VERIFIER.finish(question, shown.node, shown.unit, new int64[](1));
        vm.assertEq(VERIFIER.terms(question.modelRoot, 1, shown.node), 0, "terms");
    }

    function test_unknown_operations() public {
        uint256[3] memory unknown = [uint256(0), 12, 2 ** 255];
        for (uint256 i = 0; i < 3; ++i) {
            Step memory step = _step();
            step.node.op = unknown[i];
            (Question memory question, Operands memory shown) = BUILDER.build(step, 1);
            vm.expectRevert(abi.encodeWithSelector(IStepVerifier.UnknownOperation.selector, unknown[i]));
            VERIFIER.element(question, shown);
        }
    }

    function test_outputs_of_the_wrong_size() public {
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongOutput.selector, 4, 0));
        VERIFIER.sampleScore(ScoreFunction.Accuracy, "", 0);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongOutput.selector, 8, 7));
        VERIFIER.sampleScore(ScoreFunction.CrossEntropy, new bytes(7), 0);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongOutput.selector, 4, 8));
        VERIFIER.sampleScore(ScoreFunction.MeanSquaredError, new bytes(8), 0);
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.UnknownScoreFunction.selector, ScoreFunction.None));
        VERIFIER.sampleScore(ScoreFunction.None, new bytes(4), 0);
    }

    /// @dev 2,500 inputs in three chunks, three units; the element is the second.
    function _step() private pure returns (Step memory step) {
        step.node = Steps.plain(Op.DENSE, Steps.flat(2500), Steps.flat(3));
        (step.first, step.rows, step.units) = (Steps.noise(1, 2500), _rows(3, 2500), Steps.neutral(3));
        step.element = 1;
    }

    function _dense() private view returns (Question memory, Operands memory) {
        return BUILDER.build(_step(), 1);
    }

    function _multiply() private view returns (Question memory, Operands memory) {
        Step memory step;
        step.node = Steps.plain(Op.MULTIPLY, Steps.flat(1500), Steps.flat(1500));
        (step.node.multipliers[0], step.node.shift) = (1, 7);
        (step.first, step.second) = (Steps.noise(1, 1500), Steps.noise(2, 1500));
        return BUILDER.build(step, 0);
    }

    function _rows(uint256 count, uint256 size) private pure returns (bytes[] memory rows) {
        rows = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            rows[i] = Steps.noise(7 + i, size);
        }
    }

    function _expectOpening(string memory what, bytes32 expected, bytes32 actual) private {
        vm.expectRevert(abi.encodeWithSelector(IStepVerifier.WrongOpening.selector, what, expected, actual));
    }

    /// @dev Expects WrongOpening with this name and root; where the opening does lead to is left to the hash.
    function _refuses(string memory what, bytes32 root, Question memory question, Operands memory shown) private view {
        try VERIFIER.element(question, shown) returns (int256) {
            vm.assertTrue(false, "accepted");
        } catch (bytes memory reason) {
            vm.assertEq(bytes32(bytes4(reason)), bytes32(IStepVerifier.WrongOpening.selector), "error");
            bytes memory arguments = new bytes(reason.length - 4);
            for (uint256 i = 0; i < arguments.length; ++i) {
                arguments[i] = reason[i + 4];
            }
            (string memory name, bytes32 expected, bytes32 actual) = abi.decode(arguments, (string, bytes32, bytes32));
            vm.assertEq(keccak256(bytes(name)), keccak256(bytes(what)), name);
            vm.assertEq(expected, root, "root");
            vm.assertTrue(actual != root, "actual");
        }
    }
}
