// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title How many members of a committee must agree
/// @notice Twin of `offchain/protocol/quorum.py`.
library Quorum {
    /// @return k the least number with which any two quorums of `n` members share an honest one when f = (n-1)/3
    /// (rounded down) lie: ceil((n+f+1)/2), which is 2f+1 at n = 3f+1; 1 for an empty committee
    function threshold(uint256 n) internal pure returns (uint256 k) {
        if (n == 0) return 1;
        uint256 f = (n - 1) / 3;
        return (n + f + 2) / 2;
    }
}
