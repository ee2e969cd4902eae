// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {
    AccuracyRecord,
    FederatedTerms,
    Mode,
    RoundRecord,
    TaskPhase,
    UpdateRequest
} from "../interfaces/FederatedTypes.sol";
import { IAccuracyProofs } from "../interfaces/IAccuracyProofs.sol";
import { IFederatedEvents } from "../interfaces/IFederatedEvents.sol";
import { IParameters } from "../interfaces/IParameters.sol";
import { IStakeVault, Role } from "../interfaces/IStakeVault.sol";
import { Bitmaps } from "./Bitmaps.sol";
import { FederatedPhases, RoundEnds, RoundFacts } from "./FederatedPhases.sol";
import { PrivacyLedger } from "./PrivacyLedger.sol";
import { SecureGroups } from "./SecureGroups.sol";
import { Sortition } from "./Sortition.sol";
import { TaskTerms } from "./TaskTerms.sol";

/// @title What a federated task and its round consist of, and what follows from it
abstract contract FederatedState is IFederatedEvents, ReentrancyGuardTransient {
    // What is compared in this room are kinds and indices, never a balance or a time.
    // slither-disable-start incorrect-equality

    using Bitmaps for uint128;

    /// @dev `Participant`, packed. What a participant does in a round touches `word` and the slot of `samples`.
    struct Member {
        address account;
        uint96 stake;
        bytes32 word;
        bytes32 seedsRoot;
        uint32 samples;
        uint32 round;
        uint32 releases;
        bool gone;
        bool excluded;
        /// something of it was included in a round, so rewards may wait for it and its place is never another's
        bool served;
    }

    /// @dev The first slot holds what nearly every call asks for.
    struct Task {
        address client;
        uint16 round;
        uint8 participants;
        uint8 active;
        uint8 failedInARow;
        bool over;
        /// its terms ask for proofs of accuracy
        bool proves;
        uint40 joinEnds;
        // the round that is on
        RoundFacts facts;
        uint128 revealed;
        uint128 dropped;
        uint128 selection;
        uint32 posting;
        uint8 leader;
        // secure mode
        uint128 roster;
        uint128 keyed;
        uint128 shared;
        uint128 answered;
        /// who says that the posting in force is not what the masked vectors add up to
        uint128 objections;
        // the task
        uint128 present;
        /// places that were given up before anything came of them
        uint128 free;
        uint128 barred;
        uint128 refundable;
        /// who came while the round was on: its seed was known, and by the stake one chooses the draw
        uint128 fresh;
        uint256 weightsLow;
        uint256 weightsHigh;
        bytes32 seed;
        bytes32 nextSeed;
        bytes32 modelRoot;
        // proofs of accuracy: who has committed to a model, when they were counted, and what by index
        uint128 modelled;
        uint40 countedAt;
        uint32[128] correct;
        FederatedTerms terms;
        mapping(uint256 index => Member) members;
        mapping(address account => uint16) placeOf;
        mapping(uint256 index => UpdateRequest[4]) requests;
        mapping(uint256 round => RoundRecord) records;
        mapping(uint256 round => AccuracyRecord) accuracy;
    }

    IERC20 internal immutable _TOKEN;
    IStakeVault internal immutable _VAULT;
    IParameters internal immutable _PARAMETERS;
    IAccuracyProofs internal immutable _PROOFS;

    // the extension counts on
    // slither-disable-next-line uninitialized-state,constable-states,unused-state
    uint256 internal _count;
    mapping(uint256 task => Task) internal _tasks;

    constructor(IERC20 token_, IStakeVault vault_, IParameters parameters_, IAccuracyProofs accuracyProofs_) {
        _TOKEN = token_;
        _VAULT = vault_;
        _PARAMETERS = parameters_;
        _PROOFS = accuracyProofs_;
    }

    function _known(uint256 task) internal view returns (Task storage t) {
        t = _tasks[task];
        if (t.client == address(0)) revert UnknownTask(task);
    }

    function _in(uint256 task, TaskPhase expected) internal view returns (Task storage t) {
        t = _known(task);
        TaskPhase actual = _phaseOf(t);
        if (actual != expected) revert WrongPhase(task, expected, actual);
    }

    function _phaseOf(Task storage t) internal view returns (TaskPhase) {
        if (t.client == address(0)) return TaskPhase.None;
        if (t.over) return TaskPhase.Over;
        if (t.round == 0) return TaskPhase.Joining;
        // what the table would say, without reading all windows: every participant asks this in every round
        if (!_isSecure(t) && block.timestamp < t.facts.commitEnds) return TaskPhase.Commit;
        (RoundFacts memory facts, RoundEnds memory ends) = _clock(t);
        return FederatedPhases.at(facts, ends, _isSecure(t), block.timestamp);
    }

    function _clock(Task storage t) internal view returns (RoundFacts memory facts, RoundEnds memory ends) {
        facts = t.facts;
        uint64 countedAt = 0;
        if (t.proves) {
            countedAt = t.countedAt;
            if (countedAt == 0) countedAt = FederatedPhases.AWAITED;
        }
        ends = FederatedPhases.ends(facts, t.terms.windows, _isSecure(t), countedAt);
    }

    function _isSecure(Task storage t) internal view returns (bool) {
        return t.terms.mode == Mode.Secure;
    }

    function _requireMode(Task storage t, uint256 task, Mode expected) internal view {
        if (t.terms.mode != expected) revert WrongMode(task, expected, t.terms.mode);
    }

    /// @dev The leader loses its penalty, a part of it to who has reported it, if anybody is to have it, and leads no more.
    function _penalise(Task storage t, uint256 task, uint16 index, address reporter) internal {
        Member storage m = t.members[index];
        // its stake is no less than the bond, for nobody pays twice
        uint96 penalty = t.terms.leaderPenalty;
        m.stake -= penalty;
        uint8 attempt = t.facts.attempt;
        _nextLeader(t, index);
        emit LeaderReplaced(task, t.round, index, attempt, penalty, t.facts.deadline);
        uint256 sharePpm = _PARAMETERS.reporterSharePpm();
        _VAULT.slashLocked(m.account, Role.Participant, penalty, reporter, sharePpm, _ref(task));
    }

    /// @dev The leader that was is barred, and the next has its time from now.
    function _nextLeader(Task storage t, uint16 index) internal {
        t.barred |= Bitmaps.only(index);
        t.facts.attempt += 1;
        t.facts.deadline = uint40(block.timestamp + t.terms.windows.aggregate);
    }

    /// @return index of the caller's place; it is there and not excluded
    function _mine(Task storage t, uint256 task) internal view returns (uint16 index) {
        index = t.placeOf[msg.sender];
        if (index == 0 || !t.present.has(--index)) revert NotAParticipant(task, msg.sender);
    }

    function _included(Task storage t) internal view returns (uint128) {
        return t.revealed & ~t.dropped;
    }

    /// @return the round's columns: survivors of each group that can be unmasked, in secure mode; else each of the included
    function _columns(Task storage t) internal view returns (uint128[] memory) {
        uint128 included = _included(t);
        if (!_isSecure(t)) return Bitmaps.split(included);
        return SecureGroups.columns(t.seed, t.round, t.roster, t.terms.groupSize, included, t.answered);
    }

    /// @return n columns of the round that is on; 0 where they are too few for the task or its rule
    function _enough(Task storage t) internal view returns (uint256 n) {
        uint128 included = _included(t);
        if (included.count() < t.terms.minimumParticipants) return 0;
        n = _isSecure(t) ? _columns(t).length : included.count();
        if (!TaskTerms.fits(t.terms.rule, n)) return 0;
    }

    /// @return who of the included may still lead
    function _eligible(Task storage t) internal view returns (uint128) {
        return _included(t) & t.present & ~t.barred & ~t.fresh;
    }

    function _leader(Task storage t, uint256 task) internal view returns (uint16) {
        uint128 eligible = _eligible(t);
        if (eligible == 0) revert NobodyCanLead(task);
        // of those who are equal in both, all weigh the same
        if (t.proves) return Sortition.draw(t.seed, t.round, t.facts.attempt, _best(t, eligible), 0, 0);
        return Sortition.draw(t.seed, t.round, t.facts.attempt, eligible, t.weightsLow, t.weightsHigh);
    }

    /// @return best those of the eligible that have proven most, and of them those with the largest stake
    function _best(Task storage t, uint128 eligible) private view returns (uint128 best) {
        uint256 most = 0;
        uint256 index = 0;
        for (uint256 rest = eligible; rest != 0; rest >>= 1) {
            // a stake is read only where the count decides nothing
            if (rest & 1 != 0 && t.correct[index] >= most >> 96) {
                uint256 standing = uint256(t.correct[index]) << 96 | t.members[index].stake;
                if (standing > most) (most, best) = (standing, 0);
                if (standing == most) best |= Bitmaps.only(index);
            }
            ++index;
        }
    }

    function _refund(Task storage t, uint256 task, uint256 amount) internal {
        if (amount == 0) return;
        // a reward is at most 2^90, and there are at most 10,000
        t.refundable += uint128(amount);
        emit Refunded(task, amount, t.refundable);
    }

    /// @dev All that the participant has in the task is lost.
    function _exclude(Task storage t, uint256 task, uint16 index, address beneficiary) internal {
        Member storage m = t.members[index];
        uint96 stake = m.stake;
        m.stake = 0;
        m.excluded = true;
        t.present &= ~Bitmaps.only(index);
        t.active -= 1;
        emit Excluded(task, t.round, index, stake);
        // where proofs are counted, in a loop over 128 at most; both contracts are ours and call nobody
        // slither-disable-next-line calls-loop
        uint256 sharePpm = _PARAMETERS.disputeSharePpm();
        // slither-disable-next-line calls-loop
        _VAULT.slashLocked(m.account, Role.Participant, stake, beneficiary, sharePpm, _ref(task));
    }

    /// @dev What is to be proven is committed to before the update is.
    function _requireModel(Task storage t, uint256 task, uint16 index) internal view {
        if (t.proves && !t.modelled.has(index)) revert NotDoneBefore(task, index);
    }

    /// @dev One release more of the participant's privacy budget.
    function _release(Task storage t, uint256 task, uint16 index, Member storage m) internal returns (uint32 releases) {
        releases = m.releases;
        if (!PrivacyLedger.admits(t.terms.privacy, releases)) revert PrivacyBudgetSpent(task, index, releases);
        m.releases = ++releases;
    }

    /// @dev Once all who may have committed, nobody need wait.
    function _countCommit(Task storage t, uint256 task, uint256 all) internal {
        uint8 committed = t.facts.committed + 1;
        t.facts.committed = committed;
        if (committed != all) return;
        t.facts.commitEnds = uint40(block.timestamp);
        emit CommitsClosed(task, t.round, uint64(block.timestamp));
    }

    /// @return pool what of a round's reward all share
    /// @return led what leading it earns
    function _parts(Task storage t) internal view returns (uint256 pool, uint256 led) {
        pool = t.terms.reward;
        led = pool * t.terms.leaderSharePpm / TaskTerms.PPM;
        pool -= led;
    }

    /// @return id of the round of proofs that this contract opens for a round of a task
    function _proofRound(uint256 task, uint256 round) internal view returns (bytes32) {
        return keccak256(abi.encode(this, _proofKey(task, round)));
    }

    function _proofKey(uint256 task, uint256 round) internal pure returns (bytes32) {
        return keccak256(abi.encode(task, round));
    }

    /// @return word that says what a lock in the vault is for
    function _ref(uint256 task) internal pure returns (bytes32) {
        return bytes32("federation") | bytes32(task);
    }

    // slither-disable-end incorrect-equality
}
