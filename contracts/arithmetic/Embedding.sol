// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Blob, Blobs } from "../libraries/Blobs.sol";
import { Descriptor } from "../libraries/ModelTree.sol";

/// @title A row of features for each token; tokens are int8, counted from -128 on, and those without a row have the last
library Embedding {
    using Blobs for Blob;

    /// @return the row, which is a unit of the node, that the element's token selects
    function row(Descriptor calldata node, Blob memory input, uint256 index) internal pure returns (uint256) {
        uint256 token = uint256(input.at(index / node.rowBytes) + 128);
        return token < node.units ? token : node.units - 1;
    }

    /// @param features the row
    function element(Descriptor calldata node, Blob memory features, uint256 index) internal pure returns (int256) {
        return features.at(index % node.rowBytes);
    }
}
