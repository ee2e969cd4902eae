// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IStepVerifier } from "../interfaces/IStepVerifier.sol";
import { IndexedMerkle } from "./IndexedMerkle.sol";
import { ChunkOpening } from "./ModelTree.sol";

/// @dev The chunks of a blob of int8 elements that are at hand, each checked against the blob's root.
struct Blob {
    /// "weights", "first" or "second", for errors
    string what;
    /// bytes, and so elements
    uint256 length;
    /// where the bytes of each chunk lie in memory; 0 for a chunk that was not given
    uint256[] chunks;
}

/// @title Byte strings committed to in chunks (docs/dispute.md, Trees)
library Blobs {
    uint256 internal constant CHUNK = 1024;

    /// @return how many chunks a blob of `length` bytes has
    function count(uint256 length) internal pure returns (uint256) {
        return (length + CHUNK - 1) / CHUNK;
    }

    /// @return how many bytes the chunk at `index` of a blob of `length` bytes has
    function sizeOf(uint256 length, uint256 index) internal pure returns (uint256) {
        if (index >= count(length)) revert IndexedMerkle.IndexOutOfRange(count(length), index);
        return _sizeOf(length, index);
    }

    /// @return the root of the blob of `length` bytes that the chunk leads to; reverts if the chunk has the wrong length
    function rootOf(ChunkOpening calldata chunk, uint256 length) internal pure returns (bytes32) {
        uint256 size = sizeOf(length, chunk.index);
        if (chunk.data.length != size) revert IStepVerifier.WrongLength(size, chunk.data.length);
        return IndexedMerkle.rootOfCalldata(keccak256(chunk.data), chunk.index, count(length), chunk.proof);
    }

    /// @return blob the given chunks of the blob of `length` bytes under `root`, in memory
    function open(string memory what, bytes32 root, uint256 length, ChunkOpening[] calldata openings)
        internal
        pure
        returns (Blob memory blob)
    {
        uint256 chunks = count(length);
        blob = Blob(what, length, new uint256[](chunks));
        for (uint256 i = 0; i < openings.length; ++i) {
            ChunkOpening calldata opening = openings[i];
            uint256 index = opening.index;
            bytes calldata data = opening.data;
            (uint256 pointer, bytes32 leaf) = _load(data);
            bytes32 actual = IndexedMerkle.rootOfCalldata(leaf, index, chunks, opening.proof);
            uint256 size = _sizeOf(length, index);
            if (data.length != size) revert IStepVerifier.WrongLength(size, data.length);
            if (actual != root) revert IStepVerifier.WrongOpening(what, root, actual);
            blob.chunks[index] = pointer;
        }
    }

    /// @return pointer where the byte at `offset` lies in memory
    /// @return left how many bytes from there on lie in the same chunk
    function locate(Blob memory blob, uint256 offset) internal pure returns (uint256 pointer, uint256 left) {
        // the innermost of all: blob.length and blob.chunks are read at their places in the struct. A chunk given is at
        // least one byte long and at most CHUNK, and lies where it was loaded
        assembly ("memory-safe") {
            left := mload(add(blob, 0x20))
            if lt(offset, left) {
                left := sub(left, offset)
                pointer := mload(add(add(mload(add(blob, 0x40)), 0x20), shl(5, shr(10, offset))))
                if pointer {
                    let within := and(offset, 1023)
                    pointer := add(pointer, within)
                    within := sub(1024, within)
                    if lt(within, left) { left := within }
                }
            }
        }
        if (pointer == 0) revert IStepVerifier.ChunkMissing(blob.what, offset / CHUNK);
    }

    /// @return value the int8 element at `offset`
    function at(Blob memory blob, uint256 offset) internal pure returns (int256 value) {
        (uint256 pointer,) = locate(blob, offset);
        assembly ("memory-safe") {
            value := sar(248, mload(pointer))
        }
    }

    /// @dev The chunk must be one of the blob's, so nothing overflows.
    function _sizeOf(uint256 length, uint256 index) private pure returns (uint256) {
        unchecked {
            uint256 rest = length - index * CHUNK;
            return rest < CHUNK ? rest : CHUNK;
        }
    }

    /// @dev Copies into fresh memory, rounded up to whole words, and hashes there.
    function _load(bytes calldata data) private pure returns (uint256 pointer, bytes32 hash) {
        assembly ("memory-safe") {
            pointer := mload(0x40)
            calldatacopy(pointer, data.offset, data.length)
            hash := keccak256(pointer, data.length)
            mstore(0x40, and(add(add(pointer, data.length), 31), not(31)))
        }
    }
}
