// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev Score functions are part of the protocol and chosen by id, never sent by clients. Each is a sum of
/// per-sample integers oriented so that the higher sum is the better model.
enum ScoreFunction {
    None,
    /// 1 for each sample whose largest output (the lowest index on a tie) is the label's, else 0
    Accuracy,
    /// minus the absolute difference of output and label, in output units, capped at `MAX_SAMPLE_ERROR`
    MeanAbsoluteError
}

/// @title Ranges of the score functions
/// @notice Twin of `offchain/protocol/scores.py`. A score outside its range needs no dispute: it cannot be revealed.
library ScoreFunctions {
    /// @dev Stands for "I could not score this model"; no honest sum can reach it.
    int64 internal constant ABSTAIN = type(int64).min;
    /// @dev The largest error one sample can add, in output units.
    int64 internal constant MAX_SAMPLE_ERROR = 2 ** 24;
    /// @dev Parts per million.
    int256 internal constant PPM = 1_000_000;

    /// @return whether `score` can be the sum over `samples` samples of `fn` at all
    function inRange(ScoreFunction fn, int64 score, uint32 samples) internal pure returns (bool) {
        if (fn == ScoreFunction.Accuracy) return score >= 0 && score <= int64(uint64(samples));
        if (fn == ScoreFunction.MeanAbsoluteError) {
            return score <= 0 && int256(score) >= -int256(uint256(samples)) * MAX_SAMPLE_ERROR;
        }
        return false;
    }

    /// @return the best mean per sample there can be, in millionths of a unit
    function bestPpm(ScoreFunction fn) internal pure returns (int64) {
        return fn == ScoreFunction.Accuracy ? int64(PPM) : int64(0);
    }

    /// @return whether the mean per sample is at least `minimumPpm` millionths of a unit
    function reaches(int64 score, uint32 samples, int64 minimumPpm) internal pure returns (bool) {
        return int256(score) * PPM >= int256(minimumPpm) * int256(uint256(samples));
    }
}
