// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Commitments } from "../../../contracts/libraries/Commitments.sol";
import { Quorum } from "../../../contracts/libraries/Quorum.sol";
import { ScoreFunction, ScoreFunctions } from "../../../contracts/libraries/ScoreFunctions.sol";
import { Settlements } from "../../../contracts/libraries/Settlements.sol";

/// @dev Opens the pure libraries to the tests that hold them against their Python twins.
contract RulesHarness {
    function testSet(address client, bytes32 testRoot, uint32 sampleCount, bytes32 testCid, bytes32 salt)
        external
        pure
        returns (bytes32)
    {
        return Commitments.testSet(client, testRoot, sampleCount, testCid, salt);
    }

    function model(uint256 oid, address provider, bytes32 modelRoot, bytes32 cid, bytes32 salt)
        external
        pure
        returns (bytes32)
    {
        return Commitments.model(oid, provider, modelRoot, cid, salt);
    }

    function scores(uint256 oid, address validator, int64[] memory values, bytes32 salt)
        external
        pure
        returns (bytes32)
    {
        return Commitments.scores(oid, validator, values, salt);
    }

    function payouts(uint256 oid, Payout[] memory list, uint256 tax) external pure returns (bytes32) {
        return Commitments.payouts(oid, list, tax);
    }

    function taxOf(uint256 reward, uint256 taxPpm) external pure returns (uint256) {
        return Settlements.taxOf(reward, taxPpm);
    }

    function won(
        uint256 reward,
        uint256 tax,
        uint256 validatorSharePpm,
        address winner,
        address[] memory validators,
        uint256[] memory stakes
    ) external pure returns (Payout[] memory) {
        return Settlements.won(reward, tax, validatorSharePpm, winner, validators, stakes);
    }

    function shared(uint256 reward, uint256 tax, address[] memory providers) external pure returns (Payout[] memory) {
        return Settlements.shared(reward, tax, providers);
    }

    function inRange(ScoreFunction fn, int64 score, uint32 samples) external pure returns (bool) {
        return ScoreFunctions.inRange(fn, score, samples);
    }

    function bestPpm(ScoreFunction fn) external pure returns (int64) {
        return ScoreFunctions.bestPpm(fn);
    }

    function reaches(int64 score, uint32 samples, int64 minimumPpm) external pure returns (bool) {
        return ScoreFunctions.reaches(score, samples, minimumPpm);
    }

    function threshold(uint256 members) external pure returns (uint256) {
        return Quorum.threshold(members);
    }
}
