// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Blob, Blobs } from "../libraries/Blobs.sol";

/// @title Sum and maximum of every `step`-th int8 element
library Spans {
    using Blobs for Blob;

    /// @return total Σ a[i + k · step] for k < length
    function sum(Blob memory a, uint256 i, uint256 step, uint256 length) internal pure returns (int256 total) {
        while (length > 0) {
            (uint256 pointer, uint256 run) = _run(a, i, step, length);
            assembly ("memory-safe") {
                for { let end := add(pointer, mul(run, step)) } lt(pointer, end) { pointer := add(pointer, step) } {
                    // at most 1,024 elements of magnitude at most 2^7 a run
                    total := add(total, signextend(0, byte(0, mload(pointer))))
                }
            }
            i += run * step;
            length -= run;
        }
    }

    /// @return best the largest a[i + k · step] for k < length, at least -128
    function largest(Blob memory a, uint256 i, uint256 step, uint256 length) internal pure returns (int256 best) {
        best = -128;
        while (length > 0) {
            (uint256 pointer, uint256 run) = _run(a, i, step, length);
            assembly ("memory-safe") {
                for { let end := add(pointer, mul(run, step)) } lt(pointer, end) { pointer := add(pointer, step) } {
                    let value := signextend(0, byte(0, mload(pointer)))
                    if sgt(value, best) { best := value }
                }
            }
            i += run * step;
            length -= run;
        }
    }

    /// @dev How many of the elements from `i` on lie in one chunk, and where.
    function _run(Blob memory a, uint256 i, uint256 step, uint256 length)
        private
        pure
        returns (uint256 pointer, uint256 run)
    {
        (pointer, run) = a.locate(i);
        run = (run + step - 1) / step;
        if (length < run) run = length;
    }
}
