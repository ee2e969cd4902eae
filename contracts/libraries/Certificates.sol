// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Signatures of many members under one text
/// @notice In assembly, for a certificate has dozens of signatures and names up to a hundred members.
library Certificates {
    /// @dev Bytes of a signature (EIP-2098).
    uint256 internal constant SIGNATURE = 64;
    /// @dev Half the order of secp256k1; a larger s is the mirror of another signature.
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @dev What is accepted is what ECDSA.sol does. A signature that is none gives nobody, who is no member. Reads past
    /// the signatures are harmless (calldata is never short, only zero); the caller compares `used` with their length.
    /// @return seat the first whose signature is not its member's; above all signers when there is none
    /// @return used bytes of signatures before that
    /// @return actual whose signature it is
    function firstWrong(bytes32 digest, address[] calldata members_, uint128 signers, bytes calldata signatures)
        internal
        view
        returns (uint256 seat, uint256 used, address actual)
    {
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, digest)
            for { let bits := signers } bits { bits := shr(1, bits) } {
                if and(bits, 1) {
                    let at := add(signatures.offset, used)
                    let vs := calldataload(add(at, 32))
                    let s := shr(1, shl(1, vs))
                    mstore(add(input, 32), add(27, shr(255, vs)))
                    mstore(add(input, 64), calldataload(at))
                    mstore(add(input, 96), s)
                    mstore(0, 0)
                    if iszero(gt(s, HALF_ORDER)) { pop(staticcall(gas(), 1, input, 128, 0, 32)) }
                    actual := mload(0)
                    if xor(actual, calldataload(add(members_.offset, shl(5, seat)))) { break }
                    used := add(used, 64)
                }
                seat := add(seat, 1)
            }
        }
    }

    /// @dev As keccak256(abi.encodePacked(members_)), without its loop: what is not clean hashes to something else.
    function hashOf(address[] calldata members_) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, members_.offset, shl(5, members_.length))
            hash := keccak256(free, shl(5, members_.length))
        }
    }
}
