// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Blob } from "../libraries/Blobs.sol";
import { Descriptor } from "../libraries/ModelTree.sol";
import { Dots } from "./Dots.sol";
import { Window, Windows } from "./Windows.sol";

/// @title Terms of an output element: weight · input over the window in the element's own channel, row by row
library Depthwise {
    using Windows for Window;

    /// @return the sum of the terms [from, to); 0 for those on padding
    function sum(
        Descriptor calldata node,
        uint256 element,
        Blob memory weights,
        Blob memory input,
        uint256 from,
        uint256 to
    ) internal pure returns (int256) {
        return _sum(Windows.at(node, element, false, from, to), weights, input);
    }

    function _sum(Window memory window, Blob memory weights, Blob memory input) private pure returns (int256 total) {
        for (uint256 row = window.top; row < window.bottom; ++row) {
            (uint256 first, uint256 count, uint256 offset) = window.run(row);
            total += Dots.dotEvery(weights, first, input, offset, window.step, count);
        }
    }
}
