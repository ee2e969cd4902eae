// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IHandoverVerifier, NodeLayout, PieceClaim, UnitPlace } from "../interfaces/IHandoverVerifier.sol";
import { ChaCha20 } from "../federated/ChaCha20.sol";
import { Poseidon2 } from "./Poseidon2.sol";
import { SealedPieces } from "./SealedPieces.sol";
import { X25519 } from "./X25519.sol";

/// @title HandoverVerifier
contract HandoverVerifier is IHandoverVerifier {
    uint256 private constant PACKED_BITS = 248;
    uint256 private constant SAMPLE_BITS = 8;
    uint256 private constant LABEL_BITS = 16;
    uint256 private constant MULTIPLIER_BITS = 22;

    /// @inheritdoc IHandoverVerifier
    function publicKeyOf(bytes32 privateKey) external view returns (bytes32) {
        return X25519.publicKey(privateKey);
    }

    /// @inheritdoc IHandoverVerifier
    function unseal(bytes32 privateKey, bytes32 otherPublicKey, bytes32 context, bytes32 sealedKey)
        external
        view
        returns (bytes32 key, bool usable)
    {
        bytes32 secret = X25519.exchange(privateKey, otherPublicKey);
        bytes32 sealing = _hkdf(secret, context);
        // the AEAD of RFC 8439, section 2.8, encrypts from block 1 on
        // slither-disable-next-line unused-return
        (bytes32 stream,) = ChaCha20.blockAt(sealing, 1, 0);
        return (stream ^ sealedKey, secret != 0);
    }

    /// @inheritdoc IHandoverVerifier
    function breaksMessage(PieceClaim calldata claim, bytes calldata previous, bytes calldata piece)
        external
        pure
        returns (bool)
    {
        uint256 last = SealedPieces.count(claim.elements) - 1;
        if (claim.index > last) revert IndexOutOfRange(last, claim.index);
        uint256[] memory words = SealedPieces.open(claim.key, claim.number, piece);
        if (claim.index == last && words[SealedPieces.ELEMENTS] % Poseidon2.ORDER != claim.digest) return true;
        return
            !SealedPieces.follows(claim.key, claim.domain, claim.elements, claim.index, claim.number, previous, words);
    }

    /// @inheritdoc IHandoverVerifier
    function overfillsChunk(PieceClaim calldata claim, uint256 samples, uint256 sampleSize, bytes calldata piece)
        external
        pure
        returns (bool)
    {
        uint256 elements = chunkElements(samples, sampleSize);
        uint256[] memory words = SealedPieces.open(claim.key, claim.number, piece);
        uint256 first = claim.index * SealedPieces.ELEMENTS;
        for (uint256 i = 0; i < SealedPieces.ELEMENTS && first + i < elements; ++i) {
            uint256 bits = _bitsAt(first + i, samples, sampleSize);
            if ((words[i] % Poseidon2.ORDER) >> bits != 0) return true;
        }
        return false;
    }

    /// @inheritdoc IHandoverVerifier
    function breaksMultiplier(
        PieceClaim calldata claim,
        uint256 shift,
        NodeLayout[] calldata layout,
        UnitPlace calldata place,
        bytes calldata piece
    ) external pure returns (bool) {
        uint256 bits = MULTIPLIER_BITS + shift;
        (uint256 element, uint256 below) = _placeOf(layout, place, PACKED_BITS / bits);
        uint256 index = element / SealedPieces.ELEMENTS;
        if (claim.index != index) revert IndexOutOfRange(index, claim.index);
        uint256 packed = SealedPieces.open(claim.key, claim.number, piece)[element % SealedPieces.ELEMENTS];
        return _isNoMultiplier((packed % Poseidon2.ORDER) >> (bits * below) & ((1 << bits) - 1), shift);
    }

    /// @inheritdoc IHandoverVerifier
    function chunkElements(uint256 samples, uint256 sampleSize) public pure returns (uint256) {
        uint256 labels = _groups(samples, PACKED_BITS / LABEL_BITS);
        return samples * _groups(sampleSize, PACKED_BITS / SAMPLE_BITS) + labels;
    }

    /// @dev HKDF of RFC 5869 with SHA-256, no salt, 32 bytes.
    function _hkdf(bytes32 secret, bytes32 info) private pure returns (bytes32) {
        return _hmac(_hmac(0, abi.encodePacked(secret)), abi.encodePacked(info, uint8(1)));
    }

    /// @dev HMAC-SHA256 (RFC 2104) with a key of 32 bytes: a block has 64, the other 32 are 0.
    function _hmac(bytes32 key, bytes memory message) private pure returns (bytes32) {
        bytes32 inner = 0x3636363636363636363636363636363636363636363636363636363636363636;
        bytes32 outer = 0x5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c;
        bytes32 digest = sha256(abi.encodePacked(key ^ inner, inner, message));
        return sha256(abi.encodePacked(key ^ outer, outer, digest));
    }

    // whole elements are meant
    // slither-disable-start divide-before-multiply
    /// @dev How many bits are packed into an element of a chunk.
    function _bitsAt(uint256 element, uint256 samples, uint256 sampleSize) private pure returns (uint256) {
        uint256 perElement = PACKED_BITS / SAMPLE_BITS;
        uint256 perSample = _groups(sampleSize, perElement);
        if (element < samples * perSample) {
            return SAMPLE_BITS * _least(perElement, sampleSize - element % perSample * perElement);
        }
        perElement = PACKED_BITS / LABEL_BITS;
        return LABEL_BITS * _least(perElement, samples - (element - samples * perSample) * perElement);
    }

    // slither-disable-end divide-before-multiply

    /// @return element that holds the multiplier
    /// @return below how many come after it there: the first is the most significant
    function _placeOf(NodeLayout[] calldata layout, UnitPlace calldata place, uint256 perElement)
        private
        pure
        returns (uint256 element, uint256 below)
    {
        if (place.node >= layout.length) revert IndexOutOfRange(layout.length, place.node);
        NodeLayout calldata node = layout[place.node];
        if (place.unit >= node.units) revert IndexOutOfRange(node.units, place.unit);
        uint256 before = place.unit - place.unit % perElement;
        element = node.first + before / perElement;
        below = _least(perElement, node.units - before) - 1 - (place.unit - before);
    }

    /// @dev M = m * 2^(S - s): as many factors of two as s >= 1 allows are taken out, then m must be below 2^22.
    function _isNoMultiplier(uint256 scaled, uint256 shift) private pure returns (bool) {
        uint256 twos = 0;
        while (twos + 1 < shift && scaled != 0 && scaled >> twos & 1 == 0) ++twos;
        uint256 multiplier = scaled >> twos;
        return multiplier == 0 || multiplier >> MULTIPLIER_BITS != 0;
    }

    function _groups(uint256 values, uint256 each) private pure returns (uint256) {
        return (values + each - 1) / each;
    }

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
