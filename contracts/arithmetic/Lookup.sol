// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Blob, Blobs } from "../libraries/Blobs.sol";

/// @title A table of 256 results, one for each int8
library Lookup {
    using Blobs for Blob;

    function element(Blob memory table, Blob memory input, uint256 index) internal pure returns (int256) {
        return table.at(uint256(input.at(index) + 128));
    }
}
