// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IndexedMerkle } from "../../../../contracts/libraries/IndexedMerkle.sol";

/// @dev A tree of which one leaf is known, and around it only what a game shows: the nodes of each block that the descent
/// goes through, from the root down, and the leaf's proof. All else is random, as in a tree of a million numbers.
struct Sparse {
    bytes32 root;
    bytes32[][] blocks;
    bytes32[] proof;
}

library SparseTrees {
    uint256 internal constant LEVELS = 6;

    /// @param leaf at `index` of `count` leaves
    function grow(bytes32 leaf, uint256 index, uint256 count) internal pure returns (Sparse memory tree) {
        uint256 height = 0;
        while ((count - 1) >> height > 0) ++height;
        uint256[] memory parts = _parts(height);
        tree.blocks = new bytes32[][](parts.length);
        bytes32[] memory proof = new bytes32[](height);
        uint256 used = 0;
        tree.root = leaf;
        uint256 low = 0;
        for (uint256 at = parts.length; at > 0; --at) {
            uint256 levels = parts[at - 1];
            bytes32[] memory nodes = _block(tree.root, index >> low, ((count - 1) >> low) + 1, levels);
            tree.blocks[at - 1] = nodes;
            used = _prove(nodes, (index >> low) & ((1 << levels) - 1), proof, used);
            tree.root = IndexedMerkle.rootOfAll(_copy(nodes));
            low += levels;
        }
        assembly ("memory-safe") {
            mstore(proof, used)
        }
        tree.proof = proof;
    }

    /// @return levels that a move goes down from `height`, at least 1
    function step(uint256 height) internal pure returns (uint256 levels) {
        uint256 moves = (height + LEVELS - 1) / LEVELS;
        return (height + moves - 1) / moves;
    }

    /// @return node at this place of a block
    /// @return proof of it, up to the node above the block
    function within(bytes32[] memory nodes, uint256 place)
        internal
        pure
        returns (bytes32 node, bytes32[] memory proof)
    {
        proof = new bytes32[](LEVELS);
        uint256 used = _prove(nodes, place, proof, 0);
        assembly ("memory-safe") {
            mstore(proof, used)
        }
        return (nodes[place], proof);
    }

    function _parts(uint256 height) private pure returns (uint256[] memory parts) {
        parts = new uint256[]((height + LEVELS - 1) / LEVELS);
        for (uint256 i = 0; i < parts.length; ++i) {
            parts[i] = step(height);
            height -= parts[i];
        }
    }

    function _block(bytes32 node, uint256 place, uint256 width, uint256 levels)
        private
        pure
        returns (bytes32[] memory nodes)
    {
        uint256 first = (place >> levels) << levels;
        uint256 size = width - first < (1 << levels) ? width - first : 1 << levels;
        nodes = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            nodes[i] = first + i == place ? node : keccak256(abi.encode(node, i));
        }
    }

    /// @dev The siblings of the place in a block, as far as there are any.
    function _prove(bytes32[] memory nodes, uint256 place, bytes32[] memory proof, uint256 used)
        private
        pure
        returns (uint256)
    {
        bytes32[] memory level = _copy(nodes);
        while (level.length > 1) {
            if (place ^ 1 < level.length) proof[used++] = level[place ^ 1];
            bytes32[] memory above = new bytes32[]((level.length + 1) / 2);
            for (uint256 i = 0; i < above.length; ++i) {
                above[i] = 2 * i + 1 < level.length
                    ? keccak256(abi.encodePacked(level[2 * i], level[2 * i + 1]))
                    : level[2 * i];
            }
            (level, place) = (above, place / 2);
        }
        return used;
    }

    function _copy(bytes32[] memory nodes) private pure returns (bytes32[] memory copy) {
        copy = new bytes32[](nodes.length);
        for (uint256 i = 0; i < nodes.length; ++i) {
            copy[i] = nodes[i];
        }
    }
}
