// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IFederatedEvents } from "./IFederatedEvents.sol";

/// @title Proofs of accuracy in federated rounds, and rewards: what FederatedTraining's annex executes (`IFederatedActions`)
interface IFederatedAccuracy is IFederatedEvents {
    /// @notice Commits to the local model whose accuracy the caller will prove (docs/proofs.md, Statement), before it commits to
    /// its update. Participants, in phase Commit, once; secure mode: who has posted shares.
    /// @dev Reverts with NoProofsAsked, NotAParticipant, NotDoneBefore, AlreadyDone, AccuracyProofs' errors. Emits
    /// LocalModelCommitted; AccuracyProofs: ProofRoundOpened with the first, ModelCommitted.
    function commitModel(uint256 task, uint256 modelHash) external;

    /// @notice Goes on with the draw of the chunks that all prove. Anyone, after phase Commit: ends the commits of the round of
    /// proofs if they are still open, then what `IAccuracyProofs.draw` does, which may be called instead from then on.
    /// @dev Reverts with NoProofsAsked, TooEarly, AccuracyProofs' errors.
    function drawChunks(uint256 task) external;

    /// @notice Counts what was proven: whose proofs are missing or below the minimum is out of the round, and who has proven
    /// nothing loses `leaderPenalty`, `reporterSharePpm` of it to the caller, and leads no more in this task; who has no more
    /// than that is excluded. Anyone, in phase Prove, once no proof can come any more.
    /// @dev Reverts with ProofsNotOver. Emits AccuracyCounted, Dropped, NoShowPenalised, Excluded, ProofsCounted.
    function countProofs(uint256 task) external;

    /// @notice Pays participant `index` its part of a final round's reward, once; anyone may call. `row` is row 0 of the
    /// measures. With the leader's claim the pool of a round to which nobody contributed goes back to the client. With proofs
    /// of accuracy the pool is divided by what was proven above the baseline; row and proof are empty then.
    /// @dev Reverts with NotFinal, NotIncluded, AlreadyClaimed, WrongLength, WrongOpening, WrongProofLength. Emits
    /// RewardPaid, Refunded.
    function claimReward(uint256 task, uint32 round, uint16 index, bytes calldata row, bytes32[] calldata proof)
        external;
}
