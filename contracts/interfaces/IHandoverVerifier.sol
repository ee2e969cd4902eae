// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev A piece of a message within a sealed file, and what its claim rests on (docs/private-orders.md, Pieces).
struct PieceClaim {
    /// the file's data key
    bytes32 key;
    /// of the sponge: 1 a model, 2 a chunk of test samples
    uint256 domain;
    /// of the message
    uint256 elements;
    /// the piece's place in its message, and in its file
    uint256 index;
    uint256 number;
    /// what the last piece's state must have as first word
    uint256 digest;
}

/// @dev Where the scaled multipliers of one node with units lie among the model's elements.
struct NodeLayout {
    /// the first element that holds any
    uint32 first;
    uint32 units;
}

/// @dev Whose scaled multiplier is said to be none that a network has.
struct UnitPlace {
    uint256 node;
    uint256 unit;
}

/// @title What private orders are decided by: arithmetic on what somebody has opened. Has no state and no owner
/// @notice Each function says whether a fault is there. A lie about it needs no answer: the function computes.
interface IHandoverVerifier {
    error IndexOutOfRange(uint256 expected, uint256 actual);

    /// @notice The X25519 public key of a private one (RFC 7748, bytes in its order).
    function publicKeyOf(bytes32 privateKey) external view returns (bytes32);

    /// @notice What somebody with the private key finds in a sealed data key: the first 32 bytes that ChaCha20-Poly1305
    /// encrypted with nonce 0 under HKDF-SHA256(shared secret, no salt, info = `context`). The tag does not count.
    /// @return key the data key
    /// @return usable false when the other's public key makes the shared secret zero, which anyone knows
    function unseal(bytes32 privateKey, bytes32 otherPublicKey, bytes32 context, bytes32 sealedKey)
        external
        view
        returns (bytes32 key, bool usable);

    /// @notice Whether the piece does not follow from the one before it, or is the last and does not end in the digest.
    /// @param previous the sealed piece before; empty before a message's first
    function breaksMessage(PieceClaim calldata claim, bytes calldata previous, bytes calldata piece)
        external
        pure
        returns (bool);

    /// @notice Whether an element of the piece, which is of a chunk of `samples` samples of `sampleSize` numbers, is
    /// larger than what is packed into it can be.
    function overfillsChunk(PieceClaim calldata claim, uint256 samples, uint256 sampleSize, bytes calldata piece)
        external
        pure
        returns (bool);

    /// @notice Whether the scaled multiplier is none that an integer network has (docs/integer-networks.md): no
    /// m * 2^(S - s) with 0 < m < 2^22 and 1 <= s <= S. All other ranges are in what was proven.
    /// @param shift S, of the circuit
    /// @param claim `index` and `number` are of the piece with the multiplier
    function breaksMultiplier(
        PieceClaim calldata claim,
        uint256 shift,
        NodeLayout[] calldata layout,
        UnitPlace calldata place,
        bytes calldata piece
    ) external pure returns (bool);

    /// @notice Elements of the message that a chunk is: each sample by itself, 31 numbers to an element, then 15 labels.
    function chunkElements(uint256 samples, uint256 sampleSize) external pure returns (uint256);
}
