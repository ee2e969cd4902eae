// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAccuracyVerifier } from "../interfaces/IAccuracyVerifier.sol";
import { IVerifierRegistry } from "../interfaces/IVerifierRegistry.sol";

/// @title VerifierRegistry
contract VerifierRegistry is IVerifierRegistry {
    /// @dev One slot: rounds read it when they are opened.
    struct Entry {
        IAccuracyVerifier verifier;
        uint16 samples;
    }

    uint256 private constant MAXIMUM_SAMPLES = type(uint16).max;
    uint256 private constant ANVIL = 31337;
    uint256 private constant GANACHE = 1337;

    bytes3 private constant DELEGATION = 0xef0100;

    mapping(bytes32 key => Entry) private _entries;

    /// @inheritdoc IVerifierRegistry
    function register(IAccuracyVerifier verifier) external returns (bytes32 key) {
        bytes memory code = address(verifier).code;
        // an account that delegates has code too (EIP-7702), which it could change under its key
        if (code.length == 0 || bytes3(code) == DELEGATION) revert NotAContract(address(verifier));
        bool insecure = verifier.insecure();
        if (insecure && block.chainid != ANVIL && block.chainid != GANACHE) {
            revert InsecureVerifier(address(verifier), block.chainid);
        }
        uint256 samples = verifier.samples();
        if (samples == 0 || samples > MAXIMUM_SAMPLES) revert SamplesOutOfRange(MAXIMUM_SAMPLES, samples);
        bytes32 circuitHash = verifier.circuitHash();
        key = keccak256(abi.encode(circuitHash, keccak256(code)));
        Entry storage entry = _entries[key];
        if (address(entry.verifier) != address(0)) revert AlreadyRegistered(key, address(entry.verifier));
        entry.verifier = verifier;
        entry.samples = uint16(samples);
        emit VerifierRegistered(key, circuitHash, address(verifier), samples, insecure, msg.sender);
    }

    /// @inheritdoc IVerifierRegistry
    function verifierOf(bytes32 key) external view returns (IAccuracyVerifier verifier, uint256 samples) {
        Entry storage entry = _entries[key];
        (verifier, samples) = (entry.verifier, entry.samples);
        if (address(verifier) == address(0)) revert UnknownVerifier(key);
    }

    /// @inheritdoc IVerifierRegistry
    function isRegistered(bytes32 key) external view returns (bool) {
        return address(_entries[key].verifier) != address(0);
    }
}
