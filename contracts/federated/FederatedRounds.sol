// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { AccuracyRecord, Mode, RoundRecord, TaskPhase } from "../interfaces/FederatedTypes.sol";
import { IFederatedTraining } from "../interfaces/IFederatedTraining.sol";
import { Bitmaps } from "./Bitmaps.sol";
import { RoundEnds, RoundFacts } from "./FederatedPhases.sol";
import { FederatedState } from "./FederatedState.sol";
import { TaskTerms } from "./TaskTerms.sol";

/// @title Rounds from their beginning to their end
abstract contract FederatedRounds is IFederatedTraining, FederatedState {
    // What is compared in this room are kinds and indices, never a balance or a time.
    // slither-disable-start incorrect-equality

    using Bitmaps for uint128;

    uint256 private constant MAX_FAILED = 3;

    address internal immutable _COURT;

    constructor(address federatedCourt_) {
        _COURT = federatedCourt_;
    }

    /// @inheritdoc IFederatedTraining
    function start(uint256 task) external {
        Task storage t = _in(task, TaskPhase.Joining);
        uint256 active = t.active;
        if (active < t.terms.minimumParticipants) revert TooFewParticipants(t.terms.minimumParticipants, active);
        bool full = active == t.terms.maximumParticipants;
        if (!full && block.timestamp < t.joinEnds) revert TooEarly(t.joinEnds, uint64(block.timestamp));
        t.nextSeed = keccak256(
            abi.encode(block.chainid, this, task, block.prevrandao, blockhash(block.number - 1), t.present)
        );
        _begin(t, task);
    }

    /// @inheritdoc IFederatedTraining
    function commit(uint256 task, bytes32 commitment) external {
        Task storage t = _in(task, TaskPhase.Commit);
        _requireMode(t, task, Mode.Plain);
        if (commitment == 0) revert ZeroWord();
        uint16 index = _mine(t, task);
        Member storage m = t.members[index];
        uint32 round = t.round;
        if (m.round == round) revert AlreadyDone(task, index);
        _requireModel(t, task, index);
        m.round = round;
        m.word = commitment;
        emit Committed(task, round, index, commitment, _release(t, task, index, m));
        _countCommit(t, task, t.active);
    }

    /// @inheritdoc IFederatedTraining
    function reveal(uint256 task, bytes32 updateRoot, bytes32 cid, uint32 samples, bytes32 salt) external {
        Task storage t = _in(task, TaskPhase.Reveal);
        uint16 index = _mine(t, task);
        Member storage m = t.members[index];
        if (m.round != t.round) revert NotDoneBefore(task, index);
        if (t.revealed.has(index)) revert AlreadyDone(task, index);
        if (updateRoot == 0) revert ZeroWord();
        uint256 most = t.terms.maximumSamples;
        if (samples == 0 || samples > most) revert SamplesOutOfBounds(most, samples);
        bytes32 actual = keccak256(
            abi.encode(block.chainid, address(this), task, uint256(t.round), msg.sender, updateRoot, cid, samples, salt)
        );
        if (actual != m.word) revert WrongOpening(m.word, actual);
        m.word = updateRoot;
        (m.samples, m.served) = (samples, true);
        t.revealed |= Bitmaps.only(index);
        t.nextSeed = keccak256(abi.encode(t.nextSeed, salt));
        emit Revealed(task, t.round, index, updateRoot, cid, samples, salt);
        if (t.revealed.count() == t.facts.committed) {
            t.facts.revealEnds = uint40(block.timestamp);
            emit RevealsClosed(task, t.round, uint64(block.timestamp));
        }
    }

    /// @inheritdoc IFederatedTraining
    function post(
        uint256 task,
        bytes32 resultRoot,
        bytes32 resultCid,
        bytes32 measuresRoot,
        bytes32 measuresCid,
        uint128 selection
    ) external {
        Task storage t = _in(task, TaskPhase.Aggregate);
        uint256 columns = _enough(t);
        if (columns == 0) revert TooFewColumns(task, _included(t).count());
        uint16 leader = _leader(t, task);
        address account = t.members[leader].account;
        if (account != msg.sender) revert NotTheLeader(account, msg.sender);
        if (resultRoot == 0 || measuresRoot == 0) revert ZeroWord();
        _requireSelection(t, columns, selection);
        uint40 ends = uint40(block.timestamp + t.terms.windows.challenge);
        t.facts.posted = true;
        t.facts.deadline = ends;
        t.posting += 1;
        t.leader = uint8(leader);
        t.selection = selection;
        if (t.objections != 0) t.objections = 0;
        RoundRecord storage r = t.records[t.round];
        r.resultRoot = resultRoot;
        r.measuresRoot = measuresRoot;
        emit ResultPosted(
            task, t.round, leader, t.posting, resultRoot, resultCid, measuresRoot, measuresCid, selection, ends
        );
    }

    /// @inheritdoc IFederatedTraining
    function replaceLeader(uint256 task) external nonReentrant {
        Task storage t = _in(task, TaskPhase.Aggregate);
        if (_enough(t) == 0) revert TooFewColumns(task, _included(t).count());
        _requireLate(t);
        _penalise(t, task, _leader(t, task), msg.sender);
    }

    /// @inheritdoc IFederatedTraining
    function object(uint256 task) external nonReentrant {
        Task storage t = _in(task, TaskPhase.Challenge);
        _requireMode(t, task, Mode.Secure);
        uint16 index = _mine(t, task);
        uint128 included = _included(t);
        if (!included.has(index)) revert NotIncluded(task, t.round, index);
        if (t.objections.has(index)) revert AlreadyDone(task, index);
        uint128 objections = t.objections | Bitmaps.only(index);
        t.objections = objections;
        emit Objected(task, t.round, index, t.posting);
        if (2 * objections.count() <= included.count()) return;
        (t.facts.posted, t.facts.openDisputes) = (false, 0);
        // all of it is burned, so that nobody objects for money
        _penalise(t, task, t.leader, address(0));
    }

    /// @inheritdoc IFederatedTraining
    function finalize(uint256 task) external {
        Task storage t = _in(task, TaskPhase.Settle);
        RoundRecord storage r = t.records[t.round];
        r.isFinal = true;
        r.leader = t.leader;
        r.included = _included(t);
        if (_isSecure(t)) (r.seed, r.roster, r.answered) = (t.seed, t.roster, t.answered);
        if (t.proves) _weigh(t, task);
        t.modelRoot = r.resultRoot;
        t.facts.posted = false;
        t.failedInARow = 0;
        emit RoundFinal(task, t.round, r.leader, r.included, r.resultRoot);
        _begin(t, task);
    }

    /// @inheritdoc IFederatedTraining
    function fail(uint256 task) external {
        Task storage t = _known(task);
        if (!_isFailed(t)) revert NotFailed(task);
        RoundRecord storage r = t.records[t.round];
        delete t.records[t.round];
        r.failed = true;
        t.failedInARow += 1;
        emit RoundFailed(task, t.round, t.failedInARow);
        _refund(t, task, t.terms.reward);
        _begin(t, task);
    }

    /// @inheritdoc IFederatedTraining
    function disputeOpened(uint256 task) external {
        _requireCourt();
        Task storage t = _in(task, TaskPhase.Challenge);
        if (block.timestamp >= t.facts.deadline) revert TooLate(t.facts.deadline, uint64(block.timestamp));
        t.facts.openDisputes += 1;
        emit DisputeOpened(task, t.posting, t.facts.openDisputes);
    }

    /// @inheritdoc IFederatedTraining
    function disputeClosed(uint256 task, uint32 posting) external {
        _requireCourt();
        Task storage t = _known(task);
        if (!t.facts.posted || t.posting != posting) return;
        t.facts.openDisputes -= 1;
        emit DisputeClosed(task, posting, t.facts.openDisputes);
    }

    /// @inheritdoc IFederatedTraining
    function leaderProvenWrong(uint256 task, uint32 posting, address challenger) external nonReentrant {
        _requireCourt();
        Task storage t = _in(task, TaskPhase.Challenge);
        if (t.posting != posting) revert WrongPosting(t.posting, posting);
        uint16 index = t.leader;
        t.facts.posted = false;
        t.facts.openDisputes = 0;
        _nextLeader(t, index);
        emit LeaderWrong(task, t.round, index, posting, challenger, t.facts.deadline);
        _exclude(t, task, index, challenger);
    }

    /// @dev The next round, or the end when there is none.
    function _begin(Task storage t, uint256 task) private {
        uint256 rounds = t.terms.rounds;
        uint16 played = t.round;
        if (played == rounds || t.failedInARow == MAX_FAILED || t.active < t.terms.minimumParticipants) {
            t.over = true;
            emit TaskOver(task, played);
            return _refund(t, task, t.terms.reward * (rounds - played));
        }
        bool secure = _isSecure(t);
        // whoever reveals last, or chooses a stake now, does not know the block in which the round begins
        bytes32 seed = keccak256(abi.encode(t.nextSeed, blockhash(block.number - 1)));
        if (secure) (t.roster, t.keyed, t.shared, t.answered) = (t.present, 0, 0, 0);
        (t.seed, t.nextSeed) = (seed, seed);
        if (t.fresh != 0) t.fresh = 0;
        t.round = played + 1;
        uint256 commitEnds = block.timestamp + t.terms.windows.commit;
        if (secure) commitEnds += uint256(t.terms.windows.keys) + t.terms.windows.shares;
        delete t.facts;
        t.facts.began = uint40(block.timestamp);
        t.facts.commitEnds = uint40(commitEnds);
        (t.revealed, t.dropped) = (0, 0);
        if (t.proves) (t.modelled, t.countedAt) = (0, 0);
        emit RoundBegun(task, played + 1, seed, t.present, uint64(commitEnds));
    }

    /// @dev By what the round's pool is divided, as long as the counts at hand are this round's. Whoever is accepted is above the
    /// baseline, so there is always something to divide by.
    function _weigh(Task storage t, uint256 task) private {
        uint128 rewarded = 0;
        uint128[] memory columns = _columns(t);
        for (uint256 i = 0; i < columns.length; ++i) {
            rewarded |= columns[i];
        }
        uint256 baseline = t.terms.accuracy.baseline;
        uint256[] memory merits = Bitmaps.list(rewarded);
        uint256 sum = 0;
        for (uint256 i = 0; i < merits.length; ++i) {
            merits[i] = t.correct[merits[i]] - baseline;
            sum += merits[i];
        }
        (uint256 pool,) = _parts(t);
        uint256 dust = pool;
        for (uint256 i = 0; i < merits.length; ++i) {
            dust -= pool * merits[i] / sum;
        }
        t.accuracy[t.round] = AccuracyRecord(_proofRound(task, t.round), rewarded, uint32(sum), uint96(dust));
    }

    function _requireLate(Task storage t) private view {
        (, RoundEnds memory ends) = _clock(t);
        if (block.timestamp < ends.postEnds) revert TooEarly(ends.postEnds, uint64(block.timestamp));
    }

    function _isFailed(Task storage t) private view returns (bool) {
        TaskPhase phase = _phaseOf(t);
        bool early = phase < TaskPhase.Reveal || (phase > TaskPhase.Aggregate && phase != TaskPhase.Prove);
        if (early || t.facts.openRequests != 0) return false;
        uint256 least = t.terms.minimumParticipants;
        if (phase == TaskPhase.Reveal) return t.facts.committed < least;
        if (_included(t).count() < least) return true;
        return phase == TaskPhase.Aggregate && (_enough(t) == 0 || _eligible(t) == 0);
    }

    function _requireSelection(Task storage t, uint256 columns, uint128 selection) private view {
        uint256 expected = TaskTerms.selectedOf(t.terms.rule, columns);
        uint256 actual = selection.count();
        // a bit past the last column is one too many
        if (columns < TaskTerms.MAX_PARTICIPANTS && selection >> columns != 0) actual = TaskTerms.MAX_PARTICIPANTS + 1;
        if (actual != expected) revert WrongSelection(expected, actual);
    }

    function _requireCourt() private view {
        if (msg.sender != _COURT) revert OnlyCourt(_COURT, msg.sender);
    }

    // slither-disable-end incorrect-equality
}
