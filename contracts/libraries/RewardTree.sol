// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Hashes } from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

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
    /// @notice A proof has another length than the tree's depth, which follows from the count of its leaves.
    error WrongDepth(uint256 expected, uint256 actual);
    error WrongAccountsRoot(bytes32 expected, bytes32 actual);
    /// @notice The leaf is neither the account's own nor the one that precedes it.
    error NotTheLowLeaf(address account, address low, address next);

    /// @return the state before anybody has earned anything: one leaf of nobody
    function emptyState() internal pure returns (RewardState memory) {
        return RewardState({ accountsRoot: hashOf(address(0), address(0), 0), count: 1, total: 0 });
    }

    function stateHash(RewardState memory state) internal pure returns (bytes32) {
        return stateHash(state.accountsRoot, state.count, state.total);
    }

    /// @dev keccak256(abi.encode(accountsRoot, count, total)), without the allocation.
    function stateHash(bytes32 accountsRoot, uint256 count, uint256 total) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, accountsRoot)
            mstore(add(free, 32), count)
            mstore(add(free, 64), total)
            hash := keccak256(free, 96)
        }
    }

    /// @return whether a credit leaves another state
    function changes(address account, uint256 amount) internal pure returns (bool) {
        return account != address(0) && amount != 0;
    }

    /// @notice Adds `amount` wei to what `account` has earned. In a tree whose leaves are linked in order, there is one
    /// state that this can lead to, whatever the witness: an account that has a leaf lies strictly between no leaf and its
    /// next, and the places of leaves follow from the count.
    /// @return the state after it; the same when it changes nothing, in which case the witness is not looked at
    function credit(RewardState memory state, address account, uint256 amount, RewardCredit calldata witness)
        internal
        pure
        returns (RewardState memory)
    {
        if (!changes(account, amount)) return state;
        _requireRoot(state.accountsRoot, rootOf(witness.leaf, witness.index, state.count, witness.proof));
        RewardLeaf calldata leaf = witness.leaf;
        uint256 total = state.total + amount;
        if (leaf.account != account) return _append(state, account, amount, witness, total);
        if (witness.appended.length != 0) revert WrongDepth(0, witness.appended.length);
        bytes32 grown = hashOf(account, leaf.next, leaf.total + amount);
        return RewardState(_climb(grown, witness.index, witness.proof), state.count, total);
    }

    /// @return where the proof of a leaf at `index` of `count` leads
    function rootOf(RewardLeaf calldata leaf, uint256 index, uint256 count, bytes32[] calldata proof)
        internal
        pure
        returns (bytes32)
    {
        if (index >= count) revert LeafOutOfRange(count, index);
        // As depthOf(count) != proof.length, which costs three times as much
        uint256 most = 1 << proof.length;
        if (count > most || (count <= most >> 1)) revert WrongDepth(depthOf(count), proof.length);
        return climb(leaf, index, proof);
    }

    /// @dev For who asks only whether a leaf is in a tree: a proof of another length would have to pass a node for a leaf.
    /// @return where the proof of a leaf at `index` leads, of whatever length it is
    function climb(RewardLeaf calldata leaf, uint256 index, bytes32[] calldata proof) internal pure returns (bytes32) {
        return _climb(_hashOfCalldata(leaf), index, proof);
    }

    /// @return depth the least with 2^depth >= count, which is at least 1
    function depthOf(uint256 count) internal pure returns (uint256 depth) {
        return count == 1 ? 0 : Math.log2(count - 1) + 1;
    }

    /// @dev Hashed twice: a leaf has 96 bytes and then 32, a node 64, so neither passes for the other.
    function hashOf(address account, address next, uint256 total) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, account)
            mstore(add(free, 32), next)
            mstore(add(free, 64), total)
            mstore(0, keccak256(free, 96))
            hash := keccak256(0, 32)
        }
    }

    /// @dev Copied as it lies there: a word that is no address is in no leaf of a tree that was built by the rules.
    function _hashOfCalldata(RewardLeaf calldata leaf) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, leaf, 96)
            mstore(0, keccak256(free, 96))
            hash := keccak256(0, 32)
        }
    }

    function _append(
        RewardState memory state,
        address account,
        uint256 amount,
        RewardCredit calldata witness,
        uint256 total
    ) private pure returns (RewardState memory) {
        RewardLeaf calldata low = witness.leaf;
        if (low.account > account || (low.next != address(0) && low.next <= account)) {
            revert NotTheLowLeaf(account, low.account, low.next);
        }
        uint256 count = state.count;
        uint256 depth = witness.proof.length;
        bytes32 root = _climb(hashOf(low.account, account, low.total), witness.index, witness.proof);
        if (count == 1 << depth) {
            root = Hashes.efficientKeccak256(root, _emptyRoot(depth));
            ++depth;
        }
        _requireDepth(depth, witness.appended);
        _requireRoot(root, _climb(0, count, witness.appended));
        return RewardState(_climb(hashOf(account, low.next, amount), count, witness.appended), count + 1, total);
    }

    /// @dev In assembly and two levels at a time, for claims climb a dozen and a refutation hundreds.
    /// @return node the root over `leaf` at `index`
    function _climb(bytes32 leaf, uint256 index, bytes32[] calldata proof) private pure returns (bytes32 node) {
        node = leaf;
        // slither-disable-start incorrect-exp
        assembly ("memory-safe") {
            let at := proof.offset
            let end := add(at, shl(5, proof.length))
            // Bit 5 says on which side the node is: at 0 or at 32
            let sides := shl(5, index)
            if and(proof.length, 1) {
                mstore(and(sides, 32), node)
                mstore(xor(and(sides, 32), 32), calldataload(at))
                node := keccak256(0, 64)
                at := add(at, 32)
                sides := shr(1, sides)
            }
            for { } lt(at, end) { at := add(at, 64) } {
                let side := and(sides, 32)
                mstore(side, node)
                mstore(xor(side, 32), calldataload(at))
                node := keccak256(0, 64)
                side := and(shr(1, sides), 32)
                mstore(side, node)
                mstore(xor(side, 32), calldataload(add(at, 32)))
                node := keccak256(0, 64)
                sides := shr(2, sides)
            }
        }
        // slither-disable-end incorrect-exp
    }

    /// @return root over 2^depth empty places
    function _emptyRoot(uint256 depth) private pure returns (bytes32 root) {
        for (uint256 i = 0; i < depth; ++i) {
            root = Hashes.efficientKeccak256(root, root);
        }
    }

    function _requireDepth(uint256 depth, bytes32[] calldata proof) private pure {
        if (proof.length != depth) revert WrongDepth(depth, proof.length);
    }

    function _requireRoot(bytes32 expected, bytes32 actual) private pure {
        if (actual != expected) revert WrongAccountsRoot(expected, actual);
    }
}
