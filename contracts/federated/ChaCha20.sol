// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title ChaCha20 (RFC 8439): one word of the stream of a seed, or a block
/// @notice A seed's stream has the seed as key and nonce 0. The block with counter c holds the uint32 words of
/// coordinates 16c to 16c + 15, so what masks a coordinate costs one block. Twin of
/// `offchain/federated/secure/masking.py`.
/// @dev A row of the state is a word of four 64-bit lanes, column 0 in the highest, each number in its lane's lower half:
/// a quarter round runs on all columns at once. Sums are not cut: a number grows by at most a bit in each of 40 additions
/// to one below 2^32, so it stays below 2^38. Only what is rotated is cut, before and after it. For the diagonals the rows
/// b, c and d move by 1, 2 and 3 lanes.
library ChaCha20 {
    /// @dev "expand 32-byte k" in four little-endian numbers.
    uint256 private constant CONSTANTS = 0x00000000_61707865_00000000_3320646e_00000000_79622d32_00000000_6b206574;
    uint256 private constant LANES = 0x00000000_ffffffff_00000000_ffffffff_00000000_ffffffff_00000000_ffffffff;

    /// @return value the number that stands for `coordinate` in the stream of `key`
    function word(bytes32 key, uint32 coordinate) internal pure returns (uint32 value) {
        (uint256 first, uint256 second) = _rows(key);
        uint256 counter = uint256(coordinate >> 4) << 192;
        (uint256 a, uint256 b, uint256 c, uint256 d) = _rounds(first, second, counter);
        // nothing overflows: a lane holds less than 2^39
        unchecked {
            uint256 row = (coordinate >> 2) & 3;
            if (row == 0) a += CONSTANTS;
            else if (row == 1) a = b + first;
            else if (row == 2) a = c + second;
            else a = d + counter;
            return uint32(a >> (192 - 64 * (coordinate & 3)));
        }
    }

    /// @notice The 64 bytes of a block, in their order.
    /// @param nonce the first of the nonce's three little-endian numbers; the others are 0
    function blockAt(bytes32 key, uint32 counter, uint32 nonce) internal pure returns (bytes32 low, bytes32 high) {
        (uint256 first, uint256 second) = _rows(key);
        uint256 last = uint256(counter) << 192 | uint256(nonce) << 128;
        (uint256 a, uint256 b, uint256 c, uint256 d) = _rounds(first, second, last);
        // nothing overflows: a lane holds less than 2^39
        unchecked {
            low = bytes32(_gathered(a + CONSTANTS) << 128 | _gathered(b + first));
            high = bytes32(_gathered(c + second) << 128 | _gathered(d + last));
        }
    }

    /// @dev The key's eight little-endian numbers in lanes.
    function _rows(bytes32 key) private pure returns (uint256 first, uint256 second) {
        uint256 bytes1of2 = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
        uint256 bytes2of4 = 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
        uint256 k = uint256(key);
        k = ((k >> 8) & bytes1of2) | ((k & bytes1of2) << 8);
        k = ((k >> 16) & bytes2of4) | ((k & bytes2of4) << 16);
        return (_spread(k >> 128), _spread(k & type(uint128).max));
    }

    /// @dev Four numbers in 128 bits to one in each lane.
    function _spread(uint256 x) private pure returns (uint256) {
        x = (x | (x << 64)) & 0x0000000000000000_ffffffffffffffff_0000000000000000_ffffffffffffffff;
        return (x | (x << 32)) & LANES;
    }

    /// @dev A row's four numbers, cut and in little-endian bytes, in 128 bits: `_spread` and what comes before it backwards.
    function _gathered(uint256 row) private pure returns (uint256) {
        uint256 x = row & LANES;
        x = (x | (x >> 32)) & 0x0000000000000000_ffffffffffffffff_0000000000000000_ffffffffffffffff;
        x = (x | (x >> 64)) & type(uint128).max;
        x = ((x >> 8) & 0x00ff00ff00ff00ff00ff00ff00ff00ff) | ((x & 0x00ff00ff00ff00ff00ff00ff00ff00ff) << 8);
        return ((x >> 16) & 0x0000ffff0000ffff0000ffff0000ffff) | ((x & 0x0000ffff0000ffff0000ffff0000ffff) << 16);
    }

    /// @dev 20 rounds; the rows as they began are not added.
    function _rounds(uint256 first, uint256 second, uint256 counter)
        private
        pure
        returns (uint256 a, uint256 b, uint256 c, uint256 d)
    {
        // slither-disable-start incorrect-shift
        assembly ("memory-safe") {
            // on the stack: the optimiser would build it anew at every use
            let lanes := LANES
            // a number times this stands in its lane twice; shifted down by 32 - n and cut it is rotated up by n
            let twice := 0x100000001
            a := CONSTANTS
            b := first
            c := second
            d := counter
            for { let i := 10 } i { i := sub(i, 1) } {
                // columns
                a := add(a, b)
                d := and(xor(d, a), lanes)
                d := and(shr(16, mul(d, twice)), lanes)
                c := add(c, d)
                b := and(xor(b, c), lanes)
                b := and(shr(20, mul(b, twice)), lanes)
                a := add(a, b)
                d := and(xor(d, a), lanes)
                d := and(shr(24, mul(d, twice)), lanes)
                c := add(c, d)
                b := and(xor(b, c), lanes)
                b := and(shr(25, mul(b, twice)), lanes)
                // diagonals
                b := or(shl(64, b), shr(192, b))
                c := or(shl(128, c), shr(128, c))
                d := or(shl(192, d), shr(64, d))
                a := add(a, b)
                d := and(xor(d, a), lanes)
                d := and(shr(16, mul(d, twice)), lanes)
                c := add(c, d)
                b := and(xor(b, c), lanes)
                b := and(shr(20, mul(b, twice)), lanes)
                a := add(a, b)
                d := and(xor(d, a), lanes)
                d := and(shr(24, mul(d, twice)), lanes)
                c := add(c, d)
                b := and(xor(b, c), lanes)
                b := and(shr(25, mul(b, twice)), lanes)
                b := or(shl(192, b), shr(64, b))
                c := or(shl(128, c), shr(128, c))
                d := or(shl(64, d), shr(192, d))
            }
        }
        // slither-disable-end incorrect-shift
    }
}
