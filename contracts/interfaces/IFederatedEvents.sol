// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedTerms, Mode, TaskPhase } from "./FederatedTypes.sol";
import { ProofPhase } from "./IAccuracyProofs.sol";

/// @title What federated tasks tell, and why they refuse
/// @notice All that is stored can be rebuilt from the events.
interface IFederatedEvents {
    event TaskCreated(uint256 indexed task, address indexed client, uint64 joinEnds, FederatedTerms terms);
    /// @notice `account` holds place `index`, with all of `stake` locked; also when it comes back to its old place.
    event Joined(uint256 indexed task, address indexed account, uint16 index, uint96 stake);
    event Left(uint256 indexed task, address indexed account, uint16 index, uint96 unlocked);
    /// @notice `roster` are the indices of all active participants, a bit each.
    event RoundBegun(uint256 indexed task, uint32 indexed round, bytes32 seed, uint128 roster, uint64 commitEnds);
    event KeysPosted(uint256 indexed task, uint32 indexed round, uint16 indexed index, bytes32 hash, bytes32 cid);
    event SharesPosted(
        uint256 indexed task, uint32 indexed round, uint16 indexed index, bytes32 seedsRoot, bytes32 hash, bytes32 cid
    );
    event Committed(
        uint256 indexed task, uint32 indexed round, uint16 indexed index, bytes32 commitment, uint32 releases
    );
    event MaskedPosted(
        uint256 indexed task, uint32 indexed round, uint16 indexed index, bytes32 root, bytes32 cid, uint32 releases
    );
    /// @notice Everybody had done what the phase was for, so it ended at once.
    event CommitsClosed(uint256 indexed task, uint32 indexed round, uint64 at);
    event Revealed(
        uint256 indexed task,
        uint32 indexed round,
        uint16 indexed index,
        bytes32 updateRoot,
        bytes32 cid,
        uint32 samples,
        bytes32 salt
    );
    event RevealsClosed(uint256 indexed task, uint32 indexed round, uint64 at);
    event Requested(
        uint256 indexed task, uint32 indexed round, uint16 indexed index, uint32 chunk, address asker, uint256 bond
    );
    /// @notice The asker's bond went to the update's author, whoever answered.
    event Answered(
        uint256 indexed task, uint32 indexed round, uint16 indexed index, uint32 chunk, address asker, bytes content
    );
    /// @notice The asker has its bond back, for nobody answered.
    event RequestExpired(uint256 indexed task, uint32 indexed round, uint16 indexed index, uint32 chunk, address asker);
    /// @notice The update is out of the round.
    event Dropped(uint256 indexed task, uint32 indexed round, uint16 indexed index);
    /// @notice The participant lost `stake`, all that it had in the task, and is no longer active.
    event Excluded(uint256 indexed task, uint32 indexed round, uint16 indexed index, uint96 stake);
    /// @notice The participant is bound to prove this model's accuracy. The first of a round opens its round of proofs.
    event LocalModelCommitted(uint256 indexed task, uint32 indexed round, uint16 indexed index, uint256 modelHash);
    /// @notice `correct` samples are proven to be right, of all draws if it is `accepted`; otherwise an update is dropped.
    event AccuracyCounted(
        uint256 indexed task, uint32 indexed round, uint16 indexed index, uint32 correct, bool accepted
    );
    /// @notice The participant committed to a model and did not prove; it lost `penalty` and leads no more in this task.
    event NoShowPenalised(
        uint256 indexed task, uint32 indexed round, uint16 indexed index, uint256 penalty, address reporter
    );
    event ProofsCounted(uint256 indexed task, uint32 indexed round, uint128 included, uint64 at);
    event UnmaskPosted(uint256 indexed task, uint32 indexed round, uint16 indexed index, bytes32 hash, bytes32 cid);
    event ResultPosted(
        uint256 indexed task,
        uint32 indexed round,
        uint16 indexed leader,
        uint32 posting,
        bytes32 resultRoot,
        bytes32 resultCid,
        bytes32 measuresRoot,
        bytes32 measuresCid,
        uint128 selection,
        uint64 challengeEnds
    );
    event Objected(uint256 indexed task, uint32 indexed round, uint16 indexed index, uint32 posting);
    /// @notice The leader at `attempt` did not post, or more than half objected to what it did; it lost `penalty`
    /// and leads no more in this task.
    event LeaderReplaced(
        uint256 indexed task,
        uint32 indexed round,
        uint16 indexed index,
        uint16 attempt,
        uint256 penalty,
        uint64 postEnds
    );
    /// @notice The posting is void; the next leader has until `postEnds`. Excluded follows.
    event LeaderWrong(
        uint256 indexed task,
        uint32 indexed round,
        uint16 indexed index,
        uint32 posting,
        address challenger,
        uint64 postEnds
    );
    event DisputeOpened(uint256 indexed task, uint32 indexed posting, uint16 open);
    event DisputeClosed(uint256 indexed task, uint32 indexed posting, uint16 open);
    event RoundFinal(uint256 indexed task, uint32 indexed round, uint16 leader, uint128 included, bytes32 resultRoot);
    event RoundFailed(uint256 indexed task, uint32 indexed round, uint8 failedInARow);
    /// @notice After `rounds` rounds, final or failed; 0 when it was cancelled.
    event TaskOver(uint256 indexed task, uint32 rounds);
    /// @notice The client can take back `amount` more, `refundable` in all.
    event Refunded(uint256 indexed task, uint256 amount, uint256 refundable);
    event Withdrawn(uint256 indexed task, address indexed client, uint256 amount);
    event RewardPaid(uint256 indexed task, uint32 indexed round, uint16 indexed index, address account, uint256 amount);

