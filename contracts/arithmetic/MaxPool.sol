// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Blob } from "../libraries/Blobs.sol";
import { Descriptor } from "../libraries/ModelTree.sol";
import { Spans } from "./Spans.sol";
import { Run, Window, Windows } from "./Windows.sol";

/// @title Terms of an output element: the elements of the window in its own channel, row by row
library MaxPool {
    using Windows for Window;

    /// @dev The largest of no elements.
    int256 internal constant NEUTRAL = -128;

    /// @return best the largest of the terms [from, to) that are not padding
    function largest(Descriptor calldata node, uint256 element, Blob memory input, uint256 from, uint256 to)
        internal
        pure
        returns (int256 best)
    {
        best = NEUTRAL;
        Window memory window = Windows.at(node, element, false);
        (uint256 first, uint256 last) = window.rows(from, to);
        for (uint256 row = first; row < last; ++row) {
            Run memory terms = window.run(row, from, to);
            if (terms.from >= terms.to) continue;
            int256 found = Spans.largest(input, terms.offset, window.columnStep, terms.to - terms.from);
            if (found > best) best = found;
        }
    }
}
