// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Facts, Lifecycle, Phase, Windows } from "../../../contracts/libraries/Lifecycle.sol";
import { between, draw, vm } from "../support/Vm.sol";

/// @dev The transition table is total, never goes back with the clock alone, and always ends.
contract PhasesFuzz {
    function testFuzz_time_alone_never_goes_back(uint256 seed, uint64 a, uint64 b) public pure {
        (Windows memory w, Facts memory f) = _drawn(seed);
        (a, b) = _near(w, f, a, b);
        vm.assertLe(uint256(Lifecycle.phaseAt(w, f, a)), uint256(Lifecycle.phaseAt(w, f, b)), "monotone");
    }

    function testFuzz_every_order_becomes_sealable_by_the_clock(uint256 seed) public pure {
        (Windows memory w, Facts memory f) = _drawn(seed);
        (f.cancelled, f.isSealed, f.openDisputes) = (false, false, 0);
        uint64 end = Lifecycle.challengeEnd(w);
        if (f.challengeUntil > end) end = f.challengeUntil;
        vm.assertTrue(Lifecycle.phaseAt(w, f, end) == Phase.Sealable, "at the end");
        vm.assertTrue(Lifecycle.phaseAt(w, f, type(uint64).max) == Phase.Sealable, "and ever after");
    }

    function testFuzz_an_open_dispute_holds_what_was_scored(uint256 seed, uint64 t) public pure {
        (Windows memory w, Facts memory f) = _drawn(seed);
        (f.cancelled, f.isSealed, f.testReleased) = (false, false, true);
        (f.claims, f.reveals, f.scoreCommits, f.scoreReveals, f.openDisputes) = (1, 1, 1, 1, 1);
        t = uint64(between(t, Lifecycle.scoreRevealEnd(w), type(uint64).max));
        vm.assertTrue(Lifecycle.phaseAt(w, f, t) == Phase.Challenge, "held");
    }

    function testFuzz_ends_are_final(uint256 seed, uint64 t) public pure {
        (Windows memory w, Facts memory f) = _drawn(seed);
        f.cancelled = true;
        vm.assertTrue(Lifecycle.phaseAt(w, f, t) == Phase.Cancelled, "cancelled");
        (f.cancelled, f.isSealed) = (false, true);
        vm.assertTrue(Lifecycle.phaseAt(w, f, t) == Phase.Sealed, "sealed");
        w.start = 0;
        vm.assertTrue(Lifecycle.phaseAt(w, f, t) == Phase.None, "none");
    }

    function testFuzz_windows_follow_each_other_without_a_gap(uint256 seed) public pure {
        (Windows memory w, Facts memory f) = _drawn(seed);
        (f.cancelled, f.isSealed, f.testReleased) = (false, false, true);
        (f.claims, f.reveals, f.scoreCommits, f.scoreReveals) = (1, 1, 1, 1);
        (f.openDisputes, f.challengeUntil) = (0, 0);
        _edge(w, f, Lifecycle.trainEnd(w), Phase.Training, Phase.Reveal);
        _edge(w, f, Lifecycle.revealEnd(w), Phase.Reveal, Phase.ScoreCommit);
        _edge(w, f, Lifecycle.scoreCommitEnd(w), Phase.ScoreCommit, Phase.ScoreReveal);
        _edge(w, f, Lifecycle.scoreRevealEnd(w), Phase.ScoreReveal, Phase.Challenge);
        _edge(w, f, Lifecycle.challengeEnd(w), Phase.Challenge, Phase.Sealable);
    }

    function _edge(Windows memory w, Facts memory f, uint64 t, Phase before, Phase at) private pure {
        vm.assertTrue(Lifecycle.phaseAt(w, f, t - 1) == before, "before the edge");
        vm.assertTrue(Lifecycle.phaseAt(w, f, t) == at, "at the edge");
    }

    /// @dev Two times in order, at best near the edges where phases change.
    function _near(Windows memory w, Facts memory f, uint64 a, uint64 b) private pure returns (uint64, uint64) {
        uint256 end = uint256(Lifecycle.challengeEnd(w)) + 2;
        if (a % 4 != 0) a = uint64(between(a, w.start, end));
        if (b % 4 != 0) b = uint64(between(b, w.start, end));
        if (b % 4 == 1) b = f.challengeUntil;
        return a <= b ? (a, b) : (b, a);
    }

    function _drawn(uint256 seed) private pure returns (Windows memory w, Facts memory f) {
        w.start = uint64(between(draw(seed, 0), 1, type(uint40).max));
        w.train = uint32(between(draw(seed, 1), 1, 365 days));
        w.reveal = uint32(between(draw(seed, 2), 1, 365 days));
        w.validate = uint32(between(draw(seed, 3), 2, 365 days));
        w.challenge = uint32(between(draw(seed, 4), 1, 365 days));
        uint256 bits = draw(seed, 5);
        f.cancelled = bits % 16 == 0;
        f.isSealed = (bits >> 8) % 16 == 0;
        f.testReleased = (bits >> 16) % 4 != 0;
        f.claims = uint32((bits >> 24) % 3);
        f.reveals = uint32((bits >> 32) % 3);
        f.scoreCommits = uint32((bits >> 40) % 3);
        f.scoreReveals = uint32((bits >> 48) % 3);
        f.openDisputes = uint32((bits >> 56) % 2);
        if ((bits >> 64) % 2 == 0) {
            f.challengeUntil = uint64(between(draw(seed, 6), 0, Lifecycle.challengeEnd(w) + 365 days));
        }
    }
}
