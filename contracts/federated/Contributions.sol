// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title How a round's pool is divided by measured contribution (docs/federated.md, Rewards)
/// @notice Pure; twin of `offchain/federated/contribution.py`. A row is row 0 of the measures: `<u_i, a>` of all columns,
/// then `<a, a>`, int64 big-endian; what one column contributed is its product clamped to [0, <a, a>].
library Contributions {
    /// @return sum of all columns' contributions
    function total(bytes calldata row) internal pure returns (uint256 sum) {
        uint256 columns = row.length / 8 - 1;
        uint256 most = at(row, columns, type(uint64).max);
        for (uint256 i = 0; i < columns; ++i) {
            sum += at(row, i, most);
        }
    }

    /// @return part what the column gets of the pool, in wei; nothing when `sum` is 0
    function part(bytes calldata row, uint256 column, uint256 sum, uint256 pool) internal pure returns (uint256) {
        if (sum == 0) return 0;
        return pool * at(row, column, at(row, row.length / 8 - 1, type(uint64).max)) / sum;
    }

    /// @return value the number at this place, clamped to [0, most]
    function at(bytes calldata row, uint256 place, uint256 most) internal pure returns (uint256 value) {
        // every caller has checked the row's length
        assembly ("memory-safe") {
            let word := sar(192, calldataload(add(row.offset, shl(3, place))))
            value := mul(word, sgt(word, 0))
            if gt(value, most) { value := most }
        }
    }
}
