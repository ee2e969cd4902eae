// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAccuracyVerifier } from "../interfaces/IAccuracyVerifier.sol";

/// @title How a verifier is asked
library ProofCalls {
    /// @notice A static call: whatever the verifier is, it changes nothing.
    /// @return valid whether it answered with the word 1; not if it reverted, or is no contract
    function holds(
        IAccuracyVerifier verifier,
        bytes calldata proof,
        uint256 modelHash,
        uint256 chunkHash,
        uint256 correct,
        uint256 prover
    ) internal view returns (bool valid) {
        bytes4 selector = IAccuracyVerifier.verify.selector;
        // the arguments are laid out behind the free memory, which nothing needs after the call: the selector, the place of
        // the proof, four numbers, the proof's length, the proof, padded with zeros by rounding its end up
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, selector)
            mstore(add(start, 4), 160)
            mstore(add(start, 36), modelHash)
            mstore(add(start, 68), chunkHash)
            mstore(add(start, 100), correct)
            mstore(add(start, 132), prover)
            mstore(add(start, 164), proof.length)
            calldatacopy(add(start, 196), proof.offset, proof.length)
            let padded := and(add(proof.length, 31), not(31))
            mstore(0, 0)
            let answered := staticcall(gas(), verifier, start, add(196, padded), 0, 32)
            valid := and(and(answered, gt(returndatasize(), 31)), eq(mload(0), 1))
        }
    }
}
