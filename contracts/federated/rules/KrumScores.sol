// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { RoundDivision } from "../RoundDivision.sol";
import { Sorting } from "./Sorting.sol";

/// @title Krum's scores, and the mean of what was selected by them; twin of `offchain/federated/aggregation/krum.py`
library KrumScores {
    /// @param row squared distances from column `own` to all columns; used up
    /// @param hostile f
    /// @return the sum of the max(1, n - f - 2) smallest distances to others
    function score(int256[] memory row, uint256 own, uint256 hostile) internal pure returns (int256) {
        uint256 count = row.length;
        // never one of the smallest; all others have 64 bits
        row[own] = type(int256).max;
        Sorting.sort(row);
        uint256 nearest = count > hostile + 3 ? count - hostile - 2 : 1;
        return count < 2 ? int256(0) : Sorting.sum(row, 0, nearest);
    }

    /// @return whether column s, with its score, comes before column t
    function before(uint256 s, int256 scoreS, uint256 t, int256 scoreT) internal pure returns (bool) {
        return scoreS < scoreT || (scoreS == scoreT && s < t);
    }

    /// @param selection bitmap over columns
    /// @return the unweighted mean of the selected values of one coordinate; 0 if none is
    function meanOf(int256[] memory values, uint128 selection) internal pure returns (int256) {
        int256 sum = 0;
        int256 selected = 0;
        // at most 128 numbers of 16 bits
        unchecked {
            for (uint256 i = 0; i < values.length; ++i) {
                if ((selection >> i) & 1 == 0) continue;
                sum += values[i];
                ++selected;
            }
        }
        return selected == 0 ? int256(0) : RoundDivision.toUpdate(RoundDivision.roundDiv(sum, selected));
    }
}
