// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Blob, Blobs } from "../libraries/Blobs.sol";
import { Descriptor } from "../libraries/ModelTree.sol";

/// @title Sum of two tensors, each with its own scale
library Add {
    using Blobs for Blob;

    /// @return (a * m0 + b * m1 + 2^(shift - 1)) >> shift
    function element(Descriptor calldata node, Blob memory first, Blob memory second, uint256 index)
        internal
        pure
        returns (int256)
    {
        int256 sum = first.at(index) * int256(node.multipliers[0]) + second.at(index) * int256(node.multipliers[1]);
        return (sum + int256(uint256(1) << (node.shift - 1))) >> node.shift;
    }
}
