// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedWindows, TaskPhase } from "../interfaces/FederatedTypes.sol";

/// @dev What besides the clock decides a round's phase; one word of storage. Points in time in seconds, 0 while unknown.
struct RoundFacts {
    uint40 began;
    /// earlier than scheduled when all who may have committed
    uint40 commitEnds;
    /// only when all who committed have revealed before the time
    uint40 revealEnds;
    /// when the last open request was closed
    uint40 closedAt;
    /// of the posting's challenge once there is one; before, of a leader that is not the first
    uint40 deadline;
    uint8 committed;
    uint16 openRequests;
    uint16 openDisputes;
    uint8 attempt;
    bool posted;
}

/// @dev Points in time, 0 where there is none.
struct RoundEnds {
    uint64 keysEnd;
    uint64 sharesEnd;
    uint64 commitEnds;
    uint64 revealEnds;
    uint64 requestEnds;
    uint64 answerEnds;
    /// `answerEnds` without proofs of accuracy, AWAITED while they are not counted
    uint64 proofsEnd;
    uint64 unmaskEnds;
    uint64 postEnds;
    uint64 challengeEnds;
}

/// @title Which phase a round is in (docs/federated.md, A task's life)
/// @notice Pure.
library FederatedPhases {
    /// @dev When proofs are counted that still have to be.
    uint64 internal constant AWAITED = type(uint64).max;

    /// @param countedAt when the proofs of accuracy were counted, AWAITED while they are not, 0 where none are asked for
    /// @return e when the phases end as far as is known; `answerEnds` is when open requests expire, else when the last was closed
    function ends(RoundFacts memory f, FederatedWindows memory w, bool secure, uint64 countedAt)
        internal
        pure
        returns (RoundEnds memory e)
    {
        e.commitEnds = f.commitEnds;
        if (secure) {
            e.keysEnd = f.began + uint64(w.keys);
            e.sharesEnd = e.keysEnd + w.shares;
            e.revealEnds = f.commitEnds;
        } else {
            e.revealEnds = f.revealEnds != 0 ? f.revealEnds : f.commitEnds + uint64(w.reveal);
        }
        e.requestEnds = e.revealEnds + w.request;
        if (f.openRequests != 0) e.answerEnds = e.requestEnds + w.answer;
        else e.answerEnds = f.closedAt > e.requestEnds ? f.closedAt : e.requestEnds;
        e.proofsEnd = countedAt > e.answerEnds ? countedAt : e.answerEnds;
        if (countedAt == AWAITED) return e;
        e.unmaskEnds = secure ? e.proofsEnd + w.unmask : e.proofsEnd;
        if (f.posted) e.challengeEnds = f.deadline;
        else e.postEnds = f.deadline != 0 ? f.deadline : e.unmaskEnds + w.aggregate;
    }

    /// @param e what `ends` says
    /// @return the phase at `time`, while the round is on
    function at(RoundFacts memory f, RoundEnds memory e, bool secure, uint256 time) internal pure returns (TaskPhase) {
        if (secure && time < e.keysEnd) return TaskPhase.Keys;
        if (secure && time < e.sharesEnd) return TaskPhase.Shares;
        if (time < e.commitEnds) return TaskPhase.Commit;
        if (time < e.revealEnds) return TaskPhase.Reveal;
        if (time < e.requestEnds) return TaskPhase.Request;
        if (f.openRequests != 0) return TaskPhase.Answer;
        if (time < e.proofsEnd) return TaskPhase.Prove;
        if (time < e.unmaskEnds) return TaskPhase.Unmask;
        if (!f.posted) return TaskPhase.Aggregate;
        return time < e.challengeEnds || f.openDisputes != 0 ? TaskPhase.Challenge : TaskPhase.Settle;
    }
}
