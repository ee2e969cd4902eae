// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { MerkleProof } from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import { FederatedTerms, FederatedWindows, TaskPhase } from "../interfaces/FederatedTypes.sol";
import { IFederatedActions } from "../interfaces/IFederatedActions.sol";
import { Role } from "../interfaces/IStakeVault.sol";
import { AccuracyRules } from "./AccuracyRules.sol";
import { Bitmaps } from "./Bitmaps.sol";
import { FederatedState } from "./FederatedState.sol";
import { Sortition } from "./Sortition.sol";
import { TaskTerms } from "./TaskTerms.sol";

/// @title How tasks begin and end, and who is in them
abstract contract FederatedTasks is IFederatedActions, FederatedState {
    // What is compared in this room are kinds and indices, never a balance or a time.
    // slither-disable-start incorrect-equality

    using Bitmaps for uint128;
    using SafeERC20 for IERC20;

    address private immutable _SELF = address(this);

    /// @inheritdoc IFederatedActions
    function create(FederatedTerms memory terms) external nonReentrant returns (uint256 task) {
        if (address(this) == _SELF) revert NotToBeCalled();
        TaskTerms.check(terms);
        bool proves = terms.accuracy.verifier != 0;
        if (proves) _checkProofs(terms);
        task = ++_count;
        Task storage t = _tasks[task];
        t.client = msg.sender;
        t.joinEnds = uint40(block.timestamp + terms.windows.join);
        t.modelRoot = terms.modelRoot;
        t.terms = terms;
        if (proves) t.proves = true;
        emit TaskCreated(task, msg.sender, t.joinEnds, terms);
        _TOKEN.safeTransferFrom(msg.sender, address(this), uint256(terms.reward) * terms.rounds);
    }

    /// @inheritdoc IFederatedActions
    function join(uint256 task, uint96 stake, bytes32[] calldata proof) external nonReentrant returns (uint16 index) {
        Task storage t = _known(task);
        if (t.over) revert WrongPhase(task, TaskPhase.Joining, TaskPhase.Over);
        uint256 bond = t.terms.bond;
        if (stake < bond) revert StakeTooSmall(bond, stake);
        _requireAllowed(t, task, proof);
        if (t.active == t.terms.maximumParticipants) revert NoPlaceLeft(task);
        index = _place(t, task);
        Member storage m = t.members[index];
        (m.account, m.stake, m.gone) = (msg.sender, stake, false);
        t.present |= Bitmaps.only(index);
        t.active += 1;
        if (t.round != 0) t.fresh |= Bitmaps.only(index);
        uint256 weight = Sortition.weightOf(stake, bond);
        if (index < 64) t.weightsLow = Sortition.written(t.weightsLow, index, weight);
        else t.weightsHigh = Sortition.written(t.weightsHigh, index, weight);
        emit Joined(task, msg.sender, index, stake);
        _VAULT.lock(msg.sender, Role.Participant, stake, _ref(task));
    }

    /// @inheritdoc IFederatedActions
    function leave(uint256 task) external nonReentrant {
        Task storage t = _known(task);
        uint16 index = _mine(t, task);
        Member storage m = t.members[index];
        bool bound = m.round == t.round || (t.proves && t.modelled.has(index));
        if (!t.over && t.round != 0 && bound) revert BoundUntilRoundEnds(task, t.round);
        uint96 stake = m.stake;
        m.stake = 0;
        m.gone = true;
        t.present &= ~Bitmaps.only(index);
        t.active -= 1;
        if (!m.served) {
            t.free |= Bitmaps.only(index);
            delete t.placeOf[msg.sender];
        }
        emit Left(task, msg.sender, index, stake);
        _VAULT.unlock(msg.sender, Role.Participant, stake, _ref(task));
    }

    /// @inheritdoc IFederatedActions
    function cancel(uint256 task) external {
        Task storage t = _in(task, TaskPhase.Joining);
        if (block.timestamp < t.joinEnds) revert TooEarly(t.joinEnds, uint64(block.timestamp));
        uint256 minimum = t.terms.minimumParticipants;
        if (t.active >= minimum) revert EnoughParticipants(minimum, t.active);
        t.over = true;
        emit TaskOver(task, 0);
        _refund(t, task, uint256(t.terms.reward) * t.terms.rounds);
    }

    /// @inheritdoc IFederatedActions
    function withdraw(uint256 task) external nonReentrant {
        Task storage t = _known(task);
        uint256 amount = t.refundable;
        if (amount == 0) revert NothingRefundable(task);
        t.refundable = 0;
        emit Withdrawn(task, t.client, amount);
        _TOKEN.safeTransfer(t.client, amount);
    }

    /// @dev What a round of proofs would be opened with; after this none is refused.
    function _checkProofs(FederatedTerms memory terms) private view {
        FederatedWindows memory w = terms.windows;
        uint256 commits = uint256(w.keys) + w.shares + w.commit;
        _PROOFS.check(AccuracyRules.proofTerms(terms.accuracy, w.prove, commits));
    }

    /// @return index the caller's old place, one that was given up unused, or a new one
    function _place(Task storage t, uint256 task) private returns (uint16 index) {
        uint16 place = t.placeOf[msg.sender];
        if (place != 0) {
            Member storage m = t.members[--place];
            if (!m.gone || m.excluded) revert AlreadyJoined(task, msg.sender);
            return place;
        }
        // a place that is on the roster of the round's groups is its old holder's until the round ends
        uint128 free = t.free & ~t.roster;
        if (free != 0) {
            index = uint16(free.at(0));
            t.free &= ~Bitmaps.only(index);
            // who did not prove a model and showed no update may have left a bar behind
            t.barred &= ~Bitmaps.only(index);
            delete t.members[index];
        } else {
            index = t.participants;
            if (index == TaskTerms.MAX_PARTICIPANTS) revert NoPlaceLeft(task);
            t.participants += 1;
        }
        t.placeOf[msg.sender] = index + 1;
    }

    function _requireAllowed(Task storage t, uint256 task, bytes32[] calldata proof) private view {
        bytes32 root = t.terms.allowRoot;
        if (root == 0) return;
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(msg.sender))));
        if (!MerkleProof.verifyCalldata(proof, root, leaf)) revert NotAllowed(task, msg.sender);
    }

    // slither-disable-end incorrect-equality
}
