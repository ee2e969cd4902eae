// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedTerms } from "./FederatedTypes.sol";
import { IFederatedEvents } from "./IFederatedEvents.sol";

/// @title The part of `IFederatedTraining` that its extension executes
/// @dev One contract must not be larger than 24,576 bytes, so FederatedTraining passes these calls on by delegatecall, to code that
/// is fixed at deployment; everything happens in its storage and under its address, which is the only one to call.
interface IFederatedActions is IFederatedEvents {
    // Tasks

    /// @notice Puts a task and escrows `reward` for each of its `rounds`. Anyone; needs an allowance.
    /// @dev Reverts with TermOutOfBounds, what `IAccuracyProofs.check` refuses, the token's errors. Emits TaskCreated.
    /// @return task ids count up from 1
    function create(FederatedTerms memory terms) external returns (uint256 task);

    /// @notice Takes a place in the task, with `stake` of the caller's free bond as Participant locked. Anyone with a
    /// proof against `allowRoot`, while places are free and the task is not over. Who left comes back to its old place.
    /// @dev Reverts with WrongPhase (over), AlreadyJoined, StakeTooSmall, NotAllowed, NoPlaceLeft, the vault's errors.
    /// Emits Joined.
    /// @return index the caller's place: the number that stands for it in the task
    function join(uint256 task, uint96 stake, bytes32[] calldata proof) external returns (uint16 index);

    /// @notice Gives the place up and frees the stake. Participants, while they take no part in the round that is on.
    /// @dev Reverts with NotAParticipant, BoundUntilRoundEnds. Emits Left.
    function leave(uint256 task) external;

    /// @notice Ends a task that too few have joined in time. Anyone.
    /// @dev Reverts with TooEarly, EnoughParticipants. Emits TaskOver, Refunded.
    function cancel(uint256 task) external;

    /// @notice Pays the client what is refundable. Anyone.
    /// @dev Reverts with NothingRefundable. Emits Withdrawn.
    function withdraw(uint256 task) external;

    // Rounds

    /// @notice Secure mode: says which keys the caller has for this round (hash and CID of its KEYS file). Members of the
    /// round's roster, in phase Keys, once.
    /// @dev Reverts with WrongMode, NotAParticipant, NotDoneBefore (not of the roster), AlreadyDone, ZeroWord,
    /// PrivacyBudgetSpent. Emits KeysPosted.
    function postKeys(uint256 task, bytes32 hash, bytes32 cid) external;

    /// @notice Secure mode: the caller's shares (hash and CID of its SHARES file, root over the commitments to its
    /// seeds). Who has posted keys, in phase Shares, once.
    /// @dev Reverts with WrongMode, NotAParticipant, NotDoneBefore, AlreadyDone, ZeroWord. Emits SharesPosted.
    function postShares(uint256 task, bytes32 seedsRoot, bytes32 hash, bytes32 cid) external;

    /// @notice Secure mode: the root and the CID of the caller's masked vector, which counts as a release. Who has posted
    /// shares, in phase Commit, once.
    /// @dev Reverts with WrongMode, NotAParticipant, NotDoneBefore (shares, or the model that is to be proven), AlreadyDone,
    /// ZeroWord, PrivacyBudgetSpent. Emits MaskedPosted, and CommitsClosed with the last of all who posted shares.
    function postMasked(uint256 task, bytes32 maskedRoot, bytes32 cid) external;

    /// @notice Asks for a chunk of the update (masked vector) of participant `index`; `requestBond` of the caller's free
    /// bond as Verifier is locked. Anyone, in phase Request, four times for each update in a round.
    /// @dev Reverts with NotIncluded, ChunkOutOfRange, EnoughRequests, the vault's errors. Emits Requested.
    function request(uint256 task, uint16 index, uint32 chunk) external;

    /// @notice Shows the chunk asked for. Anyone, before the time for answers is over; the asker's bond goes to the
    /// update's author, so nobody gains from repeating an answer that it saw. The fourth answer drops the update from the round.
    /// @dev Reverts with TooLate, NotRequested, WrongLength, WrongOpening, WrongProofLength. Emits Answered, Dropped.
    function answer(uint256 task, uint16 index, uint32 chunk, bytes calldata content, bytes32[] calldata proof) external;

    /// @notice Closes the requests about `index` that nobody has answered in time: the update is dropped, its author
    /// excluded and its stake slashed, `disputeSharePpm` of it to the first asker; all askers' bonds are free. Anyone.
    /// @dev Reverts with TooEarly, NotRequested. Emits RequestExpired, Dropped, Excluded.
    function expire(uint256 task, uint16 index) external;

    /// @notice Secure mode: what unmasks the caller's group (hash and CID of its UNMASK file). Who has posted a masked
    /// vector that was not dropped, in phase Unmask, once.
    /// @dev Reverts with NotAParticipant, NotIncluded, AlreadyDone, ZeroWord. Emits UnmaskPosted.
    function postUnmask(uint256 task, bytes32 hash, bytes32 cid) external;
}
