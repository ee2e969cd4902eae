// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Sorting up to 128 numbers
library Sorting {
    /// @notice Ascending, in place. By binary insertion, whose moves are single `mcopy`s: the cost hardly depends on the
    /// order that a liar gives them in.
    function sort(int256[] memory values) internal pure {
        assembly ("memory-safe") {
            let base := add(values, 32)
            let end := add(base, shl(5, mload(values)))
            for { let at := add(base, 32) } lt(at, end) { at := add(at, 32) } {
                let value := mload(at)
                // the first place whose number is larger
                let low := base
                let high := at
                for { } lt(low, high) { } {
                    let middle := add(low, and(shr(1, sub(high, low)), not(31)))
                    switch slt(value, mload(middle))
                    case 0 { low := add(middle, 32) }
                    default { high := middle }
                }
                mcopy(add(low, 32), low, sub(at, low))
                mstore(low, value)
            }
        }
    }

    /// @return total of the numbers at [from, to)
    function sum(int256[] memory values, uint256 from, uint256 to) internal pure returns (int256 total) {
        // at most 128 numbers of 64 bits
        unchecked {
            for (uint256 i = from; i < to; ++i) {
                total += values[i];
            }
        }
    }
}
