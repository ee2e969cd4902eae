// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {
    FederatedTerms,
    Mode,
    Participant,
    Posting,
    RoundRecord,
    RoundState,
    TaskPhase,
    TaskState,
    UpdateRequest
} from "../interfaces/FederatedTypes.sol";
import { IFederatedTraining } from "../interfaces/IFederatedTraining.sol";
import { IParameters } from "../interfaces/IParameters.sol";
import { IStakeVault } from "../interfaces/IStakeVault.sol";
import { Bitmaps } from "./Bitmaps.sol";
import { FederatedForwards } from "./FederatedForwards.sol";
import { RoundEnds, RoundFacts } from "./FederatedPhases.sol";
import { FederatedRounds } from "./FederatedRounds.sol";
import { FederatedState } from "./FederatedState.sol";

/// @title FederatedTraining
contract FederatedTraining is FederatedRounds, FederatedForwards {
    using Bitmaps for uint128;

    constructor(
        IERC20 token_,
        IStakeVault vault_,
        IParameters parameters_,
        address federatedCourt_,
        address federatedExtension_
    )
        FederatedState(token_, vault_, parameters_)
        FederatedRounds(federatedCourt_)
        FederatedForwards(federatedExtension_)
    { }

    /// @inheritdoc IFederatedTraining
    function taskCount() external view returns (uint256) {
        return _count;
    }

    /// @inheritdoc IFederatedTraining
    function termsOf(uint256 task) external view returns (FederatedTerms memory) {
        return _known(task).terms;
    }

    /// @inheritdoc IFederatedTraining
    function taskOf(uint256 task) external view returns (TaskState memory) {
        Task storage t = _known(task);
        return TaskState({
            client: t.client,
            round: t.round,
            failedInARow: t.failedInARow,
            participants: t.participants,
            active: t.active,
            over: t.over,
            joinEnds: t.joinEnds,
            present: t.present,
            barred: t.barred,
            seed: t.seed,
            nextSeed: t.nextSeed,
            modelRoot: t.modelRoot,
            refundable: t.refundable
        });
    }

    /// @inheritdoc IFederatedTraining
    function roundOf(uint256 task) external view returns (RoundState memory s) {
        Task storage t = _known(task);
        if (t.round == 0) return s;
        (RoundFacts memory f, RoundEnds memory e) = _clock(t);
        _describeEnds(e, s);
        (s.began, s.committed, s.openRequests, s.openDisputes) = (f.began, f.committed, f.openRequests, f.openDisputes);
        (s.attempt, s.posted) = (f.attempt, f.posted);
        (s.revealed, s.included) = (t.revealed, _included(t));
        (s.roster, s.keyed, s.shared, s.answered) = (t.roster, t.keyed, t.shared, t.answered);
        s.posting = t.posting;
        if (!s.posted) return s;
        s.leader = t.leader;
        s.resultRoot = t.records[t.round].resultRoot;
        s.measuresRoot = t.records[t.round].measuresRoot;
        s.selection = t.selection;
    }

    /// @inheritdoc IFederatedTraining
    function recordOf(uint256 task, uint32 round) external view returns (RoundRecord memory r) {
        Task storage t = _known(task);
        r = t.records[round];
        // what is posted is nothing yet
        if (!r.isFinal) (r.resultRoot, r.measuresRoot) = (0, 0);
    }

    /// @inheritdoc IFederatedTraining
    function participantAt(uint256 task, uint16 index) external view returns (Participant memory) {
        Member storage m = _known(task).members[index];
        return Participant({
            account: m.account,
            stake: m.stake,
            word: m.word,
            seedsRoot: m.seedsRoot,
            samples: m.samples,
            round: m.round,
            releases: m.releases,
            excluded: m.excluded,
            gone: m.gone
        });
    }

    /// @inheritdoc IFederatedTraining
    function placeOf(uint256 task, address account) external view returns (uint16) {
        return _tasks[task].placeOf[account];
    }

    /// @inheritdoc IFederatedTraining
    function requestsOf(uint256 task, uint16 index) external view returns (UpdateRequest[4] memory) {
        return _tasks[task].requests[index];
    }

    /// @inheritdoc IFederatedTraining
    function phaseOf(uint256 task) external view returns (TaskPhase) {
        return _phaseOf(_tasks[task]);
    }

    /// @inheritdoc IFederatedTraining
    function leaderOf(uint256 task) external view returns (uint16) {
        return _leader(_in(task, TaskPhase.Aggregate), task);
    }

    /// @inheritdoc IFederatedTraining
    function postingOf(uint256 task) external view returns (Posting memory) {
        Task storage t = _known(task);
        if (!t.facts.posted) revert WrongPhase(task, TaskPhase.Challenge, _phaseOf(t));
        RoundRecord storage r = t.records[t.round];
        return Posting({
            posting: t.posting,
            leader: t.members[t.leader].account,
            challengeEnds: t.facts.deadline,
            columns: uint16(_isSecure(t) ? _columns(t).length : _included(t).count()),
            dimension: t.terms.dimension,
            mode: t.terms.mode,
            rule: t.terms.rule,
            optimizer: t.terms.optimizer,
            moveSeconds: t.terms.windows.move,
            previousRoot: t.modelRoot,
            resultRoot: r.resultRoot,
            measuresRoot: r.measuresRoot,
            selection: t.selection
        });
    }

    /// @inheritdoc IFederatedTraining
    function inForce(uint256 task) external view returns (uint32) {
        Task storage t = _tasks[task];
        return t.facts.posted ? t.posting : 0;
    }

    /// @inheritdoc IFederatedTraining
    function columnRoot(uint256 task, uint16 column) external view returns (bytes32) {
        Task storage t = _known(task);
        _requireMode(t, task, Mode.Plain);
        return t.members[_included(t).at(column)].word;
    }

    /// @inheritdoc IFederatedTraining
    function columnWeights(uint256 task) external view returns (uint32[] memory weights) {
        Task storage t = _known(task);
        uint128[] memory columns = _columns(t);
        weights = new uint32[](columns.length);
        bool secure = _isSecure(t);
        uint256[] memory indices = Bitmaps.list(_included(t));
        for (uint256 i = 0; i < weights.length; ++i) {
            weights[i] = secure ? uint32(columns[i].count()) : t.members[indices[i]].samples;
        }
    }

    /// @inheritdoc IFederatedTraining
    function columnsOf(uint256 task) external view returns (uint128[] memory) {
        return _columns(_known(task));
    }

    /// @inheritdoc IFederatedTraining
    function releasesOf(uint256 task, address account) external view returns (uint32) {
        Task storage t = _tasks[task];
        uint16 place = t.placeOf[account];
        return place == 0 ? 0 : t.members[place - 1].releases;
    }

    /// @inheritdoc IFederatedTraining
    function token() external view returns (address) {
        return address(_TOKEN);
    }

    /// @inheritdoc IFederatedTraining
    function vault() external view returns (address) {
        return address(_VAULT);
    }

    /// @inheritdoc IFederatedTraining
    function parameters() external view returns (address) {
        return address(_PARAMETERS);
    }

    /// @inheritdoc IFederatedTraining
    function federatedCourt() external view returns (address) {
        return _COURT;
    }

    function _describeEnds(RoundEnds memory e, RoundState memory s) private pure {
        (s.keysEnd, s.sharesEnd, s.commitEnds) = (e.keysEnd, e.sharesEnd, e.commitEnds);
        (s.revealEnds, s.requestEnds, s.answerEnds) = (e.revealEnds, e.requestEnds, e.answerEnds);
        (s.unmaskEnds, s.postEnds, s.challengeEnds) = (e.unmaskEnds, e.postEnds, e.challengeEnds);
    }
}
