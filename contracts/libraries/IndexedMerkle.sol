// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Merkle trees in which an index has one place (docs/dispute.md, Trees)
/// @notice A parent is keccak256(left ‖ right); an odd last node moves up unchanged. With the number of leaves known, the
/// path of an index is fixed, so nobody can open two different leaves at the same index.
library IndexedMerkle {
    error IndexOutOfRange(uint256 count, uint256 index);
    error WrongProofLength(uint256 index, uint256 actual);

    /// @notice In assembly, for a step opens dozens of chunks.
    /// @return node the root that `leaf` at `index` of `count` leaves leads to with this proof
    function rootOfCalldata(bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata proof)
        internal
        pure
        returns (bytes32 node)
    {
        if (index >= count) revert IndexOutOfRange(count, index);
        bool exact;
        node = leaf;
        // slither-disable-start incorrect-exp
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
        // slither-disable-end incorrect-exp
        if (!exact) revert WrongProofLength(index, proof.length);
    }

    /// @notice Overwrites `level`. In assembly, for a trace may have 513 leaves.
    /// @return root the root over all leaves; zero over none
    function rootOfAll(bytes32[] memory level) internal pure returns (bytes32 root) {
        if (level.length == 0) return 0;
        // A parent is written where nothing is read any more: `out` never overtakes `at`
        assembly ("memory-safe") {
            let base := add(level, 32)
            for { let width := mload(level) } gt(width, 1) { width := shr(1, add(width, 1)) } {
                let out := base
                let end := add(base, shl(6, shr(1, width)))
                for { let at := base } lt(at, end) { at := add(at, 64) } {
                    mstore(out, keccak256(at, 64))
                    out := add(out, 32)
                }
                if and(width, 1) { mstore(out, mload(end)) }
            }
            root := mload(base)
        }
    }
}
