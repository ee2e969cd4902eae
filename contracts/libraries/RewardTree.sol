// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev Totals of all accounts: the root over their leaves, how many leaves there are (leaf 0 included), and the sum.
struct RewardState {
    bytes32 accountsRoot;
    uint256 count;
    uint256 total;
}

/// @dev `next` is the account that follows in numeric order, zero for the largest; `total` in wei.
struct RewardLeaf {
    address account;
    address next;
    uint256 total;
}

/// @dev Witness of one credit. When the account has a leaf: that leaf, its index and proof, and `appended` is empty. Else:
/// the low leaf (the one with the largest account below), its index and proof, and in `appended` the proof of the empty
/// place `count` in the tree in which the low leaf points to the account already, and which has grown if it was full.
/// Proofs are siblings from the leaves up.
struct RewardCredit {
    RewardLeaf leaf;
    uint256 index;
    bytes32[] proof;
    bytes32[] appended;
}

/// @title The tree of cumulative rewards (docs/rewards.md, The tree)
/// @notice Twin of `offchain/protocol/reward_tree.py`.
library RewardTree {
    error LeafOutOfRange(uint256 count, uint256 index);
    error WrongDepth(uint256 expected, uint256 actual);
    error WrongAccountsRoot(bytes32 expected, bytes32 actual);
    /// @notice The leaf is neither the account's own nor the one that precedes it.
    error NotTheLowLeaf(address account, address low, address next);
}
