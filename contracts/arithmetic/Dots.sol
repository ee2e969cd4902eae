// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Blob, Blobs } from "../libraries/Blobs.sol";

/// @title Sums over int8 elements
/// @notice A run of elements is worked on where it lies in memory, up to the next end of a chunk.
library Dots {
    using Blobs for Blob;

    /// @return sum Σ a[i + k] · b[j + k] for k < length
    function dot(Blob memory a, uint256 i, Blob memory b, uint256 j, uint256 length)
        internal
        pure
        returns (int256 sum)
    {
        // a run lies in both blobs, so nothing overflows: there are fewer than 2^64 bytes of memory
        unchecked {
            while (length > 0) {
                (uint256 first, uint256 run) = a.locate(i);
                (uint256 second, uint256 left) = b.locate(j);
                if (left < run) run = left;
                if (length < run) run = length;
                sum += _dot(first, second, run);
                i += run;
                j += run;
                length -= run;
            }
        }
    }

    /// @return sum Σ a[i + k] · b[j + k · step] for k < length
    function dotEvery(Blob memory a, uint256 i, Blob memory b, uint256 j, uint256 step, uint256 length)
        internal
        pure
        returns (int256 sum)
    {
        if (step == 1) return dot(a, i, b, j, length);
        // as above; `j` may run past the end of `b` only behind the last element
        unchecked {
            while (length > 0) {
                (uint256 first, uint256 run) = a.locate(i);
                (uint256 second, uint256 left) = b.locate(j);
                left = (left - 1) / step + 1;
                if (left < run) run = left;
                if (length < run) run = length;
                sum += _dotEvery(first, second, step, run);
                i += run;
                j += run * step;
                length -= run;
            }
        }
    }

    /// @dev Eight products at a time. Let a and b be eight int8, and A = Σ a_i · 2^(32 i), B = Σ b_(7-i) · 2^(32 i) the
    /// numbers with these digits, least significant first; then the digit of A · B at 2^224 is Σ a_i · b_i, and the digits
    /// above it fall off at 2^256. A word of 32 elements is four such groups: the bytes at the same place of each of its
    /// eight 4-byte lanes. b's lanes are reversed first. Bytes become digits by adding 128 (the exclusive or), masking,
    /// and subtracting 128 again.
    ///
    /// Bound: `length` is at most 1,024, so 32 words of 4 products are added up. Each digit is a sum of at most
    /// 32 · 4 · 8 = 2^10 products of magnitude at most 2^14, below 2^31; so the digits below 2^224 add up to less than
    /// 2^223 in magnitude, and adding 2^223 makes the arithmetic shift round to the digit that is wanted.
    function _dot(uint256 a, uint256 b, uint256 length) private pure returns (int256 sum) {
        assembly ("memory-safe") {
            let lanes := 0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff
            let bias := 0x0000008000000080000000800000008000000080000000800000008000000080
            let flip := 0x8080808080808080808080808080808080808080808080808080808080808080
            let halves := 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff
            let quarters := 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff
            let tail := and(length, 31)
            let end := add(a, sub(length, tail))
            b := sub(b, a)
            for { } 1 { } {
                for { } lt(a, end) { a := add(a, 32) } {
                    let x := xor(mload(a), flip)
                    let y := xor(mload(add(a, b)), flip)
                    y := or(shl(128, y), shr(128, y))
                    y := or(shl(64, and(y, halves)), and(shr(64, y), halves))
                    y := or(shl(32, and(y, quarters)), and(shr(32, y), quarters))
                    sum := add(
                        add(
                            add(
                                add(sum, mul(sub(and(x, lanes), bias), sub(and(y, lanes), bias))),
                                mul(sub(and(shr(8, x), lanes), bias), sub(and(shr(8, y), lanes), bias))
                            ),
                            mul(sub(and(shr(16, x), lanes), bias), sub(and(shr(16, y), lanes), bias))
                        ),
                        mul(sub(and(shr(24, x), lanes), bias), sub(and(shr(24, y), lanes), bias))
                    )
                }
                if iszero(tail) { break }
                // the last, partial word: once more around, from scratch space, with zeros behind a's elements
                mstore(0, and(mload(a), not(shr(shl(3, tail), not(0)))))
                mstore(32, mload(add(a, b)))
                a := 0
                b := 32
                end := 32
                tail := 0
            }
            sum := sar(224, add(sum, shl(223, 1)))
        }
    }

    /// @dev Bound: at most 1,024 products of magnitude at most 2^14.
    function _dotEvery(uint256 a, uint256 b, uint256 step, uint256 length) private pure returns (int256 sum) {
        assembly ("memory-safe") {
            for { let end := add(a, length) } lt(a, end) { a := add(a, 1) } {
                sum := add(sum, mul(sar(248, mload(a)), sar(248, mload(b))))
                b := add(b, step)
            }
        }
    }
}
