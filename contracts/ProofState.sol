// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IOrderBook, Order } from "./interfaces/IOrderBook.sol";
import {
    Claim,
    IProofOfTraining,
    Model,
    Outcome,
    ScoreSheet,
    Seat,
    Settlement,
    Tally
} from "./interfaces/IProofOfTraining.sol";
import { IRewardTreasury } from "./interfaces/IRewardTreasury.sol";
import { IStakeVault } from "./interfaces/IStakeVault.sol";
import { Facts, Lifecycle, Phase, Windows } from "./libraries/Lifecycle.sol";
import { ScoreFunctions } from "./libraries/ScoreFunctions.sol";
import { Tallies, Votes } from "./libraries/Tallies.sol";

/// @title What ProofOfTraining remembers, and how it is read
abstract contract ProofState is IProofOfTraining {
    using Tallies for Votes;

    /// @dev `ScoreSheet`, packed; what is locked follows from the rest. `sequence` tells the latest on a tie.
    struct Sheet {
        bytes32 commitment;
        uint128 vStake;
        uint64 sequence;
        uint16 removals;
        bool revealed;
        bool slashed;
    }

    /// @dev Who took the place of a validation that was proven false; the stake is the order's `challengeStake`. Nobody has
    /// while `holder` is zero. A score that was proven false in its turn is an abstention.
    struct Taken {
        address holder;
        int64 score;
        uint24 version;
        bool released;
    }

    /// @dev One order's cycle data (paper, table 1). The counters are the lengths of the lists below them; the first slot
    /// is full. Bit i of `voidModels`: model i, of at most 32.
    struct Cycle {
        uint56 sequence;
        bool testVoid;
        uint64 challengeUntil;
        uint32 openDisputes;
        uint16 claims;
        uint16 reveals;
        uint16 scoreCommits;
        uint16 scoreReveals;
        uint32 voidModels;
        Settlement settlement;
        mapping(uint256 index => address) claimantAt;
        mapping(uint256 index => Model) modelAt;
        mapping(uint256 index => address) validatorAt;
        mapping(address provider => Claim) claimBy;
        mapping(address validator => Sheet) sheetBy;
        mapping(address validator => int64[]) scoresBy;
        /// bit i: the validation of model i
        mapping(address validator => uint256) removedBy;
        mapping(address validator => mapping(uint256 modelIndex => Taken)) takenFrom;
        mapping(uint256 modelIndex => Votes) votesOn;
        /// who asked for what nobody could post
        mapping(uint256 modelIndex => address) reporterOf;
    }

    IOrderBook internal immutable _BOOK;
    IStakeVault internal immutable _VAULT;
    IRewardTreasury internal immutable _TREASURY;
    address internal immutable _COURT;
    address internal immutable _AVAILABILITY;

    mapping(uint256 oid => Cycle) internal _cycles;

    constructor(
        IOrderBook orderBook_,
        IStakeVault vault_,
        IRewardTreasury treasury_,
        address court_,
        address availability_
    ) {
        _BOOK = orderBook_;
        _VAULT = vault_;
        _TREASURY = treasury_;
        _COURT = court_;
        _AVAILABILITY = availability_;
    }

    /// @inheritdoc IProofOfTraining
    function phaseOf(uint256 oid) external view returns (Phase) {
        return _phaseOf(oid);
    }

    /// @inheritdoc IProofOfTraining
    function factsOf(uint256 oid) external view returns (Facts memory) {
        (, Facts memory facts) = _standingOf(oid);
        return facts;
    }

    /// @inheritdoc IProofOfTraining
    function claimOf(uint256 oid, address provider) external view returns (Claim memory) {
        return _cycles[oid].claimBy[provider];
    }

    /// @inheritdoc IProofOfTraining
    function claimantsOf(uint256 oid) external view returns (address[] memory list) {
        Cycle storage cycle = _cycles[oid];
        list = new address[](cycle.claims);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = cycle.claimantAt[i];
        }
    }

    /// @inheritdoc IProofOfTraining
    function modelsOf(uint256 oid) external view returns (Model[] memory list) {
        Cycle storage cycle = _cycles[oid];
        list = new Model[](cycle.reveals);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = cycle.modelAt[i];
        }
    }

    /// @inheritdoc IProofOfTraining
    function modelAt(uint256 oid, uint16 modelIndex) external view returns (Model memory) {
        return _knownModel(_cycles[oid], oid, modelIndex);
    }

    /// @inheritdoc IProofOfTraining
    function validatorsOf(uint256 oid) external view returns (address[] memory list) {
        Cycle storage cycle = _cycles[oid];
        list = new address[](cycle.scoreCommits);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = cycle.validatorAt[i];
        }
    }

    /// @inheritdoc IProofOfTraining
    function sheetOf(uint256 oid, address validator) external view returns (ScoreSheet memory) {
        Cycle storage cycle = _cycles[oid];
        Sheet storage sheet = cycle.sheetBy[validator];
        bool bound = !sheet.slashed && cycle.settlement.outcome == Outcome.None;
        return ScoreSheet({
            commitment: sheet.commitment,
            vStake: sheet.vStake,
            locked: bound ? _lockedBy(cycle, sheet) : 0,
            revealed: sheet.revealed,
            slashed: sheet.slashed
        });
    }

    /// @inheritdoc IProofOfTraining
    function scoresOf(uint256 oid, address validator) external view returns (int64[] memory) {
        return _cycles[oid].scoresBy[validator];
    }

    /// @inheritdoc IProofOfTraining
    function scoreOf(uint256 oid, address validator, uint16 modelIndex) external view returns (int64) {
        Cycle storage cycle = _cycles[oid];
        if (modelIndex >= cycle.scoresBy[validator].length) revert NoSuchValidation(oid, validator, modelIndex);
        return _scoreOf(cycle, validator, modelIndex);
    }

    /// @inheritdoc IProofOfTraining
    function seatOf(uint256 oid, address validator, uint16 modelIndex) external view returns (Seat memory seat) {
        Cycle storage cycle = _cycles[oid];
        if (modelIndex >= cycle.scoresBy[validator].length) return seat;
        Taken storage taken = cycle.takenFrom[validator][modelIndex];
        // the court asks at every move, and an order is a lot to read
        uint256 challengeStake = taken.holder == address(0) ? 0 : _orderOf(oid).challengeStake;
        seat.live = _isLive(cycle, validator, modelIndex);
        seat.score = _scoreOf(cycle, validator, modelIndex);
        seat.version = taken.version;
        (seat.holder, seat.stake) = _holderOf(cycle, validator, modelIndex, challengeStake);
    }

    /// @inheritdoc IProofOfTraining
    function isRemoved(uint256 oid, address validator, uint16 modelIndex) external view returns (bool) {
        return _isRemoved(_cycles[oid], validator, modelIndex);
    }

    /// @inheritdoc IProofOfTraining
    function isLive(uint256 oid, address validator, uint16 modelIndex) external view returns (bool) {
        return _isLive(_cycles[oid], validator, modelIndex);
    }

    /// @inheritdoc IProofOfTraining
    function isVoid(uint256 oid, uint16 modelIndex) external view returns (bool) {
        return _isVoid(_cycles[oid], modelIndex);
    }

    /// @inheritdoc IProofOfTraining
    function isTestVoid(uint256 oid) external view returns (bool) {
        return _cycles[oid].testVoid;
    }

    /// @inheritdoc IProofOfTraining
    function tallyOf(uint256 oid, uint16 modelIndex) external view returns (Tally memory) {
        Cycle storage cycle = _cycles[oid];
        _knownModel(cycle, oid, modelIndex);
        Votes storage votes = cycle.votesOn[modelIndex];
        (bool eligible, int64 score) = _eligible(cycle, modelIndex, _orderOf(oid), _samplesOf(oid));
        return Tally({ live: votes.live, distinct: votes.distinct, score: score, eligible: eligible });
    }

    /// @inheritdoc IProofOfTraining
    function settlementOf(uint256 oid) external view returns (Settlement memory) {
        return _cycles[oid].settlement;
    }

    /// @inheritdoc IProofOfTraining
    function orderBook() external view returns (address) {
        return address(_BOOK);
    }

    /// @inheritdoc IProofOfTraining
    function vault() external view returns (address) {
        return address(_VAULT);
    }

    /// @inheritdoc IProofOfTraining
    function treasury() external view returns (address) {
        return address(_TREASURY);
    }

    /// @inheritdoc IProofOfTraining
    function court() external view returns (address) {
        return _COURT;
    }

    /// @inheritdoc IProofOfTraining
    function availability() external view returns (address) {
        return _AVAILABILITY;
    }

    function _requirePhase(uint256 oid, Phase expected) internal view {
        Phase actual = _phaseOf(oid);
        if (actual != expected) revert WrongPhase(oid, expected, actual);
    }

    function _phaseOf(uint256 oid) internal view returns (Phase) {
        (Windows memory windows, Facts memory facts) = _standingOf(oid);
        return Lifecycle.phaseAt(windows, facts, uint64(block.timestamp));
    }

    function _orderOf(uint256 oid) internal view returns (Order memory) {
        return _BOOK.getOrder(oid);
    }

    function _knownModel(Cycle storage cycle, uint256 oid, uint256 modelIndex) internal view returns (Model storage) {
        if (modelIndex >= cycle.reveals) revert UnknownModel(oid, modelIndex);
        return cycle.modelAt[modelIndex];
    }

    /// @return samples in the released test set; 0 while none is released, and when it is void
    function _samplesOf(uint256 oid) internal view returns (uint32 samples) {
        if (_cycles[oid].testVoid) return 0;
        // slither-disable-next-line unused-return
        (,, samples) = _BOOK.standingOf(oid);
    }

    /// @return eligible whether the model can win
    /// @return score what all its live validations say; 0 if they do not agree
    function _eligible(Cycle storage cycle, uint256 modelIndex, Order memory order, uint32 samples)
        internal
        view
        returns (bool eligible, int64 score)
    {
        Votes storage votes = cycle.votesOn[modelIndex];
        bool agreed;
        (agreed, score) = votes.agreement();
        eligible = agreed && samples != 0 && !_isVoid(cycle, modelIndex) && votes.live >= order.terms.minimumValidators
            && ScoreFunctions.reaches(score, samples, order.terms.minimumScorePpm);
    }

    /// @return what is locked for a sheet that was neither slashed nor sealed
    function _lockedBy(Cycle storage cycle, Sheet storage sheet) internal view returns (uint256) {
        return uint256(sheet.vStake) * (cycle.reveals - sheet.removals);
    }

    /// @return whether `validator` has revealed a score for the model which still counts
    function _isLive(Cycle storage cycle, address validator, uint256 modelIndex) internal view returns (bool) {
        return !cycle.testVoid && !_isVoid(cycle, modelIndex) && _isCounted(cycle, validator, modelIndex);
    }

    /// @return whether the score is in the tally of the model, which may be void
    function _isCounted(Cycle storage cycle, address validator, uint256 modelIndex) internal view returns (bool) {
        if (modelIndex >= cycle.scoresBy[validator].length) return false;
        if (_scoreOf(cycle, validator, modelIndex) == ScoreFunctions.ABSTAIN) return false;
        return cycle.takenFrom[validator][modelIndex].holder != address(0) || !_isRemoved(cycle, validator, modelIndex);
    }

    /// @return what the validation says, whoever's it is now; the validator has revealed
    function _scoreOf(Cycle storage cycle, address validator, uint256 modelIndex) internal view returns (int64) {
        Taken storage taken = cycle.takenFrom[validator][modelIndex];
        return taken.holder == address(0) ? cycle.scoresBy[validator][modelIndex] : taken.score;
    }

    /// @return holder whose the validation is now
    /// @return stake what is behind it, in wei
    function _holderOf(Cycle storage cycle, address validator, uint256 modelIndex, uint256 challengeStake)
        internal
        view
        returns (address holder, uint256 stake)
    {
        holder = cycle.takenFrom[validator][modelIndex].holder;
        if (holder != address(0)) return (holder, challengeStake);
        return (validator, cycle.sheetBy[validator].vStake);
    }

    /// @return whether the validation was proven false, nothing stands in its place, and the model has too few without it
    function _isVacant(Cycle storage cycle, uint256 oid, address validator, uint256 modelIndex)
        internal
        view
        returns (bool)
    {
        if (cycle.testVoid || _isVoid(cycle, modelIndex)) return false;
        return _isRemoved(cycle, validator, modelIndex) && !_isCounted(cycle, validator, modelIndex)
            && cycle.votesOn[modelIndex].live < _orderOf(oid).terms.minimumValidators;
    }

    function _isVoid(Cycle storage cycle, uint256 modelIndex) internal view returns (bool) {
        return (cycle.voidModels >> modelIndex) & 1 == 1;
    }

    function _isRemoved(Cycle storage cycle, address validator, uint256 modelIndex) private view returns (bool) {
        return (cycle.removedBy[validator] >> modelIndex) & 1 == 1;
    }

    function _standingOf(uint256 oid) private view returns (Windows memory windows, Facts memory facts) {
        uint32 sampleCount;
        (windows, facts.cancelled, sampleCount) = _BOOK.standingOf(oid);
        Cycle storage cycle = _cycles[oid];
        facts.isSealed = cycle.settlement.outcome != Outcome.None;
        facts.testReleased = sampleCount != 0 && !cycle.testVoid;
        facts.claims = cycle.claims;
        facts.reveals = cycle.reveals;
        facts.scoreCommits = cycle.scoreCommits;
        facts.scoreReveals = cycle.scoreReveals;
        facts.openDisputes = cycle.openDisputes;
        facts.challengeUntil = cycle.challengeUntil;
    }
}
