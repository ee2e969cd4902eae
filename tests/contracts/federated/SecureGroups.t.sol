// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { SecureGroups } from "../../../contracts/federated/SecureGroups.sol";
import { vm } from "../support/Vm.sol";

/// @dev The draw of groups against `offchain/federated/groups.py`.
contract SecureGroupsTest {
    /// @dev keccak256 over 60 assignments; `tests/unit/federated/test_groups.py` has it too.
    bytes32 private constant ASSIGNMENTS = 0xad9322173eaeb09e2be779c067772da850057dcbb7f93cf4f6711c581b0ec271;

    function test_python_draws_the_same() public pure {
        bytes memory digests;
        for (uint256 k = 0; k < 60; ++k) {
            bytes32 seed = keccak256(abi.encode(k));
            uint128 roster = uint128(uint256(keccak256(abi.encode(seed)))) | 1;
            uint128[] memory groups = SecureGroups.assign(seed, uint32(k), roster, 3 + k % 20);
            digests = bytes.concat(digests, keccak256(abi.encodePacked(groups)));
        }
        vm.assertEq(keccak256(digests), ASSIGNMENTS, "assignments");
    }

    function test_thresholds() public pure {
        vm.assertEq(SecureGroups.threshold(100), 62, "100");
        vm.assertEq(SecureGroups.threshold(10), 7, "10");
        vm.assertEq(SecureGroups.threshold(3), 2, "3");
        vm.assertEq(SecureGroups.threshold(1), 2, "1");
    }
}
