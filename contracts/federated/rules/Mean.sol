// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { RoundDivision } from "../RoundDivision.sol";

/// @title The weighted mean of one coordinate, twin of `offchain/federated/aggregation/mean.py`
library Mean {
    /// @param weights one for each value
    /// @return round_div(sum of weight * value, sum of weights); 0 if all weights are
    function combine(int256[] memory values, uint32[] memory weights) internal pure returns (int256) {
        int256 sum = 0;
        int256 total = 0;
        // at most 128 products of 48 bits
        unchecked {
            for (uint256 i = 0; i < values.length; ++i) {
                int256 weight = int256(uint256(weights[i]));
                sum += weight * values[i];
                total += weight;
            }
        }
        return total == 0 ? int256(0) : RoundDivision.toUpdate(RoundDivision.roundDiv(sum, total));
    }
}
