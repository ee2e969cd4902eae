// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Diffie-Hellman on Curve25519 (RFC 7748)
/// @notice Keys are 32 bytes in the RFC's order, least significant first. For keys that are public by then: nothing here
/// takes the same time for every key.
library X25519 {
    uint256 private constant P = 2 ** 255 - 19;

    error ModexpFailed();

    /// @notice The public key of a private one.
    function publicKey(bytes32 privateKey) internal view returns (bytes32) {
        return exchange(privateKey, bytes32(uint256(9) << 248));
    }

    /// @notice The secret that the holders of the two keys share; zero when the public one is a point of low order.
    /// @dev Section 5: the scalar is clamped, the coordinate's highest bit is masked and the rest reduced.
    function exchange(bytes32 privateKey, bytes32 otherPublicKey) internal view returns (bytes32) {
        uint256 scalar = _reversed(uint256(privateKey));
        scalar = (scalar & ((1 << 255) - 8)) | (1 << 254);
        (uint256 x, uint256 z) = _ladder(scalar, (_reversed(uint256(otherPublicKey)) & ((1 << 255) - 1)) % P);
        return bytes32(_reversed(mulmod(x, _inverse(z), P)));
    }

    /// @dev The Montgomery ladder of section 5, with branches for its conditional swaps. Differences are taken as
    /// `a + (P - b)`; a sum of two reduced numbers is below 2^256.
    /// @return x2 with z2: the product's coordinate is x2 / z2
    function _ladder(uint256 scalar, uint256 u) private pure returns (uint256 x2, uint256 z2) {
        assembly ("memory-safe") {
            let p := P
            let x3 := u
            let z3 := 1
            let swapped := 0
            x2 := 1
            z2 := 0
            for { let t := 255 } t { } {
                t := sub(t, 1)
                let bit := and(shr(t, scalar), 1)
                if xor(bit, swapped) {
                    let x := x2
                    x2 := x3
                    x3 := x
                    x := z2
                    z2 := z3
                    z3 := x
                }
                swapped := bit
                let a := add(x2, z2)
                let b := add(x2, sub(p, z2))
                let da := mulmod(add(x3, sub(p, z3)), a, p)
                let cb := mulmod(add(x3, z3), b, p)
                x3 := add(da, cb)
                x3 := mulmod(x3, x3, p)
                z3 := add(da, sub(p, cb))
                z3 := mulmod(u, mulmod(z3, z3, p), p)
                a := mulmod(a, a, p)
                b := mulmod(b, b, p)
                x2 := mulmod(a, b, p)
                b := addmod(a, sub(p, b), p)
                z2 := mulmod(b, addmod(a, mulmod(121665, b, p), p), p)
            }
            if swapped {
                x2 := x3
                z2 := z3
            }
        }
    }

    /// @dev z^(P - 2): the inverse of z, 0 of 0. By the precompile 0x05.
    function _inverse(uint256 z) private view returns (uint256 inverse) {
        // slither-disable-next-line low-level-calls
        (bool done, bytes memory result) = address(5).staticcall(abi.encode(32, 32, 32, z, P - 2, P));
        if (!done || result.length != 32) revert ModexpFailed();
        return abi.decode(result, (uint256));
    }

    /// @dev The bytes in the other order.
    function _reversed(uint256 x) private pure returns (uint256) {
        uint256 m = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
        x = ((x >> 8) & m) | ((x & m) << 8);
        m = 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
        x = ((x >> 16) & m) | ((x & m) << 16);
        m = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
        x = ((x >> 32) & m) | ((x & m) << 32);
        m = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
        x = ((x >> 64) & m) | ((x & m) << 64);
        return (x >> 128) | (x << 128);
    }
}
