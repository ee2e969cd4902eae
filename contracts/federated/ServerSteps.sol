// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { OptimizerKind, OptimizerTerms } from "../interfaces/FederatedTypes.sol";
import { RoundDivision } from "./RoundDivision.sol";

/// @title FedAvg, FedAvgM and FedAdam of one coordinate, twin of `step_one` in `offchain/federated/server_optimizer.py`
library ServerSteps {
    using RoundDivision for int256;

    int256 private constant ONE = 1 << 16;

    /// @return how many int32 words a coordinate has: w; m; v
    function wordsOf(OptimizerKind kind) internal pure returns (uint256) {
        return uint256(kind);
    }

    /// @param old the words before, in order w, m, v; those that the optimiser lacks are not read
    /// @param a the aggregate
    /// @return next the words after
    function step(OptimizerTerms memory terms, int256[3] memory old, int256 a)
        internal
        pure
        returns (int256[3] memory next)
    {
        // 32-bit numbers and a 16-bit one: no product comes near int256
        unchecked {
            int256 rate = int256(uint256(terms.learningRate));
            if (terms.kind == OptimizerKind.FedAvg) {
                next[0] = _word(old[0] + (a * rate).roundDiv(ONE));
                return next;
            }
            int256 beta1 = int256(uint256(terms.beta1));
            if (terms.kind == OptimizerKind.FedAvgM) {
                next[1] = _word((old[1] * beta1).roundDiv(ONE) + a * 256);
                next[0] = _word(old[0] + (next[1] * rate).roundDiv(1 << 24));
                return next;
            }
            int256 beta2 = int256(uint256(terms.beta2));
            next[1] = _word((old[1] * beta1 + a * 256 * (ONE - beta1)).roundDiv(ONE));
            next[2] = _word((old[2] * beta2 + a * a * (ONE - beta2)).roundDiv(ONE));
            int256 adaptivity = int256(_root(next[2]) + terms.tau) << 24;
            next[0] = _word(old[0] + (next[1] * rate).roundDiv(adaptivity));
        }
    }

    /// @dev A client's own first model may hold a negative v; it counts as 0.
    function _root(int256 v) private pure returns (uint256) {
        return v < 0 ? 0 : Math.sqrt(uint256(v));
    }

    function _word(int256 value) private pure returns (int256) {
        return value.clamp(type(int32).min, type(int32).max);
    }
}
