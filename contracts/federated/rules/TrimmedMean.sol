// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { RoundDivision } from "../RoundDivision.sol";
import { Sorting } from "./Sorting.sol";

/// @title The trimmed mean of one coordinate, twin of `offchain/federated/aggregation/trimmed_mean.py`
library TrimmedMean {
    /// @param values reordered
    /// @param cut values left out at each side; if nothing stays, the result is 0
    function combine(int256[] memory values, uint256 cut) internal pure returns (int256) {
        uint256 count = values.length;
        if (2 * cut >= count) return 0;
        Sorting.sort(values);
        int256 kept = Sorting.sum(values, cut, count - cut);
        return RoundDivision.toUpdate(RoundDivision.roundDiv(kept, int256(count - 2 * cut)));
    }
}
