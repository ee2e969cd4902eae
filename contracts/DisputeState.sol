// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { Dispute, IDisputeCourt, Stage, Verdict } from "./interfaces/IDisputeCourt.sol";
import { IOrderBook, Order } from "./interfaces/IOrderBook.sol";
import { IParameters } from "./interfaces/IParameters.sol";
import { IProofOfTraining, Seat } from "./interfaces/IProofOfTraining.sol";
import { IStakeVault, Role } from "./interfaces/IStakeVault.sol";
import { IStepVerifier } from "./interfaces/IStepVerifier.sol";
import { Phase } from "./libraries/Lifecycle.sol";
import { ScoreFunctions } from "./libraries/ScoreFunctions.sol";

/// @title How disputes begin and end, whose turn it is, and how they are read
/// @notice What players do in between is in DisputeCourt.
abstract contract DisputeState is IDisputeCourt, ReentrancyGuardTransient {
    using SafeCast for uint256;

    uint256 private constant PPM = 1_000_000;

    IOrderBook internal immutable _BOOK;
    IProofOfTraining internal immutable _PROOF;
    IStakeVault internal immutable _VAULT;
    IStepVerifier internal immutable _VERIFIER;

    uint256 private _disputeCount;
    mapping(uint256 id => Dispute) private _disputes;

    constructor(IOrderBook orderBook_, IProofOfTraining proofOfTraining_, IStakeVault vault_, IStepVerifier verifier_) {
        _BOOK = orderBook_;
        _PROOF = proofOfTraining_;
        _VAULT = vault_;
        _VERIFIER = verifier_;
    }

    /// @inheritdoc IDisputeCourt
    function open(uint256 oid, address validator, uint16 modelIndex) external nonReentrant returns (uint256 id) {
        return _open(oid, validator, modelIndex, ScoreFunctions.ABSTAIN);
    }

    /// @inheritdoc IDisputeCourt
    function counter(uint256 oid, address validator, uint16 modelIndex, int64 score)
        external
        nonReentrant
        returns (uint256 id)
    {
        id = _open(oid, validator, modelIndex, score);
        emit Countered(id, validator, score);
    }

    /// @inheritdoc IDisputeCourt
    function fill(uint256 oid, address validator, uint16 modelIndex, int64 score) external nonReentrant {
        if (_PROOF.phaseOf(oid) != Phase.Challenge || _PROOF.isLive(oid, validator, modelIndex)) {
            revert NotDisputable(oid, validator, modelIndex);
        }
        _requireVerifier();
        Order memory order = _BOOK.getOrder(oid);
        _VAULT.lock(msg.sender, Role.Verifier, order.challengeStake, bytes32(oid));
        // a dispute that is over at once, so that the window stretches for who wants to challenge this
        _PROOF.disputeOpened(oid);
        if (!_PROOF.replaceValidation(oid, validator, modelIndex, msg.sender, score)) {
            revert IProofOfTraining.ScoreOutOfRange(modelIndex, score);
        }
        _PROOF.disputeClosed(oid, uint64(block.timestamp) + order.terms.challengeSeconds);
    }

    /// @inheritdoc IDisputeCourt
    function timeOut(uint256 id) external nonReentrant {
        Dispute storage d = _unclosed(id);
        if (block.timestamp < d.deadline) revert NotLate(id, d.deadline);
        if (!_isLive(d)) return _close(id, d, Verdict.Moot, false);
        _close(id, d, _isDefendants(d.stage) ? Verdict.False : Verdict.Stands, true);
    }

    /// @inheritdoc IDisputeCourt
    function dismiss(uint256 id) external nonReentrant {
        Dispute storage d = _unclosed(id);
        if (_isLive(d)) revert StillLive(id);
        _close(id, d, Verdict.Moot, false);
    }

    /// @inheritdoc IDisputeCourt
    function disputeOf(uint256 id) external view returns (Dispute memory) {
        return _find(id);
    }

    /// @inheritdoc IDisputeCourt
    function disputeCount() external view returns (uint256) {
        return _disputeCount;
    }

    /// @inheritdoc IDisputeCourt
    function proofOfTraining() external view returns (address) {
        return address(_PROOF);
    }

    /// @inheritdoc IDisputeCourt
    function orderBook() external view returns (address) {
        return address(_BOOK);
    }

    /// @inheritdoc IDisputeCourt
    function vault() external view returns (address) {
        return address(_VAULT);
    }

    /// @inheritdoc IDisputeCourt
    function verifier() external view returns (address) {
        return address(_VERIFIER);
    }

    function _open(uint256 oid, address validator, uint16 modelIndex, int64 score) private returns (uint256 id) {
        Seat memory seat = _PROOF.seatOf(oid, validator, modelIndex);
        if (_PROOF.phaseOf(oid) != Phase.Challenge || !seat.live) revert NotDisputable(oid, validator, modelIndex);
        if (seat.holder == msg.sender) revert OwnValidation(msg.sender);
        _requireVerifier();
        Order memory order = _BOOK.getOrder(oid);
        uint32 samples = _BOOK.testSetOf(oid).sampleCount;
        id = ++_disputeCount;
        Dispute storage d = _disputes[id];
        (d.challenger, d.modelIndex) = (msg.sender, modelIndex);
        (d.defendant, d.high, d.moveSeconds) = (seat.holder, samples, order.moveSeconds);
        (d.oid, d.value, d.stake) = (oid.toUint64(), seat.score, order.challengeStake.toUint128());
        (d.seat, d.counter, d.version) = (validator, score, seat.version);
        emit Opened(id, oid, seat.holder, msg.sender, modelIndex, seat.score, order.challengeStake);
        _advance(id, d, samples == 1 ? Stage.Trace : Stage.Sums);
        _VAULT.lock(msg.sender, Role.Verifier, order.challengeStake, bytes32(oid));
        _PROOF.disputeOpened(oid);
    }

    /// @dev Hands the turn on; the next player has a full clock.
    function _advance(uint256 id, Dispute storage d, Stage next) internal {
        uint64 deadline = uint64(block.timestamp) + d.moveSeconds;
        d.stage = next;
        d.deadline = deadline;
        emit Moved(id, next, deadline);
    }

    /// @dev Pays the winner, frees what nobody lost, and leaves time for further challenges. The dispute is closed before
    /// the first call, and whoever is called is ours.
    function _close(uint256 id, Dispute storage d, Verdict verdict, bool timedOut) internal {
        d.stage = Stage.Closed;
        d.verdict = verdict;
        Order memory order = _BOOK.getOrder(d.oid);
        (address winner, uint256 lost) = _outcome(d, verdict);
        uint256 paid = Math.mulDiv(lost, order.disputeSharePpm, PPM);
        emit Closed(id, verdict, timedOut, winner, paid, lost - paid);
        bytes32 ref = bytes32(uint256(d.oid));
        if (verdict == Verdict.Stands) {
            _VAULT.slashLocked(d.challenger, Role.Verifier, d.stake, winner, order.disputeSharePpm, ref);
        } else if (verdict == Verdict.Moot || !_replace(d)) {
            _VAULT.unlock(d.challenger, Role.Verifier, d.stake, ref);
        }
        _PROOF.disputeClosed(d.oid, uint64(block.timestamp) + order.terms.challengeSeconds);
    }

    /// @notice The dispute, if the caller may make the move of that stage now.
    function _turn(uint256 id, Stage expected) internal view returns (Dispute storage d) {
        d = _find(id);
        if (d.stage != expected) revert WrongStage(id, expected, d.stage);
        address player = _isDefendants(expected) ? d.defendant : d.challenger;
        if (msg.sender != player) revert NotYourTurn(id, player, msg.sender);
        if (block.timestamp >= d.deadline) revert TooLate(id, d.deadline);
        if (!_isLive(d)) revert NotDisputable(d.oid, d.defendant, d.modelIndex);
    }

    /// @return winner nobody when the dispute is moot
    /// @return lost the loser's stake, in wei
    function _outcome(Dispute storage d, Verdict verdict) private view returns (address winner, uint256 lost) {
        if (verdict == Verdict.Stands) return (d.defendant, d.stake);
        if (verdict == Verdict.False) return (d.challenger, _PROOF.seatOf(d.oid, d.seat, d.modelIndex).stake);
        return (address(0), 0);
    }

    /// @return seated whether the challenger's own score took the place, and its stake stays behind it
    function _replace(Dispute storage d) private returns (bool seated) {
        return _PROOF.replaceValidation(d.oid, d.seat, d.modelIndex, d.challenger, d.counter);
    }

    function _unclosed(uint256 id) private view returns (Dispute storage d) {
        d = _find(id);
        if (d.stage == Stage.Closed) revert AlreadyClosed(id);
    }

    function _find(uint256 id) private view returns (Dispute storage d) {
        if (id == 0 || id > _disputeCount) revert UnknownDispute(id);
        d = _disputes[id];
    }

    /// @return whether the validation is still what was challenged
    function _isLive(Dispute storage d) private view returns (bool) {
        Seat memory seat = _PROOF.seatOf(d.oid, d.seat, d.modelIndex);
        return seat.live && seat.version == d.version;
    }

    function _requireVerifier() private view {
        if (_VAULT.isActive(msg.sender, Role.Verifier)) return;
        uint256 expected = IParameters(_VAULT.parameters()).minimumBond(Role.Verifier);
        revert NotAVerifier(msg.sender, expected, _VAULT.bondOf(msg.sender, Role.Verifier).bonded);
    }

    /// @return whether the stage's move is the defendant's; the two alternate
    function _isDefendants(Stage stage) private pure returns (bool) {
        return stage == Stage.Sums || stage == Stage.Trace || stage == Stage.Hashes || stage == Stage.Chunk
            || stage == Stage.Parts;
    }
}
