// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { Mode, Posting, RoundRecord, TaskPhase } from "../interfaces/FederatedTypes.sol";
import { IAccuracyProofs } from "../interfaces/IAccuracyProofs.sol";
import { IFederatedTraining } from "../interfaces/IFederatedTraining.sol";
import { IParameters } from "../interfaces/IParameters.sol";
import { IStakeVault } from "../interfaces/IStakeVault.sol";
import { Bitmaps } from "./Bitmaps.sol";
import { FederatedForwards } from "./FederatedForwards.sol";
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
        address federatedExtension_,
        address federatedAnnex_,
        IAccuracyProofs accuracyProofs_
    )
        FederatedState(token_, vault_, parameters_, accuracyProofs_)
        FederatedRounds(federatedCourt_)
        FederatedForwards(federatedExtension_, federatedAnnex_)
    { }

    /// @inheritdoc IFederatedTraining
    function taskCount() external view returns (uint256) {
        return _count;
    }

    /// @inheritdoc IFederatedTraining
    function placeOf(uint256 task, address account) external view returns (uint16) {
        return _tasks[task].placeOf[account];
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
    function accuracyProofs() external view returns (address) {
        return address(_PROOFS);
    }

    /// @inheritdoc IFederatedTraining
    function proofRoundOf(uint256 task, uint32 round) external view returns (bytes32) {
        return _proofRound(task, round);
    }

    /// @inheritdoc IFederatedTraining
    function federatedCourt() external view returns (address) {
        return _COURT;
    }
}
