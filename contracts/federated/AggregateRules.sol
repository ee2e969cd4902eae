// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { AggregationRule, Mode, Posting } from "../interfaces/FederatedTypes.sol";
import { ClippedMean } from "./rules/ClippedMean.sol";
import { KrumScores } from "./rules/KrumScores.sol";
import { Mean } from "./rules/Mean.sol";
import { Median } from "./rules/Median.sol";
import { TrimmedMean } from "./rules/TrimmedMean.sol";

/// @title What a posting's rule makes of one coordinate, and which rows its measures have; twin of
/// `offchain/federated/aggregation/rule.py` and `offchain/federated/measures.py`
library AggregateRules {
    uint256 private constant PPM = 1_000_000;
    /// @dev Bytes of an entry of a row, and of a root.
    uint256 private constant NUMBER = 8;
    uint256 private constant ROOT = 32;

    /// @param values of all columns; used up
    /// @param weights of all columns: Mean
    /// @param squares of all columns' norms: ClippedMean
    function combine(Posting memory posting, int256[] memory values, uint32[] memory weights, int256[] memory squares)
        internal
        pure
        returns (int256)
    {
        AggregationRule rule = posting.rule.rule;
        if (rule == AggregationRule.Mean) return Mean.combine(values, weights);
        if (rule == AggregationRule.Median) return Median.combine(values);
        if (rule == AggregationRule.TrimmedMean) return TrimmedMean.combine(values, part(posting));
        if (rule == AggregationRule.ClippedMean) return ClippedMean.combine(values, squares, posting.rule.parameter);
        return KrumScores.meanOf(values, posting.selection);
    }

    /// @return what is cut at each side, or Krum's f
    function part(Posting memory posting) internal pure returns (uint256) {
        return uint256(posting.columns) * posting.rule.parameter / PPM;
    }

    function weighs(Posting memory posting) internal pure returns (bool) {
        return posting.rule.rule == AggregationRule.Mean;
    }

    /// @return how many bytes a leader shows of a coordinate's column: values, and weights where they count
    function columnLength(Posting memory posting) internal pure returns (uint256) {
        return uint256(posting.columns) * (weighs(posting) ? 6 : 2);
    }

    function selects(Posting memory posting) internal pure returns (bool) {
        return posting.rule.rule == AggregationRule.Krum || posting.rule.rule == AggregationRule.MultiKrum;
    }

    function clips(Posting memory posting) internal pure returns (bool) {
        return posting.rule.rule == AggregationRule.ClippedMean;
    }

    /// @return how many rows of the measures hold numbers
    function numberRows(Posting memory posting) internal pure returns (uint32) {
        if (clips(posting)) return 2;
        return selects(posting) ? 1 + uint32(posting.columns) : 1;
    }

    /// @return how many rows the measures have
    function rows(Posting memory posting) internal pure returns (uint32) {
        return numberRows(posting) + (posting.mode == Mode.Secure ? 1 : 0);
    }

    /// @return how many entries a row has
    function entries(Posting memory posting, uint256 row) internal pure returns (uint256) {
        return row == 0 ? uint256(posting.columns) + 1 : posting.columns;
    }

    /// @return how many bytes a row has
    function rowLength(Posting memory posting, uint256 row) internal pure returns (uint256) {
        return entries(posting, row) * (row < numberRows(posting) ? NUMBER : ROOT);
    }
}
