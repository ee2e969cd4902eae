// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IGroth16Verifier } from "../interfaces/IGroth16Verifier.sol";
import { Groth16Verifier } from "./Groth16Verifier.sol";

/// @title Groth16Deployment
/// @dev Only a constructor: what it leaves on chain is `Groth16Verifier`'s code and the key behind it.
contract Groth16Deployment {
    uint256 private constant ANVIL = 31337;
    uint256 private constant GANACHE = 1337;

    /// @param key words of the verifying key (`IGroth16Verifier.verifyingKey`)
    /// @param insecure somebody may know the set-up's secret: refused outside development chains
    constructor(uint256[20] memory key, bytes32 circuitHash, uint256 samples, bool insecure) {
        if (insecure && block.chainid != ANVIL && block.chainid != GANACHE) {
            revert IGroth16Verifier.InsecureOutsideDevelopment(block.chainid);
        }
        bytes memory code =
            abi.encodePacked(type(Groth16Verifier).runtimeCode, abi.encode(key, circuitHash, samples, insecure));
        assembly ("memory-safe") {
            return(add(code, 32), mload(code))
        }
    }
}
