// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IOrderBook, Order } from "./interfaces/IOrderBook.sol";
import { IProofOfTraining, Outcome } from "./interfaces/IProofOfTraining.sol";
import { IRewardTreasury } from "./interfaces/IRewardTreasury.sol";
import { IStakeVault, Role } from "./interfaces/IStakeVault.sol";
import { Phase } from "./libraries/Lifecycle.sol";
import { ScoreFunctions } from "./libraries/ScoreFunctions.sol";
import { Tallies, Votes } from "./libraries/Tallies.sol";
import { ProofState } from "./ProofState.sol";

/// @title What the courts may do to an order, and what follows from their verdicts
abstract contract ProofCourts is ProofState, ReentrancyGuardTransient {
    using Tallies for Votes;

    modifier onlyCourt() {
        if (msg.sender != _COURT) revert OnlyCourt(_COURT, msg.sender);
        _;
    }

    modifier onlyAvailability() {
        if (msg.sender != _AVAILABILITY) revert OnlyAvailability(_AVAILABILITY, msg.sender);
        _;
    }

    modifier onlyCourts() {
        if (msg.sender != _COURT && msg.sender != _AVAILABILITY) revert NotACourt(msg.sender);
        _;
    }

    constructor(
        IOrderBook orderBook_,
        IStakeVault vault_,
        IRewardTreasury treasury_,
        address court_,
        address availability_
    ) ProofState(orderBook_, vault_, treasury_, court_, availability_) { }

    /// @inheritdoc IProofOfTraining
    function slashVoidValidation(uint256 oid, address validator, uint16 modelIndex) external nonReentrant {
        Cycle storage cycle = _cycles[oid];
        bool bound = cycle.settlement.outcome == Outcome.None && !cycle.testVoid;
        if (!bound || !_isVoid(cycle, modelIndex) || !_isCounted(cycle, validator, modelIndex)) {
            revert NotSlashable(oid, validator);
        }
        _removeValidation(oid, validator, modelIndex, cycle.reporterOf[modelIndex]);
    }

    /// @inheritdoc IProofOfTraining
    function disputeOpened(uint256 oid) external onlyCourts {
        Phase phase = _phaseOf(oid);
        if (phase < Phase.ScoreCommit || phase > Phase.Challenge) revert NotContestable(oid, phase);
        uint32 open = ++_cycles[oid].openDisputes;
        emit DisputeOpened(oid, open);
    }

    /// @inheritdoc IProofOfTraining
    function disputeClosed(uint256 oid, uint64 challengeUntil) external onlyCourts {
        Cycle storage cycle = _contested(oid);
        cycle.openDisputes -= 1;
        if (challengeUntil > cycle.challengeUntil) cycle.challengeUntil = challengeUntil;
        emit DisputeClosed(oid, cycle.openDisputes, cycle.challengeUntil);
    }

    /// @inheritdoc IProofOfTraining
    function replaceValidation(uint256 oid, address validator, uint16 modelIndex, address challenger, int64 score)
        external
        onlyCourt
        nonReentrant
        returns (bool seated)
    {
        Cycle storage cycle = _contested(oid);
        _knownModel(cycle, oid, modelIndex);
        bool live = _isLive(cycle, validator, modelIndex);
        if (!live && !_isVacant(cycle, oid, validator, modelIndex)) {
            revert NoSuchValidation(oid, validator, modelIndex);
        }
        seated = ScoreFunctions.inRange(_orderOf(oid).terms.scoreFunction, score, _samplesOf(oid));
        if (live) _removeValidation(oid, validator, modelIndex, challenger);
        if (!seated) return false;
        Taken storage taken = cycle.takenFrom[validator][modelIndex];
        (taken.holder, taken.score, taken.version) = (challenger, score, taken.version + 1);
        cycle.votesOn[modelIndex].add(score);
        emit SeatTaken(oid, validator, modelIndex, challenger, score);
    }

    /// @inheritdoc IProofOfTraining
    function releaseSeat(uint256 oid, address validator, uint16 modelIndex) external {
        _requirePhase(oid, Phase.Sealed);
        Taken storage taken = _cycles[oid].takenFrom[validator][modelIndex];
        if (taken.holder == address(0) || taken.released || taken.score == ScoreFunctions.ABSTAIN) {
            revert NoSuchValidation(oid, validator, modelIndex);
        }
        taken.released = true;
        emit SeatReleased(oid, validator, modelIndex, taken.holder);
        _VAULT.unlock(taken.holder, Role.Verifier, _orderOf(oid).challengeStake, bytes32(oid));
    }

    /// @inheritdoc IProofOfTraining
    function voidModel(uint256 oid, uint16 modelIndex, address reporter) external onlyAvailability nonReentrant {
        Cycle storage cycle = _contested(oid);
        address provider = _knownModel(cycle, oid, modelIndex).provider;
        if (_isVoid(cycle, modelIndex)) revert ModelAlreadyVoid(oid, modelIndex);
        Order memory order = _orderOf(oid);
        cycle.voidModels |= uint32(1 << modelIndex);
        cycle.reporterOf[modelIndex] = reporter;
        cycle.claimBy[provider].slashed = true;
        emit ModelVoided(oid, modelIndex, provider, reporter, order.claimBond);
        _VAULT.slashLocked(provider, Role.Provider, order.claimBond, reporter, order.disputeSharePpm, bytes32(oid));
    }

    /// @inheritdoc IProofOfTraining
    function voidTest(uint256 oid, address reporter) external onlyAvailability {
        Cycle storage cycle = _contested(oid);
        if (cycle.testVoid) revert TestAlreadyVoid(oid);
        cycle.testVoid = true;
        emit TestVoided(oid, reporter);
    }

    /// @dev Takes a counted validation out of the tally and slashes the stake behind it.
    function _removeValidation(uint256 oid, address validator, uint16 modelIndex, address beneficiary) private {
        Cycle storage cycle = _cycles[oid];
        Order memory order = _orderOf(oid);
        (address holder, uint256 stake) = _holderOf(cycle, validator, modelIndex, order.challengeStake);
        Role role = _strike(cycle, validator, modelIndex);
        emit ValidationRemoved(oid, holder, modelIndex, beneficiary, stake);
        _VAULT.slashLocked(holder, role, stake, beneficiary, order.disputeSharePpm, bytes32(oid));
    }

    /// @return role in which the stake behind the validation is bonded
    function _strike(Cycle storage cycle, address validator, uint16 modelIndex) private returns (Role role) {
        cycle.votesOn[modelIndex].remove(_scoreOf(cycle, validator, modelIndex));
        Taken storage taken = cycle.takenFrom[validator][modelIndex];
        if (taken.holder != address(0)) {
            taken.score = ScoreFunctions.ABSTAIN;
            return Role.Verifier;
        }
        cycle.sheetBy[validator].removals += 1;
        cycle.removedBy[validator] |= 1 << modelIndex;
        return Role.Validator;
    }

    function _contested(uint256 oid) private view returns (Cycle storage cycle) {
        cycle = _cycles[oid];
        if (cycle.openDisputes == 0) revert NoOpenDispute(oid);
    }
}
