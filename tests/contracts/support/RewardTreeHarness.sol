// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { RewardRoot, RewardRoots } from "../../../contracts/libraries/RewardRoots.sol";
import { RewardCredit, RewardLeaf, RewardState, RewardTree } from "../../../contracts/libraries/RewardTree.sol";

/// @dev The tree's rules as calls, for the twin and for expected reverts.
contract RewardTreeHarness {
    function emptyState() external pure returns (RewardState memory) {
        return RewardTree.emptyState();
    }

    function stateHash(RewardState calldata state) external pure returns (bytes32) {
        return RewardTree.stateHash(state);
    }

    function credit(RewardState calldata state, address account, uint256 amount, RewardCredit calldata witness)
        external
        pure
        returns (RewardState memory)
    {
        return RewardTree.credit(state, account, amount, witness);
    }

    function leafHash(RewardLeaf calldata leaf) external pure returns (bytes32) {
        return RewardTree.hashOf(leaf.account, leaf.next, leaf.total);
    }

    function rootOf(RewardLeaf calldata leaf, uint256 index, uint256 count, bytes32[] calldata proof)
        external
        pure
        returns (bytes32)
    {
        return RewardTree.rootOf(leaf, index, count, proof);
    }

    function depthOf(uint256 count) external pure returns (uint256) {
        return RewardTree.depthOf(count);
    }

    function structHash(RewardRoot calldata statement) external pure returns (bytes32) {
        return RewardRoots.structHash(statement);
    }

    function rewardRoot(bytes32[] calldata steps) external pure returns (bytes32) {
        return RewardRoots.rootOf(steps[steps.length - 1], keccak256(abi.encodePacked(steps)));
    }
}
