// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Blob, Blobs } from "../libraries/Blobs.sol";
import { Descriptor } from "../libraries/ModelTree.sol";

/// @title The input's elements from `offset` on, in any shape
library Slice {
    using Blobs for Blob;

    function element(Descriptor calldata node, Blob memory input, uint256 index) internal pure returns (int256) {
        return input.at(node.offset + index);
    }
}
