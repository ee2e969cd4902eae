// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Hashes } from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

/// @dev What a committee signs at an update cycle (docs/rewards.md, A root). `upTo` is the sequence number of the last
/// order that the root covers; `parent`, `history` and `settledOtherwise` say on which state of the treasury it stands;
/// `attempt` is the number under which the committee's ledger took it, which is given to one statement only.
struct RewardRoot {
    uint64 cycle;
    uint64 epoch;
    uint64 attempt;
    uint32 upTo;
    uint32 settledOtherwise;
    bytes32 parent;
    bytes32 history;
    bytes32 root;
}

/// @title Statements about rewards
/// @notice Twin of `offchain/protocol/reward_root.py`.
library RewardRoots {
    bytes32 internal constant TYPE_HASH = keccak256(
        "RewardRoot(uint64 cycle,uint64 epoch,uint64 attempt,uint32 upTo,uint32 settledOtherwise,bytes32 parent,bytes32 history,bytes32 root)"
    );

    /// @return the EIP-712 hash of the struct; the domain is AggregatorCommittee's
    function structHash(RewardRoot memory statement) internal pure returns (bytes32) {
        return keccak256(abi.encode(TYPE_HASH, statement));
    }

    /// @param last hash of the state after the last order covered
    /// @param stepsHash keccak256 of the steps, one after the other
    function rootOf(bytes32 last, bytes32 stepsHash) internal pure returns (bytes32) {
        return Hashes.efficientKeccak256(last, stepsHash);
    }
}
