// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    POSEIDON2_CONSTANTS,
    POSEIDON2_DIAGONAL_0,
    POSEIDON2_DIAGONAL_1,
    POSEIDON2_DIAGONAL_2,
    POSEIDON2_DIAGONAL_3
} from "./Poseidon2Constants.sol";

/// @title The permutation that every hash in a proof is made of (docs/proofs.md, Field, hash)
/// @notice Poseidon2 of width 4 over BN254's scalar field (Grassi, Khovratovich, Schofnegger 2023): x^5, 8 full and 56
/// partial rounds. Twin of `offchain/proofs/poseidon2.py`.
library Poseidon2 {
    uint256 internal constant ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

    /// @param a with b, c and d: any four words; they count modulo the field's order
    function permute(uint256 a, uint256 b, uint256 c, uint256 d)
        internal
        pure
        returns (uint256, uint256, uint256, uint256)
    {
        return permuteWith(POSEIDON2_CONSTANTS, a, b, c, d);
    }

    /// @notice The same for who does it often, and loads `POSEIDON2_CONSTANTS` once.
    /// @dev Five reduced numbers fit a word, so sums are reduced by the multiplication or addition that follows.
    function permuteWith(bytes memory constants, uint256 a, uint256 b, uint256 c, uint256 d)
        internal
        pure
        returns (uint256, uint256, uint256, uint256)
    {
        assembly ("memory-safe") {
            function fifth(x, r) -> y {
                y := mulmod(x, x, r)
                y := mulmod(mulmod(y, y, r), x, r)
            }
            // the external matrix ((5 7 1 3) (4 6 1 1) (1 3 5 7) (1 1 4 6)), of reduced numbers
            function mix(a_, b_, c_, d_, r) -> w, x, y, z {
                let first := add(a_, b_)
                let second := add(c_, d_)
                let third := add(shl(1, b_), second)
                let fourth := add(shl(1, d_), first)
                x := addmod(mulmod(4, first, r), third, r)
                z := addmod(mulmod(4, second, r), fourth, r)
                w := addmod(fourth, x, r)
                y := addmod(third, z, r)
            }
            function full(at, end, a_, b_, c_, d_) -> w, x, y, z {
                w := a_
                x := b_
                y := c_
                z := d_
                for { } lt(at, end) { at := add(at, 128) } {
                    w := fifth(add(w, mload(at)), ORDER)
                    x := fifth(add(x, mload(add(at, 32))), ORDER)
                    y := fifth(add(y, mload(add(at, 64))), ORDER)
                    z := fifth(add(z, mload(add(at, 96))), ORDER)
                    w, x, y, z := mix(w, x, y, z, ORDER)
                }
            }
            function partly(at, end, a_, b_, c_, d_) -> w, x, y, z {
                w := a_
                x := b_
                y := c_
                z := d_
                for { } lt(at, end) { at := add(at, 32) } {
                    w := fifth(add(w, mload(at)), ORDER)
                    let sum := add(add(w, x), add(y, z))
                    w := addmod(mulmod(w, POSEIDON2_DIAGONAL_0, ORDER), sum, ORDER)
                    x := addmod(mulmod(x, POSEIDON2_DIAGONAL_1, ORDER), sum, ORDER)
                    y := addmod(mulmod(y, POSEIDON2_DIAGONAL_2, ORDER), sum, ORDER)
                    z := addmod(mulmod(z, POSEIDON2_DIAGONAL_3, ORDER), sum, ORDER)
                }
            }
            let at := add(constants, 32)
            a, b, c, d := mix(mod(a, ORDER), mod(b, ORDER), mod(c, ORDER), mod(d, ORDER), ORDER)
            a, b, c, d := full(at, add(at, 512), a, b, c, d)
            a, b, c, d := partly(add(at, 512), add(at, 2304), a, b, c, d)
            a, b, c, d := full(add(at, 2304), add(at, 2816), a, b, c, d)
        }
        return (a, b, c, d);
    }
}
