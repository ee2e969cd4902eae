// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Blob, Blobs } from "../libraries/Blobs.sol";

/// @title The elements of the first input, then those of the second
library Concat {
    using Blobs for Blob;

    function element(Blob memory first, Blob memory second, uint256 index) internal pure returns (int256) {
        return index < first.length ? first.at(index) : second.at(index - first.length);
    }
}
