// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ProofTerms } from "../interfaces/IAccuracyProofs.sol";
import { IAccuracyVerifier } from "../interfaces/IAccuracyVerifier.sol";

// The words that every proof reads, as one number each: the compiler would read a packed struct's slot once for each field.

/// @dev What a proof is checked against: verifier (160 bits), samples (16), draws (8), chunks - 1 (16), proveUntil (40; 0
/// until the draw is fixed), and the chunk of draw 0 (16): many rounds have no more, and their proofs need not read the seed.
type Task is uint256;

/// @dev How far a round is: commitUntil (40), drawBlock (40; 0 until somebody has called `draw`), attempts (8), committed
/// (16), proven (16; counted in gated rounds), maximumProvers (16), commitSeconds (24), proveSeconds (24), minimumCorrect
/// (32), gated (1).
type Clock is uint256;

/// @dev What a proof changes: a bit for each proven draw (64), right samples in them (32), how many they are (8),
/// committed (1), slashed (1), returned (1), in a gated round (1).
type Progress is uint256;

using Tasks for Task global;
using Clocks for Clock global;
using ProgressWords for Progress global;

library Tasks {
    uint256 private constant SAMPLES = 160;
    uint256 private constant DRAWS = 176;
    uint256 private constant LAST_CHUNK = 184;
    uint256 private constant PROVE_UNTIL = 200;
    uint256 private constant FIRST_DRAWN = 240;

    function begin(IAccuracyVerifier verifier_, uint256 samples_, uint256 draws_, uint256 chunks_)
        internal
        pure
        returns (Task)
    {
        uint256 numbers = samples_ << SAMPLES | draws_ << DRAWS | (chunks_ - 1) << LAST_CHUNK;
        return Task.wrap(uint160(address(verifier_)) | numbers);
    }

    function verifier(Task t) internal pure returns (IAccuracyVerifier) {
        return IAccuracyVerifier(address(uint160(Task.unwrap(t))));
    }

    function samples(Task t) internal pure returns (uint256) {
        return uint16(Task.unwrap(t) >> SAMPLES);
    }

    function draws(Task t) internal pure returns (uint256) {
        return uint8(Task.unwrap(t) >> DRAWS);
    }

    function chunks(Task t) internal pure returns (uint256) {
        return uint256(uint16(Task.unwrap(t) >> LAST_CHUNK)) + 1;
    }

    function proveUntil(Task t) internal pure returns (uint256) {
        return uint40(Task.unwrap(t) >> PROVE_UNTIL);
    }

    /// @return the chunk of draw 0
    function firstDrawn(Task t) internal pure returns (uint256) {
        return Task.unwrap(t) >> FIRST_DRAWN;
    }

    /// @dev Once, for what it fills is 0 until then.
    function drawn(Task t, uint256 proveUntil_, uint256 first) internal pure returns (Task) {
        return Task.wrap(Task.unwrap(t) | proveUntil_ << PROVE_UNTIL | first << FIRST_DRAWN);
    }
}

