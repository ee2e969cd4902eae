// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { AccuracyRecord, RoundRecord } from "../interfaces/FederatedTypes.sol";
import { IFederatedAccuracy } from "../interfaces/IFederatedAccuracy.sol";
import { IndexedMerkle } from "../libraries/IndexedMerkle.sol";
import { Bitmaps } from "./Bitmaps.sol";
import { Contributions } from "./Contributions.sol";
import { FederatedState } from "./FederatedState.sol";
import { SecureGroups } from "./SecureGroups.sol";
import { TaskTerms } from "./TaskTerms.sol";

/// @title Who gets what of a final round
abstract contract FederatedRewards is IFederatedAccuracy, FederatedState {
    using Bitmaps for uint128;
    using SafeERC20 for IERC20;

    uint256 private constant MEASURES_LEAF = 7;

    /// @inheritdoc IFederatedAccuracy
    function claimReward(uint256 task, uint32 round, uint16 index, bytes calldata row, bytes32[] calldata proof)
        external
        nonReentrant
    {
        Task storage t = _known(task);
        RoundRecord storage r = t.records[round];
        if (!r.isFinal) revert NotFinal(task, round);
        if (!r.included.has(index)) revert NotIncluded(task, round, index);
        if (r.claimed.has(index)) revert AlreadyClaimed(task, round, index);
        r.claimed |= Bitmaps.only(index);
        uint256 amount = t.proves
            ? _provenAmount(t, r, round, index, row.length + proof.length)
            : _measuredAmount(t, task, r, round, index, row, proof);
        _pay(t, task, round, index, amount);
    }

    function _pay(Task storage t, uint256 task, uint32 round, uint16 index, uint256 amount) private {
        address account = t.members[index].account;
        emit RewardPaid(task, round, index, account, amount);
        if (amount != 0) _TOKEN.safeTransfer(account, amount);
    }

    /// @return amount of the pool by what row 0 of the measures says
    function _measuredAmount(
        Task storage t,
        uint256 task,
        RoundRecord storage r,
        uint32 round,
        uint16 index,
        bytes calldata row,
        bytes32[] calldata proof
    ) private returns (uint256) {
        uint128[] memory groups = _groupsOf(t, r, round);
        bool plain = !_isSecure(t);
        _requireRow(t, r.measuresRoot, plain ? r.included.count() : groups.length, row, proof);
        uint256 place = plain ? r.included.rank(index) : _groupOf(groups, index);
        return _amount(t, task, index == r.leader, place, groups, row);
    }

    /// @return amount of the pool by what was proven above the baseline; the leader's with its part and what division leaves
    function _provenAmount(Task storage t, RoundRecord storage r, uint32 round, uint16 index, uint256 shown)
        private
        view
        returns (uint256 amount)
    {
        // what was proven is on chain
        if (shown != 0) revert WrongLength(0, shown);
        AccuracyRecord storage a = t.accuracy[round];
        (uint256 pool, uint256 led) = _parts(t);
        if (a.rewarded.has(index)) {
            // slither-disable-next-line unused-return
            (,, uint256 correct,) = _PROOFS.proverOf(a.proofRound, t.members[index].account);
            amount = pool * (correct - t.terms.accuracy.baseline) / a.merits;
        }
        if (index == r.leader) amount += led + a.dust;
    }

    /// @return survivors of each group that was unmasked; none in plain mode
    function _groupsOf(Task storage t, RoundRecord storage r, uint32 round) private view returns (uint128[] memory) {
        if (!_isSecure(t)) return new uint128[](0);
        return SecureGroups.columns(r.seed, round, r.roster, t.terms.groupSize, r.included, r.answered);
    }

    /// @dev With the leader's part go the remainders; they are the whole pool, and the client's, when nobody contributed.
    function _amount(
        Task storage t,
        uint256 task,
        bool leads,
        uint256 place,
        uint128[] memory groups,
        bytes calldata row
    ) private returns (uint256 amount) {
        (uint256 pool, uint256 led) = _parts(t);
        uint256 sum = Contributions.total(row);
        uint256 columns = row.length / 8 - 1;
        // a group without enough answers is no column
        if (place < columns) amount = _perHead(groups, place, sum, pool, row);
        if (!leads) return amount;
        amount += led;
        if (sum == 0) {
            _refund(t, task, pool);
            return amount;
        }
        amount += pool;
        for (uint256 i = 0; i < columns; ++i) {
            amount -= _perHead(groups, i, sum, pool, row) * (groups.length == 0 ? 1 : groups[i].count());
        }
    }

    function _perHead(uint128[] memory groups, uint256 column, uint256 sum, uint256 pool, bytes calldata row)
        private
        pure
        returns (uint256 part)
    {
        part = Contributions.part(row, column, sum, pool);
        if (groups.length != 0) part /= groups[column].count();
    }

    /// @return place of the participant's group, or their number when it is in none
    function _groupOf(uint128[] memory groups, uint256 index) private pure returns (uint256 place) {
        while (place < groups.length && !groups[place].has(index)) ++place;
    }

    function _requireRow(Task storage t, bytes32 root, uint256 columns, bytes calldata row, bytes32[] calldata proof)
        private
        view
    {
        uint256 expected = 8 * (columns + 1);
        if (row.length != expected) revert WrongLength(expected, row.length);
        bytes32 leaf = keccak256(abi.encodePacked(MEASURES_LEAF, row));
        uint256 rows = TaskTerms.rowsOf(t.terms.rule, t.terms.mode, columns);
        bytes32 actual = IndexedMerkle.rootOfCalldata(leaf, 0, rows, proof);
        if (actual != root) revert WrongOpening(root, actual);
    }
}
