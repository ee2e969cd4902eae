// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Who leads: a draw weighted by stake (docs/federated.md, Leaders)
/// @notice Pure; twin of `offchain/federated/sortition.py`. A weight is the number of whole bonds in the stake, 1 to 16;
/// all weights of a task fit two words, four bits each, holding the weight less one.
library Sortition {
    uint256 internal constant MAX_WEIGHT = 16;

    /// @dev Nobody in `eligible` is none of its business: the caller asks first.
    function draw(bytes32 seed, uint32 round, uint16 attempt, uint128 eligible, uint256 low, uint256 high)
        internal
        pure
        returns (uint16 index)
    {
        uint256 ticket = uint256(keccak256(abi.encode(seed, round, attempt))) % totalWeight(eligible, low, high);
        for (uint256 rest = eligible; rest != 0; rest >>= 1) {
            if (rest & 1 != 0) {
                uint256 weight = weightAt(index, low, high);
                if (ticket < weight) return index;
                ticket -= weight;
            }
            ++index;
        }
    }

    function totalWeight(uint128 eligible, uint256 low, uint256 high) internal pure returns (uint256 total) {
        uint256 index = 0;
        for (uint256 rest = eligible; rest != 0; rest >>= 1) {
            if (rest & 1 != 0) total += weightAt(index, low, high);
            ++index;
        }
    }

    function weightAt(uint256 index, uint256 low, uint256 high) internal pure returns (uint256) {
        uint256 word = index < 64 ? low : high;
        return ((word >> ((index & 63) << 2)) & 15) + 1;
    }

    /// @return weight of a stake that is not less than the bond
    function weightOf(uint256 stake, uint256 bond) internal pure returns (uint256 weight) {
        weight = stake / bond;
        if (weight > MAX_WEIGHT) weight = MAX_WEIGHT;
    }

    /// @return the word with another weight at the index
    function written(uint256 word, uint256 index, uint256 weight) internal pure returns (uint256) {
        uint256 shift = (index & 63) << 2;
        return (word & ~(uint256(15) << shift)) | ((weight - 1) << shift);
    }
}
