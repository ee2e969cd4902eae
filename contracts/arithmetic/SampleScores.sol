// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IStepVerifier } from "../interfaces/IStepVerifier.sol";
import { ScoreFunction, ScoreFunctions } from "../libraries/ScoreFunctions.sol";
import { ScoreTables } from "./ScoreTables.sol";

/// @title What one sample scores (docs/integer-networks.md, Scores)
/// @notice Outputs are int32, big-endian.
library SampleScores {
    /// @dev One output: four bytes.
    uint256 private constant WIDTH = 4;
    int256 private constant MAX_ERROR = 2 ** 24;
    int256 private constant MAX_SQUARE = 2 ** 40;
    /// @dev An output this far below the largest one, in units of 1/256 bit, adds nothing: 24 bits.
    int256 private constant FARTHEST = 24 * 256;

    function score(ScoreFunction fn, bytes calldata output, int256 label) internal pure returns (int256) {
        uint256 rest = output.length % WIDTH;
        if (output.length == 0 || rest != 0) {
            revert IStepVerifier.WrongOutput(output.length - rest + WIDTH, output.length);
        }
        if (fn == ScoreFunction.Accuracy) return _top(output, label, 1);
        if (fn == ScoreFunction.Top3Accuracy) return _top(output, label, 3);
        if (fn == ScoreFunction.Top5Accuracy) return _top(output, label, 5);
        if (fn == ScoreFunction.CrossEntropy) return -_information(output, label);
        int256 error = _single(output) - label;
        if (error < 0) error = -error;
        if (fn == ScoreFunction.MeanAbsoluteError) return error < MAX_ERROR ? -error : -MAX_ERROR;
        if (fn == ScoreFunction.MeanSquaredError) return error < 2 ** 20 ? -(error * error) : -MAX_SQUARE;
        revert IStepVerifier.UnknownScoreFunction(fn);
    }

    /// @return 1 if fewer than `k` outputs are ahead of the label's: larger, or as large with a lower index; else 0
    function _top(bytes calldata output, int256 label, uint256 k) private pure returns (int256) {
        if (!_has(output, label)) return 0;
        uint256 ahead = 0;
        assembly ("memory-safe") {
            let next := output.offset
            let place := add(next, shl(2, label))
            let own := sar(224, calldataload(place))
            for { } lt(next, place) { next := add(next, 4) } {
                ahead := add(ahead, iszero(slt(sar(224, calldataload(next)), own)))
            }
            for { let end := add(output.offset, output.length) } lt(next, end) { next := add(next, 4) } {
                ahead := add(ahead, sgt(sar(224, calldataload(next)), own))
            }
        }
        return ahead < k ? int256(1) : int256(0);
    }

    /// @return -log2 of the label's share, in units of 2^-16 bit, at most 2^24
    function _information(bytes calldata output, int256 label) private pure returns (int256) {
        if (!_has(output, label)) return MAX_ERROR;
        int256 largest = _largest(output);
        int256 own;
        assembly ("memory-safe") {
            own := sar(224, calldataload(add(output.offset, shl(2, label))))
        }
        int256 information = (largest - own) * 256 + _log2(_powers(output, largest));
        return information < MAX_ERROR ? information : MAX_ERROR;
    }

    /// @dev Eight outputs at a time: with 2^31 added (the exclusive or) they are unsigned, and those of each word are put
    /// into four lanes of 64 bits, twice. Of two lanes a and b below 2^32, a + 2^32 - b has that bit if a is not below b; the
    /// bit makes the mask that chooses. What is masked out behind the last output is 0, below all others.
    function _largest(bytes calldata output) private pure returns (int256 largest) {
        assembly ("memory-safe") {
            function larger(a, b, high) -> c {
                let keep := and(sub(or(a, high), b), high)
                keep := sub(keep, shr(32, keep))
                c := xor(b, and(xor(a, b), keep))
            }
            let flip := 0x8000000080000000800000008000000080000000800000008000000080000000
            let lanes := 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff
            let high := 0x0000000100000000000000010000000000000001000000000000000100000000
            let best := 0
            let next := output.offset
            for { let end := add(next, output.length) } lt(next, end) { next := add(next, 32) } {
                let word := xor(calldataload(next), flip)
                let left := sub(end, next)
                if lt(left, 32) { word := and(word, not(shr(shl(3, left), not(0)))) }
                best := larger(larger(best, and(word, lanes), high), and(shr(32, word), lanes), high)
            }
            best := larger(best, shr(128, best), high)
            best := larger(best, shr(64, best), high)
            largest := sub(and(best, 0xffffffff), 0x80000000)
        }
    }

    /// @return sum of 2^(24 - (largest - z) / 256) over all outputs z; below 2^24 · 2^32, and at least 2^24
    function _powers(bytes calldata output, int256 largest) private pure returns (uint256 sum) {
        bytes memory table = ScoreTables.EXP2;
        assembly ("memory-safe") {
            // an entry is the top four bytes of the word there: shifted down by 224 and by the whole bits, it is gone when it
            // counts no more; but 2^24 leaves a 1 behind at FARTHEST
            let entries := add(table, 32)
            let next := output.offset
            let end := add(next, output.length)
            // two at a time, from the second on if they are odd in number
            if and(output.length, 4) {
                let below := sub(largest, sar(224, calldataload(next)))
                let power := shr(add(224, shr(8, below)), mload(add(entries, and(shl(2, below), 1020))))
                sum := sub(power, eq(below, FARTHEST))
                next := add(next, 4)
            }
            for { } lt(next, end) { next := add(next, 8) } {
                let pair := calldataload(next)
                let below := sub(largest, sar(224, pair))
                let power := shr(add(224, shr(8, below)), mload(add(entries, and(shl(2, below), 1020))))
                sum := sub(add(sum, power), eq(below, FARTHEST))
                below := sub(largest, sar(224, shl(32, pair)))
                power := shr(add(224, shr(8, below)), mload(add(entries, and(shl(2, below), 1020))))
                sum := sub(add(sum, power), eq(below, FARTHEST))
            }
        }
    }

    /// @return log2(sum / 2^24) in units of 2^-16, by a table of 256 steps between powers and lines between them
    function _log2(uint256 sum) private pure returns (int256) {
        uint256 whole = 0;
        while (sum >> (whole + 25) != 0) ++whole;
        uint256 mantissa = sum >> whole;
        uint256 step = (mantissa >> 16) & 255;
        bytes memory table = ScoreTables.LOG2;
        uint256 low = _word(table, step);
        uint256 high = _word(table, step + 1);
        return int256(whole * 65536 + low + (((high - low) * (mantissa & 0xFFFF)) >> 16));
    }

    function _word(bytes memory table, uint256 index) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := and(mload(add(add(table, 4), shl(2, index))), 0xffffffff)
        }
    }

    /// @return value the output of a network that has one
    function _single(bytes calldata output) private pure returns (int256 value) {
        if (output.length != WIDTH) revert IStepVerifier.WrongOutput(WIDTH, output.length);
        assembly ("memory-safe") {
            value := sar(224, calldataload(output.offset))
        }
    }

    function _has(bytes calldata output, int256 label) private pure returns (bool) {
        return label >= 0 && uint256(label) < output.length / WIDTH;
    }
}
