// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Question } from "../../../contracts/interfaces/IStepVerifier.sol";
import { Descriptor, Operands } from "../../../contracts/libraries/ModelTree.sol";
import { OperationRules as Op } from "../../../contracts/libraries/OperationRules.sol";
import { StepVerifier } from "../../../contracts/StepVerifier.sol";
import { between, vm } from "../support/Vm.sol";
import { Step, StepBuilder, Steps } from "./StepBuilder.sol";

/// @dev Each operation against a few lines that say the same plainly, and its corners by hand. The fuzzing against the
/// Python oracle is in `test_steps.py`.
contract ArithmeticTest {
    StepVerifier private immutable VERIFIER = new StepVerifier();
    StepBuilder private immutable BUILDER = new StepBuilder();

    function test_dense_by_hand() public view {
        Step memory step = _dense(hex"0102ff", hex"03fe80");
        // 1 * 3 + 2 * -2 + -1 * -128 = 127
        _expect(step, 0, 127);
        step.units[0].bias = -130;
        _expect(step, 0, -3);
        step.units[0].bias = 1;
        _expect(step, 0, 127);
    }

    /// @dev Lengths around words and chunks; the accumulator passes through unchanged where the clamp is wide.
    /// forge-config: default.fuzz.runs = 100
    function testFuzz_dense(uint128 seed, uint256 length) public view {
        length = between(length, 1, 2200);
        Step memory step = _dense(Steps.noise(seed, length), Steps.noise(~uint256(seed), length));
        (step.node.low, step.node.high) = (-1 << 40, 1 << 40);
        _expect(step, 0, _dot(step.rows[0], step.first, 0, length));
    }

    function test_the_largest_accumulators() public view {
        bytes memory row = new bytes(2048);
        for (uint256 i = 0; i < row.length; ++i) {
            row[i] = 0x80;
        }
        Step memory step = _dense(row, bytes.concat(row));
        (step.node.low, step.node.high) = (-1 << 40, 1 << 40);
        step.units[0].bias = 2 ** 31 - 1;
        _expect(step, 0, 2048 * 2 ** 14 + 2 ** 31 - 1);
        for (uint256 i = 0; i < row.length; ++i) {
            step.first[i] = 0x7f;
        }
        _expect(step, 0, 2048 * -128 * 127 + 2 ** 31 - 1);
    }

    function test_parts_of_a_dense_layer_make_the_whole() public view {
        Step memory step = _dense(Steps.noise(1, 1500), Steps.noise(2, 1500));
        (Question memory question, Operands memory shown) = BUILDER.build(step, 0);
        int64[] memory parts = new int64[](3);
        uint256[4] memory cuts = [uint256(0), 33, 1100, 1500];
        for (uint256 i = 0; i < 3; ++i) {
            parts[i] = int64(VERIFIER.part(question, cuts[i], cuts[i + 1], shown));
            vm.assertEq(parts[i], _dot(step.rows[0], step.first, cuts[i], cuts[i + 1]), "part");
        }
        int256 whole = VERIFIER.finish(question, shown.node, shown.unit, parts);
        vm.assertEq(whole, VERIFIER.element(question, shown), "whole");
    }

    /// @dev Ties go up, also below zero; shifts and multipliers at their ends.
    function test_requantisation() public view {
        int8[6] memory sums = [int8(-5), -3, -2, -1, 1, 3];
        int8[6] memory halves = [int8(-2), -1, -1, 0, 1, 2];
        Step memory step = _dense(hex"01", hex"00");
        step.units[0].multiplier = 1;
        for (uint256 i = 0; i < 6; ++i) {
            step.first[0] = bytes1(uint8(sums[i]));
            _expect(step, 0, halves[i]);
        }
        (step.units[0].multiplier, step.units[0].shift) = (2 ** 22 - 1, 47);
        (step.first[0], step.units[0].bias) = (0, -2 ** 31 + 1);
        _expect(step, 0, -64);
        step.units[0].bias = 2 ** 31 - 1;
        _expect(step, 0, 64);
        (step.units[0].multiplier, step.units[0].shift, step.units[0].bias) = (1, 47, -1);
        _expect(step, 0, 0);
    }

    /// @dev 3x3 over 4x5x7 with padding and stride: all elements of all units.
    function test_convolution() public view {
        uint256[4] memory image = Steps.image(4, 5, 7);
        Step memory step = _windowed(Op.CONV2D, image, 3, [uint256(3), 2, 1]);
        for (uint256 element = 0; element < 2 * 3 * 3; ++element) {
            int256 sum = 0;
            for (uint256 term = 0; term < 63; ++term) {
                (bool real, uint256 place) = _place(step.node, element / 3, term / 7, term % 7);
                if (real) sum += Steps.at(step.rows[element % 3], term) * Steps.at(step.first, place);
            }
            _expect(step, element, sum);
        }
    }

    function test_depthwise() public view {
        Step memory step = _windowed(Op.DEPTHWISE_CONV2D, Steps.image(7, 6, 3), 3, [uint256(3), 1, 2]);
        for (uint256 element = 0; element < 9 * 8 * 3; ++element) {
            int256 sum = 0;
            for (uint256 term = 0; term < 9; ++term) {
                (bool real, uint256 place) = _place(step.node, element / 3, term, element % 3);
                if (real) sum += Steps.at(step.rows[element % 3], term) * Steps.at(step.first, place);
            }
            _expect(step, element, sum);
        }
    }

    /// @dev Channels below, at and above the bytes of a word; kernels on and off the borders.
    /// forge-config: default.fuzz.runs = 100
    function testFuzz_pools(uint256 seed, uint256 channels, uint256 side, uint256 padding) public view {
        channels = between(channels, 1, 40);
        side = between(side, 1, 6);
        uint256[3] memory sides = [side, between(seed, 1, 3), between(padding, 0, side - 1)];
        Step memory step = _windowed(Op.AVERAGE_POOL2D, Steps.image(7, 6, channels), channels, sides);
        step.first = Steps.noise(seed, 42 * channels);
        step.element = seed % (step.node.shape[1] * step.node.shape[2] * channels);
        (int256 sum, int256 largest) = (0, -128);
        for (uint256 term = 0; term < side * side; ++term) {
            (bool real, uint256 place) = _place(step.node, step.element / channels, term, step.element % channels);
            if (!real) continue;
            int256 value = Steps.at(step.first, place);
            sum += value;
            if (value > largest) largest = value;
        }
        (step.node.multipliers[0], step.node.shift) = (2, 1);
        _expect(step, step.element, sum);
        step.node.op = Op.MAX_POOL2D;
        _expect(step, step.element, largest);
    }

    function test_pools_across_chunks() public view {
        Step memory step = _windowed(Op.AVERAGE_POOL2D, Steps.image(60, 61, 1), 1, [uint256(60), 1, 0]);
        (int256 sum, int256 largest) = (0, -128);
        for (uint256 row = 0; row < 60; ++row) {
            for (uint256 column = 1; column < 61; ++column) {
                int256 value = Steps.at(step.first, row * 61 + column);
                sum += value;
                if (value > largest) largest = value;
            }
        }
        (step.node.multipliers[0], step.node.shift) = (2, 1);
        _expect(step, 1, sum);
        step.node.op = Op.MAX_POOL2D;
        _expect(step, 1, largest);
    }

    /// @dev A part that is all padding is nothing: 0, and the smallest int8 for a maximum.
    function test_parts_on_padding() public view {
        Step memory step = _windowed(Op.MAX_POOL2D, Steps.image(4, 4, 1), 1, [uint256(3), 1, 2]);
        step.first[0] = bytes1(uint8(0x85));
        (Question memory question, Operands memory shown) = BUILDER.build(step, 0);
        vm.assertEq(VERIFIER.part(question, 0, 8, shown), -128, "nothing but padding");
        vm.assertEq(VERIFIER.part(question, 8, 9, shown), -123, "the one real element");
        step.node.op = Op.AVERAGE_POOL2D;
        (question, shown) = BUILDER.build(step, 0);
        vm.assertEq(VERIFIER.part(question, 0, 8, shown), 0, "nothing but padding");
        vm.assertEq(VERIFIER.part(question, 8, 9, shown), -123, "the one real element");
    }

    function test_add_and_multiply() public view {
        Step memory step;
        step.node = Steps.plain(Op.ADD, Steps.flat(3), Steps.flat(3));
        (step.first, step.second) = (hex"80017f", hex"80fe7f");
        (step.node.multipliers, step.node.shift) = ([uint256(3), 5], 2);
        // (1 * 3 - 2 * 5 + 2) >> 2 = -5 >> 2
        _expect(step, 1, -2);
        _expect(step, 0, -128);
        _expect(step, 2, 127);
        step.node.op = Op.MULTIPLY;
        (step.node.multipliers, step.node.shift) = ([uint256(1), 0], 7);
        _expect(step, 0, 127);
        _expect(step, 1, 0);
        _expect(step, 2, 126);
    }

    function test_lookup() public view {
        Step memory step;
        step.node = Steps.plain(Op.LOOKUP, Steps.flat(3), Steps.flat(3));
        step.first = hex"80007f";
        (step.rows, step.units) = (new bytes[](1), Steps.neutral(1));
        step.rows[0] = new bytes(256);
        (step.rows[0][0], step.rows[0][128], step.rows[0][255]) = (hex"81", hex"05", hex"7f");
        step.node.low = -100;
        _expect(step, 0, -100);
        _expect(step, 1, 5);
        _expect(step, 2, 127);
    }

    /// @dev A token without a row has the last one's.
    function test_embedding() public view {
        Step memory step;
        step.node = Steps.plain(Op.EMBEDDING, Steps.flat(4), Steps.image(4, 1, 2));
        step.first = hex"8081827f";
        (step.rows, step.units) = (new bytes[](3), Steps.neutral(3));
        (step.rows[0], step.rows[1], step.rows[2]) = (hex"0a0b", hex"1a1b", hex"2a2b");
        uint8[8] memory expected = [0x0a, 0x0b, 0x1a, 0x1b, 0x2a, 0x2b, 0x2a, 0x2b];
        for (uint256 element = 0; element < 8; ++element) {
            step.element = element;
            uint256 row = element / 2 < 3 ? element / 2 : 2;
            (Question memory question, Operands memory shown) = BUILDER.build(step, row);
            vm.assertEq(VERIFIER.element(question, shown), int256(uint256(expected[element])), "embedding");
        }
    }

    function test_slice_and_concat() public view {
        Step memory step;
        step.node = Steps.plain(Op.SLICE, Steps.flat(1500), Steps.image(2, 2, 3));
        (step.first, step.node.offset) = (Steps.noise(1, 1500), 1020);
        for (uint256 element = 0; element < 12; ++element) {
            _expect(step, element, Steps.at(step.first, 1020 + element));
        }
        step.node = Steps.plain(Op.CONCAT, Steps.image(1, 2, 2), Steps.flat(7));
        (step.first, step.second) = (hex"01020304", hex"85ff07");
        int8[7] memory expected = [int8(1), 2, 3, 4, -123, -1, 7];
        for (uint256 element = 0; element < 7; ++element) {
            _expect(step, element, expected[element]);
        }
    }

    function test_terms() public view {
        uint256[4] memory image = Steps.image(8, 8, 6);
        _expectTerms(_windowed(Op.CONV2D, image, 4, [uint256(3), 1, 1]), 54);
        _expectTerms(_windowed(Op.DEPTHWISE_CONV2D, image, 6, [uint256(3), 1, 1]), 9);
        _expectTerms(_windowed(Op.MAX_POOL2D, image, 6, [uint256(2), 2, 0]), 4);
        _expectTerms(_windowed(Op.AVERAGE_POOL2D, image, 6, [uint256(2), 2, 0]), 4);
        _expectTerms(_dense(hex"010203", hex"010203"), 3);
        Step memory step;
        step.node = Steps.plain(Op.SLICE, Steps.flat(4), Steps.flat(4));
        _expectTerms(step, 0);
    }

    function _expectTerms(Step memory step, uint256 terms) private view {
        (Question memory question, Operands memory shown) = _build(step);
        vm.assertEq(VERIFIER.terms(question.modelRoot, question.node, shown.node), terms, "terms");
    }

    function _expect(Step memory step, uint256 element, int256 expected) private view {
        step.element = element;
        (Question memory question, Operands memory shown) = _build(step);
        int256 wanted = expected < step.node.low ? step.node.low : expected;
        if (wanted > step.node.high) wanted = step.node.high;
        vm.assertEq(VERIFIER.element(question, shown), wanted, "element");
    }

    function _build(Step memory step) private view returns (Question memory, Operands memory) {
        return BUILDER.build(step, step.rows.length == 0 ? 0 : step.element % step.rows.length);
    }

    function _dense(bytes memory row, bytes memory input) private pure returns (Step memory step) {
        step.node = Steps.plain(Op.DENSE, Steps.flat(input.length), Steps.flat(1));
        step.first = input;
        (step.rows, step.units) = (new bytes[](1), Steps.neutral(1));
        step.rows[0] = row;
    }

    /// @dev Clamps so far out that sums are seen.
    function _windowed(uint256 op, uint256[4] memory input, uint256 channels, uint256[3] memory sides)
        private
        pure
        returns (Step memory step)
    {
        step.node = Steps.windowed(op, input, channels, sides);
        (step.node.low, step.node.high) = (-1 << 40, 1 << 40);
        step.first = Steps.noise(1, input[1] * input[2] * input[3]);
        uint256 terms = op == Op.CONV2D ? sides[0] * sides[0] * input[3] : sides[0] * sides[0];
        if (op != Op.CONV2D && op != Op.DEPTHWISE_CONV2D) return step;
        (step.rows, step.units) = (new bytes[](channels), Steps.neutral(channels));
        for (uint256 i = 0; i < channels; ++i) {
            step.rows[i] = Steps.noise(2 + i, terms);
        }
    }

    /// @return sum of the products [from, to)
    function _dot(bytes memory a, bytes memory b, uint256 from, uint256 to) private pure returns (int256 sum) {
        for (uint256 i = from; i < to; ++i) {
            sum += Steps.at(a, i) * Steps.at(b, i);
        }
    }

    /// @return real whether the place of the kernel that `tap` counts lies on the image
    /// @return place the element there
    function _place(Descriptor memory node, uint256 pixel, uint256 tap, uint256 channel)
        private
        pure
        returns (bool real, uint256 place)
    {
        uint256 y = pixel / node.shape[2] * node.stride[0] + tap / node.kernel[1];
        uint256 x = pixel % node.shape[2] * node.stride[1] + tap % node.kernel[1];
        real = y >= node.padding[0] && x >= node.padding[1] && y < node.padding[0] + node.inputShape[1]
            && x < node.padding[1] + node.inputShape[2];
        if (!real) return (false, 0);
        place = ((y - node.padding[0]) * node.inputShape[2] + x - node.padding[1]) * node.inputShape[3] + channel;
    }
}
