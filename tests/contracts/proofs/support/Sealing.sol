// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { PieceOpening } from "../../../../contracts/interfaces/IPrivateOrders.sol";
import { ChaCha20 } from "../../../../contracts/federated/ChaCha20.sol";
import { Poseidon2 } from "../../../../contracts/proofs/Poseidon2.sol";
import { SealedPieces } from "../../../../contracts/proofs/SealedPieces.sol";

/// @dev What an honest provider, or client, does off chain: seals messages and opens pieces.
library Sealing {
    struct File {
        bytes32 key;
        bytes[] pieces;
        uint256 digest;
    }

    /// @return file the pieces of a message, numbered from `first` on
    function seal(bytes32 key, uint256 domain, uint256[] memory elements, uint256 first)
        internal
        pure
        returns (File memory file)
    {
        uint256 count = SealedPieces.count(elements.length);
        file.key = key;
        file.pieces = new bytes[](count);
        uint256[4] memory state = [uint256(0), 0, 0, domain << 64 | elements.length];
        for (uint256 i = 0; i < count; ++i) {
            uint256[] memory words = new uint256[](28);
            for (uint256 j = 0; j < 24 && 24 * i + j < elements.length; ++j) {
                words[j] = elements[24 * i + j];
            }
            uint256 left = elements.length - 24 * i;
            state = _after(state, words, left < 24 ? (left + 2) / 3 : 8);
            for (uint256 j = 0; j < 4; ++j) {
                words[24 + j] = state[j];
            }
            file.pieces[i] = encrypt(key, first + i, abi.encodePacked(words));
        }
        file.digest = state[0];
    }

    /// @dev its own inverse
    function encrypt(bytes32 key, uint256 number, bytes memory plain) internal pure returns (bytes memory out) {
        out = plain;
        for (uint256 i = 0; i < 14; ++i) {
            (bytes32 low, bytes32 high) = ChaCha20.blockAt(key, uint32(i), uint32(number));
            assembly ("memory-safe") {
                let at := add(add(out, 32), mul(i, 64))
                mstore(at, xor(mload(at), low))
                mstore(add(at, 32), xor(mload(add(at, 32)), high))
            }
        }
    }

    function join(bytes[] memory a, bytes[] memory b) internal pure returns (bytes[] memory all) {
        all = new bytes[](a.length + b.length);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = i < a.length ? a[i] : b[i - a.length];
        }
    }

    function rootOf(bytes[] memory pieces) internal pure returns (bytes32) {
        bytes32[] memory path = new bytes32[](0);
        (bytes32 root,) = _climb(leaves(pieces), 0, path);
        return root;
    }

    function opening(bytes[] memory pieces, uint256 index) internal pure returns (PieceOpening memory) {
        (, bytes32[] memory path) = _climb(leaves(pieces), index, new bytes32[](32));
        return PieceOpening(pieces[index], path);
    }

    function pathOf(bytes32[] memory level, uint256 index) internal pure returns (bytes32[] memory path) {
        (, path) = _climb(level, index, new bytes32[](32));
    }

    function leaves(bytes[] memory pieces) internal pure returns (bytes32[] memory level) {
        level = new bytes32[](pieces.length);
        for (uint256 i = 0; i < pieces.length; ++i) {
            level[i] = keccak256(abi.encodePacked(uint256(11), pieces[i]));
        }
    }

    /// @dev with room in `path` it notes the siblings
    function _climb(bytes32[] memory level, uint256 place, bytes32[] memory path)
        private
        pure
        returns (bytes32, bytes32[] memory)
    {
        uint256 used = 0;
        for (uint256 width = level.length; width > 1; width = (width + 1) / 2) {
            if (place ^ 1 < width && path.length != 0) path[used++] = level[place ^ 1];
            for (uint256 i = 0; i < width / 2; ++i) {
                level[i] = keccak256(abi.encode(level[2 * i], level[2 * i + 1]));
            }
            if (width % 2 == 1) level[width / 2] = level[width - 1];
            place /= 2;
        }
        if (path.length != 0) {
            assembly ("memory-safe") {
                mstore(path, used)
            }
        }
        return (level[0], path);
    }

    function _after(uint256[4] memory s, uint256[] memory words, uint256 steps)
        private
        pure
        returns (uint256[4] memory)
    {
        uint256 r = Poseidon2.ORDER;
        for (uint256 i = 0; i < 3 * steps; i += 3) {
            (s[0], s[1], s[2], s[3]) = Poseidon2.permute(
                addmod(s[0], words[i], r), addmod(s[1], words[i + 1], r), addmod(s[2], words[i + 2], r), s[3]
            );
        }
        return s;
    }
}