    error TermOutOfBounds(string name, uint256 actual, uint256 minimum, uint256 maximum);
    /// @notice FederatedTraining is the contract to call, not its extension.
    error NotToBeCalled();
    error UnknownTask(uint256 task);
    error WrongPhase(uint256 task, TaskPhase expected, TaskPhase actual);
    error WrongMode(uint256 task, Mode expected, Mode actual);
    error NotAllowed(uint256 task, address account);
    error StakeTooSmall(uint256 expected, uint256 actual);
    error NoPlaceLeft(uint256 task);
    error AlreadyJoined(uint256 task, address account);
    error NotAParticipant(uint256 task, address account);
    /// @notice Who takes part in a round stays until it ends.
    error BoundUntilRoundEnds(uint256 task, uint32 round);
    error TooFewParticipants(uint256 expected, uint256 actual);
    error EnoughParticipants(uint256 expected, uint256 actual);
    error TooEarly(uint64 expected, uint64 actual);
    error TooLate(uint64 expected, uint64 actual);
    error ZeroWord();
    error AlreadyDone(uint256 task, uint16 index);
    /// @notice What has to come first in this round has not been done by this participant.
    error NotDoneBefore(uint256 task, uint16 index);
    error WrongOpening(bytes32 expected, bytes32 actual);
    error SamplesOutOfBounds(uint256 maximum, uint256 actual);
    error PrivacyBudgetSpent(uint256 task, uint16 index, uint32 releases);
    /// @notice The task asks for no proofs of accuracy.
    error NoProofsAsked(uint256 task);
    /// @notice Proofs can still come, or their chunks are still to be drawn.
    error ProofsNotOver(uint256 task, ProofPhase expected, ProofPhase actual);
    error NotIncluded(uint256 task, uint32 round, uint16 index);
    error ChunkOutOfRange(uint256 count, uint256 actual);
    error EnoughRequests(uint256 task, uint16 index);
    error NotRequested(uint256 task, uint16 index, uint32 chunk);
    error WrongLength(uint256 expected, uint256 actual);
    error NotTheLeader(address expected, address actual);
    error WrongSelection(uint256 expected, uint256 actual);
    error NobodyCanLead(uint256 task);
    /// @notice The round can still become final.
    error NotFailed(uint256 task);
    /// @notice The included updates or groups are too few for the task or its rule.
    error TooFewColumns(uint256 task, uint256 actual);
    error NothingRefundable(uint256 task);
    error OnlyCourt(address expected, address actual);
    error WrongPosting(uint32 expected, uint32 actual);
    error NotFinal(uint256 task, uint32 round);
    error AlreadyClaimed(uint256 task, uint32 round, uint16 index);
}
