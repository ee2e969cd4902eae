// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Back from accumulators to elements (docs/integer-networks.md, Requantisation)
library Requantisation {
    /// @return the nearest integer to accumulator * multiplier / 2^shift, halves upwards: `>>` on int256 rounds towards
    /// minus infinity
    function requantise(int256 accumulator, uint256 multiplier, uint256 shift) internal pure returns (int256) {
        return (accumulator * int256(multiplier) + int256(uint256(1) << (shift - 1))) >> shift;
    }

    function clamp(int256 value, int256 low, int256 high) internal pure returns (int256) {
        if (value < low) return low;
        return value > high ? high : value;
    }
}
