// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAccuracyVerifier } from "../interfaces/IAccuracyVerifier.sol";
import { IGroth16Verifier } from "../interfaces/IGroth16Verifier.sol";

/// @title Groth16Verifier
/// @dev Is deployed by `Groth16Deployment`, with its key behind its code. e(A, B) e(-alpha, beta) e(X, -gamma) e(C, -delta) = 1,
/// X the sum of the public inputs' points; the key has alpha, gamma and delta negated, so the proof is copied as it is, and
/// the pairing precompile refuses coordinates that are not below the field's order, points that are not on their curve and
/// points that are not in the group of prime order (EIP-197).
contract Groth16Verifier is IGroth16Verifier {
    /// @dev of BN254's groups
    uint256 private constant ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant PROOF_BYTES = 256;
    uint256 private constant KEY_WORDS = 20;
    uint256 private constant CIRCUIT_HASH = 20;
    uint256 private constant SAMPLES = 21;
    uint256 private constant INSECURE = 22;
    uint256 private constant DATA_BYTES = 32 * 23;

    /// @inheritdoc IAccuracyVerifier
    function circuitHash() external pure returns (bytes32) {
        return bytes32(_word(CIRCUIT_HASH));
    }

    /// @inheritdoc IAccuracyVerifier
    function samples() external pure returns (uint256) {
        return _word(SAMPLES);
    }

    /// @inheritdoc IAccuracyVerifier
    function insecure() external pure returns (bool) {
        return _word(INSECURE) != 0;
    }

    /// @inheritdoc IGroth16Verifier
    function verifyingKey() external pure returns (uint256[20] memory key) {
        for (uint256 i = 0; i < KEY_WORDS; ++i) {
            key[i] = _word(i);
        }
    }

    /// @inheritdoc IAccuracyVerifier
    /// @dev The circuit has two public inputs, for each costs 6,150 gas: c = keccak256 of the four numbers, 253 bits of it, and
    /// modelHash + c chunkHash + c^2 correct + c^3 prover. c is fixed by what is claimed; another statement with the same
    /// value at c would be a linear relation between Poseidon2 hashes (docs/proofs.md, Groth16).
    function verify(bytes calldata proof, uint256 modelHash, uint256 chunkHash, uint256 correct, uint256 prover)
        external
        view
        returns (bool valid)
    {
        if (proof.length != PROOF_BYTES) return false;
        if (modelHash >= ORDER || chunkHash >= ORDER || correct >= ORDER || prover >= ORDER) return false;
        uint256 challenge = uint256(keccak256(abi.encode(modelHash, chunkHash, correct, prover))) >> 3;
        uint256 value = addmod(correct, mulmod(challenge, prover, ORDER), ORDER);
        value = addmod(chunkHash, mulmod(challenge, value, ORDER), ORDER);
        value = addmod(modelHash, mulmod(challenge, value, ORDER), ORDER);
        return _cancels(proof, challenge, value);
    }

    /// @dev Memory from `p`: four pairs of points, 6 words each; then the public inputs' points and room for one product.
    function _cancels(bytes calldata proof, uint256 first, uint256 second) private view returns (bool valid) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            let data := sub(codesize(), DATA_BYTES)
            calldatacopy(p, proof.offset, 192) // A, B
            codecopy(add(p, 192), data, 192) // -alpha, beta
            codecopy(add(p, 448), add(data, 192), 128) // -gamma, behind X
            calldatacopy(add(p, 576), add(proof.offset, 192), 64) // C
            codecopy(add(p, 640), add(data, 320), 128) // -delta
            let x := add(p, 384)
            let points := add(p, 768)
            codecopy(x, add(data, 448), 64)
            codecopy(points, add(data, 512), 64)
            mstore(add(points, 64), first)
            codecopy(add(points, 96), add(data, 576), 64)
            mstore(add(points, 160), second)
            // X = point 0 + first * point 1 + second * point 2
            let product := add(points, 192)
            let done := staticcall(gas(), 0x07, points, 96, product, 64)
            done := and(done, staticcall(gas(), 0x07, add(points, 96), 96, add(points, 256), 64))
            done := and(done, staticcall(gas(), 0x06, product, 128, product, 64))
            mcopy(add(product, 64), x, 64)
            done := and(done, staticcall(gas(), 0x06, product, 128, x, 64))
            done := and(done, staticcall(gas(), 0x08, p, 768, p, 32))
            valid := and(done, eq(mload(p), 1))
        }
    }

    /// @dev The word `index` of what follows the code.
    function _word(uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            codecopy(0, add(sub(codesize(), DATA_BYTES), mul(32, index)), 32)
            word := mload(0)
        }
    }
}
