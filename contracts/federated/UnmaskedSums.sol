// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IndexedMerkle } from "../libraries/IndexedMerkle.sol";
import { ChaCha20 } from "./ChaCha20.sol";
import { Vectors } from "./Vectors.sol";

/// @dev A group as the chain knows it. Positions are places in the group, from 0; `shared` and `survivors` are bitmaps over
/// them: who dealt shares, and whose masked vectors count. Roots are the survivors', in order of position.
struct SummedGroup {
    uint32 dimension;
    uint8 size;
    uint128 shared;
    uint128 survivors;
    bytes32[] maskedRoots;
    bytes32[] seedsRoots;
}

/// @dev What one survivor adds to a coordinate: the chunk of its masked vector, all leaves of its seeds' tree, its
/// self-mask's seed, and the seeds that it shares with those that dealt shares and dropped out, in order of position.
struct SummandEvidence {
    bytes chunk;
    bytes32[] proof;
    bytes32[] seeds;
    bytes32 selfSeed;
    bytes32[] pairSeeds;
}

/// @title One coordinate of a group's right sum (docs/secure-aggregation.md, The right sum)
/// @notice Pure: the definition, word for word. Twin of `offchain/federated/secure/unmask.py`.
library UnmaskedSums {
    error WrongCount(uint256 expected, uint256 actual);
    error WrongVectorRoot(uint256 position, bytes32 expected, bytes32 actual);
    error WrongSeedsRoot(uint256 position, bytes32 expected, bytes32 actual);
    error WrongSeed(uint256 position, uint256 peer, bytes32 expected, bytes32 actual);

    /// @param shown one of each survivor, in order of position
    /// @return the sum modulo 2^32, read as int32
    function at(SummedGroup calldata group, uint32 coordinate, SummandEvidence[] calldata shown)
        internal
        pure
        returns (int256)
    {
        uint256 total = 0;
        uint256 next = 0;
        // a word is below 2^32 and there are at most 128 * 129 of them; what counts is the sum's lower half
        unchecked {
            for (uint256 position = 0; position < group.size; ++position) {
                if ((group.survivors >> position) & 1 == 0) continue;
                if (next == shown.length) revert WrongCount(next + 1, next);
                total += _word(group, coordinate, next, position, shown[next]);
                total -= _masks(group, coordinate, next, position, shown[next]);
                ++next;
            }
            if (next != shown.length) revert WrongCount(next, shown.length);
            return int32(uint32(total));
        }
    }

    /// @return the masked vector's word, opened under its root
    function _word(
        SummedGroup calldata group,
        uint32 coordinate,
        uint256 place,
        uint256 position,
        SummandEvidence calldata s
    ) private pure returns (uint256) {
        uint256 index = coordinate / Vectors.CHUNK;
        uint256 length = 4 * Vectors.lengthOf(group.dimension, index);
        if (s.chunk.length != length) revert WrongCount(length, s.chunk.length);
        bytes32 leaf = Vectors.leaf(Vectors.MASKED, s.chunk);
        bytes32 root = IndexedMerkle.rootOfCalldata(leaf, index, Vectors.chunks(group.dimension), s.proof);
        bytes32 expected = group.maskedRoots[place];
        if (root != expected) revert WrongVectorRoot(position, expected, root);
        return Vectors.uint32At(s.chunk, 4 * (coordinate % Vectors.CHUNK));
    }

    /// @return total what its seeds, each as committed to, add to the word; a multiple of 2^32 too much or too little
    function _masks(
        SummedGroup calldata group,
        uint32 coordinate,
        uint256 place,
        uint256 position,
        SummandEvidence calldata s
    ) private pure returns (uint256 total) {
        if (s.seeds.length != group.size) revert WrongCount(group.size, s.seeds.length);
        bytes32 root = IndexedMerkle.rootOfAll(s.seeds);
        bytes32 expected = group.seedsRoots[place];
        if (root != expected) revert WrongSeedsRoot(position, expected, root);
        total = _stream(s, position, position, s.selfSeed, coordinate);
        uint128 dropped = group.shared & ~group.survivors;
        uint256 next = 0;
        unchecked {
            for (uint256 peer = 0; peer < group.size; ++peer) {
                if ((dropped >> peer) & 1 == 0) continue;
                if (next == s.pairSeeds.length) revert WrongCount(next + 1, next);
                uint256 word = _stream(s, position, peer, s.pairSeeds[next++], coordinate);
                total = position < peer ? total + word : total - word;
            }
        }
        if (next != s.pairSeeds.length) revert WrongCount(next, s.pairSeeds.length);
    }

    function _stream(SummandEvidence calldata s, uint256 position, uint256 peer, bytes32 seed, uint32 coordinate)
        private
        pure
        returns (uint256)
    {
        bytes32 commitment = keccak256(abi.encode(seed));
        if (commitment != s.seeds[peer]) revert WrongSeed(position, peer, s.seeds[peer], commitment);
        return ChaCha20.word(seed, coordinate);
    }
}
