// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAccuracyVerifier } from "./IAccuracyVerifier.sol";

/// @title The Groth16 verifier of one circuit (docs/proofs.md, Groth16)
/// @notice One text for all circuits: the verifying key follows the code, so the code hash commits to it, and anybody makes the
/// same code again by appending the key's words to the code of `Groth16Verifier`. Proofs are 256 bytes, A (64), B (128), C
/// (64), as the EVM's precompiles read points. Whoever has a proof can make others of the same statement from it: nothing
/// may depend on a proof's bytes being the only ones.
interface IGroth16Verifier is IAccuracyVerifier {
    error InsecureOutsideDevelopment(uint256 chainId);

    /// @notice Words that follow the code: -alpha (2), beta (4), -gamma (4), -delta (4), three points of the public inputs
    /// (6); then circuit hash, samples, insecure.
    function verifyingKey() external view returns (uint256[20] memory);
}
