// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { TaskPhase, UpdateRequest } from "../interfaces/FederatedTypes.sol";
import { IFederatedActions } from "../interfaces/IFederatedActions.sol";
import { Role } from "../interfaces/IStakeVault.sol";
import { IndexedMerkle } from "../libraries/IndexedMerkle.sol";
import { Bitmaps } from "./Bitmaps.sol";
import { RoundEnds } from "./FederatedPhases.sol";
import { FederatedState } from "./FederatedState.sol";
import { TaskTerms } from "./TaskTerms.sol";

/// @title Whether updates can be had: who cannot get one asks for a chunk of it
abstract contract FederatedRequests is IFederatedActions, FederatedState {
    // What is compared in this room are kinds and indices, never a balance or a time.
    // slither-disable-start incorrect-equality

    using Bitmaps for uint128;

    /// @dev An update that was answered for so often in a round is dropped from it.
    uint256 private constant MAX_ANSWERS = 4;
    uint256 private constant UPDATE_LEAF = 5;
    uint256 private constant MASKED_LEAF = 8;

    /// @inheritdoc IFederatedActions
    function request(uint256 task, uint16 index, uint32 chunk) external nonReentrant {
        Task storage t = _in(task, TaskPhase.Request);
        uint32 round = t.round;
        if (!_included(t).has(index)) revert NotIncluded(task, round, index);
        uint256 chunks = TaskTerms.chunksOf(t.terms.dimension);
        if (chunk >= chunks) revert ChunkOutOfRange(chunks, chunk);
        UpdateRequest[4] storage asked = t.requests[index];
        uint256 place = 0;
        while (place < MAX_ANSWERS && asked[place].round == round) ++place;
        if (place == MAX_ANSWERS) revert EnoughRequests(task, index);
        asked[place] = UpdateRequest({ asker: msg.sender, chunk: chunk, round: round, open: true });
        t.facts.openRequests += 1;
        uint256 bond = t.terms.requestBond;
        emit Requested(task, round, index, chunk, msg.sender, bond);
        _VAULT.lock(msg.sender, Role.Verifier, bond, _ref(task));
    }

    /// @inheritdoc IFederatedActions
    function answer(uint256 task, uint16 index, uint32 chunk, bytes calldata content, bytes32[] calldata proof)
        external
        nonReentrant
    {
        Task storage t = _known(task);
        (uint256 place, uint256 answered) = _openRequest(t, task, index, chunk);
        _requireInTime(t);
        _requireChunk(t, t.members[index].word, chunk, content, proof);
        address asker = _close(t, index, place);
        emit Answered(task, t.round, index, chunk, asker, content);
        if (answered + 1 == MAX_ANSWERS) _drop(t, task, index);
        _payAnswer(t, task, asker, t.members[index].account);
    }

    /// @inheritdoc IFederatedActions
    function expire(uint256 task, uint16 index) external nonReentrant {
        Task storage t = _in(task, TaskPhase.Answer);
        uint64 deadline = _deadline(t);
        if (block.timestamp < deadline) revert TooEarly(deadline, uint64(block.timestamp));
        UpdateRequest[4] storage asked = t.requests[index];
        address first = address(0);
        for (uint256 place = 0; place < MAX_ANSWERS; ++place) {
            if (asked[place].round != t.round || !asked[place].open) continue;
            address asker = _close(t, index, place);
            if (first == address(0)) first = asker;
            emit RequestExpired(task, t.round, index, asked[place].chunk, asker);
            // The vault is ours and calls nobody; a handful of requests at most.
            // slither-disable-next-line calls-loop
            _VAULT.unlock(asker, Role.Verifier, t.terms.requestBond, _ref(task));
        }
        if (first == address(0)) revert NotRequested(task, index, 0);
        _drop(t, task, index);
        _exclude(t, task, index, first);
    }

    function _payAnswer(Task storage t, uint256 task, address asker, address author) private {
        _VAULT.slashLocked(asker, Role.Verifier, t.terms.requestBond, author, TaskTerms.PPM, _ref(task));
    }

    function _drop(Task storage t, uint256 task, uint16 index) private {
        t.dropped |= Bitmaps.only(index);
        emit Dropped(task, t.round, index);
    }

    function _close(Task storage t, uint16 index, uint256 place) private returns (address asker) {
        UpdateRequest storage asked = t.requests[index][place];
        asked.open = false;
        asker = asked.asker;
        t.facts.openRequests -= 1;
        t.facts.closedAt = uint40(block.timestamp);
    }

    function _requireInTime(Task storage t) private view {
        uint64 deadline = _deadline(t);
        if (block.timestamp >= deadline) revert TooLate(deadline, uint64(block.timestamp));
    }

    /// @return when the open requests expire
    function _deadline(Task storage t) private view returns (uint64) {
        (, RoundEnds memory ends) = _clock(t);
        return ends.answerEnds;
    }

    /// @return place of an open request for this chunk
    /// @return answered how many about this update were answered in this round
    function _openRequest(Task storage t, uint256 task, uint16 index, uint32 chunk)
        private
        view
        returns (uint256 place, uint256 answered)
    {
        place = MAX_ANSWERS;
        for (uint256 i = 0; i < MAX_ANSWERS; ++i) {
            UpdateRequest memory asked = t.requests[index][i];
            if (asked.round != t.round) continue;
            if (!asked.open) ++answered;
            else if (asked.chunk == chunk) place = i;
        }
        if (place == MAX_ANSWERS || t.round == 0) revert NotRequested(task, index, chunk);
    }

    function _requireChunk(
        Task storage t,
        bytes32 root,
        uint256 chunk,
        bytes calldata content,
        bytes32[] calldata proof
    ) private view {
        uint256 dimension = t.terms.dimension;
        bool secure = _isSecure(t);
        uint256 expected = TaskTerms.chunkBytes(dimension, chunk, secure ? 4 : 2);
        if (content.length != expected) revert WrongLength(expected, content.length);
        bytes32 leaf = keccak256(abi.encodePacked(secure ? MASKED_LEAF : UPDATE_LEAF, content));
        bytes32 actual = IndexedMerkle.rootOfCalldata(leaf, chunk, TaskTerms.chunksOf(dimension), proof);
        if (actual != root) revert WrongOpening(root, actual);
    }

    // slither-disable-end incorrect-equality
}
