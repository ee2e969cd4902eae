// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    AccuracyRecord,
    FederatedTerms,
    Participant,
    RoundRecord,
    RoundState,
    TaskState,
    UpdateRequest
} from "../interfaces/FederatedTypes.sol";
import { IFederatedViews } from "../interfaces/IFederatedViews.sol";
import { RoundEnds, RoundFacts } from "./FederatedPhases.sol";
import { FederatedState } from "./FederatedState.sol";

/// @title What is stored, as whole structs
abstract contract FederatedReadings is IFederatedViews, FederatedState {
    /// @inheritdoc IFederatedViews
    function termsOf(uint256 task) external view returns (FederatedTerms memory) {
        return _known(task).terms;
    }

    /// @inheritdoc IFederatedViews
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

    /// @inheritdoc IFederatedViews
    function roundOf(uint256 task) external view returns (RoundState memory s) {
        Task storage t = _known(task);
        if (t.round == 0) return s;
        (RoundFacts memory f, RoundEnds memory e) = _clock(t);
        _describeEnds(e, s);
        (s.began, s.committed, s.openRequests, s.openDisputes) = (f.began, f.committed, f.openRequests, f.openDisputes);
        (s.attempt, s.posted) = (f.attempt, f.posted);
        (s.revealed, s.included) = (t.revealed, _included(t));
        (s.roster, s.keyed, s.shared, s.answered) = (t.roster, t.keyed, t.shared, t.answered);
        (s.posting, s.modelled, s.countedAt) = (t.posting, t.modelled, t.countedAt);
        if (!s.posted) return s;
        s.leader = t.leader;
        s.resultRoot = t.records[t.round].resultRoot;
        s.measuresRoot = t.records[t.round].measuresRoot;
        s.selection = t.selection;
    }

    /// @inheritdoc IFederatedViews
    function recordOf(uint256 task, uint32 round) external view returns (RoundRecord memory r) {
        Task storage t = _known(task);
        r = t.records[round];
        // what is posted is nothing yet
        if (!r.isFinal) (r.resultRoot, r.measuresRoot) = (0, 0);
    }

    /// @inheritdoc IFederatedViews
    function accuracyOf(uint256 task, uint32 round) external view returns (AccuracyRecord memory) {
        return _known(task).accuracy[round];
    }

    /// @inheritdoc IFederatedViews
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

    /// @inheritdoc IFederatedViews
    function requestsOf(uint256 task, uint16 index) external view returns (UpdateRequest[4] memory) {
        return _tasks[task].requests[index];
    }

    function _describeEnds(RoundEnds memory e, RoundState memory s) private pure {
        (s.keysEnd, s.sharesEnd, s.commitEnds) = (e.keysEnd, e.sharesEnd, e.commitEnds);
        (s.revealEnds, s.requestEnds, s.answerEnds) = (e.revealEnds, e.requestEnds, e.answerEnds);
        (s.unmaskEnds, s.postEnds, s.challengeEnds) = (e.unmaskEnds, e.postEnds, e.challengeEnds);
    }
}