library Clocks {
    uint256 private constant DRAW_BLOCK = 40;
    uint256 private constant ATTEMPTS = 80;
    uint256 private constant COMMITTED = 88;
    uint256 private constant PROVEN = 104;
    uint256 private constant MAXIMUM_PROVERS = 120;
    uint256 private constant COMMIT_SECONDS = 136;
    uint256 private constant PROVE_SECONDS = 160;
    uint256 private constant MINIMUM_CORRECT = 184;
    uint256 private constant GATED = 216;

    /// @dev Terms that are within their bounds.
    function begin(ProofTerms calldata terms) internal view returns (Clock) {
        uint256 seconds_ = uint256(terms.commitSeconds) << COMMIT_SECONDS | uint256(terms.proveSeconds) << PROVE_SECONDS;
        uint256 limits = uint256(terms.maximumProvers) << MAXIMUM_PROVERS;
        limits |= uint256(terms.minimumCorrect) << MINIMUM_CORRECT;
        uint256 gate = terms.gated ? 1 << GATED : 0;
        return Clock.wrap((block.timestamp + terms.commitSeconds) | seconds_ | limits | gate);
    }

    function commitUntil(Clock c) internal pure returns (uint256) {
        return uint40(Clock.unwrap(c));
    }

    function drawBlock(Clock c) internal pure returns (uint256) {
        return uint40(Clock.unwrap(c) >> DRAW_BLOCK);
    }

    function attempts(Clock c) internal pure returns (uint256) {
        return uint8(Clock.unwrap(c) >> ATTEMPTS);
    }

    function committed(Clock c) internal pure returns (uint256) {
        return uint16(Clock.unwrap(c) >> COMMITTED);
    }

    function proven(Clock c) internal pure returns (uint256) {
        return uint16(Clock.unwrap(c) >> PROVEN);
    }

    function maximumProvers(Clock c) internal pure returns (uint256) {
        return uint16(Clock.unwrap(c) >> MAXIMUM_PROVERS);
    }

    function commitSeconds(Clock c) internal pure returns (uint256) {
        return uint24(Clock.unwrap(c) >> COMMIT_SECONDS);
    }

    function proveSeconds(Clock c) internal pure returns (uint256) {
        return uint24(Clock.unwrap(c) >> PROVE_SECONDS);
    }

    function minimumCorrect(Clock c) internal pure returns (uint256) {
        return uint32(Clock.unwrap(c) >> MINIMUM_CORRECT);
    }

    function isGated(Clock c) internal pure returns (bool) {
        return Clock.unwrap(c) >> GATED != 0;
    }

    function endingNow(Clock c) internal view returns (Clock) {
        return Clock.wrap(Clock.unwrap(c) >> 40 << 40 | block.timestamp);
    }

    /// @dev At most 256 provers: neither count runs over.
    function withOneCommitted(Clock c) internal pure returns (Clock) {
        return Clock.wrap(Clock.unwrap(c) + (1 << COMMITTED));
    }

    function withOneProven(Clock c) internal pure returns (Clock) {
        return Clock.wrap(Clock.unwrap(c) + (1 << PROVEN));
    }

    /// @dev Another attempt, with the hash of that block.
    function scheduled(Clock c, uint256 drawBlock_) internal pure returns (Clock) {
        uint256 without = Clock.unwrap(c) & ~(uint256(type(uint40).max) << DRAW_BLOCK);
        return Clock.wrap((without | drawBlock_ << DRAW_BLOCK) + (1 << ATTEMPTS));
    }
}

library ProgressWords {
    uint256 private constant CORRECT = 64;
    uint256 private constant PROVEN = 96;
    uint256 private constant COMMITTED = 104;
    uint256 private constant SLASHED = 105;
    uint256 private constant RETURNED = 106;
    uint256 private constant GATED = 107;

    function has(Progress p, uint256 draw) internal pure returns (bool) {
        return Progress.unwrap(p) >> draw & 1 != 0;
    }

    function correct(Progress p) internal pure returns (uint256) {
        return uint32(Progress.unwrap(p) >> CORRECT);
    }

    function proven(Progress p) internal pure returns (uint256) {
        return uint8(Progress.unwrap(p) >> PROVEN);
    }

    function isCommitted(Progress p) internal pure returns (bool) {
        return Progress.unwrap(p) >> COMMITTED != 0;
    }

    function isSlashed(Progress p) internal pure returns (bool) {
        return Progress.unwrap(p) >> SLASHED & 1 != 0;
    }

    function isReturned(Progress p) internal pure returns (bool) {
        return Progress.unwrap(p) >> RETURNED & 1 != 0;
    }

    function isGated(Progress p) internal pure returns (bool) {
        return Progress.unwrap(p) >> GATED & 1 != 0;
    }

    function begin(bool gated) internal pure returns (Progress) {
        return Progress.wrap(1 << COMMITTED | (gated ? 1 << GATED : 0));
    }

    /// @dev Of a draw that is not proven yet, below 64: 64 times 65,535 right samples are less than 2^32.
    function withProof(Progress p, uint256 draw, uint256 right) internal pure returns (Progress) {
        return Progress.wrap(Progress.unwrap(p) + (1 << draw) + (right << CORRECT) + (1 << PROVEN));
    }

    function withSlash(Progress p) internal pure returns (Progress) {
        return Progress.wrap(Progress.unwrap(p) | 1 << SLASHED);
    }

    function withReturn(Progress p) internal pure returns (Progress) {
        return Progress.wrap(Progress.unwrap(p) | 1 << RETURNED);
    }
}
