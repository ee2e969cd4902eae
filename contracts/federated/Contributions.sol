// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title How a round's pool is divided by measured contribution (docs/federated.md, Rewards)
/// @notice Pure; twin of `offchain/federated/contribution.py`.
library Contributions {
    /// @param row row 0 of the measures: `<u_i, a>` of all columns, then `<a, a>`, int64 big-endian
    /// @param heads how many share a column; empty: one each
    /// @return parts what each head of a column gets, in wei
    /// @return dust what the divisions leave over; the whole pool when nobody has contributed
    /// @return any whether anybody has
    function divide(bytes calldata row, uint256 pool, uint256[] memory heads)
        internal
        pure
        returns (uint256[] memory parts, uint256 dust, bool any)
    {
        uint256 n = row.length / 8 - 1;
        parts = new uint256[](n);
        int64 most = at(row, n);
        uint256 sum = 0;
        for (uint256 i = 0; i < n; ++i) {
            int64 c = at(row, i);
            if (c > most) c = most;
            // now it is not negative
            // forge-lint: disable-next-line(unsafe-typecast)
            if (c > 0) sum += (parts[i] = uint64(c));
        }
        dust = pool;
        if (sum == 0) return (parts, dust, false);
        for (uint256 i = 0; i < n; ++i) {
            uint256 sharing = heads.length == 0 ? 1 : heads[i];
            uint256 part = pool * parts[i] / sum / sharing;
            parts[i] = part;
            dust -= part * sharing;
        }
        return (parts, dust, true);
    }

    /// @return value the `place`-th number of the row
    function at(bytes calldata row, uint256 place) internal pure returns (int64 value) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return int64(uint64(bytes8(row[place * 8:place * 8 + 8])));
    }
}
