// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Bitmaps } from "./Bitmaps.sol";

/// @title Which participants sum together, and which groups can be unmasked (docs/secure-aggregation.md, Groups)
/// @notice Pure; twin of `offchain/federated/groups.py`.
library SecureGroups {
    /// @dev The part of a group that may drop out.
    uint256 internal constant DROPOUT_PPM = 380_000;
    uint256 private constant PPM = 1_000_000;

    /// @notice The roster's indices, ascending, are shuffled (Fisher and Yates, from the last place down: place i changes
    /// with `keccak256(abi.encode(seed, round, i)) mod (i + 1)`); who came to place p is in group p mod count, where
    /// count is `max(1, |roster| / groupSize)`.
    /// @return groups members of each
    function assign(bytes32 seed, uint32 round, uint128 roster, uint256 groupSize)
        internal
        pure
        returns (uint128[] memory groups)
    {
        uint256[] memory order = Bitmaps.list(roster);
        uint256 size = order.length;
        for (uint256 i = size; i > 1;) {
            --i;
            uint256 j = uint256(keccak256(abi.encode(seed, round, i))) % (i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        uint256 count = size / groupSize;
        if (count == 0) count = 1;
        groups = new uint128[](count);
        for (uint256 i = 0; i < size; ++i) {
            groups[i % count] |= Bitmaps.only(order[i]);
        }
    }

    /// @return t so many members' shares open a secret: the most that tolerates 38 % dropping out, at least 2
    function threshold(uint256 size) internal pure returns (uint256 t) {
        t = size - size * DROPOUT_PPM / PPM;
        if (t < 2) t = 2;
    }

    /// @param included whose masked vectors count
    /// @param answered who has posted what unmasks
    /// @return survivors of each group that can be unmasked, in the groups' order: the columns
    function columns(bytes32 seed, uint32 round, uint128 roster, uint256 groupSize, uint128 included, uint128 answered)
        internal
        pure
        returns (uint128[] memory survivors)
    {
        survivors = assign(seed, round, roster, groupSize);
        uint256 live = 0;
        for (uint256 i = 0; i < survivors.length; ++i) {
            uint128 there = survivors[i] & included;
            if (Bitmaps.count(there & answered) < threshold(Bitmaps.count(survivors[i]))) continue;
            survivors[live++] = there;
        }
        // shorter than it was allocated
        assembly ("memory-safe") {
            mstore(survivors, live)
        }
    }
}
