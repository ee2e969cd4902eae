// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { RewardCredit, RewardLeaf, RewardState } from "../../../contracts/libraries/RewardTree.sol";

/// @dev A tree in memory, with room for `leaves.length` leaves. All is computed from the leaves each time, by the words of
/// docs/rewards.md and nothing of the contracts'.
struct Tree {
    RewardLeaf[] leaves;
    uint256 count;
    uint256 total;
}

library RewardTrees {
    function create(uint256 room) internal pure returns (Tree memory tree) {
        tree.leaves = new RewardLeaf[](room);
        tree.count = 1;
    }

    /// @dev `n` accounts, the i-th (from 1) being `first + i`, who have earned `each`.
    function filled(uint256 n, uint160 first, uint256 each) internal pure returns (Tree memory tree) {
        tree = create(n + 1);
        tree.count = n + 1;
        tree.total = n * each;
        for (uint160 i = 0; i <= n; ++i) {
            address next = i == n ? address(0) : address(first + i + 1);
            tree.leaves[i] = RewardLeaf(i == 0 ? address(0) : address(first + i), next, i == 0 ? 0 : each);
        }
    }

    function state(Tree memory tree) internal pure returns (RewardState memory) {
        bytes32[] memory level = hashes(tree, depth(tree.count));
        climb(level, 0);
        return RewardState({ accountsRoot: level[0], count: tree.count, total: tree.total });
    }

    function stateHash(Tree memory tree) internal pure returns (bytes32) {
        RewardState memory s = state(tree);
        return keccak256(abi.encode(s.accountsRoot, s.count, s.total));
    }

    /// @dev Changes the tree; the witness is of the tree before.
    function credit(Tree memory tree, address account, uint256 amount) internal pure returns (RewardCredit memory w) {
        if (amount == 0 || account == address(0)) return w;
        tree.total += amount;
        uint256 low = lowOf(tree, account);
        RewardLeaf memory leaf = tree.leaves[low];
        w.leaf = RewardLeaf(leaf.account, leaf.next, leaf.total);
        w.index = low;
        w.proof = prove(tree, low);
        if (leaf.account == account) {
            leaf.total += amount;
            return w;
        }
        leaf.next = account;
        w.appended = climb(hashes(tree, depth(tree.count + 1)), tree.count);
        tree.leaves[tree.count++] = RewardLeaf(account, w.leaf.next, amount);
    }

    /// @return low index of the account's leaf, or of the one with the largest account below it
    function lowOf(Tree memory tree, address account) internal pure returns (uint256 low) {
        for (uint256 i = 1; i < tree.count; ++i) {
            address other = tree.leaves[i].account;
            if (other <= account && other > tree.leaves[low].account) low = i;
        }
    }

    function prove(Tree memory tree, uint256 index) internal pure returns (bytes32[] memory) {
        return climb(hashes(tree, depth(tree.count)), index);
    }

    function depth(uint256 count) internal pure returns (uint256 d) {
        while (2 ** d < count) ++d;
    }

    /// @return level the leaves' hashes, and nothing in the places from `count` on
    function hashes(Tree memory tree, uint256 d) internal pure returns (bytes32[] memory level) {
        level = new bytes32[](2 ** d);
        for (uint256 i = 0; i < tree.count; ++i) {
            RewardLeaf memory leaf = tree.leaves[i];
            bytes32 inner;
            // abi.encode without an allocation for each leaf
            assembly ("memory-safe") {
                inner := keccak256(leaf, 96)
                mstore(0, inner)
                inner := keccak256(0, 32)
            }
            level[i] = inner;
        }
    }

    /// @dev Overwrites `level`, whose first place holds the root in the end.
    /// @return siblings those of `index`, from the leaves up
    function climb(bytes32[] memory level, uint256 index) internal pure returns (bytes32[] memory siblings) {
        uint256 width = level.length;
        siblings = new bytes32[](depth(width));
        for (uint256 d = 0; width > 1; ++d) {
            siblings[d] = level[index ^ 1];
            for (uint256 i = 0; i < width; i += 2) {
                (bytes32 left, bytes32 right) = (level[i], level[i + 1]);
                bytes32 node;
                assembly ("memory-safe") {
                    mstore(0, left)
                    mstore(32, right)
                    node := keccak256(0, 64)
                }
                level[i / 2] = node;
            }
            (width, index) = (width / 2, index / 2);
        }
    }
}
