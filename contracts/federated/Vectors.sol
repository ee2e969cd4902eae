// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Numbers in the leaves of updates, results and measures (docs/federated.md, Numbers)
/// @notice Twin of `offchain/federated/vector_tree.py`. Reading is total: bytes beyond the end of a content are 0, so a
/// participant's malformed leaf has values too.
library Vectors {
    uint256 internal constant CHUNK = 256;

    uint256 internal constant UPDATE = 5;
    uint256 internal constant RESULT = 6;
    uint256 internal constant MEASURES = 7;
    uint256 internal constant MASKED = 8;

    /// @return how many chunks a vector has; `dimension` is at least 1
    function chunks(uint32 dimension) internal pure returns (uint32) {
        return (dimension - 1) / uint32(CHUNK) + 1;
    }

    /// @return how many coordinates the chunk at `index`, which is one of the vector's, has
    function lengthOf(uint32 dimension, uint256 index) internal pure returns (uint256) {
        uint256 rest = dimension - index * CHUNK;
        return rest < CHUNK ? rest : CHUNK;
    }

    /// @return hash keccak256(kind as 32 bytes ‖ content)
    function leaf(uint256 kind, bytes calldata content) internal pure returns (bytes32 hash) {
        // in memory beyond what is allocated, for a leaf may be hashed in every move
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, kind)
            calldatacopy(add(free, 32), content.offset, content.length)
            hash := keccak256(free, add(32, content.length))
        }
    }

    /// @return the int16, little-endian, whose first byte is at `start`
    function int16At(bytes calldata content, uint256 start) internal pure returns (int256) {
        return int16(uint16(_byte(content, start) | (_byte(content, start + 1) << 8)));
    }

    /// @return the int32, little-endian, whose first byte is at `start`
    function int32At(bytes calldata content, uint256 start) internal pure returns (int256) {
        uint256 value = _byte(content, start) | (_byte(content, start + 1) << 8);
        value |= (_byte(content, start + 2) << 16) | (_byte(content, start + 3) << 24);
        return int32(uint32(value));
    }

    /// @return the int64, big-endian, at `index` of a row that is long enough
    function int64At(bytes calldata row, uint256 index) internal pure returns (int64) {
        return int64(uint64(bytes8(row[8 * index:8 * index + 8])));
    }

    /// @return the 32 bytes at `index` of a row that is long enough
    function wordAt(bytes calldata row, uint256 index) internal pure returns (bytes32) {
        return bytes32(row[32 * index:32 * index + 32]);
    }

    /// @return values `count` numbers int16, little-endian
    function int16s(bytes calldata content, uint256 count) internal pure returns (int256[] memory values) {
        values = new int256[](count);
        uint256 source = _load(content, 2 * count);
        assembly ("memory-safe") {
            let end := add(source, shl(1, count))
            for { let target := add(values, 32) } lt(source, end) { source := add(source, 2) } {
                let word := mload(source)
                mstore(target, signextend(1, or(byte(0, word), shl(8, byte(1, word)))))
                target := add(target, 32)
            }
        }
    }

    /// @return values `count` numbers int64, big-endian, of a row that is long enough
    function int64s(bytes calldata row, uint256 count) internal pure returns (int256[] memory values) {
        values = new int256[](count);
        assembly ("memory-safe") {
            let source := row.offset
            let end := add(source, shl(3, count))
            for { let target := add(values, 32) } lt(source, end) { source := add(source, 8) } {
                mstore(target, sar(192, calldataload(source)))
                target := add(target, 32)
            }
        }
    }

    /// @return values `count` numbers uint32, little-endian, from `start` on; the content is long enough
    function uint32s(bytes calldata content, uint256 start, uint256 count)
        internal
        pure
        returns (uint32[] memory values)
    {
        values = new uint32[](count);
        for (uint256 i = 0; i < count; ++i) {
            values[i] = uint32At(content, start + 4 * i);
        }
    }

    /// @return the uint32, little-endian, whose first byte is at `start`
    function uint32At(bytes calldata content, uint256 start) internal pure returns (uint32) {
        return uint32(int32(int32At(content, start)));
    }

    /// @return sum of the products of the first `count` numbers, int16 little-endian; count at most 256
    function dot(bytes calldata left, bytes calldata right, uint256 count) internal pure returns (int256 sum) {
        uint256 x = _load(left, 2 * count);
        uint256 y = _load(right, 2 * count);
        assembly ("memory-safe") {
            let end := add(x, shl(1, count))
            for { } lt(x, end) { x := add(x, 2) } {
                let p := mload(x)
                let q := mload(y)
                p := signextend(1, or(byte(0, p), shl(8, byte(1, p))))
                q := signextend(1, or(byte(0, q), shl(8, byte(1, q))))
                sum := add(sum, mul(p, q))
                y := add(y, 2)
            }
        }
    }

    /// @return sum of the squared differences of the first `count` numbers, int16 little-endian; count at most 256
    function distance(bytes calldata left, bytes calldata right, uint256 count) internal pure returns (int256 sum) {
        uint256 x = _load(left, 2 * count);
        uint256 y = _load(right, 2 * count);
        assembly ("memory-safe") {
            let end := add(x, shl(1, count))
            for { } lt(x, end) { x := add(x, 2) } {
                let p := mload(x)
                let q := mload(y)
                p := signextend(1, or(byte(0, p), shl(8, byte(1, p))))
                q := signextend(1, or(byte(0, q), shl(8, byte(1, q))))
                p := sub(p, q)
                sum := add(sum, mul(p, p))
                y := add(y, 2)
            }
        }
    }

    /// @return pointer the first `size` bytes of the content in fresh memory, with zeros where it is shorter; 32 more bytes
    /// can be read there
    function _load(bytes calldata content, uint256 size) private pure returns (uint256 pointer) {
        bytes memory buffer = new bytes(size + 32);
        assembly ("memory-safe") {
            pointer := add(buffer, 32)
            let given := content.length
            if lt(size, given) { given := size }
            calldatacopy(pointer, content.offset, given)
        }
    }

    function _byte(bytes calldata content, uint256 index) private pure returns (uint256) {
        return index < content.length ? uint8(content[index]) : 0;
    }
}
