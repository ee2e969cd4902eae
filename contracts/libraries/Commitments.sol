// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Payout } from "../interfaces/IRewardTreasury.sol";

/// @title What each commitment binds
/// @notice Twin of `offchain/protocol/commitments.py`. The committing account is part of every preimage, so a copied
/// commitment can be opened by nobody: not by the copier, whose address is wrong, and not for the copier by its author.
library Commitments {
    /// @return the commitment of `client` to its test set; it binds no order id, for there is none before the put
    function testSet(address client, bytes32 testRoot, uint32 sampleCount, bytes32 testCid, bytes32 salt)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(client, testRoot, sampleCount, testCid, salt));
    }

    /// @return the commitment of `provider` to a model
    function model(uint256 oid, address provider, bytes32 modelRoot, bytes32 cid, bytes32 salt)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(oid, provider, modelRoot, cid, salt));
    }

    /// @return the commitment of `validator` to one score for each model, in order of reveal
    function scores(uint256 oid, address validator, int64[] memory values, bytes32 salt)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(oid, validator, values, salt));
    }

    /// @return what a sealed order holds the treasury to
    function payouts(uint256 oid, Payout[] memory list, uint256 tax) internal pure returns (bytes32) {
        return keccak256(abi.encode(oid, list, tax));
    }
}
