// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { RoundDivision } from "../RoundDivision.sol";

/// @title The norm-clipped mean of one coordinate, twin of `offchain/federated/aggregation/clipped_mean.py`
library ClippedMean {
    /// @param squares of each column the square of its norm; negative ones, which there are not, count as 0
    /// @param limit the longest norm, in units, below 2^32
    function combine(int256[] memory values, int256[] memory squares, uint256 limit) internal pure returns (int256) {
        uint256 count = values.length;
        if (count == 0) return 0;
        int256 sum = 0;
        int256 within = int256(limit * limit);
        uint256 length = limit;
        // values have 16 bits, norms and the limit 32
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                int256 square = squares[i];
                // the root rounded up is at most the limit just where the square is at most its square
                if (square <= within) {
                    sum += values[i];
                } else {
                    length = _ceilRoot(uint256(square), length);
                    sum += RoundDivision.roundDiv(values[i] * int256(limit), int256(length));
                }
            }
        }
        return RoundDivision.toUpdate(RoundDivision.roundDiv(sum, int256(count)));
    }

    /// @notice Newton's steps come down to the root from above, wherever they begin: the first goes there at least. Norms
    /// are alike, so the last one is near.
    /// @param guess at least 1
    /// @return root of a square from 1 on, rounded up
    function _ceilRoot(uint256 square, uint256 guess) private pure returns (uint256 root) {
        assembly ("memory-safe") {
            root := shr(1, add(guess, div(square, guess)))
            for { let next := shr(1, add(root, div(square, root))) } lt(next, root) { } {
                root := next
                next := shr(1, add(root, div(square, root)))
            }
            root := add(root, lt(mul(root, root), square))
        }
    }
}
