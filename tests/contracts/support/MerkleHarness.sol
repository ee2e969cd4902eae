// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { MerkleProof } from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

/// @title Rebuilds the leaves of model and test roots as a contract would, and verifies them with OpenZeppelin's library
contract MerkleHarness {
    uint8 internal constant HEADER = 1;
    uint8 internal constant NODE = 2;
    uint8 internal constant UNIT = 3;
    uint8 internal constant SAMPLE = 4;

    struct Header {
        uint256[4] inputShape;
        uint256 nodes;
        uint64 outputScaleBits;
    }

    struct Descriptor {
        uint256 node;
        uint8 op;
        uint256[2] inputs;
        uint256[4] outputShape;
        int32 low;
        int32 high;
        uint256[2] kernel;
        uint256[2] stride;
        uint256[4] padding;
        uint32[2] multipliers;
        uint8 shift;
    }

    struct Unit {
        uint256 node;
        uint256 unit;
        int32 bias;
        uint32 multiplier;
        uint8 shift;
    }

    /// @return whether the header is the one that `root` commits to
    function provesHeader(bytes32 root, Header calldata header, bytes32[] calldata proof) external pure returns (bool) {
        return _verify(root, abi.encode(HEADER, header), proof);
    }

    /// @return whether the descriptor is one that `root` commits to
    function provesNode(bytes32 root, Descriptor calldata descriptor, bytes32[] calldata proof)
        external
        pure
        returns (bool)
    {
        return _verify(root, abi.encode(NODE, descriptor), proof);
    }

    /// @return whether the unit with these weights is one that `root` commits to
    function provesUnit(bytes32 root, Unit calldata unit, bytes calldata weights, bytes32[] calldata proof)
        external
        pure
        returns (bool)
    {
        bytes memory encoding = abi.encode(
            UNIT, unit.node, unit.unit, keccak256(weights), unit.bias, unit.multiplier, unit.shift
        );
        return _verify(root, encoding, proof);
    }

    /// @return whether the sample is one that `root` commits to
    function provesSample(bytes32 root, uint256 index, bytes calldata input, int32 label, bytes32[] calldata proof)
        external
        pure
        returns (bool)
    {
        return _verify(root, abi.encode(SAMPLE, index, keccak256(input), label), proof);
    }

    function _verify(bytes32 root, bytes memory encoding, bytes32[] calldata proof) private pure returns (bool) {
        bytes32 leaf = keccak256(bytes.concat(keccak256(encoding)));
        return MerkleProof.verifyCalldata(proof, root, leaf);
    }
}
