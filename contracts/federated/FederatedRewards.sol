// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { RoundRecord } from "../interfaces/FederatedTypes.sol";
import { IFederatedActions } from "../interfaces/IFederatedActions.sol";
import { IndexedMerkle } from "../libraries/IndexedMerkle.sol";
import { Bitmaps } from "./Bitmaps.sol";
import { Contributions } from "./Contributions.sol";
import { FederatedState } from "./FederatedState.sol";
import { TaskTerms } from "./TaskTerms.sol";

/// @title Who gets what of a final round
abstract contract FederatedRewards is IFederatedActions, FederatedState {
    using Bitmaps for uint128;
    using SafeERC20 for IERC20;

    uint256 private constant MEASURES_LEAF = 7;

    /// @inheritdoc IFederatedActions
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
        uint128[] memory columns = _columns(t, r.seed, round, r.roster, r.included, r.answered);
        _requireRow(t, r.measuresRoot, columns.length, row, proof);
        uint256 amount = _rewardOf(t, task, index, index == r.leader, columns, row);
        address account = t.members[index].account;
        emit RewardPaid(task, round, index, account, amount);
        if (amount != 0) _TOKEN.safeTransfer(account, amount);
    }

    /// @dev With the leader's part go the remainders; they are the whole pool, and the client's, when nobody contributed.
    function _rewardOf(
        Task storage t,
        uint256 task,
        uint256 index,
        bool leads,
        uint128[] memory columns,
        bytes calldata row
    ) private returns (uint256 amount) {
        uint256 pool = t.terms.reward;
        uint256 led = pool * t.terms.leaderSharePpm / PPM;
        pool -= led;
        uint256[] memory heads = new uint256[](0);
        if (_isSecure(t)) heads = _heads(columns);
        (uint256[] memory parts, uint256 dust, bool any) = Contributions.divide(row, pool, heads);
        for (uint256 i = 0; i < columns.length; ++i) {
            if (columns[i].has(index)) amount = parts[i];
        }
        if (!leads) return amount;
        amount += led;
        if (any) amount += dust;
        else _refund(t, task, dust);
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

    function _heads(uint128[] memory columns) private pure returns (uint256[] memory heads) {
        heads = new uint256[](columns.length);
        for (uint256 i = 0; i < heads.length; ++i) {
            heads[i] = columns[i].count();
        }
    }
}
