// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev Where an order stands. Never stored: always derived from the clock and the facts, see `Lifecycle.phaseAt`.
enum Phase {
    None,
    Training,
    Reveal,
    ScoreCommit,
    ScoreReveal,
    Challenge,
    Sealable,
    Sealed,
    Cancelled
}

/// @dev The times of an order, all in seconds. `start` is the timestamp of the block that put it (t0 in the paper).
struct Windows {
    uint64 start;
    uint32 train;
    uint32 reveal;
    uint32 validate;
    uint32 challenge;
}

/// @dev Everything besides the clock that moves an order on. `testReleased`: released, and not found void;
/// `openDisputes`: disputes and requests for data.
struct Facts {
    bool cancelled;
    bool isSealed;
    bool testReleased;
    uint32 claims;
    uint32 reveals;
    uint32 scoreCommits;
    uint32 scoreReveals;
    uint32 openDisputes;
    uint64 challengeUntil;
}

/// @title The one transition table of an order
/// @notice Pure; `offchain/protocol/lifecycle.py` is its twin and a test holds the two together over all inputs that
/// matter. A window's end belongs to the next phase: `t < end` is inside.
library Lifecycle {
    /// @return when training ends and claims close (t0 + dTtrain)
    function trainEnd(Windows memory w) internal pure returns (uint64) {
        return w.start + w.train;
    }

    /// @return when reveals and the release of the test data close
    function revealEnd(Windows memory w) internal pure returns (uint64) {
        return trainEnd(w) + w.reveal;
    }

    /// @return when commitments to scores close: the first half of the validation window, rounded down
    function scoreCommitEnd(Windows memory w) internal pure returns (uint64) {
        return revealEnd(w) + w.validate / 2;
    }

    /// @return when scores can no longer be revealed
    function scoreRevealEnd(Windows memory w) internal pure returns (uint64) {
        return revealEnd(w) + w.validate;
    }

    /// @return when challenges close, unless one is open
    function challengeEnd(Windows memory w) internal pure returns (uint64) {
        return scoreRevealEnd(w) + w.challenge;
    }

    /// @notice The phase of an order at time `t`. Total: every input has one phase, and every order reaches
    /// `Sealable` by the clock alone once nothing is open. Where nothing can follow, what is open is still waited for.
    function phaseAt(Windows memory w, Facts memory f, uint64 t) internal pure returns (Phase) {
        if (w.start == 0) return Phase.None;
        if (f.cancelled) return Phase.Cancelled;
        if (f.isSealed) return Phase.Sealed;
        if (t < trainEnd(w)) return Phase.Training;
        if (f.claims == 0) return Phase.Sealable;
        if (t < revealEnd(w)) return Phase.Reveal;
        if (f.reveals == 0) return Phase.Sealable;
        Phase over = f.openDisputes == 0 ? Phase.Sealable : Phase.Challenge;
        if (!f.testReleased) return over;
        if (t < scoreCommitEnd(w)) return Phase.ScoreCommit;
        if (f.scoreCommits == 0) return over;
        if (t < scoreRevealEnd(w)) return Phase.ScoreReveal;
        if (f.scoreReveals == 0) return over;
        return t < challengeEnd(w) || t < f.challengeUntil ? Phase.Challenge : over;
    }
}
