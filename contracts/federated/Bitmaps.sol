// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Sets of up to 128 participants, a bit for each index
library Bitmaps {
    /// @return bit the set of this index alone; empty for an index past the last
    function only(uint256 index) internal pure returns (uint128 bit) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint128(1 << index);
    }

    function has(uint128 set, uint256 index) internal pure returns (bool) {
        return set & only(index) != 0;
    }

    /// @return how many there are in the set
    function count(uint128 set) internal pure returns (uint256) {
        unchecked {
            uint256 x = set;
            x -= (x >> 1) & 0x55555555555555555555555555555555;
            x = (x & 0x33333333333333333333333333333333) + ((x >> 2) & 0x33333333333333333333333333333333);
            x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;
            // the bytes' sum, at most 128, arrives in the highest of the sixteen
            return ((x * 0x01010101010101010101010101010101) >> 120) & 0xff;
        }
    }

    /// @return how many of the set have a lower index
    function rank(uint128 set, uint256 index) internal pure returns (uint256) {
        return count(set & (only(index) - 1));
    }

    /// @return index of the `place`-th of the set, from 0; 128 or more when the set has no more than `place`
    function at(uint128 set, uint256 place) internal pure returns (uint256 index) {
        for (uint256 rest = set; rest != 0; rest >>= 1) {
            if (rest & 1 != 0) {
                if (place == 0) return index;
                --place;
            }
            ++index;
        }
        return 128;
    }

    /// @return indices of the set, ascending
    function list(uint128 set) internal pure returns (uint256[] memory indices) {
        indices = new uint256[](count(set));
        uint256 index = 0;
        uint256 place = 0;
        for (uint256 rest = set; rest != 0; rest >>= 1) {
            if (rest & 1 != 0) indices[place++] = index;
            ++index;
        }
    }

    /// @return sets one for each member of the set, ascending
    function split(uint128 set) internal pure returns (uint128[] memory sets) {
        sets = new uint128[](count(set));
        uint256 place = 0;
        for (uint256 rest = set; rest != 0; rest &= rest - 1) {
            // the lowest bit alone
            // forge-lint: disable-next-line(unsafe-typecast)
            sets[place++] = uint128(rest & (~rest + 1));
        }
    }
}
