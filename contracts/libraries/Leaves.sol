// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Descriptor, Header, Sample, Unit } from "./ModelTree.sol";

/// @title What stands at the leaves of a model's and a test set's trees (docs/dispute.md, Trees)
/// @notice Twin of `offchain/model/roots.py`. The first word keeps the kinds apart.
library Leaves {
    /// @return a model's root
    function ofHeader(Header calldata header) internal pure returns (bytes32) {
        return keccak256(abi.encode(uint256(1), header));
    }

    function ofNode(Descriptor calldata node) internal pure returns (bytes32) {
        return keccak256(abi.encode(uint256(2), node));
    }

    function ofUnit(Unit calldata unit) internal pure returns (bytes32) {
        return keccak256(abi.encode(uint256(3), unit));
    }

    function ofSample(Sample calldata sample) internal pure returns (bytes32) {
        return keccak256(abi.encode(uint256(4), sample));
    }
}
