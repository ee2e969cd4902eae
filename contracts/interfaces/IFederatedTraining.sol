// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Posting, TaskPhase } from "./FederatedTypes.sol";
import { IFederatedAccuracy } from "./IFederatedAccuracy.sol";
import { IFederatedActions } from "./IFederatedActions.sol";
import { IFederatedViews } from "./IFederatedViews.sol";

/// @title Federated tasks and their rounds (docs/federated.md)
/// @notice Holds the rewards that clients escrow; stakes stay in the vault, locked by this contract: participants' in
/// their role, requesters' as verifiers. No call depends on one particular account: where a participant does not do what it should,
/// anyone can go on without it. All that is stored can be rebuilt from the events.
/// @dev Functions that take a task revert with UnknownTask when there is none, and with WrongPhase out of their phase.
interface IFederatedTraining is IFederatedActions, IFederatedAccuracy, IFederatedViews {
    // Rounds

    /// @notice Begins the first round. Anyone, once the time for joining is over and enough came, or all places are taken.
    /// @dev Reverts with TooFewParticipants, TooEarly. Emits RoundBegun.
    function start(uint256 task) external;

    /// @notice Plain mode: commits to an update, which counts as a release. Participants, in phase Commit, once a round.
    /// @dev Reverts with WrongMode, NotAParticipant, NotDoneBefore (the model that is to be proven), AlreadyDone, ZeroWord,
    /// PrivacyBudgetSpent. Emits Committed, and CommitsClosed with the last of all active.
    function commit(uint256 task, bytes32 commitment) external;

    /// @notice Plain mode: opens a commitment, `keccak256(abi.encode(chain id, this contract, task, round, sender,
    /// updateRoot, cid, samples, salt))`. Who committed, in phase Reveal, once. The salt goes into the next seed.
    /// @dev Reverts with NotAParticipant, NotDoneBefore, AlreadyDone, ZeroWord, SamplesOutOfBounds, WrongOpening. Emits
    /// Revealed, and RevealsClosed with the last of all who committed.
    function reveal(uint256 task, bytes32 updateRoot, bytes32 cid, uint32 samples, bytes32 salt) external;

    /// @notice Posts the round's result and measures. The leader, in phase Aggregate, until it is replaced.
    /// @dev Reverts with TooFewColumns, NobodyCanLead, NotTheLeader, ZeroWord, WrongSelection. Emits ResultPosted.
    function post(
        uint256 task,
        bytes32 resultRoot,
        bytes32 resultCid,
        bytes32 measuresRoot,
        bytes32 measuresCid,
        uint128 selection
    ) external;

    /// @notice Replaces a leader that has not posted in time: it pays `leaderPenalty` of its stake, `reporterSharePpm` of
    /// that to the caller, and leads no more in this task. Anyone, in phase Aggregate.
    /// @dev Reverts with TooFewColumns, TooEarly, NobodyCanLead. Emits LeaderReplaced.
    function replaceLeader(uint256 task) external;

    /// @notice Secure mode: says that the posting in force is not what the masked vectors of the round add up to, which no
    /// contract computes yet. Who is included, in phase Challenge, once for each posting. With the objection of more than half of
    /// the included the posting is void, and its leader loses `leaderPenalty`, all burned, and leads no more.
    /// @dev Reverts with WrongMode, NotAParticipant, NotIncluded, AlreadyDone. Emits Objected, LeaderReplaced.
    function object(uint256 task) external;

    /// @notice Makes the posting the task's model and begins the next round, or ends the task. Anyone, in phase Settle.
    /// @dev Emits RoundFinal, then RoundBegun or TaskOver and Refunded.
    function finalize(uint256 task) external;

    /// @notice Gives a round up that cannot become final any more: too few have committed, revealed or stayed included, or
    /// nobody is left to lead. Its reward goes back to the client. Anyone, after phase Commit, unless requests are open.
    /// @dev Reverts with NotFailed. Emits RoundFailed, Refunded, then RoundBegun or TaskOver.
    function fail(uint256 task) external;

    // Court

    /// @notice A game about the posting in force begins: the round cannot become final before it is closed. Court only, until
    /// `challengeEnds` of the posting, though other games make the phase longer.
    /// @dev Reverts with OnlyCourt, TooLate. Emits DisputeOpened.
    function disputeOpened(uint256 task) external;

    /// @notice A game ended without a verdict against the leader. Court only; nothing happens when the posting is no longer in force.
    /// @dev Reverts with OnlyCourt. Emits DisputeClosed.
    function disputeClosed(uint256 task, uint32 posting) external;

    /// @notice The posting is void, and its other games are moot. The leader loses its stake in the task, `disputeSharePpm`
    /// of it to `challenger`, and is excluded; the round goes back to Aggregate. Court only.
    /// @dev Reverts with OnlyCourt, WrongPosting. Emits LeaderWrong, Excluded.
    function leaderProvenWrong(uint256 task, uint32 posting, address challenger) external;

    // Views

    /// @return how many tasks there are; also the id of the latest
    function taskCount() external view returns (uint256);
    /// @return index plus one, 0 for who holds no place
    function placeOf(uint256 task, address account) external view returns (uint16);
    /// @return None for an unknown task
    function phaseOf(uint256 task) external view returns (TaskPhase);
    /// @return index the participant whose turn it is to post; reverts as `post` does
    function leaderOf(uint256 task) external view returns (uint16 index);
    /// @return what is posted; reverts with WrongPhase when nothing is
    function postingOf(uint256 task) external view returns (Posting memory);

    /// @return posting number of the posting in force (posted, neither final nor void), 0 when there is none; the court asks
    /// at every move
    function inForce(uint256 task) external view returns (uint32 posting);
    /// @return root of the update in this column of the round that is on, plain mode
    function columnRoot(uint256 task, uint16 column) external view returns (bytes32);
    /// @return weights of all columns of the round that is on: sample counts, in secure mode survivors
    function columnWeights(uint256 task) external view returns (uint32[] memory);
    /// @return for each column of the round that is on whose updates it is made of, a bit for each index
    function columnsOf(uint256 task) external view returns (uint128[] memory);
    function releasesOf(uint256 task, address account) external view returns (uint32);
    /// @return the token that rewards are in
    function token() external view returns (address);
    function vault() external view returns (address);
    function parameters() external view returns (address);
    /// @return where models are committed to and proofs of accuracy are sent
    function accuracyProofs() external view returns (address);
    /// @return the id in AccuracyProofs of a round of a task
    function proofRoundOf(uint256 task, uint32 round) external view returns (bytes32);
    /// @return the court whose verdicts count
    function federatedCourt() external view returns (address);
}
