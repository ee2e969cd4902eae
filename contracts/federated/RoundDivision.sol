// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The one rounding of federated arithmetic, twin of `offchain/federated/aggregation/rounding.py`
library RoundDivision {
    /// @return quotient x / y to the nearest integer, ties upwards; y > 0, |x| < 2^254
    function roundDiv(int256 x, int256 y) internal pure returns (int256 quotient) {
        // nothing overflows in that range, and `sdiv` cuts off towards zero where the quotient has to round down
        assembly ("memory-safe") {
            let sum := add(x, shr(1, y))
            quotient := sdiv(sum, y)
            quotient := sub(quotient, slt(smod(sum, y), 0))
        }
    }

    /// @return value clamped to int16
    function toUpdate(int256 value) internal pure returns (int256) {
        return clamp(value, type(int16).min, type(int16).max);
    }

    function clamp(int256 value, int256 low, int256 high) internal pure returns (int256) {
        if (value < low) return low;
        return value > high ? high : value;
    }
}
