// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAccuracyVerifier } from "./IAccuracyVerifier.sol";

/// @title The accuracy verifiers that rounds of proofs may name
/// @notice Anyone registers, nobody can squat or replace: the key of a verifier is
/// `keccak256(abi.encode(circuitHash, code hash))`, so whoever names a key names the code. Whether that code is the honest
/// verifier of that circuit is for the one who names it, and the one who takes part, to compute again, which the tools do.
interface IVerifierRegistry {
    event VerifierRegistered(
        bytes32 indexed key,
        bytes32 indexed circuitHash,
        address indexed verifier,
        uint256 samples,
        bool insecure,
        address registrant
    );

    error NotAContract(address actual);
    error AlreadyRegistered(bytes32 key, address verifier);
    error InsecureVerifier(address verifier, uint256 chainId);
    error SamplesOutOfRange(uint256 expected, uint256 actual);
    error UnknownVerifier(bytes32 key);

    /// @notice Anyone. Emits VerifierRegistered.
    /// @dev Reverts with NotAContract, AlreadyRegistered, InsecureVerifier outside development chains (31337 and 1337),
    /// SamplesOutOfRange outside [1, 65,535].
    function register(IAccuracyVerifier verifier) external returns (bytes32 key);

    /// @notice The verifier of a key, and the samples in its chunks; reverts with UnknownVerifier.
    function verifierOf(bytes32 key) external view returns (IAccuracyVerifier verifier, uint256 samples);

    function isRegistered(bytes32 key) external view returns (bool);
}
