// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Which chunks a seed draws (docs/proofs.md, On chain)
/// @notice Twin of `offchain/proofs/draw.py`.
library ChunkDraws {
    /// @return the number that draws of a round follow from
    function seedOf(bytes32 blockHash, bytes32 round) internal pure returns (bytes32) {
        return keccak256(abi.encode(blockHash, round));
    }

    /// @notice The element `draw` of a Fisher–Yates shuffle of 0 .. chunks − 1, without the array: what step `draw` takes
    /// from place `j` was put there by the last earlier step that swapped with `j`, and came from that step's own place.
    /// @param draw below `chunks`; the cost grows with it
    function chunkOf(bytes32 seed, uint256 draw, uint256 chunks) internal pure returns (uint256 place) {
        place = _swappedWith(seed, draw, chunks);
        for (uint256 step = draw; step != 0;) {
            unchecked {
                --step;
            }
            if (_swappedWith(seed, step, chunks) == place) place = step;
        }
    }

    function _swappedWith(bytes32 seed, uint256 step, uint256 chunks) private pure returns (uint256 place) {
        // keccak256(abi.encode(seed, step)) in the scratch space: a proof of draw 63 asks for 64 of them
        assembly ("memory-safe") {
            mstore(0, seed)
            mstore(32, step)
            place := add(step, mod(keccak256(0, 64), sub(chunks, step)))
        }
    }
}
