// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Hashes } from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

/// @title Merkle trees in which an index has one place (docs/dispute.md, Trees)
/// @notice A parent is keccak256(left ‖ right); an odd last node moves up unchanged. With the number of leaves known, the
/// path of an index is fixed, so nobody can open two different leaves at the same index.
library IndexedMerkle {
    error IndexOutOfRange(uint256 count, uint256 index);
    error WrongProofLength(uint256 index, uint256 actual);

    /// @return node the root that `leaf` at `index` of `count` leaves leads to with this proof
    function rootOf(bytes32 leaf, uint256 index, uint256 count, bytes32[] memory proof)
        internal
        pure
        returns (bytes32 node)
    {
        if (index >= count) revert IndexOutOfRange(count, index);
        node = leaf;
        uint256 place = index;
        uint256 used = 0;
        for (uint256 width = count; width > 1; width = (width + 1) / 2) {
            if (place ^ 1 < width) {
                if (used == proof.length) revert WrongProofLength(index, proof.length);
                bytes32 sibling = proof[used++];
                node = place & 1 == 0
                    ? Hashes.efficientKeccak256(node, sibling)
                    : Hashes.efficientKeccak256(sibling, node);
            }
            place /= 2;
        }
        if (used != proof.length) revert WrongProofLength(index, proof.length);
    }

    /// @notice `rootOf` for a proof that is still in calldata; a step opens dozens of chunks, so it must be cheap.
    function rootOfCalldata(bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata proof)
        internal
        pure
        returns (bytes32 node)
    {
        if (index >= count) revert IndexOutOfRange(count, index);
        bool exact;
        node = leaf;
        // `count - 1` is the place of the level's last node; width > 1 while that is not 0. Reads past the proof are
        // harmless (calldata is never short, only zero), for the length is compared at the end
        assembly ("memory-safe") {
            let next := proof.offset
            let place := index
            for { let last := sub(count, 1) } last { last := shr(1, last) } {
                // a node without a sibling moves up as it is
                if lt(xor(place, 1), add(last, 1)) {
                    let side := shl(5, and(place, 1))
                    mstore(side, node)
                    mstore(xor(side, 32), calldataload(next))
                    node := keccak256(0, 64)
                    next := add(next, 32)
                }
                place := shr(1, place)
            }
            exact := eq(next, add(proof.offset, shl(5, proof.length)))
        }
        if (!exact) revert WrongProofLength(index, proof.length);
    }

    /// @notice Overwrites `level`.
    /// @return the root over all leaves; zero over none
    function rootOfAll(bytes32[] memory level) internal pure returns (bytes32) {
        uint256 width = level.length;
        if (width == 0) return 0;
        while (width > 1) {
            uint256 pairs = width / 2;
            for (uint256 i = 0; i < pairs; ++i) {
                level[i] = Hashes.efficientKeccak256(level[2 * i], level[2 * i + 1]);
            }
            if (width & 1 == 1) level[pairs] = level[width - 1];
            width = pairs + (width & 1);
        }
        return level[0];
    }
}
