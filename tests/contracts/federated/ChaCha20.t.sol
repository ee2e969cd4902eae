// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ChaCha20 } from "../../../contracts/federated/ChaCha20.sol";
import { vm } from "../support/Vm.sol";
import { CHACHA20_WORDS } from "./ChaCha20Vectors.sol";

/// @dev The contract's stream against RFC 8439, the library that masks are made with, and the RFC's text in plain Solidity.
contract ChaCha20Test {
    /// @dev Appendix A.1, test vectors 1, 2 and 4: those with nonce 0 and little to type.
    function test_vectors_of_rfc_8439() public pure {
        uint32[16] memory zero = [
            uint32(0xade0b876),
            0x903df1a0,
            0xe56a5d40,
            0x28bd8653,
            0xb819d2bd,
            0x1aed8da0,
            0xccef36a8,
            0xc70d778b,
            0x7c5941da,
            0x8d485751,
            0x3fe02477,
            0x374ad8b8,
            0xf4b8436a,
            0x1ca11815,
            0x69b687c3,
            0x8665eeb2
        ];
        for (uint32 i = 0; i < 16; ++i) {
            vm.assertEq(uint256(ChaCha20.word(0, i)), zero[i], "vector 1");
        }
        vm.assertEq(uint256(ChaCha20.word(0, 16)), 0xbee7079f, "vector 2, first");
        vm.assertEq(uint256(ChaCha20.word(0, 31)), 0x6f4d794b, "vector 2, last");
        bytes32 key = 0x00ff000000000000000000000000000000000000000000000000000000000000;
        vm.assertEq(uint256(ChaCha20.word(key, 32)), 0xfb4dd572, "vector 4, first");
        vm.assertEq(uint256(ChaCha20.word(key, 47)), 0x96f0992e, "vector 4, last");
    }

    function test_words_of_the_library() public pure {
        bytes memory words = CHACHA20_WORDS;
        for (uint256 k = 0; k < words.length / 4; ++k) {
            bytes32 key = keccak256(abi.encode(k));
            uint32 coordinate = uint32(uint256(keccak256(abi.encode(key)))) >> uint32(k % 29);
            uint256 expected = 0;
            for (uint256 i = 0; i < 4; ++i) {
                expected = expected << 8 | uint8(words[4 * k + i]);
            }
            vm.assertEq(uint256(ChaCha20.word(key, coordinate)), expected, "word");
        }
    }

    /// forge-config: default.fuzz.runs = 100
    function testFuzz_plain(bytes32 key, uint32 coordinate) public pure {
        vm.assertEq(uint256(ChaCha20.word(key, coordinate)), _plain(key, coordinate), "word");
    }

    function test_gas() public view {
        uint256 before = gasleft();
        ChaCha20.word(keccak256("key"), 12_345_678);
        uint256 used = before - gasleft();
        vm.assertLe(used, 7_000, "gas of a word");
    }

    /// @dev RFC 8439, section 2.3, word for word.
    function _plain(bytes32 key, uint32 coordinate) private pure returns (uint32) {
        uint32[16] memory start;
        (start[0], start[1], start[2], start[3]) = (0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);
        for (uint256 i = 0; i < 32; ++i) {
            start[4 + i / 4] |= uint32(uint8(key[i])) << uint32(8 * (i % 4));
        }
        start[12] = coordinate / 16;
        uint32[16] memory state;
        for (uint256 i = 0; i < 16; ++i) {
            state[i] = start[i];
        }
        for (uint256 i = 0; i < 10; ++i) {
            for (uint256 column = 0; column < 4; ++column) {
                _quarter(state, column, 4 + column, 8 + column, 12 + column);
            }
            for (uint256 column = 0; column < 4; ++column) {
                _quarter(state, column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4);
            }
        }
        unchecked {
            return state[coordinate % 16] + start[coordinate % 16];
        }
    }

    function _quarter(uint32[16] memory s, uint256 a, uint256 b, uint256 c, uint256 d) private pure {
        unchecked {
            s[a] += s[b];
            s[d] = _left(s[d] ^ s[a], 16);
            s[c] += s[d];
            s[b] = _left(s[b] ^ s[c], 12);
            s[a] += s[b];
            s[d] = _left(s[d] ^ s[a], 8);
            s[c] += s[d];
            s[b] = _left(s[b] ^ s[c], 7);
        }
    }

    function _left(uint32 x, uint32 by) private pure returns (uint32) {
        return x << by | x >> (32 - by);
    }
}
