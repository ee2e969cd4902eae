// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ChaCha20 } from "../../../contracts/federated/ChaCha20.sol";
import { HandoverVerifier } from "../../../contracts/proofs/HandoverVerifier.sol";
import { Poseidon2 } from "../../../contracts/proofs/Poseidon2.sol";
import { SealedPieces } from "../../../contracts/proofs/SealedPieces.sol";
import { X25519 } from "../../../contracts/proofs/X25519.sol";

/// @dev The verifier of handovers and the libraries under it, opened to tests.
contract HandoverHarness is HandoverVerifier {
    function permute(uint256[4] calldata s) external pure returns (uint256 a, uint256 b, uint256 c, uint256 d) {
        return Poseidon2.permute(s[0], s[1], s[2], s[3]);
    }

    function exchange(bytes32 privateKey, bytes32 otherPublicKey) external view returns (bytes32) {
        return X25519.exchange(privateKey, otherPublicKey);
    }

    function blockAt(bytes32 key, uint32 counter, uint32 nonce) external pure returns (bytes32, bytes32) {
        return ChaCha20.blockAt(key, counter, nonce);
    }

    function leafOf(bytes calldata piece) external pure returns (bytes32) {
        return SealedPieces.leafOf(piece);
    }
}
