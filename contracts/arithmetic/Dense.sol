// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Blob } from "../libraries/Blobs.sol";
import { Dots } from "./Dots.sol";

/// @title Terms of an output element: weight · input over the flattened input
library Dense {
    /// @return the sum of the terms [from, to)
    function sum(Blob memory weights, Blob memory input, uint256 from, uint256 to) internal pure returns (int256) {
        return Dots.dot(weights, from, input, from, to - from);
    }
}
