// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Blob } from "../libraries/Blobs.sol";
import { Descriptor } from "../libraries/ModelTree.sol";
import { Comb, Spans } from "./Spans.sol";
import { Window, Windows } from "./Windows.sol";

/// @title Terms of an output element: the elements of the window in its own channel, row by row
library MaxPool {
    using Windows for Window;

    /// @dev The largest of no elements.
    int256 internal constant NEUTRAL = -128;

    /// @return the largest of the terms [from, to) that are not padding
    function largest(Descriptor calldata node, uint256 element, Blob memory input, uint256 from, uint256 to)
        internal
        pure
        returns (int256)
    {
        Window memory window = Windows.at(node, element, false, from, to);
        Comb memory comb = Spans.combOf(window.step);
        uint256 best = 0;
        for (uint256 row = window.top; row < window.bottom; ++row) {
            // slither-disable-next-line unused-return
            (, uint256 count, uint256 offset) = window.run(row);
            best = Spans.raise(best, input, offset, comb, count);
        }
        return Spans.valueOf(best);
    }
}
