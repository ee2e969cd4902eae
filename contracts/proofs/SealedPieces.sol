// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ChaCha20 } from "../federated/ChaCha20.sol";
import { Poseidon2 } from "./Poseidon2.sol";
import { POSEIDON2_CONSTANTS } from "./Poseidon2Constants.sol";

/// @title A message of the sponge, sealed piece by piece so that one piece shows a fault (docs/private-orders.md, Pieces)
/// @notice A piece is 28 words of 32 bytes: 24 elements, which take 8 permutations, and the state after the last of them.
/// Words count modulo the field's order, those past the message as 0. Each piece is encrypted with ChaCha20 under the file's key, counter from 0, its
/// number in the file as nonce. Twin of `offchain/proofs/pieces.py`.
library SealedPieces {
    /// @dev kind of the leaf over a sealed piece
    uint256 internal constant LEAF = 11;
    uint256 internal constant BYTES = 896;
    uint256 internal constant ELEMENTS = 24;
    uint256 private constant RATE = 3;
    uint256 private constant WORDS = 28;

    error WrongPieceLength(uint256 expected, uint256 actual);

    /// @notice How many pieces a message of so many elements has; at least 1.
    function count(uint256 elements) internal pure returns (uint256) {
        return elements == 0 ? 1 : (elements + ELEMENTS - 1) / ELEMENTS;
    }

    /// @notice The leaf over a sealed piece, which must be whole.
    function leafOf(bytes calldata piece) internal pure returns (bytes32) {
        _requireWhole(piece);
        return keccak256(abi.encodePacked(LEAF, piece));
    }

    /// @notice The words of a sealed piece.
    /// @param number the piece's place in its file
    function open(bytes32 key, uint256 number, bytes calldata piece) internal pure returns (uint256[] memory words) {
        _requireWhole(piece);
        words = new uint256[](WORDS);
        _decrypt(key, number, piece, 0, words);
    }

    /// @notice Whether a piece follows from the one before it.
    /// @param domain of the message, with its number of `elements`: the state that the first piece begins with
    /// @param index the piece's place in its message
    /// @param previous the sealed piece before it, number - 1 in the file; nobody reads that of a first piece
    /// @param words of the piece
    function follows(
        bytes32 key,
        uint256 domain,
        uint256 elements,
        uint256 index,
        uint256 number,
        bytes calldata previous,
        uint256[] memory words
    ) internal pure returns (bool) {
        uint256[4] memory state = [uint256(0), 0, 0, domain << 64 | elements];
        if (index != 0) state = _stateAfter(key, number - 1, previous);
        _absorb(state, words, _least(elements - index * ELEMENTS, ELEMENTS));
        for (uint256 i = 0; i < 4; ++i) {
            if (state[i] != words[ELEMENTS + i] % Poseidon2.ORDER) return false;
        }
        return true;
    }

    /// @dev Adds three words at a time to the state and permutes, at least once. Words past the message are 0, whatever was
    /// sent: another padding leads to a hash that nobody can prove anything about.
    function _absorb(uint256[4] memory state, uint256[] memory words, uint256 own) private pure {
        bytes memory constants = POSEIDON2_CONSTANTS;
        uint256 r = Poseidon2.ORDER;
        (uint256 a, uint256 b, uint256 c, uint256 d) = (state[0], state[1], state[2], state[3]);
        for (uint256 i = 0; i == 0 || i < own; i += RATE) {
            if (i < own) a = addmod(a, words[i], r);
            if (i + 1 < own) b = addmod(b, words[i + 1], r);
            if (i + 2 < own) c = addmod(c, words[i + 2], r);
            (a, b, c, d) = Poseidon2.permuteWith(constants, a, b, c, d);
        }
        (state[0], state[1], state[2], state[3]) = (a, b, c, d);
    }

    /// @dev The last four words of a sealed piece are in its last two blocks.
    function _stateAfter(bytes32 key, uint256 number, bytes calldata piece)
        private
        pure
        returns (uint256[4] memory state)
    {
        _requireWhole(piece);
        uint256[] memory words = new uint256[](WORDS);
        _decrypt(key, number, piece, ELEMENTS / 2, words);
        for (uint256 i = 0; i < 4; ++i) {
            state[i] = words[ELEMENTS + i];
        }
    }

    /// @dev The words from block `first` on.
    function _decrypt(bytes32 key, uint256 number, bytes calldata piece, uint256 first, uint256[] memory words)
        private
        pure
    {
        for (uint256 i = first; i < WORDS / 2; ++i) {
            // both are bounded: a file has fewer than 2^32 pieces, a piece 14 blocks
            // forge-lint: disable-next-line(unsafe-typecast)
            (bytes32 low, bytes32 high) = ChaCha20.blockAt(key, uint32(i), uint32(number));
            words[2 * i] = uint256(low ^ bytes32(piece[64 * i:64 * i + 32]));
            words[2 * i + 1] = uint256(high ^ bytes32(piece[64 * i + 32:64 * i + 64]));
        }
    }

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    function _requireWhole(bytes calldata piece) private pure {
        if (piece.length != BYTES) revert WrongPieceLength(BYTES, piece.length);
    }
}
