// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { TaskPhase } from "../interfaces/FederatedTypes.sol";
import { ProofPhase, ProverStatus } from "../interfaces/IAccuracyProofs.sol";
import { IFederatedAccuracy } from "../interfaces/IFederatedAccuracy.sol";
import { Role } from "../interfaces/IStakeVault.sol";
import { AccuracyRules } from "./AccuracyRules.sol";
import { Bitmaps } from "./Bitmaps.sol";
import { FederatedState } from "./FederatedState.sol";

/// @title Who is in a round by what it has proven of its model
/// @notice This contract opens a round of `AccuracyProofs` for each round of a task, and commits there for its participants;
/// the proofs themselves are sent there by anyone.
abstract contract FederatedAccuracy is IFederatedAccuracy, FederatedState {
    using Bitmaps for uint128;

    /// @inheritdoc IFederatedAccuracy
    function commitModel(uint256 task, uint256 modelHash) external nonReentrant {
        Task storage t = _in(task, TaskPhase.Commit);
        _requireProofs(t, task);
        uint16 index = _mine(t, task);
        if (_isSecure(t) && !t.shared.has(index)) revert NotDoneBefore(task, index);
        uint128 before = t.modelled;
        if (before.has(index)) revert AlreadyDone(task, index);
        t.modelled = before | Bitmaps.only(index);
        uint256 round = t.round;
        emit LocalModelCommitted(task, uint32(round), index, modelHash);
        if (before == 0) {
            uint256 left = t.facts.commitEnds - block.timestamp;
            // its id is known
            // slither-disable-next-line unused-return
            _PROOFS.open(
                _proofKey(task, round), AccuracyRules.proofTerms(t.terms.accuracy, t.terms.windows.prove, left)
            );
        }
        _PROOFS.commitFor(_proofRound(task, round), msg.sender, modelHash);
    }

    /// @inheritdoc IFederatedAccuracy
    function drawChunks(uint256 task) external nonReentrant {
        Task storage t = _known(task);
        _requireProofs(t, task);
        uint40 commitEnds = t.facts.commitEnds;
        if (block.timestamp < commitEnds) revert TooEarly(commitEnds, uint64(block.timestamp));
        bytes32 round = _proofRound(task, t.round);
        if (_PROOFS.phaseOf(round) == ProofPhase.Commit) _PROOFS.endCommits(round);
        _PROOFS.draw(round);
    }

    /// @inheritdoc IFederatedAccuracy
    function countProofs(uint256 task) external nonReentrant {
        Task storage t = _in(task, TaskPhase.Prove);
        bytes32 round = _proofRound(task, t.round);
        uint128 modelled = t.modelled;
        // nobody has committed to an update without a model
        if (modelled != 0) {
            ProofPhase phase = _PROOFS.phaseOf(round);
            if (phase != ProofPhase.Over) revert ProofsNotOver(task, ProofPhase.Over, phase);
        }
        t.countedAt = uint40(block.timestamp);
        uint256[] memory indices = modelled.list();
        for (uint256 i = 0; i < indices.length; ++i) {
            _countOf(t, task, round, uint16(indices[i]));
        }
        emit ProofsCounted(task, t.round, _included(t), uint64(block.timestamp));
    }

    function _countOf(Task storage t, uint256 task, bytes32 round, uint16 index) private {
        // Both contracts are ours and call nobody; 128 at most.
        // slither-disable-next-line calls-loop,unused-return
        (ProverStatus status,, uint256 correct,) = _PROOFS.proverOf(round, t.members[index].account);
        bool accepted = status == ProverStatus.Accepted;
        emit AccuracyCounted(task, t.round, index, uint32(correct), accepted);
        if (accepted) {
            t.correct[index] = uint32(correct);
            return;
        }
        if (_included(t).has(index)) {
            t.dropped |= Bitmaps.only(index);
            emit Dropped(task, t.round, index);
        }
        // who is not there any more has lost all
        if (status == ProverStatus.NoShow && t.present.has(index)) _penaliseNoShow(t, task, index);
    }

    /// @dev As a late leader, so that whoever leads has at least the bond at stake; who cannot pay twice is excluded.
    function _penaliseNoShow(Task storage t, uint256 task, uint16 index) private {
        Member storage m = t.members[index];
        uint96 penalty = t.terms.leaderPenalty;
        if (m.stake <= penalty) return _exclude(t, task, index, msg.sender);
        m.stake -= penalty;
        t.barred |= Bitmaps.only(index);
        emit NoShowPenalised(task, t.round, index, penalty, msg.sender);
        // slither-disable-next-line calls-loop
        uint256 sharePpm = _PARAMETERS.reporterSharePpm();
        // slither-disable-next-line calls-loop
        _VAULT.slashLocked(m.account, Role.Participant, penalty, msg.sender, sharePpm, _ref(task));
    }

    function _requireProofs(Task storage t, uint256 task) private view {
        if (!t.proves) revert NoProofsAsked(task);
    }
}
