// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Blob, Blobs } from "../libraries/Blobs.sol";

/// @dev Which bytes of a word are wanted: every `step`-th, `count` of them, the first one included.
struct Comb {
    uint256 step;
    uint256 count;
    uint256 mask;
}

/// @title Sum and maximum of every `step`-th int8 element
/// @notice Works on all elements of a 32-byte word at once. With 128 added (the exclusive or) bytes are unsigned, and what
/// is masked out is 0, which adds nothing and is below all others.
library Spans {
    using Blobs for Blob;

    uint256 private constant FLIP = 0x8080808080808080808080808080808080808080808080808080808080808080;
    /// @dev The lower byte of each 16-bit lane, and the top bit.
    uint256 private constant LANES = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
    uint256 private constant TOPS = 0x8000800080008000800080008000800080008000800080008000800080008000;

    function combOf(uint256 step) internal pure returns (Comb memory comb) {
        comb.step = step;
        comb.count = step > 32 ? 1 : 32 / step;
        for (uint256 i = 0; i < comb.count; ++i) {
            comb.mask |= uint256(0xff) << (248 - 8 * step * i);
        }
    }

    /// @return total Σ a[i + k · step] for k < length
    function sum(Blob memory a, uint256 i, Comb memory comb, uint256 length) internal pure returns (int256 total) {
        // a run lies in memory and adds less than 2^20
        unchecked {
            while (length > 0) {
                (uint256 pointer, uint256 run) = _run(a, i, comb.step, length);
                total += int256(_sum(pointer, comb, run)) - int256(128 * run);
                i += run * comb.step;
                length -= run;
            }
        }
    }

    /// @param best 0, or what another call returned
    /// @return raised `best`, and the largest a[i + k · step] for k < length: see `valueOf`
    function raise(uint256 best, Blob memory a, uint256 i, Comb memory comb, uint256 length)
        internal
        pure
        returns (uint256 raised)
    {
        raised = best;
        // as above
        unchecked {
            while (length > 0) {
                (uint256 pointer, uint256 run) = _run(a, i, comb.step, length);
                raised = _raise(raised, pointer, comb, run);
                i += run * comb.step;
                length -= run;
            }
        }
    }

    /// @return the largest element that `raise` met, -128 if it met none
    function valueOf(uint256 best) internal pure returns (int256) {
        uint256 found = 0;
        for (uint256 rest = best; rest != 0; rest >>= 16) {
            if (rest & 0xff > found) found = rest & 0xff;
        }
        return int256(found) - 128;
    }

    /// @dev How many of the elements from `i` on lie in one chunk, and where.
    function _run(Blob memory a, uint256 i, uint256 step, uint256 length)
        private
        pure
        returns (uint256 pointer, uint256 run)
    {
        (pointer, run) = a.locate(i);
        run = (run - 1) / step + 1;
        if (length < run) run = length;
    }

    /// @dev Two bytes of each word are added to each 16-bit lane. Bound: words are more than 16 bytes apart, so a chunk has
    /// at most 64, and a lane at most 64 · 510 < 2^16; the sum over all lanes is below 2^20.
    function _sum(uint256 pointer, Comb memory comb, uint256 length) private pure returns (uint256 total) {
        assembly ("memory-safe") {
            let flip := FLIP
            let lanes := LANES
            let mask := mload(add(comb, 0x40))
            let count := mload(add(comb, 0x20))
            let stride := mul(mload(comb), count)
            for { } length { } {
                if lt(length, count) {
                    mask := and(mask, not(shr(shl(3, mul(length, mload(comb))), not(0))))
                    count := length
                }
                let word := and(xor(mload(pointer), flip), mask)
                total := add(total, add(and(word, lanes), and(shr(8, word), lanes)))
                pointer := add(pointer, stride)
                length := sub(length, count)
            }
            let pairs := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
            total := add(and(total, pairs), and(shr(16, total), pairs))
            total := shr(224, mul(total, 0x0000000100000001000000010000000100000001000000010000000100000001))
        }
    }

    /// @dev `best` has a maximum in each 16-bit lane. Of two lanes a and b below 2^8, a + 2^15 - b has the top bit if a is
    /// not below b; that bit makes the mask that chooses.
    function _raise(uint256 best, uint256 pointer, Comb memory comb, uint256 length)
        private
        pure
        returns (uint256 raised)
    {
        assembly ("memory-safe") {
            function larger(a, b, high) -> c {
                let keep := and(sub(or(a, high), b), high)
                keep := sub(shr(7, keep), shr(15, keep))
                c := xor(b, and(xor(a, b), keep))
            }
            let flip := FLIP
            let lanes := LANES
            let mask := mload(add(comb, 0x40))
            let count := mload(add(comb, 0x20))
            let stride := mul(mload(comb), count)
            let tops := TOPS
            raised := best
            for { } length { } {
                if lt(length, count) {
                    mask := and(mask, not(shr(shl(3, mul(length, mload(comb))), not(0))))
                    count := length
                }
                let word := and(xor(mload(pointer), flip), mask)
                raised := larger(larger(raised, and(word, lanes), tops), and(shr(8, word), lanes), tops)
                pointer := add(pointer, stride)
                length := sub(length, count)
            }
        }
    }
}
