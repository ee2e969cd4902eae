// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Question } from "../../../contracts/interfaces/IStepVerifier.sol";
import { ChunkOpening, Operands } from "../../../contracts/libraries/ModelTree.sol";
import { OperationRules as Op } from "../../../contracts/libraries/OperationRules.sol";
import { ScoreFunction } from "../../../contracts/libraries/ScoreFunctions.sol";
import { StepVerifier } from "../../../contracts/StepVerifier.sol";
import { vm } from "../support/Vm.sol";
import { Step, StepBuilder, Steps } from "./StepBuilder.sol";

/// @dev What steps cost: the call, and as a transaction of its own with its calldata (21,000, 16 a byte, 4 a zero byte).
contract StepGasTest {
    event Gas(string what, uint256 call, uint256 transaction, uint256 calldataBytes);

    uint256 private constant MOST = 1_000_000;

    StepVerifier private immutable VERIFIER = new StepVerifier();
    StepBuilder private immutable BUILDER = new StepBuilder();

    function test_code_fits() public view {
        vm.assertLt(address(VERIFIER).code.length, 24_576, "code");
    }

    function test_dense_784() public {
        _element("dense 784", _dense(784, 512), 100);
    }

    function test_dense_of_40_kib() public {
        _element("dense 14336", _dense(14_336, 1), 0);
    }

    /// @dev As the court asks: the operands come in its calldata and go out again.
    function test_dense_of_40_kib_through_another_contract() public {
        (Question memory question, Operands memory shown) = BUILDER.build(_dense(14_336, 1), 0);
        bytes memory data = abi.encodeCall(StepGasTest.relay, (question, shown));
        _noteOf(address(this), "dense 14336, relayed", data);
    }

    function relay(Question calldata question, Operands calldata operands) external view returns (int256) {
        return VERIFIER.element(question, operands);
    }

    function test_dense_part_of_4096() public {
        Step memory step = _dense(8192, 10);
        (Question memory question, Operands memory shown) = BUILDER.build(step, 3);
        question.element = 3;
        shown.weights = _between(shown.weights, 2, 6);
        shown.first = _between(shown.first, 2, 6);
        _note("4096 terms", abi.encodeCall(StepVerifier.part, (question, 2048, 6144, shown)));
    }

    function test_convolution_3x3x64() public {
        _element("convolution 3x3x64", _windowed(Op.CONV2D, Steps.image(16, 16, 64), 64, [uint256(3), 1, 1]), 5000);
    }

    function test_convolution_5x5x6() public {
        _element("convolution 5x5x6", _windowed(Op.CONV2D, Steps.image(14, 14, 6), 16, [uint256(5), 1, 0]), 400);
    }

    function test_depthwise_3x3() public {
        Step memory step = _windowed(Op.DEPTHWISE_CONV2D, Steps.image(16, 16, 64), 64, [uint256(3), 1, 1]);
        _element("depthwise 3x3 of 64", step, 5000);
    }

    function test_depthwise_64x64() public {
        Step memory step = _windowed(Op.DEPTHWISE_CONV2D, Steps.image(64, 64, 2), 2, [uint256(64), 1, 0]);
        _element("depthwise 64x64 of 2", step, 0);
    }

    function test_depthwise_of_narrow_rows() public {
        Step memory step = _tall(Op.DEPTHWISE_CONV2D, 256);
        (step.rows, step.units) = (_rows(1, 256), Steps.neutral(1));
        _element("depthwise 256x1", step, 0);
    }

    function test_average_pool_of_narrow_rows() public {
        _element("average pool 256x1", _tall(Op.AVERAGE_POOL2D, 256), 0);
    }

    function test_max_pool_of_narrow_rows() public {
        _element("max pool 256x1", _tall(Op.MAX_POOL2D, 256), 0);
    }

    function test_average_pool_8x8x64() public {
        Step memory step = _windowed(Op.AVERAGE_POOL2D, Steps.image(8, 8, 64), 64, [uint256(8), 1, 0]);
        _element("average pool 8x8 of 64", step, 20);
    }

    function test_average_pool_64x64() public {
        _element("average pool 64x64", _windowed(Op.AVERAGE_POOL2D, Steps.image(65, 65, 1), 1, [uint256(64), 1, 0]), 0);
    }

    function test_max_pool_2x2() public {
        _element("max pool 2x2", _windowed(Op.MAX_POOL2D, Steps.image(24, 24, 6), 6, [uint256(2), 2, 0]), 300);
    }

    function test_max_pool_64x64() public {
        _element("max pool 64x64", _windowed(Op.MAX_POOL2D, Steps.image(65, 65, 1), 1, [uint256(64), 1, 0]), 0);
    }

    function test_lookup() public {
        Step memory step;
        step.node = Steps.plain(Op.LOOKUP, Steps.flat(2000), Steps.flat(2000));
        step.first = Steps.noise(1, 2000);
        (step.rows, step.units) = (_rows(1, 256), Steps.neutral(1));
        _element("lookup", step, 1500);
    }

    function test_multiply() public {
        Step memory step;
        step.node = Steps.plain(Op.MULTIPLY, Steps.flat(2000), Steps.flat(2000));
        (step.node.multipliers[0], step.node.shift) = (1, 7);
        (step.first, step.second) = (Steps.noise(1, 2000), Steps.noise(2, 2000));
        _element("multiply", step, 1500);
    }

    function test_scores_of_1000_outputs() public {
        _scores(1000);
    }

    function test_scores_of_4096_outputs() public {
        _scores(4096);
    }

    /// @dev Outputs that are near each other, so that each counts; with bytes of noise they cost the most calldata.
    function _scores(uint256 count) private {
        bytes memory output = Steps.noise(3, 4 * count);
        _note("accuracy", abi.encodeCall(StepVerifier.sampleScore, (ScoreFunction.Accuracy, output, 500)));
        for (uint256 i = 0; i < output.length; i += 4) {
            (output[i], output[i + 1], output[i + 2]) = (0xff, 0xff, 0xf7);
        }
        _note("cross-entropy", abi.encodeCall(StepVerifier.sampleScore, (ScoreFunction.CrossEntropy, output, 500)));
    }

    function _dense(uint256 inputs, uint256 units) private pure returns (Step memory step) {
        step.node = Steps.plain(Op.DENSE, Steps.flat(inputs), Steps.flat(units));
        step.first = Steps.noise(1, inputs);
        (step.rows, step.units) = (_rows(units, inputs), Steps.neutral(units));
    }

    function _windowed(uint256 op, uint256[4] memory input, uint256 channels, uint256[3] memory sides)
        private
        pure
        returns (Step memory step)
    {
        step.node = Steps.windowed(op, input, channels, sides);
        step.first = Steps.noise(1, input[1] * input[2] * input[3]);
        (step.node.multipliers[0], step.node.shift) = (1, 6);
        if (op == Op.CONV2D) step.rows = _rows(channels, sides[0] * sides[0] * input[3]);
        if (op == Op.DEPTHWISE_CONV2D) step.rows = _rows(channels, sides[0] * sides[0]);
        step.units = Steps.neutral(step.rows.length);
    }

    /// @dev A kernel one column wide on an image of two columns: a run for each element.
    function _tall(uint256 op, uint256 height) private pure returns (Step memory step) {
        step.node = Steps.plain(op, Steps.image(height, 2, 1), Steps.image(1, 2, 1));
        step.node.kernel = [height, 1];
        step.first = Steps.noise(1, height * 2);
        (step.node.multipliers[0], step.node.shift) = (1, 6);
    }

    /// @dev All rows alike: only one of them is ever shown.
    function _rows(uint256 count, uint256 size) private pure returns (bytes[] memory rows) {
        rows = new bytes[](count);
        bytes memory row = Steps.noise(9, size);
        for (uint256 i = 0; i < count; ++i) {
            rows[i] = row;
        }
    }

    function _element(string memory what, Step memory step, uint256 index) private {
        step.element = index;
        uint256 unit = step.rows.length == 0 ? 0 : index % step.rows.length;
        (Question memory question, Operands memory shown) = BUILDER.build(step, unit);
        // a step shows only the chunks it reads; which those are, the verifier says
        shown.first = _needed(question, shown, true);
        shown.second = _needed(question, shown, false);
        _note(what, abi.encodeCall(StepVerifier.element, (question, shown)));
    }

    function _needed(Question memory question, Operands memory shown, bool first)
        private
        view
        returns (ChunkOpening[] memory kept)
    {
        ChunkOpening[] memory all = first ? shown.first : shown.second;
        ChunkOpening[] memory none = new ChunkOpening[](0);
        kept = none;
        while (true) {
            if (first) shown.first = kept;
            else shown.second = kept;
            try VERIFIER.element(question, shown) returns (int256) {
                return kept;
            } catch (bytes memory reason) {
                uint256 index;
                assembly ("memory-safe") {
                    index := mload(add(reason, 0x44))
                }
                if (index >= all.length) revert("not a missing chunk");
                kept = _with(kept, all[index]);
            }
        }
    }

    function _with(ChunkOpening[] memory list, ChunkOpening memory one)
        private
        pure
        returns (ChunkOpening[] memory longer)
    {
        longer = new ChunkOpening[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) {
            longer[i] = list[i];
        }
        longer[list.length] = one;
    }

    function _between(ChunkOpening[] memory list, uint256 from, uint256 to)
        private
        pure
        returns (ChunkOpening[] memory part)
    {
        part = new ChunkOpening[](to - from);
        for (uint256 i = from; i < to; ++i) {
            part[i - from] = list[i];
        }
    }

    function _note(string memory what, bytes memory data) private {
        _noteOf(address(VERIFIER), what, data);
    }

    function _noteOf(address asked, string memory what, bytes memory data) private {
        uint256 intrinsic = 21_000;
        for (uint256 i = 0; i < data.length; ++i) {
            intrinsic += data[i] == 0 ? 4 : 16;
        }
        bool ok;
        uint256 used;
        // not Solidity's call, which would copy all of it once more
        assembly ("memory-safe") {
            used := gas()
            ok := staticcall(gas(), asked, add(data, 32), mload(data), 0, 0)
            used := sub(used, gas())
        }
        vm.assertTrue(ok, what);
        emit Gas(what, used, used + intrinsic, data.length);
        vm.assertLt(used + intrinsic, MOST, what);
    }
}
