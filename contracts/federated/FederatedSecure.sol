// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Mode, TaskPhase } from "../interfaces/FederatedTypes.sol";
import { IFederatedActions } from "../interfaces/IFederatedActions.sol";
import { Bitmaps } from "./Bitmaps.sol";
import { FederatedState } from "./FederatedState.sol";
import { PrivacyLedger } from "./PrivacyLedger.sol";

/// @title What participants post in secure mode
/// @notice What the files say, nobody here looks at; who is in which set decides whose masks are in which sum.
abstract contract FederatedSecure is IFederatedActions, FederatedState {
    using Bitmaps for uint128;

    /// @inheritdoc IFederatedActions
    function postKeys(uint256 task, bytes32 hash, bytes32 cid) external {
        (Task storage t, uint16 index) = _poster(task, TaskPhase.Keys, hash);
        _requireOnce(task, index, t.roster, t.keyed);
        Member storage m = t.members[index];
        if (!PrivacyLedger.admits(t.terms.privacy, m.releases)) revert PrivacyBudgetSpent(task, index, m.releases);
        t.keyed |= Bitmaps.only(index);
        m.round = t.round;
        emit KeysPosted(task, t.round, index, hash, cid);
    }

    /// @inheritdoc IFederatedActions
    function postShares(uint256 task, bytes32 seedsRoot, bytes32 hash, bytes32 cid) external {
        (Task storage t, uint16 index) = _poster(task, TaskPhase.Shares, hash);
        _requireOnce(task, index, t.keyed, t.shared);
        if (seedsRoot == 0) revert ZeroWord();
        t.shared |= Bitmaps.only(index);
        t.members[index].seedsRoot = seedsRoot;
        emit SharesPosted(task, t.round, index, seedsRoot, hash, cid);
    }

    /// @inheritdoc IFederatedActions
    function postMasked(uint256 task, bytes32 maskedRoot, bytes32 cid) external {
        (Task storage t, uint16 index) = _poster(task, TaskPhase.Commit, maskedRoot);
        _requireOnce(task, index, t.shared, t.revealed);
        _requireModel(t, task, index);
        Member storage m = t.members[index];
        (m.word, m.served) = (maskedRoot, true);
        t.revealed |= Bitmaps.only(index);
        t.nextSeed = keccak256(abi.encode(t.nextSeed, maskedRoot));
        emit MaskedPosted(task, t.round, index, maskedRoot, cid, _release(t, task, index, m));
        _countCommit(t, task, t.shared.count());
    }

    /// @inheritdoc IFederatedActions
    function postUnmask(uint256 task, bytes32 hash, bytes32 cid) external {
        (Task storage t, uint16 index) = _poster(task, TaskPhase.Unmask, hash);
        if (!_included(t).has(index)) revert NotIncluded(task, t.round, index);
        if (t.answered.has(index)) revert AlreadyDone(task, index);
        t.answered |= Bitmaps.only(index);
        emit UnmaskPosted(task, t.round, index, hash, cid);
    }

    function _poster(uint256 task, TaskPhase phase, bytes32 word) private view returns (Task storage t, uint16 index) {
        t = _in(task, phase);
        _requireMode(t, task, Mode.Secure);
        index = _mine(t, task);
        if (word == 0) revert ZeroWord();
    }

    function _requireOnce(uint256 task, uint16 index, uint128 before, uint128 done) private pure {
        if (!before.has(index)) revert NotDoneBefore(task, index);
        if (done.has(index)) revert AlreadyDone(task, index);
    }
}
