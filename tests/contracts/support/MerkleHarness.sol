// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IndexedMerkle } from "../../../contracts/libraries/IndexedMerkle.sol";
import {
    ChunkOpening,
    Header,
    NodeOpening,
    Operands,
    Sample,
    TensorOpening,
    UnitOpening
} from "../../../contracts/libraries/ModelTree.sol";

/// @title Hashes leaves and follows openings as the courts do, for comparison with `offchain/model/roots.py`
contract MerkleHarness {
    uint256 internal constant HEADER = 1;
    uint256 internal constant NODE = 2;
    uint256 internal constant UNIT = 3;
    uint256 internal constant SAMPLE = 4;

    function modelRoot(Header calldata header) external pure returns (bytes32) {
        return keccak256(abi.encode(HEADER, header));
    }

    /// @return the nodes root that the opening leads to
    function nodesRoot(NodeOpening calldata opening) external pure returns (bytes32) {
        bytes32 leaf = keccak256(abi.encode(NODE, opening.node));
        return IndexedMerkle.rootOfCalldata(leaf, opening.node.index, opening.header.nodes, opening.proof);
    }

    /// @return the units root that the opening leads to
    function unitsRoot(UnitOpening calldata opening, uint256 units) external pure returns (bytes32) {
        bytes32 leaf = keccak256(abi.encode(UNIT, opening.unit));
        return IndexedMerkle.rootOfCalldata(leaf, opening.index, units, opening.proof);
    }

    /// @return the test root that the sample leads to
    function rootOfTest(Sample calldata sample, uint256 index, uint256 samples, bytes32[] calldata proof)
        external
        pure
        returns (bytes32)
    {
        return IndexedMerkle.rootOfCalldata(keccak256(abi.encode(SAMPLE, sample)), index, samples, proof);
    }

    /// @return the blob's root that the chunk leads to
    function blobRoot(ChunkOpening calldata opening, uint256 size) external pure returns (bytes32) {
        uint256 chunks = size == 0 ? 1 : (size + 1023) / 1024;
        return IndexedMerkle.rootOfCalldata(keccak256(opening.data), opening.index, chunks, opening.proof);
    }

    /// @return the trace root that the tensor leads to
    function traceRoot(TensorOpening calldata opening, uint256 tensor, uint256 tensors)
        external
        pure
        returns (bytes32)
    {
        return IndexedMerkle.rootOfCalldata(opening.root, tensor, tensors, opening.proof);
    }

    function rootOfAll(bytes32[] memory hashes) external pure returns (bytes32) {
        return IndexedMerkle.rootOfAll(hashes);
    }

    /// @return hash of the encoding, which a caller who encodes alike arrives at too
    function operandsHash(Operands calldata operands) external pure returns (bytes32) {
        return keccak256(abi.encode(operands));
    }
}
