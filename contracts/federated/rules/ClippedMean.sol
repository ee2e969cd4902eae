// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { RoundDivision } from "../RoundDivision.sol";

/// @title The norm-clipped mean of one coordinate, twin of `offchain/federated/aggregation/clipped_mean.py`
library ClippedMean {
    /// @param squares of each column the square of its norm; negative ones, which there are not, count as 0
    /// @param limit the longest norm, in units
    function combine(int256[] memory values, int256[] memory squares, uint256 limit) internal pure returns (int256) {
        int256 sum = 0;
        uint256 count = values.length;
        if (count == 0) return 0;
        int256 within = int256(limit * limit);
        // values have 16 bits, norms and the limit 32
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                // the root rounded up is at most the limit just where the square is at most its square
                sum += squares[i] <= within ? values[i] : _scaled(values[i], uint256(squares[i]), int256(limit));
            }
        }
        return RoundDivision.toUpdate(RoundDivision.roundDiv(sum, int256(count)));
    }

    function _scaled(int256 value, uint256 square, int256 limit) private pure returns (int256) {
        return RoundDivision.roundDiv(value * limit, int256(Math.sqrt(square, Math.Rounding.Ceil)));
    }
}
