// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title How a range of samples or terms is divided (docs/dispute.md, Segments)
/// @notice Pure. A range [low, high) of L > 1 things has segments of ceil(L / 32), the last one shorter.
library Segments {
    /// @dev The most segments that a range has.
    uint32 internal constant MOST = 32;

    /// @return how many segments [low, high) has; `low < high`
    function count(uint32 low, uint32 high) internal pure returns (uint256) {
        return (high - low - 1) / _length(low, high) + 1;
    }

    /// @return from the first thing of the segment at `index`, which is less than `count`
    /// @return to the first one after it
    function at(uint32 low, uint32 high, uint256 index) internal pure returns (uint32 from, uint32 to) {
        uint32 length = _length(low, high);
        // `index` is less than 32 and no start lies beyond `high`, so nothing is cut off here
        from = low + uint32(index) * length;
        to = high - from < length ? high : from + length;
    }

    /// @dev Written so that no range of 32 bits overflows.
    function _length(uint32 low, uint32 high) private pure returns (uint32) {
        return (high - low - 1) / MOST + 1;
    }
}
