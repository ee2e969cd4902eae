// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Blob } from "../libraries/Blobs.sol";
import { Descriptor } from "../libraries/ModelTree.sol";
import { Dots } from "./Dots.sol";
import { Run, Window, Windows } from "./Windows.sol";

/// @title Terms of an output element: weight · input over the window, row by row, column by column, channel by channel
library Convolution {
    using Windows for Window;

    /// @return total the sum of the terms [from, to); 0 for those on padding
    function sum(
        Descriptor calldata node,
        uint256 element,
        Blob memory weights,
        Blob memory input,
        uint256 from,
        uint256 to
    ) internal pure returns (int256 total) {
        Window memory window = Windows.at(node, element, true);
        (uint256 first, uint256 last) = window.rows(from, to);
        for (uint256 row = first; row < last; ++row) {
            Run memory terms = window.run(row, from, to);
            if (terms.from >= terms.to) continue;
            total += Dots.dot(weights, terms.from, input, terms.offset, terms.to - terms.from);
        }
    }
}
