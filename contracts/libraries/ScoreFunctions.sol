// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev Score functions are part of the protocol and chosen by id, never sent by clients. Each is a sum of
/// per-sample integers oriented so that the higher sum is the better model.
enum ScoreFunction {
    None,
    /// 1 for each sample whose largest output (the lowest index on a tie) is the label's, else 0
    Accuracy,
    /// minus the absolute difference of output and label, in output units, capped at `MAX_SAMPLE_ERROR`
    MeanAbsoluteError,
    /// 1 for each sample whose label's output is among the 3 largest (lower indices before higher on a tie), else 0
    Top3Accuracy,
    /// the same with 5
    Top5Accuracy,
    /// minus the squared difference of output and label, capped at `MAX_SQUARED_ERROR`
    MeanSquaredError,
    /// minus the information of the label, in units of 2^-16 bit, capped at `MAX_SAMPLE_ERROR`; outputs are logits in
    /// units of 1/256 bit
    CrossEntropy
}

/// @title Ranges of the score functions
/// @notice Twin of `offchain/protocol/scores.py`. A score outside its range needs no dispute: it cannot be revealed.
library ScoreFunctions {
    /// @dev Stands for "I could not score this model"; no honest sum can reach it.
    int64 internal constant ABSTAIN = type(int64).min;
    /// @dev The largest error one sample can add: in output units, for cross-entropy in units of 2^-16 bit.
    int64 internal constant MAX_SAMPLE_ERROR = 2 ** 24;
    /// @dev The largest squared error one sample can add.
    int64 internal constant MAX_SQUARED_ERROR = 2 ** 40;
    /// @dev The most samples of a test set: the worst sum over them is an int64, and not `ABSTAIN`.
    uint32 internal constant MAX_SAMPLES = 2 ** 21;
    /// @dev Parts per million.
    int256 internal constant PPM = 1_000_000;

    /// @return whether `score` can be the sum over `samples` samples of `fn` at all
    function inRange(ScoreFunction fn, int64 score, uint32 samples) internal pure returns (bool) {
        if (fn == ScoreFunction.None) return false;
        if (isTopK(fn)) return score >= 0 && score <= int64(uint64(samples));
        int64 worst = fn == ScoreFunction.MeanSquaredError ? MAX_SQUARED_ERROR : MAX_SAMPLE_ERROR;
        return score <= 0 && int256(score) >= -int256(uint256(samples)) * worst;
    }

    /// @return whether a sample scores 1 or 0, by the place of the label's output
    function isTopK(ScoreFunction fn) internal pure returns (bool) {
        return fn == ScoreFunction.Accuracy || fn == ScoreFunction.Top3Accuracy || fn == ScoreFunction.Top5Accuracy;
    }

    /// @return whether the label is a number that the model's one output is compared with
    function isRegression(ScoreFunction fn) internal pure returns (bool) {
        return fn == ScoreFunction.MeanAbsoluteError || fn == ScoreFunction.MeanSquaredError;
    }

    /// @return the best mean per sample there can be, in millionths of a unit
    function bestPpm(ScoreFunction fn) internal pure returns (int64) {
        return isTopK(fn) ? int64(PPM) : int64(0);
    }

    /// @return whether the mean per sample is at least `minimumPpm` millionths of a unit
    function reaches(int64 score, uint32 samples, int64 minimumPpm) internal pure returns (bool) {
        return int256(score) * PPM >= int256(minimumPpm) * int256(uint256(samples));
    }
}
