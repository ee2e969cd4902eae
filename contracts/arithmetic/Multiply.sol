// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Blob, Blobs } from "../libraries/Blobs.sol";
import { Descriptor } from "../libraries/ModelTree.sol";
import { Requantisation } from "./Requantisation.sol";

/// @title Product of two tensors, element by element
library Multiply {
    using Blobs for Blob;

    /// @return (a * b * m0 + 2^(shift - 1)) >> shift
    function element(Descriptor calldata node, Blob memory first, Blob memory second, uint256 index)
        internal
        pure
        returns (int256)
    {
        return Requantisation.requantise(first.at(index) * second.at(index), node.multipliers[0], node.shift);
    }
}
