// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev The live validations of one model. `sum` is that of the distinct scores, so that the one which survives when
/// the others are removed is known without a search. At most 2^32 scores of 64 bits fit the 128 bits.
struct Votes {
    uint32 live;
    uint32 distinct;
    int128 sum;
    mapping(int64 score => uint32) count;
}

/// @title Agreement among validations, in constant time per change
library Tallies {
    /// @notice Counts one validation.
    function add(Votes storage votes, int64 score) internal {
        uint32 before = votes.count[score];
        votes.count[score] = before + 1;
        votes.live += 1;
        if (before == 0) {
            votes.distinct += 1;
            votes.sum += score;
        }
    }

    /// @notice Takes back one validation that was counted.
    function remove(Votes storage votes, int64 score) internal {
        uint32 left = votes.count[score] - 1;
        votes.count[score] = left;
        votes.live -= 1;
        if (left == 0) {
            votes.distinct -= 1;
            votes.sum -= score;
        }
    }

    /// @return agreed whether there are live validations and all are equal
    /// @return score theirs; 0 when they do not agree
    function agreement(Votes storage votes) internal view returns (bool agreed, int64 score) {
        agreed = votes.distinct == 1;
        // With one distinct score the sum is that score, which came from an int64.
        if (agreed) score = int64(votes.sum);
    }
}
