// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Lower ends of one-sided 95 % intervals for a share, exact (Clopper and Pearson 1934; docs/proofs.md, Confidence)
/// @notice Twin of `offchain/proofs/confidence.py`. The bound is the largest p, in ppm, at which so many right answers or
/// more would come with a chance of at most 1 / 20. The chance is U / (U + L), sums of binomial terms relative to the one
/// at `correct`, each got from its neighbour: U (from `correct` up) is rounded up, L (below) down, so what is found holds,
/// and only a chance within 10^-13 of 1 / 20 could make it one ppm too low.
library ConfidenceBounds {
    /// @dev Samples that sums are made for: nothing overflows.
    uint256 internal constant MAXIMUM_SAMPLES = type(uint32).max;

    uint256 private constant PPM = 1_000_000;
    uint256 private constant ONE = 2 ** 128;
    /// @dev Terms below this are left out of L, and bounded by a geometric series in U.
    uint256 private constant SMALL = 2 ** 80;
    /// @dev 95 % : 5 %
    uint256 private constant ODDS = 19;

    /// @param correct at most `outOf`
    /// @param outOf at most `MAXIMUM_SAMPLES`
    /// @return low the bound in ppm, rounded down; costs about 20 evaluations of the two sums
    function lowerBoundPpm(uint256 correct, uint256 outOf) internal pure returns (uint256 low) {
        uint256 high = _tooHigh(correct, outOf);
        unchecked {
            while (high - low > 1) {
                uint256 middle = (low + high) / 2;
                if (_holds(correct, outOf, middle)) low = middle;
                else high = middle;
            }
        }
    }

    /// @notice Whether `ppm` is what `lowerBoundPpm` gives, for two evaluations.
    function isLowerBound(uint256 correct, uint256 outOf, uint256 ppm) internal pure returns (bool) {
        uint256 high = _tooHigh(correct, outOf);
        if (ppm >= high || !_holds(correct, outOf, ppm)) return false;
        return ppm + 1 == high || !_holds(correct, outOf, ppm + 1);
    }

    /// @return ppm the share that was observed, which is never a lower bound; but 1 at least, for 0 always is
    function _tooHigh(uint256 correct, uint256 outOf) private pure returns (uint256 ppm) {
        if (outOf != 0) ppm = correct * PPM / outOf;
        if (ppm == 0) ppm = 1;
    }

    /// @dev Whether the chance of `correct` or more right answers is at most 1 / 20 at `ppm`, below the observed share.
    function _holds(uint256 correct, uint256 outOf, uint256 ppm) private pure returns (bool) {
        if (ppm == 0) return true;
        uint256 target = ODDS * _upper(correct, outOf, ppm);
        unchecked {
            uint256 sum = 0;
            uint256 term = ONE;
            for (uint256 i = correct; i != 0; --i) {
                term = term * (i * (PPM - ppm)) / ((outOf - i + 1) * ppm);
                sum += term;
                if (sum >= target) return true;
                // terms rise, then fall: from here on they are smaller still
                if (term < SMALL) return false;
            }
        }
        return false;
    }

    /// @return sum terms from `correct` up, relative to the first, rounded up
    function _upper(uint256 correct, uint256 outOf, uint256 ppm) private pure returns (uint256 sum) {
        unchecked {
            sum = ONE;
            uint256 term = ONE;
            for (uint256 i = correct; i != outOf; ++i) {
                uint256 numerator = (outOf - i) * ppm;
                uint256 denominator = (i + 1) * (PPM - ppm);
                // ratios fall, so what follows is less than this geometric series; `ppm` is below the observed share, so
                // the ratio is below 1
                if (term < SMALL) return sum + term * numerator / (denominator - numerator) + 1;
                term = term * numerator / denominator + 1;
                sum += term;
            }
        }
    }
}
