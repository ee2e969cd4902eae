// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ChunkOpening } from "../../../../contracts/libraries/ModelTree.sol";

/// @dev Positional trees as a player builds them: whole, level by level. Written from docs/dispute.md, not from the
/// contracts' library.
library Trees {
    uint256 internal constant CHUNK = 1024;

    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        bytes32[] memory level = leaves;
        while (level.length > 1) level = _parents(level);
        return level[0];
    }

    function proofOf(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory proof) {
        bytes32[] memory path = new bytes32[](64);
        bytes32[] memory level = leaves;
        uint256 used = 0;
        while (level.length > 1) {
            if (index ^ 1 < level.length) path[used++] = level[index ^ 1];
            level = _parents(level);
            index /= 2;
        }
        proof = new bytes32[](used);
        for (uint256 i = 0; i < used; ++i) {
            proof[i] = path[i];
        }
    }

    function chunk(bytes memory data, uint256 index) internal pure returns (bytes memory part) {
        uint256 start = index * CHUNK;
        uint256 length = data.length - start < CHUNK ? data.length - start : CHUNK;
        part = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            part[i] = data[start + i];
        }
    }

    function chunkHashes(bytes memory data) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[]((data.length + CHUNK - 1) / CHUNK);
        for (uint256 i = 0; i < hashes.length; ++i) {
            uint256 start = i * CHUNK;
            uint256 length = data.length - start < CHUNK ? data.length - start : CHUNK;
            bytes32 hash;
            assembly ("memory-safe") {
                hash := keccak256(add(add(data, 32), start), length)
            }
            hashes[i] = hash;
        }
    }

    /// @dev The hashes that stand for `count` chunks from `base` on: subtrees of 32 chunks if there are more than 32.
    function branches(bytes memory data, uint256 base, uint256 count) internal pure returns (bytes32[] memory hashes) {
        bytes32[] memory all = chunkHashes(data);
        if (count <= 32) return _cut(all, base, count);
        hashes = new bytes32[]((count + 31) / 32);
        for (uint256 i = 0; i < hashes.length; ++i) {
            uint256 start = 32 * i;
            hashes[i] = root(_cut(all, base + start, count - start < 32 ? count - start : 32));
        }
    }

    function blob(bytes memory data) internal pure returns (bytes32) {
        return root(chunkHashes(data));
    }

    function openChunk(bytes memory data, uint256 index) internal pure returns (ChunkOpening memory) {
        return ChunkOpening({ index: index, data: chunk(data, index), proof: proofOf(chunkHashes(data), index) });
    }

    function openAll(bytes memory data) internal pure returns (ChunkOpening[] memory openings) {
        openings = new ChunkOpening[]((data.length + CHUNK - 1) / CHUNK);
        for (uint256 i = 0; i < openings.length; ++i) {
            openings[i] = openChunk(data, i);
        }
    }

    function _cut(bytes32[] memory list, uint256 start, uint256 length) private pure returns (bytes32[] memory part) {
        part = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            part[i] = list[start + i];
        }
    }

    function _parents(bytes32[] memory level) private pure returns (bytes32[] memory next) {
        next = new bytes32[]((level.length + 1) / 2);
        for (uint256 i = 0; i < next.length; ++i) {
            bool lonely = 2 * i + 1 == level.length;
            next[i] = lonely ? level[2 * i] : keccak256(abi.encodePacked(level[2 * i], level[2 * i + 1]));
        }
    }
}
