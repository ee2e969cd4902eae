// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { TrimmedMean } from "./TrimmedMean.sol";

/// @title The median of one coordinate, twin of `offchain/federated/aggregation/median.py`
library Median {
    /// @param values reordered
    /// @return the middle one, or the rounded mean of the two in the middle
    function combine(int256[] memory values) internal pure returns (int256) {
        return values.length == 0 ? int256(0) : TrimmedMean.combine(values, (values.length - 1) / 2);
    }
}
