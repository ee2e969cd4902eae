// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Blob } from "../libraries/Blobs.sol";
import { Descriptor } from "../libraries/ModelTree.sol";
import { Comb, Spans } from "./Spans.sol";
import { Window, Windows } from "./Windows.sol";

/// @title Terms of an output element: the elements of the window in its own channel, row by row
library AveragePool {
    using Windows for Window;

    /// @return total the sum of the terms [from, to); 0 for those on padding
    function sum(Descriptor calldata node, uint256 element, Blob memory input, uint256 from, uint256 to)
        internal
        pure
        returns (int256 total)
    {
        Window memory window = Windows.at(node, element, false, from, to);
        Comb memory comb = Spans.combOf(window.step);
        for (uint256 row = window.top; row < window.bottom; ++row) {
            // slither-disable-next-line unused-return
            (, uint256 count, uint256 offset) = window.run(row);
            total += Spans.sum(input, offset, comb, count);
        }
    }
}
